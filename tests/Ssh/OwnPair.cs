namespace Countersign.Ssh.Tests;

/// <summary>Our client, logged in at our server, over memory.</summary>
internal sealed class OwnPair : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();

    private OwnPair(SshServerOptions serverOptions, Stream serverStream, SshServerHandler handler)
    {
        HostKeys = serverOptions.HostKeys;
        Outcome = SshServerConnection.RunAsync(serverStream, serverOptions, handler, _stop.Token);
    }

    public IReadOnlyList<SshPrivateKey> HostKeys { get; }

    public Task<SshServerOutcome> Outcome { get; }

    public required SshClientConnection Client { get; init; }

    public static async Task<OwnPair> StartAsync(
        CancellationToken cancellation,
        Func<SshServerOptions, SshServerOptions>? server = null,
        Func<SshClientOptions, SshClientOptions>? client = null,
        SshServerHandler? handler = null,
        int mostPerRead = int.MaxValue)
    {
        var (clientStream, serverStream) = DuplexStream.Pair(mostPerRead);
        var serverOptions = new SshServerOptions { HostKeys = [SshPrivateKey.Generate(SshKeyKind.Ed25519)] };
        serverOptions = server?.Invoke(serverOptions) ?? serverOptions;
        using var password = Secret.FromText("right");
        var clientOptions = new SshClientOptions
        {
            User = "alice",
            Credentials = [new SshCredential.Password(password)],
            TrustedHostKeys = [.. serverOptions.HostKeys.Select(key => key.PublicKey)],
        };
        clientOptions = client?.Invoke(clientOptions) ?? clientOptions;
        var connecting = SshClientConnection.ConnectAsync(clientStream, clientOptions, cancellation);
        return new OwnPair(serverOptions, serverStream, handler ?? new TestServerHandler()) { Client = await connecting };
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await Outcome;
        foreach (var key in HostKeys) key.Dispose();
        _stop.Dispose();
    }
}
