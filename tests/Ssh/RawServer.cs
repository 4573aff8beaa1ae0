namespace Countersign.Ssh.Tests;

/// <summary>Our server over memory, for a peer that the test plays.</summary>
internal sealed class RawServer : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly SshServerOptions _options;

    private RawServer(SshServerOptions options, Stream server, DuplexStream client, SshServerHandler handler)
    {
        _options = options;
        Stream = client;
        Outcome = SshServerConnection.RunAsync(server, options, handler, _stop.Token);
    }

    public DuplexStream Stream { get; }

    public Task<SshServerOutcome> Outcome { get; }

    public static RawServer Start(SshServerHandler? handler = null, Func<SshServerOptions, SshServerOptions>? with = null)
    {
        var (client, server) = DuplexStream.Pair();
        var options = new SshServerOptions { HostKeys = [SshPrivateKey.Generate(SshKeyKind.Ed25519)] };
        return new RawServer(with?.Invoke(options) ?? options, server, client, handler ?? new TestServerHandler());
    }

    public async ValueTask DisposeAsync()
    {
        await Stream.DisposeAsync();
        await Outcome;
        foreach (var key in _options.HostKeys) key.Dispose();
        _stop.Dispose();
    }
}
