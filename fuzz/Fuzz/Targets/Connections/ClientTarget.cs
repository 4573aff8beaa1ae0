using System.Text;
using Countersign.Ssh;
using Countersign.Ssh.Transport;

namespace Countersign.Fuzz.Targets.Connections;

/// <summary>Our client, and a server that says anything.</summary>
internal sealed class ClientTarget(string name) : Target
{
    private static readonly SshPrivateKey HostKey = SshPrivateKey.Generate(SshKeyKind.Ed25519);
    private static readonly SshPrivateKey OtherKey = SshPrivateKey.Generate(SshKeyKind.Ed25519);
    private static readonly Secret Word = Secret.FromText("a word that only the right host may hear");

    public override string Name => name;

    public override IReadOnlyList<byte[]> Words => Targets.Words.Ssh;

    public override long MostAllocated => 32 * 1024 * 1024;

    public override async ValueTask PlayAsync(IReadOnlyList<Step> steps, Chance chance)
    {
        var trusted = chance.OneIn(8) ? OtherKey : HostKey;
        var hasSucceeded = false;
        var far = new FarEnd(Side.Server, steps, chance, HostKey) { Says = (message, _) => hasSucceeded |= message[0] == SshMessage.UserAuthSuccess };
        var options = new SshClientOptions
        {
            User = "alice",
            Credentials = chance.OneIn(2) ? [new SshCredential.Key(OtherKey), new SshCredential.Password(Word)] : [new SshCredential.Password(Word)],
            TrustedHostKeys = [trusted.PublicKey],
            Time = StillTime.Instance,
            KeepAlive = TimeSpan.Zero,
        };
        try
        {
            await using var connection = await SshClientConnection.ConnectAsync(far, options, CancellationToken.None);
            Require(hasSucceeded, "the client is in and nobody said so");
            var finding = await UseAsync(connection, chance);
            Require(finding is null, finding ?? "");
            Require(connection.EndReason?.StartsWith("internal error", StringComparison.Ordinal) != true, $"the client's fault: {connection.EndReason}");
        }
        catch (SshConnectionException error)
        {
            Require(!error.Message.StartsWith("internal error", StringComparison.Ordinal), $"the client's fault: {error}");
        }
        catch (Exception error) when (error is SshAuthenticationException or SshHostKeyException)
        {
            // What is announced.
        }

        Require(trusted == HostKey || !far.HasHeard(SshMessage.UserAuthRequest), "a host that is not trusted was told who it is");
    }

    private static async Task<string?> UseAsync(SshClientConnection connection, Chance chance)
    {
        var window = (uint)chance.Below(100_000);
        var reader = new Reader(window, chance);
        try
        {
            var channel = await connection.OpenChannelAsync("session", ReadOnlyMemory<byte>.Empty, reader, window, CancellationToken.None);

            // A server that has closed it already is not asked for anything, and may wait for just that.
            if (await channel.RequestAsync("exec", new ExecRequest("true").Encode(), CancellationToken.None)) await channel.WriteAsync(new byte[1000], CancellationToken.None);
            else await connection.DisposeAsync();
            await connection.Closed;
            return reader.Closes == 1 ? reader.Finding : $"the channel was closed {reader.Closes} times";
        }
        catch (Exception error) when (error is SshChannelRefusedException or SshConnectionException)
        {
            return error.Message.StartsWith("internal error", StringComparison.Ordinal) ? error.ToString() : reader.Finding;
        }
    }

    private sealed class Reader(uint window, Chance chance) : SshChannelHandler
    {
        private readonly StringBuilder _heard = new();
        private long _granted = window;
        private long _received;

        public int Closes { get; private set; }

        public string? Finding { get; private set; }

        public override void OnData(SshChannel channel, uint type, ReadOnlySpan<byte> data)
        {
            _received += data.Length;
            if (_received > _granted) Finding ??= "more data than was granted";
            if (Closes > 0) Finding ??= "data after the end of a channel";
            if (!chance.OneIn(2)) return;
            _granted += data.Length;
            channel.GrantWindow((uint)data.Length);
        }

        public override void OnRequest(SshChannel channel, SshChannelRequest request)
        {
            if (ExitSignalRequest.TryParse(request.Payload.Span, out var signal)) _heard.Append(signal.Name);
            base.OnRequest(channel, request);
        }

        public override void OnClosed(SshChannel channel) => Closes++;
    }
}
