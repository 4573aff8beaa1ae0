using System.Buffers.Binary;

namespace Countersign.Gateway.Tests;

/// <summary>A client's stream that is as any other until there are keys; from there on a byte of each write goes out, and the rest never does.</summary>
internal sealed class Dripping(Stream inner) : Stream
{
    private const byte NewKeys = 21;

    private readonly TaskCompletionSource _hasKeys = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<byte> _written = [];
    private int _at;

    /// <summary>Completes when the first byte under keys has gone out.</summary>
    public Task HasKeys => _hasKeys.Task;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => inner.ReadAsync(buffer, cancellationToken);

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var before = _written.Count;
        _written.AddRange(buffer.Span);
        var end = EndOfPlain();
        var open = end < 0 ? buffer.Length : Math.Clamp(end - before, 0, buffer.Length);
        var isDrop = open < buffer.Length;
        await inner.WriteAsync(buffer[..(isDrop ? open + 1 : open)], cancellationToken);
        if (isDrop) _hasKeys.TrySetResult();
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => inner.ReadAsync(buffer, offset, count, cancellationToken);

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        inner.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>Where the first packet under keys begins; -1: not yet.</summary>
    private int EndOfPlain()
    {
        var bytes = _written.ToArray().AsSpan();
        if (_at == 0) _at = bytes.IndexOf((byte)'\n') + 1;
        while (_at > 0 && bytes.Length - _at > 5)
        {
            var next = _at + 4 + BinaryPrimitives.ReadInt32BigEndian(bytes[_at..]);
            if (bytes.Length < next) return -1;
            if (bytes[_at + 5] == NewKeys) return next;
            _at = next;
        }

        return -1;
    }
}
