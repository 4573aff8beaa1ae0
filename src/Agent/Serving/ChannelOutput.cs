using Countersign.Ssh;

namespace Countersign.Agent.Serving;

/// <summary>
/// What goes to the client on a channel, as a stream that can only be written. Writing waits for the client's window and for the network; the
/// library sees to both.
/// </summary>
internal sealed class ChannelOutput(SshChannel channel, CancellationToken closed) : Stream
{
    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <exception cref="IOException">The channel is closed.</exception>
    /// <exception cref="OperationCanceledException">The channel was closed meanwhile.</exception>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        Queued(await channel.WriteAsync(buffer, closed).ConfigureAwait(false));

    /// <summary>As <see cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)"/>, on standard error; at the same time as the other, if need be.</summary>
    public async ValueTask WriteErrorAsync(ReadOnlyMemory<byte> buffer) => Queued(await channel.WriteErrorAsync(buffer, closed).ConfigureAwait(false));

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

    private static void Queued(bool all)
    {
        if (!all) throw new IOException("the channel is closed");
    }
}
