using System.Buffers.Binary;
using Countersign.Ssh.Transport;

namespace Countersign.Ssh.Tests;

/// <summary>A connection of which the first that the other end says is kept: what it offers, before there are keys.</summary>
internal sealed class Heard(Stream inner) : Stream
{
    private const int MostKept = 8192;

    private readonly MemoryStream _kept = new();

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>What it offered (RFC 4253 section 7.1): the packet behind the line with its name.</summary>
    public KexInit Offer()
    {
        byte[] said;
        lock (_kept) said = _kept.ToArray();
        var packet = said.AsSpan(said.AsSpan().IndexOf((byte)'\n') + 1);
        var length = BinaryPrimitives.ReadInt32BigEndian(packet);
        return KexInit.Parse(packet.Slice(5, length - 1 - packet[4]));
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await inner.ReadAsync(buffer, cancellationToken);
        lock (_kept)
        {
            if (_kept.Length < MostKept) _kept.Write(buffer.Span[..read]);
        }

        return read;
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => inner.WriteAsync(buffer, cancellationToken);

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => inner.Write(buffer, offset, count);

    public override void Flush() => inner.Flush();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) inner.Dispose();
        base.Dispose(disposing);
    }
}
