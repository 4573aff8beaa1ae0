using System.Security.Cryptography;
using Countersign.Sessions.Journal;

namespace Countersign.Sessions.Relay;

/// <summary>How much a command was given on its standard input, and the hash of it. One call at a time.</summary>
internal sealed class ProgramInput : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private long _bytes;

    public void Add(ReadOnlySpan<byte> bytes)
    {
        _bytes += bytes.Length;
        _hash.AppendData(bytes);
    }

    /// <summary>Once. Null: nothing was given.</summary>
    public ProgramRead? Tell() => _bytes == 0 ? null : new(_bytes, Convert.ToHexStringLower(_hash.GetHashAndReset()));

    public void Dispose() => _hash.Dispose();
}
