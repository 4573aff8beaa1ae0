using System.Security.Cryptography;

namespace Countersign.Audit;

/// <summary>Where a session's journal stands: so many events, and the hash that binds each of them and their order.</summary>
/// <param name="Hash">32 bytes.</param>
public readonly record struct JournalHead(long Events, ReadOnlyMemory<byte> Hash);

/// <summary>
/// The hash chain over the events of one session. It begins with the session's identity and takes in each event's text, byte for byte, so that an
/// export of the journal is verified without a key: what the file on the server's disk is encrypted under does not matter to it.
/// </summary>
/// <remarks>The first event carries random bytes: who has only a head can't find out by guessing what the journal says.</remarks>
public sealed class JournalChain
{
    private readonly byte[] _hash;

    public JournalChain(Guid organization, Guid session)
    {
        var name = "countersign.session.journal.v1\n"u8;
        Span<byte> seed = stackalloc byte[name.Length + 32];
        name.CopyTo(seed);
        organization.TryWriteBytes(seed[name.Length..], bigEndian: true, out _);
        session.TryWriteBytes(seed[(name.Length + 16)..], bigEndian: true, out _);
        _hash = SHA256.HashData(seed);
    }

    public long Events { get; private set; }

    public JournalHead Head => new(Events, _hash.ToArray());

    /// <param name="line">An event's text, without a line break.</param>
    public void Add(ReadOnlySpan<byte> line)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(_hash);
        hash.AppendData(line);
        hash.GetHashAndReset(_hash);
        Events++;
    }
}
