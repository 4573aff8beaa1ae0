using System.Net;
using System.Threading.Channels;
using Countersign.Ssh;

namespace Countersign.Gateway.SshDoor.Picking;

/// <summary>What somebody has chosen, as names that a user name could have had.</summary>
internal readonly record struct PickedDevice(string Device, string? Account);

/// <summary>
/// A session channel whose client has named no device and has a terminal: shows what the person can reach, until they choose or leave. Everything
/// happens in <see cref="RunAsync"/>; the connection's receive loop only leaves word.
/// </summary>
/// <param name="time">The network's.</param>
/// <param name="over">Called once, when <see cref="RunAsync"/> has come to its end.</param>
internal sealed class PickingRoom(SshChannel channel, ScreenSize size, DeviceLists lists, SignedIn person, IPAddress source, TimeProvider time, Action over)
{
    /// <summary>What may have been typed and not looked at yet, in bytes; what is typed beyond that is thrown away.</summary>
    public const int MostTyped = 4096;

    /// <summary>How long an escape may stand alone before it is the key and not the beginning of another one.</summary>
    public static readonly TimeSpan LongestEscape = TimeSpan.FromMilliseconds(200);

    /// <summary>Somebody who types nothing for so long has gone.</summary>
    public static readonly TimeSpan LongestSilence = TimeSpan.FromMinutes(15);

    private readonly Lock _gate = new();
    private readonly Channel<byte> _word = Channel.CreateBounded<byte>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly List<byte> _typed = [];
    private readonly KeyReader _reader = new();
    private readonly PickerScreen _screen = new(channel);
    private ScreenSize _size = size;
    private bool _stale;
    private bool _eof;
    private bool _over;

    /// <summary>On the receive loop. False: the choice has been made, and the data is for whoever comes next.</summary>
    public bool Takes(ReadOnlySpan<byte> data)
    {
        lock (_gate)
        {
            if (_over) return false;
            _typed.AddRange(data[..Math.Min(data.Length, MostTyped - _typed.Count)]);
        }

        channel.GrantWindow((uint)data.Length);
        _word.Writer.TryWrite(0);
        return true;
    }

    /// <summary>Nothing more will be typed: what has been counts, and then they have left.</summary>
    public void OnEof()
    {
        lock (_gate) _eof = true;
        _word.Writer.TryWrite(0);
    }

    public void Resize(ScreenSize size)
    {
        lock (_gate) _size = size;
        _word.Writer.TryWrite(0);
    }

    /// <summary>There is another list.</summary>
    private void Renew()
    {
        lock (_gate) _stale = true;
        _word.Writer.TryWrite(0);
    }

    public void OnRoom()
    {
        _screen.OnRoom();
        _word.Writer.TryWrite(0);
    }

    public void OnDrained()
    {
        _screen.OnDrained();
        _word.Writer.TryWrite(0);
    }

    /// <summary>Gives the client its screen back at once, before it is told anything else. False: it has it already.</summary>
    public bool Leave()
    {
        lock (_gate) _over = true;
        return _screen.Leave();
    }

    /// <summary>Off the receive loop, once. The screen is given back in any case. Null: they have left, or typed nothing for <see cref="LongestSilence"/>.</summary>
    public async Task<PickedDevice?> RunAsync(CancellationToken cancellation)
    {
        using var viewer = lists.Enter(person.Organization, person.Person, Renew);
        try
        {
            if (await LookAsync(viewer) is not { } reachable) return null;
            var choosing = new Choosing(reachable);
            var typedAt = time.GetTimestamp();
            while (true)
            {
                bool isLast;
                lock (_gate) isLast = _eof;
                var keys = await TakeAsync(choosing, viewer);
                if (keys.Count > 0) typedAt = time.GetTimestamp();
                foreach (var key in keys)
                {
                    if (key.Kind == PickerKeyKind.Leave) return null;
                    if (choosing.Press(key) is { } picked) return picked;
                }

                if (isLast) return null;
                if (choosing.IsChanged && _screen.IsFree) _screen.Show(choosing.Draw());
                if (!await WaitAsync(choosing, LongestSilence - time.GetElapsedTime(typedAt), cancellation)) return null;
            }
        }
        finally
        {
            Leave();
            over();
        }
    }

    private async ValueTask<ReachableDevices?> LookAsync(DeviceLists.Viewer viewer) => await viewer.LookAsync() is { } list ? new(list, person, source, time) : null;

    /// <summary>What has happened since, as keys; size and policy are taken over.</summary>
    private async ValueTask<List<PickerKey>> TakeAsync(Choosing choosing, DeviceLists.Viewer viewer)
    {
        byte[] typed;
        bool stale;
        lock (_gate)
        {
            typed = [.. _typed];
            _typed.Clear();
            (stale, _stale) = (_stale, false);
            choosing.Resize(_size);
        }

        if (stale && await LookAsync(viewer) is { } reachable) choosing.Renew(reachable);
        var keys = new List<PickerKey>();
        _reader.Read(typed, keys);
        return keys;
    }

    /// <summary>False: for too long nothing.</summary>
    private async Task<bool> WaitAsync(Choosing choosing, TimeSpan silence, CancellationToken cancellation)
    {
        if (silence <= TimeSpan.Zero) return false;
        try
        {
            var patience = _reader.IsUndecided && LongestEscape < silence ? LongestEscape : silence;
            await _word.Reader.WaitToReadAsync(cancellation).AsTask().WaitAsync(patience, time, cancellation);
            _word.Reader.TryRead(out _);
        }
        catch (TimeoutException)
        {
            var keys = new List<PickerKey>();
            _reader.Settle(keys);
            foreach (var key in keys) choosing.Press(key);
            return keys.Count > 0;
        }

        return true;
    }

    /// <summary>First the device, and then the account where there are several.</summary>
    private sealed class Choosing(ReachableDevices reachable)
    {
        private readonly Picker _devices = new(reachable.Devices());
        private ReachableDevices _reachable = reachable;
        private ScreenSize _size;
        private Picker? _accounts;

        /// <summary>Since it was drawn last.</summary>
        public bool IsChanged { get; private set; } = true;

        private Picker Current => _accounts ?? _devices;

        public void Resize(ScreenSize size)
        {
            if (size == _size) return;
            _size = size;
            Fit();
        }

        public void Renew(ReachableDevices reachable)
        {
            _reachable = reachable;
            _devices.Replace(reachable.Devices());
            if (_accounts?.List.Items is [var any, ..])
            {
                if (reachable.AccountsOf(any.Device).Count > 0) _accounts.Replace(reachable.Accounts(any.Device));
                else _accounts = null;
            }

            Fit();
        }

        public PickedDevice? Press(PickerKey key)
        {
            IsChanged = true;
            switch (key.Kind)
            {
                case PickerKeyKind.Enter:
                    return Choose();
                case PickerKeyKind.Escape when _accounts is { Search.Length: 0 }:
                    _accounts = null;
                    Fit();
                    return null;
                default:
                    Current.Press(key);
                    return null;
            }
        }

        public string Draw()
        {
            IsChanged = false;
            Current.Shown();
            return PickerFrame.Draw(Current, _size);
        }

        private PickedDevice? Choose()
        {
            if (Current.Choice is not { } choice || _reachable.NameOf(choice.Device) is not { } name) return null;
            if (choice.Account is not null) return new(name, choice.Account);
            var accounts = _reachable.AccountsOf(choice.Device);
            if (accounts.Count < 2) return new(name, accounts.Count == 1 ? accounts[0].Name : null);
            _accounts = new(_reachable.Accounts(choice.Device));
            Fit();
            return null;
        }

        private void Fit()
        {
            Current.Fit(PickerFrame.RowsFor(_size));
            IsChanged = true;
        }
    }
}
