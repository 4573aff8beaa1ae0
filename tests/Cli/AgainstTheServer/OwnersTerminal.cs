using System.Text.Json.Nodes;

namespace Countersign.Cli.AgainstTheServer;

/// <summary>A server that has just been set up, and a terminal at which its owner is signed in.</summary>
public sealed class OwnersTerminal : IAsyncDisposable
{
    private OwnersTerminal(LiveServer server) => Server = server;

    public LiveServer Server { get; }

    public FakeTerminal Terminal { get; } = new() { CanAsk = true };

    public string Output => Terminal.Output;

    public string Error => Terminal.Error;

    /// <summary>Of the last command.</summary>
    public JsonNode Json => JsonNode.Parse(Output)!;

    public static async Task<OwnersTerminal> StartAsync()
    {
        var owner = new OwnersTerminal(await LiveServer.StartAsync());
        owner.Terminal.Secrets.Enqueue(LiveServer.Password);
        await owner.RunAsync(0, "login", "--server", owner.Server.Address, "olga");
        return owner;
    }

    public async Task RunAsync(int exit, params string[] arguments) => (await Terminal.RunAsync(arguments)).ShouldBe(exit, $"{string.Join(' ', arguments)}\n{Error}");

    public async ValueTask DisposeAsync()
    {
        Terminal.Dispose();
        await Server.DisposeAsync();
    }
}
