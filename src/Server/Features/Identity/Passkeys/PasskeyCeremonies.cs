using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Countersign.Access;
using Countersign.Server.Features.Vault;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Identity.Passkeys;

/// <summary>What a challenge was given for. Numbers are sealed.</summary>
internal enum CeremonyKind : byte
{
    /// <summary>To add a passkey.</summary>
    Add = 1,

    /// <summary>To sign in after a password or a mailed link.</summary>
    SecondStep = 2,

    /// <summary>To sign in with nothing else.</summary>
    OnlyStep = 3,
}

/// <summary>What a challenge is good for: nothing but this.</summary>
internal sealed record PasskeyCeremony
{
    public required CeremonyKind Kind { get; init; }

    /// <summary>Whose it is. For <see cref="CeremonyKind.OnlyStep"/> nobody's: whoever signs in has not said who they are.</summary>
    public OrganizationId Organization { get; init; }

    public PersonId Person { get; init; }

    /// <summary>To add a passkey: the token that asked. Nobody finishes with another one.</summary>
    public Guid Token { get; init; }

    /// <summary>As the second step: <see cref="SignInTicket.PasswordChanged"/>.</summary>
    public DateTimeOffset PasswordChanged { get; init; }

    public byte[] Challenge { get; init; } = [];

    public DateTimeOffset Expires { get; init; }
}

/// <summary>
/// Between a challenge and its answer: sealed and not stored, so that there is nothing that a flood of strangers could fill. That a challenge is
/// answered once is written down with what the answer brings about.
/// </summary>
internal sealed class PasskeyCeremonies(MasterKey master, TimeProvider time) : IDisposable
{
    public const int ChallengeLength = 32;

    public static readonly TimeSpan Life = TimeSpan.FromMinutes(5);

    private const int Length = 1 + 16 + 16 + 16 + 8 + 8 + ChallengeLength;

    private static readonly int _textLength = Base64Url.GetEncodedLength(Length + Envelope.Overhead);

    private readonly Envelope _envelope = new(master, "passkey-ceremony");

    /// <summary>Gives the ceremony its challenge and its time.</summary>
    public (string Text, PasskeyCeremony Ceremony) Begin(PasskeyCeremony wanted)
    {
        var ceremony = wanted with { Challenge = RandomNumberGenerator.GetBytes(ChallengeLength), Expires = time.GetUtcNow() + Life };
        Span<byte> content = stackalloc byte[Length];
        content[0] = (byte)ceremony.Kind;
        ceremony.Organization.Value.TryWriteBytes(content[1..], bigEndian: true, out _);
        ceremony.Person.Value.TryWriteBytes(content[17..], bigEndian: true, out _);
        ceremony.Token.TryWriteBytes(content[33..], bigEndian: true, out _);
        BinaryPrimitives.WriteInt64BigEndian(content[49..], ceremony.PasswordChanged.UtcTicks);
        BinaryPrimitives.WriteInt64BigEndian(content[57..], ceremony.Expires.UtcTicks);
        ceremony.Challenge.CopyTo(content[65..]);
        return (Base64Url.EncodeToString(_envelope.Seal(content)), ceremony);
    }

    /// <summary>Null: it is none of ours, or its time is over.</summary>
    public PasskeyCeremony? Read(string text)
    {
        if (text.Length != _textLength || !Base64Url.IsValid(text)) return null;
        try
        {
            using var opened = _envelope.Open(Base64Url.DecodeFromUtf8(Encoding.ASCII.GetBytes(text)));
            var content = opened.Expose();
            var ceremony = new PasskeyCeremony
            {
                Kind = (CeremonyKind)content[0],
                Organization = new(new(content.Slice(1, 16), bigEndian: true)),
                Person = new(new(content.Slice(17, 16), bigEndian: true)),
                Token = new(content.Slice(33, 16), bigEndian: true),
                PasswordChanged = new(BinaryPrimitives.ReadInt64BigEndian(content[49..]), TimeSpan.Zero),
                Expires = new(BinaryPrimitives.ReadInt64BigEndian(content[57..]), TimeSpan.Zero),
                Challenge = content[65..].ToArray(),
            };
            return time.GetUtcNow() < ceremony.Expires ? ceremony : null;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    /// <summary>On the writer: true for the first answer to this challenge, and for no other one. Those that are too old to be answered are forgotten.</summary>
    public async Task<bool> SpendAsync(CountersignDb db, PasskeyCeremony ceremony, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        await db.Set<SpentChallenge>().Where(row => row.Expires <= now).ExecuteDeleteAsync(cancellation);
        if (ceremony.Expires <= now || await db.Set<SpentChallenge>().AnyAsync(row => row.Challenge == ceremony.Challenge, cancellation)) return false;
        db.Add(new SpentChallenge { OrganizationId = db.Organization, Challenge = ceremony.Challenge, Expires = ceremony.Expires });
        return true;
    }

    public void Dispose() => _envelope.Dispose();
}
