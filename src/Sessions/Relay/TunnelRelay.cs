using Countersign.Ssh;

namespace Countersign.Sessions.Relay;

/// <summary>Joins a forwarded connection's two channels, opaquely: the device's first, then the technician's, which is accepted once the device has opened its own.</summary>
public sealed class TunnelRelay
{
    /// <summary>What either end may send before the other is there.</summary>
    public const uint FirstWindow = 64 * 1024;

    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private SshChannel? _client;
    private SshChannel? _device;
    private Flow? _toDevice;
    private Flow? _toClient;
    private bool _over;

    public TunnelRelay() => Client = new ClientEnd(this);

    public TrafficCount Traffic { get; } = new();

    /// <summary>The technician's channel tells of itself here.</summary>
    public SshChannelHandler Client { get; }

    /// <summary>The device's connection broke.</summary>
    public bool IsLost { get; private set; }

    /// <summary>Completes when either end is gone and what it sent has been handed on, or the relay was stopped.</summary>
    public Task Ended => _ended.Task;

    /// <exception cref="SshChannelRefusedException">The device does not open it.</exception>
    public async Task OpenAsync(SshConnection connection, TunnelTarget target, CancellationToken cancellation)
    {
        var device = await connection.OpenChannelAsync(target.Type, target.Extra, new DeviceEnd(this), FirstWindow, cancellation);
        lock (_gate)
        {
            _device = device;
            if (!_over) return;
        }

        device.Close();
    }

    /// <summary>Both ends are closed at once.</summary>
    public void Stop()
    {
        lock (_gate) _over = true;
        _toDevice?.Stop();
        _toClient?.Stop();
        _client?.Close();
        _device?.Close();
        _ended.TrySetResult();
    }

    private Flow ToDevice(SshChannel client)
    {
        lock (_gate)
        {
            _client ??= client;
            if (_toDevice is not null) return _toDevice;
            _toDevice = new(client, FirstWindow, Traffic.AddIn);
        }

        // The device's end has been open for as long as the technician's is.
        _toDevice.SetReceiver(_device!);
        return _toDevice;
    }

    private Flow ToClient(SshChannel device)
    {
        lock (_gate) return _toClient ??= new(device, FirstWindow, Traffic.AddOut);
    }

    private void Join(SshChannel client)
    {
        ToDevice(client);
        ToClient(_device!).SetReceiver(client);
        bool isOver;
        lock (_gate) isOver = _over;
        if (isOver) client.Close();
    }

    private void OnDeviceClosed(SshChannel device)
    {
        IsLost |= device.Connection.EndReason is not null;
        ToClient(device).WhenEmpty(Stop);
    }

    private void OnClientClosed(SshChannel client) => ToDevice(client).WhenEmpty(Stop);

    private sealed class ClientEnd(TunnelRelay relay) : SshChannelHandler
    {
        public override void OnOpened(SshChannel channel) => relay.Join(channel);

        public override void OnData(SshChannel channel, uint type, ReadOnlySpan<byte> data)
        {
            if (type == 0) relay.ToDevice(channel).OnData(0, data);
        }

        public override void OnWindowAdjust(SshChannel channel, uint bytes) => relay._toClient?.OnRoom();

        public override void OnDrained(SshChannel channel) => relay._toClient?.OnRoom();

        public override void OnEof(SshChannel channel) => relay.ToDevice(channel).OnEof();

        public override void OnClosed(SshChannel channel) => relay.OnClientClosed(channel);
    }

    private sealed class DeviceEnd(TunnelRelay relay) : SshChannelHandler
    {
        public override void OnData(SshChannel channel, uint type, ReadOnlySpan<byte> data)
        {
            if (type == 0) relay.ToClient(channel).OnData(0, data);
        }

        public override void OnWindowAdjust(SshChannel channel, uint bytes) => relay._toDevice?.OnRoom();

        public override void OnDrained(SshChannel channel) => relay._toDevice?.OnRoom();

        public override void OnEof(SshChannel channel) => relay.ToClient(channel).OnEof();

        public override void OnClosed(SshChannel channel) => relay.OnDeviceClosed(channel);
    }
}
