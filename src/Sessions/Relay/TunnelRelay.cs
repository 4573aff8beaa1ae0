using Countersign.Ssh;

namespace Countersign.Sessions.Relay;

/// <summary>Joins a forwarded connection's two channels, opaquely: the device's first, then the technician's, which is accepted once the device has opened its own.</summary>
/// <param name="time">Of how long the device may take what a technician sent who has left.</param>
public sealed class TunnelRelay(TimeProvider time)
{
    /// <summary>What the technician sent before closing has so long to find room at the device.</summary>
    internal static readonly TimeSpan LongestParting = TimeSpan.FromSeconds(30);

    /// <summary>What either end may send before the other is there.</summary>
    public const uint FirstWindow = 64 * 1024;

    private readonly Lock _gate = new();
    private readonly TaskCompletionSource<RelayOutcome> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private SshChannel? _client;
    private SshChannel? _device;
    private Flow? _toDevice;
    private Flow? _toClient;
    private ClientEnd? _end;
    private ITimer? _parting;
    private bool _over;
    private RelayOutcome _outcome = RelayOutcome.Stopped;

    public TrafficCount Traffic { get; } = new();

    /// <summary>The technician's channel tells of itself here.</summary>
    public SshChannelHandler Client => _end ??= new ClientEnd(this);

    /// <summary>Completes when either end is gone and what it sent has been handed on, or the relay was stopped; with who was the first to go.</summary>
    public Task<RelayOutcome> Ended => _ended.Task;

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
        lock (_gate)
        {
            _over = true;
            _parting?.Dispose();
        }

        _toDevice?.Stop();
        _toClient?.Stop();
        _client?.Close();
        _device?.Close();
        _ended.TrySetResult(_outcome);
    }

    /// <summary>The first counts.</summary>
    private void Note(RelayOutcome outcome)
    {
        lock (_gate)
        {
            if (!_over && _outcome == RelayOutcome.Stopped) _outcome = outcome;
        }
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
        _device!.Connection.Credit.Whole = client.Connection.Credit.Whole;
        _toDevice.SetReceiver(_device);
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
        Note(device.Connection.EndReason is null ? RelayOutcome.Closed : RelayOutcome.DeviceLost);
        ToClient(device).WhenEmpty(Stop);
    }

    private void OnClientClosed(SshChannel client)
    {
        Note(client.Connection.EndReason is null ? RelayOutcome.Left : RelayOutcome.TechnicianLost);
        lock (_gate)
        {
            if (!_over) _parting = time.CreateTimer(_ => Stop(), null, LongestParting, Timeout.InfiniteTimeSpan);
        }

        ToDevice(client).WhenEmpty(Stop);
    }

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
