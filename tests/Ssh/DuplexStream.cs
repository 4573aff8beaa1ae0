using System.IO.Pipelines;

namespace Countersign.Ssh.Tests;

/// <summary>One end of a connection in memory; as with a socket, a writer waits when the other end does not read.</summary>
internal sealed class DuplexStream : Stream
{
    private const int SocketBuffer = 256 * 1024;
    private readonly PipeReader _reader;
    private readonly PipeWriter _writer;
    private readonly int _mostPerRead;

    private DuplexStream(PipeReader reader, PipeWriter writer, int mostPerRead)
    {
        _reader = reader;
        _writer = writer;
        _mostPerRead = mostPerRead;
    }

    public long BytesWritten { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <param name="mostPerRead">So much at most comes with one read: 1 shows whether the reader copes with every split.</param>
    public static (DuplexStream One, DuplexStream Other) Pair(int mostPerRead = int.MaxValue)
    {
        var options = new PipeOptions(pauseWriterThreshold: SocketBuffer, resumeWriterThreshold: SocketBuffer / 2, useSynchronizationContext: false);
        var there = new Pipe(options);
        var back = new Pipe(options);
        return (new DuplexStream(back.Reader, there.Writer, mostPerRead), new DuplexStream(there.Reader, back.Writer, mostPerRead));
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            var result = await _reader.ReadAsync(cancellationToken);
            var length = (int)Math.Min(Math.Min(result.Buffer.Length, buffer.Length), _mostPerRead);
            var at = buffer.Span;
            foreach (var segment in result.Buffer.Slice(0, length))
            {
                segment.Span.CopyTo(at);
                at = at[segment.Length..];
            }

            _reader.AdvanceTo(result.Buffer.GetPosition(length));
            return length;
        }
        catch (InvalidOperationException)
        {
            throw new ObjectDisposedException(nameof(DuplexStream));
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        BytesWritten += buffer.Length;
        try
        {
            var result = await _writer.WriteAsync(buffer, cancellationToken);
            if (result.IsCompleted) throw new IOException("the other end has closed");
        }
        catch (InvalidOperationException)
        {
            throw new ObjectDisposedException(nameof(DuplexStream));
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        _writer.Complete();
        _reader.Complete();
        base.Dispose(disposing);
    }
}
