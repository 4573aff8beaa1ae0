using System.Security.Cryptography;
using Countersign.Sessions.Journal;

namespace Countersign.Sessions.Files;

/// <summary>What is known of a file's content that goes one way: how much, which parts, and the hash as long as it goes in order from the beginning.</summary>
internal sealed class FileContent : IDisposable
{
    private readonly ByteRanges _ranges = new();
    private IncrementalHash? _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private long _next;

    public long Bytes { get; private set; }

    public void Add(long offset, ReadOnlySpan<byte> bytes)
    {
        if (offset != _next) Scatter();
        _hash?.AppendData(bytes);
        _next = offset + bytes.Length;
        Bytes += bytes.Length;
        _ranges.Add(offset, bytes.Length);
    }

    /// <summary>No hash can be told: the bytes are not a file from its beginning, or not all of them are where they were to go.</summary>
    public void Scatter()
    {
        _hash?.Dispose();
        _hash = null;
    }

    /// <summary>Once, at the end.</summary>
    /// <param name="start">What the device's file held at its opening; null: it came from there, or is replaced as a whole.</param>
    public FileTransferred Tell(FileDirection direction, string path, FileOutcome outcome, FileStart? start = null)
    {
        var hash = outcome == FileOutcome.Ok && _hash is { } whole ? Convert.ToHexStringLower(whole.GetHashAndReset()) : null;
        return new(direction, path, Bytes, hash, hash is null ? [.. _ranges.Parts] : null, outcome, start);
    }

    public void Dispose() => Scatter();
}
