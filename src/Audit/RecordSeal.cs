using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Countersign.Audit;

/// <summary>
/// From a record to its leaf in the tree. Each field of the personal part goes in as a salted commitment, so that it can be erased later, and so
/// that nobody who has only leaves can find out by guessing whom a record is about.
/// </summary>
/// <remarks>
/// The encoding is unambiguous: a name with a version, then every field in a fixed order; numbers are 8 bytes, big-endian; texts are UTF-8 behind
/// their length in 4 bytes; what may be missing has a byte in front that says whether it is there. Another set of fields gets another version.
/// </remarks>
public static class RecordSeal
{
    public const int SaltLength = 32;

    public static byte[] NewSalt() => RandomNumberGenerator.GetBytes(SaltLength);

    /// <summary>
    /// Over the commitments of the fields, in their order. Each is made with a salt of its own, which comes from the record's: a field can be
    /// erased, and all the others still be opened.
    /// </summary>
    /// <exception cref="ArgumentException">The salt has another length.</exception>
    public static byte[] Commit(PersonalPart personal, ReadOnlySpan<byte> salt)
    {
        if (salt.Length != SaltLength) throw new ArgumentException($"A salt has {SaltLength} bytes.", nameof(salt));
        var fields = new List<(string Name, byte[] Commitment)>();
        foreach (var (name, value) in personal.Fields()) fields.Add((name, Commit(name, value, SaltOf(name, salt))));
        return CommitAll(fields);
    }

    /// <summary>The same where fields were erased. Null: the personal part and what opens it don't belong together.</summary>
    /// <param name="openings">In the order of the fields when the record was sealed.</param>
    public static byte[]? Commit(PersonalPart personal, IReadOnlyList<FieldOpening> openings)
    {
        var left = new Queue<(string Name, string? Value)>(personal.Fields());
        var fields = new List<(string Name, byte[] Commitment)>();
        foreach (var opening in openings)
        {
            var stands = left.TryPeek(out var field) && field.Name == opening.Name;
            if (stands) left.Dequeue();
            if (opening.Salt is { } salt)
            {
                if (!stands) return null;
                fields.Add((opening.Name, Commit(opening.Name, field.Value, salt)));
            }
            else
            {
                // What stands in an erased field's place would be proved by nothing.
                if (stands && !string.IsNullOrEmpty(field.Value)) return null;
                fields.Add((opening.Name, opening.Commitment!));
            }
        }

        return left.Count == 0 ? CommitAll(fields) : null;
    }

    /// <summary>What opens a record's fields one by one, as long as nothing is erased of it.</summary>
    public static IReadOnlyList<FieldOpening> Open(PersonalPart personal, byte[] salt) =>
        [.. personal.Fields().Select(field => new FieldOpening(field.Name, SaltOf(field.Name, salt), null))];

    /// <summary>The opening of a field that is being erased: its commitment, and no more its salt.</summary>
    public static FieldOpening Erase(FieldOpening opening, string? value) =>
        opening.Salt is { } salt ? new(opening.Name, null, Commit(opening.Name, value, salt)) : opening;

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

    private static byte[] SaltOf(string name, ReadOnlySpan<byte> salt) => HMACSHA256.HashData(salt, Encoding.UTF8.GetBytes(name));

    private static byte[] Commit(string name, string? value, ReadOnlySpan<byte> salt)
    {
        using var hash = new Encoder("countersign.audit.field.v1");
        hash.Bytes(salt);
        hash.Text(name);
        hash.Optional(value);
        return hash.Finish();
    }

    private static byte[] CommitAll(List<(string Name, byte[] Commitment)> fields)
    {
        using var hash = new Encoder("countersign.audit.personal.v2");
        hash.Number(fields.Count);
        foreach (var (name, commitment) in fields)
        {
            hash.Text(name);
            hash.Bytes(commitment);
        }

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

        public byte[] Finish() => _hash.GetHashAndReset();

        public void Dispose() => _hash.Dispose();

        private void Present(bool present) => _hash.AppendData([present ? (byte)1 : (byte)0]);
    }
}
