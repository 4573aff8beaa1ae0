using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Countersign.Audit;

/// <summary>
/// From a record to its leaf in the tree. The personal part goes in as a salted commitment, so that it can be erased later, and so that nobody who
/// has only leaves can find out by guessing whom a record is about.
/// </summary>
/// <remarks>
/// The encoding is unambiguous: a name with a version, then every field in a fixed order; numbers are 8 bytes, big-endian; texts are UTF-8 behind
/// their length in 4 bytes; what may be missing has a byte in front that says whether it is there. Another set of fields gets another version.
/// </remarks>
public static class RecordSeal
{
    public const int SaltLength = 32;

    public static byte[] NewSalt() => RandomNumberGenerator.GetBytes(SaltLength);

    /// <exception cref="ArgumentException">The salt has another length.</exception>
    public static byte[] Commit(PersonalPart personal, ReadOnlySpan<byte> salt)
    {
        if (salt.Length != SaltLength) throw new ArgumentException($"A salt has {SaltLength} bytes.", nameof(salt));
        using var hash = new Encoder("countersign.audit.personal.v1");
        hash.Bytes(salt);
        hash.Optional(personal.Actor);
        hash.Text(personal.ActorLogin);
        hash.Optional(personal.Source);
        hash.Text(personal.Subject);
        hash.Optional(personal.SubjectId);
        hash.Text(personal.Details);
        return hash.Finish();
    }

    /// <summary>The hash of the record's leaf (RFC 6962 section 2.1: a zero byte goes before the data).</summary>
    /// <param name="commitment">Of the personal part.</param>
    public static byte[] Leaf(LoggedRecord record, ReadOnlySpan<byte> commitment)
    {
        using var hash = new Encoder("countersign.audit.record.v1", MerkleTree.LeafPrefix);
        hash.Guid(record.Organization);
        hash.Number(record.Number);
        hash.Number(record.Id);
        hash.Number(record.At.UtcTicks);
        hash.Text(record.Kind);
        hash.Text(record.Channel);
        hash.Text(record.Outcome);
        hash.Text(record.Correlation);
        hash.Bytes(commitment);
        return hash.Finish();
    }

    private sealed class Encoder : IDisposable
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        public Encoder(string name, params ReadOnlySpan<byte> prefix)
        {
            _hash.AppendData(prefix);
            Text(name);
        }

        public void Number(long value)
        {
            Span<byte> bytes = stackalloc byte[8];
            BinaryPrimitives.WriteInt64BigEndian(bytes, value);
            _hash.AppendData(bytes);
        }

        public void Guid(Guid value)
        {
            Span<byte> bytes = stackalloc byte[16];
            value.TryWriteBytes(bytes, bigEndian: true, out _);
            _hash.AppendData(bytes);
        }

        public void Text(string value) => Bytes(Encoding.UTF8.GetBytes(value));

        public void Bytes(ReadOnlySpan<byte> value)
        {
            Span<byte> length = stackalloc byte[4];
            BinaryPrimitives.WriteInt32BigEndian(length, value.Length);
            _hash.AppendData(length);
            _hash.AppendData(value);
        }

        public void Optional(string? value)
        {
            Present(value is not null);
            if (value is not null) Text(value);
        }

        public void Optional(Guid? value)
        {
            Present(value is not null);
            if (value is { } there) Guid(there);
        }

        public byte[] Finish() => _hash.GetHashAndReset();

        public void Dispose() => _hash.Dispose();

        private void Present(bool present) => _hash.AppendData([present ? (byte)1 : (byte)0]);
    }
}
