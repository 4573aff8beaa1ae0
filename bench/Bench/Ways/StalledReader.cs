using Countersign.Ssh;

namespace Countersign.Bench.Ways;

/// <summary>
/// A device that sends without end, and a client that stops reading. What counts is whichever is more: by how much the gateway grows, or what it takes
/// from the device before it stops taking.
/// </summary>
internal sealed class StalledReader(ThreeWays ways)
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(2);

    public async Task<IEnumerable<Figure>> MeasureAsync()
    {
        var poured = new Poured();
        await using var device = new QuietDevice(() => new Pouring(poured));
        await ways.Gateway.Organization.AddDeviceAsync("quiet", device.Port, device.HostKey, "root", new() { ["password"] = "anything" });

        // The first one is there to have everything compiled and made that is made once.
        await OpenSshAsync(poured);
        return
        [
            Figure.AtMost("stall.mib", await OpenSshAsync(poured), "MiB", 4),
            Figure.Plain("stall.deaf.mib", await DeafAsync(poured), "MiB"),
        ];
    }

    /// <summary>OpenSSH's client, whose output nobody takes.</summary>
    private async Task<double> OpenSshAsync(Poured poured)
    {
        var before = Begin(poured);
        await using var client = Child.Start("ssh", "-F", ways.Config, "gateway-quiet", "pour");
        return await GrownAsync(before, poured);
    }

    /// <summary>A client that gives a window of a gigabyte and then does not even read its socket: what the system buffers on both ways comes to it.</summary>
    private async Task<double> DeafAsync(Poured poured)
    {
        var before = Begin(poured);
        await using var connection = await GatewayClient.ConnectAsync(ways, "quiet");
        using var deaf = new Deaf();
        var channel = await connection.OpenChannelAsync("session", default, deaf, 1024 * 1024 * 1024, CancellationToken.None);
        await channel.RequestAsync("exec", new SshWriter().String("pour").Written, CancellationToken.None);
        return await GrownAsync(before, poured);
    }

    private long Begin(Poured poured)
    {
        poured.Bytes = 0;
        return ways.Gateway.Resident();
    }

    private async Task<double> GrownAsync(long before, Poured poured)
    {
        var grown = 0L;
        for (var last = -1L; poured.Bytes == 0 || poured.Bytes != last;)
        {
            last = poured.Bytes;
            await Task.Delay(_patience);
            grown = Math.Max(grown, ways.Gateway.Resident() - before);
        }

        return Math.Max(grown, poured.Bytes) / (1024.0 * 1024);
    }

    /// <summary>What the device has sent.</summary>
    private sealed class Poured
    {
        private long _bytes;

        public long Bytes
        {
            get => Interlocked.Read(ref _bytes);
            set => Interlocked.Exchange(ref _bytes, value);
        }

        public void Add(int bytes) => Interlocked.Add(ref _bytes, bytes);
    }

    /// <summary>Sends whatever it may, once it has been asked to run something.</summary>
    private sealed class Pouring(Poured poured) : SshChannelHandler
    {
        private const long Queued = 256 * 1024;

        private readonly byte[] _block = new byte[32 * 1024];
        private readonly Lock _gate = new();
        private bool _begun;

        public override void OnRequest(SshChannel channel, SshChannelRequest request)
        {
            request.Reply(SshReply.Success);
            if (request.Name != "exec") return;
            _begun = true;
            Pour(channel);
        }

        public override void OnWindowAdjust(SshChannel channel, uint bytes) => Pour(channel);

        public override void OnDrained(SshChannel channel) => Pour(channel);

        private void Pour(SshChannel channel)
        {
            lock (_gate)
            {
                while (_begun && !channel.IsClosed && channel.Connection.PendingBytes < Queued)
                {
                    var length = (int)Math.Min(channel.SendWindow, _block.Length);
                    if (length <= 0) return;
                    channel.SendData(_block.AsSpan(0, length));
                    poured.Add(length);
                }
            }
        }
    }

    /// <summary>Holds up the loop that reads its connection.</summary>
    private sealed class Deaf : SshChannelHandler, IDisposable
    {
        private readonly ManualResetEventSlim _over = new();

        public override void OnData(SshChannel channel, uint type, ReadOnlySpan<byte> data) => _over.Wait();

        public void Dispose() => _over.Set();
    }
}
