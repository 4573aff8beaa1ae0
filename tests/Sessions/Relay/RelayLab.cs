using System.Collections.Concurrent;
using Countersign.Sessions.Relay;
using Countersign.Ssh;
using Countersign.Ssh.Tests;

namespace Countersign.Sessions.Tests.Relay;

/// <summary>A technician and a device, with relays between them: two connections over memory, of which the technician's can be kept from reading.</summary>
internal sealed class RelayLab : IAsyncDisposable
{
    private readonly List<SshPrivateKey> _keys = [];
    private readonly List<Task> _serving = [];
    private readonly HeldStream _held;
    private readonly DoorHandler _door;
    private readonly Delivery _delivered;
    private bool _isHeld;

    private RelayLab(HeldStream held, DoorHandler door, Delivery delivered)
    {
        _held = held;
        _door = door;
        _delivered = delivered;
    }

    /// <summary>The technician's end.</summary>
    public required SshClientConnection Technician { get; init; }

    /// <summary>The names of the requests that came to the device.</summary>
    public required IReadOnlyCollection<string> Asked { get; init; }

    /// <summary>The gateway's end of the technician's connection.</summary>
    public SshConnection Door => _door.Connection!;

    /// <summary>The gateway's end of the device's.</summary>
    public SshConnection Device => _door.Device;

    public IReadOnlyList<SshRelay> Relays => [.. _door.Relays];

    public IReadOnlyList<TunnelRelay> Tunnels => [.. _door.Tunnels];

    /// <summary>Bytes that have come to the device's programs.</summary>
    public int Delivered => _delivered.Bytes;

    /// <summary>Window adjustments of the technician that have been handled.</summary>
    public int Adjusted => _door.Adjusted;

    /// <param name="time">Of the tunnels.</param>
    /// <param name="prepare">Done to each relay when the technician's side is there.</param>
    public static async Task<RelayLab> StartAsync(CancellationToken cancellation, TimeProvider? time = null, Action<SshRelay>? prepare = null)
    {
        var keys = new List<SshPrivateKey>();
        var serving = new List<Task>();
        var asked = new ConcurrentQueue<string>();
        var delivered = new Delivery();
        var device = await ConnectAsync(new DeviceHandler(asked, delivered), stream => stream, keys, serving, cancellation);
        var door = new DoorHandler(device, time ?? TimeProvider.System, prepare ?? (_ => { }));
        HeldStream? held = null;
        var technician = await ConnectAsync(door, stream => held = new(stream), keys, serving, cancellation);
        var lab = new RelayLab(held!, door, delivered) { Technician = technician, Asked = asked };
        lab._keys.AddRange(keys);
        lab._serving.AddRange(serving);
        return lab;
    }

    /// <summary>The technician reads nothing from here on.</summary>
    public void Hold()
    {
        _held.Hold();
        Volatile.Write(ref _isHeld, true);
    }

    /// <summary>That was once.</summary>
    public bool IsHeld => Volatile.Read(ref _isHeld);

    public void Release() => _held.Release();

    /// <summary>The technician's network is gone, without a word.</summary>
    public void Break() => _held.Dispose();

    /// <summary>Opens a channel and has the device's program started, which writes so many bytes once it is told to.</summary>
    public async Task<SshChannel> StartAsync(SshChannelHandler handler, uint window, int bytes, CancellationToken cancellation)
    {
        var channel = await Technician.OpenChannelAsync("session", ReadOnlyMemory<byte>.Empty, handler, window, cancellation);
        (await channel.RequestAsync(SessionRequests.Exec, new ExecRequest($"{bytes}").Encode(), cancellation)).ShouldBeTrue();
        return channel;
    }

    /// <summary>Opens a tunnel to what takes nothing.</summary>
    public Task<SshChannel> OpenTunnelAsync(CancellationToken cancellation)
    {
        var extra = new SshWriter().String("there").UInt32(80).String("here").UInt32(1).Written.ToArray();
        return Technician.OpenChannelAsync(Forwardings.DirectTcpIp, extra, new SshChannelStreams(), SshChannelStreams.DefaultWindow, cancellation);
    }

    /// <summary>Any byte makes the program write.</summary>
    public static async Task GoAsync(SshChannel channel, CancellationToken cancellation) => (await channel.WriteAsync("!"u8.ToArray(), cancellation)).ShouldBeTrue();

    public async ValueTask DisposeAsync()
    {
        _held.Release();
        await Technician.DisposeAsync();
        await _door.Device.DisposeAsync();
        await Task.WhenAll(_serving);
        foreach (var key in _keys) key.Dispose();
    }

    private static async Task<SshClientConnection> ConnectAsync(
        SshServerHandler handler, Func<Stream, Stream> wrap, List<SshPrivateKey> keys, List<Task> serving, CancellationToken cancellation)
    {
        var (client, server) = DuplexStream.Pair();
        var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        keys.Add(key);
        serving.Add(SshServerConnection.RunAsync(server, new() { HostKeys = [key] }, handler, CancellationToken.None));
        using var password = Secret.FromText("any");
        var options = new SshClientOptions { User = "alice", Credentials = [new SshCredential.Password(password)], TrustedHostKeys = [key.PublicKey] };
        return await SshClientConnection.ConnectAsync(wrap(client), options, cancellation);
    }

    private abstract class Welcoming : SshServerHandler
    {
        public SshServerConnection? Connection { get; private set; }

        public override IReadOnlyList<string> AuthenticationMethods => ["password"];

        public override ValueTask<SshAuthResult> AuthenticateAsync(SshAuthAttempt attempt, CancellationToken cancellation) =>
            new(attempt is SshAuthAttempt.Password ? SshAuthResult.Success : SshAuthResult.Failure);

        public override void OnAuthenticated(SshServerConnection connection, string user) => Connection = connection;
    }

    private sealed class Delivery
    {
        private int _bytes;

        public int Bytes => Volatile.Read(ref _bytes);

        public void Add(int bytes) => Interlocked.Add(ref _bytes, bytes);
    }

    /// <summary>Counts what comes to streams.</summary>
    private sealed class Counted(SshChannelStreams streams, Delivery delivered) : SshChannelHandler
    {
        public override void OnData(SshChannel channel, uint type, ReadOnlySpan<byte> data)
        {
            delivered.Add(data.Length);
            streams.OnData(channel, type, data);
        }

        public override void OnEof(SshChannel channel) => streams.OnEof(channel);

        public override void OnRequest(SshChannel channel, SshChannelRequest request) => streams.OnRequest(channel, request);

        public override void OnClosed(SshChannel channel) => streams.OnClosed(channel);
    }

    private sealed class DeviceHandler(ConcurrentQueue<string> asked, Delivery delivered) : Welcoming
    {
        public override SshChannelAnswer OnChannelOpen(SshServerConnection connection, string type, ReadOnlySpan<byte> extra)
        {
            if (type != "session") return new SshChannelAnswer.Accept(new SshChannelStreams(), 0);
            SshChannelStreams? streams = null;
            streams = new(onRequest: (channel, request) =>
            {
                asked.Enqueue(request.Name);
                request.Reply(SshReply.Success);
                if (ExecRequest.TryParse(request.Payload.Span, out var exec)) _ = WriteAsync(channel, streams!, int.Parse(exec.Command));
            });
            return new SshChannelAnswer.Accept(new Counted(streams, delivered), SshChannelStreams.DefaultWindow);
        }

        private static async Task WriteAsync(SshChannel channel, SshChannelStreams streams, int bytes)
        {
            if (await streams.Output.ReadAsync(new byte[1]) == 0) return;
            if (!await channel.WriteAsync(new byte[bytes], CancellationToken.None)) return;
            channel.SendEof();
            channel.SendRequest(SessionRequests.ExitStatus, new ExitStatusRequest(0).Encode());
            channel.Close();
        }
    }

    private sealed class DoorHandler(SshClientConnection device, TimeProvider time, Action<SshRelay> prepare) : Welcoming
    {
        private int _adjusted;

        public SshClientConnection Device { get; } = device;

        public ConcurrentQueue<SshRelay> Relays { get; } = [];

        public Action<SshRelay> Prepare { get; } = prepare;

        public int Adjusted => Volatile.Read(ref _adjusted);

        public ConcurrentQueue<TunnelRelay> Tunnels { get; } = [];

        public override SshChannelAnswer OnChannelOpen(SshServerConnection connection, string type, ReadOnlySpan<byte> extra) =>
            TunnelTarget.TryParse(type, extra, out var leads) ? new SshChannelAnswer.Later(OpenAsync(leads)) : new SshChannelAnswer.Accept(new End(this), Flow.MostCredit);

        private async Task<SshChannelAnswer> OpenAsync(TunnelTarget leads)
        {
            var relay = new TunnelRelay(time);
            Tunnels.Enqueue(relay);
            await relay.OpenAsync(Device, leads, CancellationToken.None);
            return new SshChannelAnswer.Accept(relay.Client, TunnelRelay.FirstWindow);
        }

        private sealed class End(DoorHandler door) : SshChannelHandler
        {
            private SshRelay? _relay;

            public override void OnOpened(SshChannel channel)
            {
                _relay = new(channel, Flow.MostCredit, TimeProvider.System);
                door.Prepare(_relay);
                door.Relays.Enqueue(_relay);
            }

            public override void OnRequest(SshChannel channel, SshChannelRequest request)
            {
                if (request.Name == SessionRequests.Exec) _ = StartAsync(request);
                else _relay!.OnClientRequest(request);
            }

            public override void OnData(SshChannel channel, uint type, ReadOnlySpan<byte> data) => _relay!.OnClientData(type, data);

            public override void OnWindowAdjust(SshChannel channel, uint bytes)
            {
                _relay!.OnClientRoom();
                Interlocked.Increment(ref door._adjusted);
            }

            public override void OnDrained(SshChannel channel) => _relay!.OnClientRoom();

            public override void OnEof(SshChannel channel) => _relay!.OnClientEof();

            public override void OnClosed(SshChannel channel) => _relay!.OnClientClosed();

            private async Task StartAsync(SshChannelRequest request)
            {
                var started = await _relay!.StartAsync(door.Device, new([(request.Name, request.Payload)]), CancellationToken.None);
                request.Reply(started ? SshReply.Success : SshReply.Failure);
            }
        }
    }

    /// <summary>Reads when it may.</summary>
    private sealed class HeldStream(Stream stream) : Stream
    {
        private TaskCompletionSource _free = Free();

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public void Hold() => Volatile.Write(ref _free, new(TaskCreationOptions.RunContinuationsAsynchronously));

        public void Release() => Volatile.Read(ref _free).TrySetResult();

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Volatile.Read(ref _free).Task.WaitAsync(cancellationToken);
            return await stream.ReadAsync(buffer, cancellationToken);
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => stream.WriteAsync(buffer, cancellationToken);

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing) stream.Dispose();
            base.Dispose(disposing);
        }

        private static TaskCompletionSource Free()
        {
            var free = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            free.SetResult();
            return free;
        }
    }
}
