using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Countersign.Access;
using Countersign.Server.Features.Vault;

namespace Countersign.Server.Features.Identity;

/// <summary>What a ticket says: whose password was right, and which one that was.</summary>
/// <param name="PasswordChanged">The default: there was none, and a link that was mailed took its place.</param>
internal sealed record SignInTicket(OrganizationId Organization, PersonId Person, DateTimeOffset PasswordChanged);

/// <summary>
/// Between password and code: says for five minutes that the password was right, so that nobody has to keep it. Sealed and not stored: there is
/// nothing that a flood could fill. It lets nobody in by itself, and is worth nothing once the password is another one.
/// </summary>
internal sealed class SignInTickets(MasterKey master, TimeProvider time) : IDisposable
{
    public static readonly TimeSpan Life = TimeSpan.FromMinutes(5);

    private const int Length = 16 + 16 + 8 + 8;

    private static readonly int _textLength = Base64Url.GetEncodedLength(Length + Envelope.Overhead);

    private readonly Envelope _envelope = new(master, "sign-in-ticket");

    public string Issue(SignInTicket ticket)
    {
        Span<byte> content = stackalloc byte[Length];
        ticket.Organization.Value.TryWriteBytes(content, bigEndian: true, out _);
        ticket.Person.Value.TryWriteBytes(content[16..], bigEndian: true, out _);
        BinaryPrimitives.WriteInt64BigEndian(content[32..], ticket.PasswordChanged.UtcTicks);
        BinaryPrimitives.WriteInt64BigEndian(content[40..], (time.GetUtcNow() + Life).UtcTicks);
        return Base64Url.EncodeToString(_envelope.Seal(content));
    }

    /// <summary>Null: it is none of ours, or its time is over.</summary>
    public SignInTicket? Read(string text)
    {
        if (text.Length != _textLength || !Base64Url.IsValid(text)) return null;
        try
        {
            using var content = _envelope.Open(Base64Url.DecodeFromUtf8(Encoding.ASCII.GetBytes(text)));
            var bytes = content.Expose();
            return time.GetUtcNow().UtcTicks < BinaryPrimitives.ReadInt64BigEndian(bytes[40..])
                ? new(
                    new(new Guid(bytes[..16], bigEndian: true)),
                    new(new Guid(bytes.Slice(16, 16), bigEndian: true)),
                    new(BinaryPrimitives.ReadInt64BigEndian(bytes[32..]), TimeSpan.Zero))
                : null;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    public void Dispose() => _envelope.Dispose();
}
