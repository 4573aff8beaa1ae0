using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using Countersign.Agent.Processes;
using Countersign.Agent.Serving;

namespace Countersign.Agent.Commands;

/// <summary><c>countersign-agent serve</c>: this machine's shell and files over SSH on a loopback address.</summary>
internal static class ServeCommand
{
    private const int Failed = 1;

    public static Command Create()
    {
        var listen = new Option<string>("--listen") { Description = "Loopback address and port to listen on; port 0 takes any free one.", Required = true, HelpName = "ADDR:PORT" };
        var hostKey = new Option<string>("--host-key") { Description = "The host key, an OpenSSH private key. Made when it is not there.", Required = true, HelpName = "FILE" };
        var authorizedKeys = new Option<string>("--authorized-keys") { Description = "The public keys that may log on, one a line; lines with options are ignored.", Required = true, HelpName = "FILE" };
        var readyFile = new Option<string?>("--ready-file") { Description = "Where to write address and host key as JSON once the agent accepts connections.", HelpName = "FILE" };
        var command = new Command(
            "serve",
            """
            Serves this machine's shell, commands and files over SSH, as the account that the agent runs as. Only public keys log on, and only on a
            loopback address.

            Example:
              countersign-agent serve --listen 127.0.0.1:2200 --host-key host_key --authorized-keys authorized_keys
              ssh -p 2200 "$USER@127.0.0.1"
            """)
        {
            listen,
            hostKey,
            authorizedKeys,
            readyFile,
        };
        command.SetAction((arguments, cancellation) => RunAsync(
            arguments.GetRequiredValue(listen),
            arguments.GetRequiredValue(hostKey),
            arguments.GetRequiredValue(authorizedKeys),
            arguments.GetValue(readyFile),
            cancellation));
        return command;
    }

    private static async Task<int> RunAsync(string listen, string hostKeyPath, string authorizedKeysPath, string? readyPath, CancellationToken cancellation)
    {
        if (!IPEndPoint.TryParse(listen, out var address) || !listen.Contains(':', StringComparison.Ordinal)) return Refuse($"'{listen}' is not an address and port, such as 127.0.0.1:2200.");
        if (!IPAddress.IsLoopback(address.Address))
        {
            return Refuse($"{address.Address} is not a loopback address. An agent that others can reach has to be enrolled with a server; 'serve' is for this machine alone.");
        }

        try
        {
            using var hostKey = HostKeyFile.ReadOrMake(hostKeyPath);
            var keys = new AuthorizedKeys(authorizedKeysPath);
            if (keys.Read().Count == 0) Log($"{authorizedKeysPath} has no key that could log on.");
            using var loop = new ReadinessLoop();
            var context = new AgentContext { Account = OsAccount.Current(), Loop = loop, Time = TimeProvider.System, Log = Log };
            using var listener = new AgentListener(address, context, keys, hostKey);
            if (readyPath is not null) new ReadyFile(listener.Address.ToString(), hostKey.PublicKey.ToString()).Write(readyPath);
            Log($"Serving {context.Account.Name} on {listener.Address}, host key {hostKey.PublicKey.Fingerprint}.");
            await listener.RunAsync(cancellation).ConfigureAwait(false);
            return 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException or SocketException)
        {
            return Refuse(e.Message);
        }
    }

    private static void Log(string line) => Console.Error.WriteLine(line);

    private static int Refuse(string sentence)
    {
        Log($"countersign-agent: {sentence}");
        return Failed;
    }
}
