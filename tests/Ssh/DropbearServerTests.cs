using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Countersign.Ssh.Tests;

/// <summary>Our client against Dropbear's server, which is what many small devices run.</summary>
public sealed class DropbearServerTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("ed25519", SshKeyKind.Ed25519)]
    [InlineData("rsa", SshKeyKind.Rsa3072)]
    public async Task It_takes_our_key_and_carries_our_data(string hostKeyKind, SshKeyKind userKeyKind)
    {
        using var folder = new TemporaryFolder();
        var made = await Command.RunAsync("dropbearkey", ["-t", hostKeyKind, "-f", folder["host"]], Cancellation);
        made.ExitCode.ShouldBe(0, made.Error);
        var line = made.Output.Split('\n').Single(text => text.StartsWith("ssh-", StringComparison.Ordinal));
        SshPublicKey.TryParse(line, out var hostKey).ShouldBeTrue();
        using var userKey = SshPrivateKey.Generate(userKeyKind);
        Directory.CreateDirectory(folder[".ssh"]);
        folder.Write(".ssh/authorized_keys", System.Text.Encoding.ASCII.GetBytes(userKey.PublicKey + "\n"));

        var (server, port) = await StartAsync(folder);
        using var disposing = server;
        try
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(IPAddress.Loopback, port, Cancellation);
            var options = new SshClientOptions { User = Environment.UserName, Credentials = [new SshCredential.Key(userKey)], TrustedHostKeys = [hostKey] };
            await using var client = await SshClientConnection.ConnectAsync(new NetworkStream(socket, ownsSocket: true), options, Cancellation);
            var (channel, streams) = await SshChannelStreams.OpenSessionAsync(client, Cancellation);
            (await channel.RequestAsync(SessionRequests.Exec, new ExecRequest("cat").Encode(), Cancellation)).ShouldBeTrue();
            var data = RandomNumberGenerator.GetBytes(1_500_000);
            var hashing = SHA256.HashDataAsync(streams.Output, Cancellation);
            (await channel.WriteAsync(data, Cancellation)).ShouldBeTrue();
            channel.SendEof();
            (await hashing).ShouldBe(SHA256.HashData(data));
            (await streams.ExitStatus).ShouldBe(0u);
            client.Transport.Agreement!.KeyExchange.ShouldBe(HybridExchange.OrNext);
        }
        finally
        {
            server.Kill(entireProcessTree: true);
            await server.WaitForExitAsync(CancellationToken.None);
        }
    }

    /// <summary>It reads authorized_keys nowhere but in the account's home: in a mount namespace of its own, the test's folder is that home.</summary>
    private static async Task<(Process Server, int Port)> StartAsync(TemporaryFolder folder)
    {
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        for (var attempt = 1; ; attempt++)
        {
            var port = FreePort();
            string[] start = ["-m", "sh", "-c", $"mount --bind \"$1\" \"$2\" && exec dropbear -F -E -s -p 127.0.0.1:{port} -r \"$1/host\" -P \"$1/pid\"", "sh", folder.Path, home];
            var server = Process.Start(new ProcessStartInfo("unshare", start) { RedirectStandardError = true })!;
            while (await server.StandardError.ReadLineAsync(Cancellation) is { } line)
            {
                if (line.Contains("in use", StringComparison.Ordinal)) break;
                if (!line.Contains("Not backgrounding", StringComparison.Ordinal)) continue;
                _ = server.StandardError.ReadToEndAsync(CancellationToken.None);
                return (server, port);
            }

            if (!server.HasExited) server.Kill(entireProcessTree: true);
            server.Dispose();
            if (attempt == 5) throw new InvalidOperationException("dropbear does not start");
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
