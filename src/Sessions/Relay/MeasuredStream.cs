using System.Security.Cryptography;

namespace Countersign.Sessions.Relay;

/// <summary>How much went one way between a program and its technician, and the hash of it. One call at a time.</summary>
internal sealed class MeasuredStream : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private long _bytes;

    public void Add(ReadOnlySpan<byte> bytes)
    {
        _bytes += bytes.Length;
        _hash.AppendData(bytes);
    }

    /// <summary>Once: bytes, and SHA-256 over all of them in hexadecimal. Null: there were none.</summary>
    public (long Bytes, string Sha256)? Tell() => _bytes == 0 ? null : (_bytes, Convert.ToHexStringLower(_hash.GetHashAndReset()));

    public void Dispose() => _hash.Dispose();
}
