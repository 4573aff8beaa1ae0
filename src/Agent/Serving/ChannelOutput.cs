using Countersign.Agent.Processes;
using Countersign.Ssh;

namespace Countersign.Agent.Serving;

/// <summary>
/// What goes to the client on a channel, from several sources in turn. Bounded twice: by the window that the client gave, and, because a client
/// may give any window and then not read, by what the connection holds for the network.
/// </summary>
internal sealed class ChannelOutput(SshChannel channel, CancellationToken closed) : Stream
{
    private const long PendingMost = 1024 * 1024;

    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly Readiness _drained = new();

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>The network has taken everything that the connection held.</summary>
    public void Drained() => _drained.Set();

    /// <exception cref="IOException">The channel is closed.</exception>
    /// <exception cref="OperationCanceledException">The channel was closed meanwhile.</exception>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => WriteInTurnAsync(channel.WriteAsync, buffer);

    /// <summary>As <see cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)"/>, on standard error.</summary>
    public ValueTask WriteErrorAsync(ReadOnlyMemory<byte> buffer) => WriteInTurnAsync(channel.WriteErrorAsync, buffer);

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) _turn.Dispose();
        base.Dispose(disposing);
    }

    private async ValueTask WriteInTurnAsync(Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask<bool>> write, ReadOnlyMemory<byte> data)
    {
        await _turn.WaitAsync(closed).ConfigureAwait(false);
        try
        {
            if (!await write(data, closed).ConfigureAwait(false)) throw new IOException("the channel is closed");
            while (channel.Connection.PendingBytes > PendingMost) await _drained.WaitAsync().WaitAsync(closed).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }
}
