using Countersign.Ssh;
using Countersign.Ssh.Crypto;
using Countersign.Ssh.Transport;

namespace Countersign.Fuzz.Capture;

/// <summary>One of the two connections of a tap: what comes is written down and handed on.</summary>
internal sealed class Half : ITransportUser
{
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Half(Stream stream, Side side, SshPrivateKey? hostKey, Action<byte[]> said)
    {
        Said = said;
        Transport = new SshTransport(stream, this, new TransportOptions
        {
            Side = side,
            Offer = new AlgorithmOffer { HostKeys = ["ssh-ed25519"] },
            Time = TimeProvider.System,
            HostKey = _ => new HostIdentity(hostKey!, hostKey!.PublicKey.Blob),
        });
    }

    public SshTransport Transport { get; }

    public Task Ready => _ready.Task;

    private Action<byte[]> Said { get; }

    bool ITransportUser.IsAuthenticated => true;

    bool ITransportUser.IsIdle => true;

    public void Send(ReadOnlySpan<byte> message) => Transport.Send(PacketUse.Control, new SshWriter().Raw(message));

    void ITransportUser.OnHostKey(ShownKey shown)
    {
        // Any will do.
    }

    void ITransportUser.OnReady()
    {
        Transport.Input.Authenticated();
        _ready.TrySetResult();
    }

    void ITransportUser.OnMessage(ReadOnlySpan<byte> payload) => Said(payload.ToArray());

    void ITransportUser.OnEnded() => _ready.TrySetException(Transport.Error ?? new IOException("ended"));
}

/// <summary>Keeps what is read before there are keys.</summary>
internal sealed class Overheard(Stream inner) : Stream
{
    private const int Most = 16 * 1024;
    private readonly MemoryStream _read = new();

    public byte[] Bytes => _read.ToArray();

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var length = await inner.ReadAsync(buffer, cancellationToken);
        if (_read.Length < Most) _read.Write(buffer.Span[..length]);
        return length;
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => inner.WriteAsync(buffer, cancellationToken);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => inner.WriteAsync(buffer, offset, count, cancellationToken);

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override async ValueTask DisposeAsync()
    {
        await inner.DisposeAsync();
        await base.DisposeAsync();
    }
}
