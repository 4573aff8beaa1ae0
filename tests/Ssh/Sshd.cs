using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Countersign.Ssh.Tests;

/// <summary>A private sshd of this machine that lets in one key of ours, and no password.</summary>
internal sealed class Sshd : IAsyncDisposable
{
    private readonly TemporaryFolder _folder;
    private readonly Process _process;

    private Sshd(TemporaryFolder folder, Process process, int port, SshPrivateKey userKey, SshPublicKey hostKey)
    {
        _folder = folder;
        _process = process;
        Port = port;
        UserKey = userKey;
        HostKey = hostKey;
    }

    public int Port { get; }

    public SshPrivateKey UserKey { get; }

    public SshPublicKey HostKey { get; }

    public static async Task<Sshd> StartAsync(string hostKeyKind, string userKeyKind, CancellationToken cancellation, params string[] configuration)
    {
        Directory.CreateDirectory("/run/sshd");
        var folder = new TemporaryFolder();
        string[] ecdsa = ["-b", "256"];
        foreach (var (kind, name) in new[] { (hostKeyKind, "host"), (userKeyKind, "user") })
        {
            var made = await Command.RunAsync("ssh-keygen", ["-q", "-t", kind, .. kind == "ecdsa" ? ecdsa : [], "-N", "", "-f", folder[name]], cancellation);
            made.ExitCode.ShouldBe(0, made.Error);
        }

        // sshd can't be asked for any free port: one that was free a moment ago is tried, and another if it is not any more.
        for (var attempt = 1; ; attempt++)
        {
            var port = FreePort();
            await File.WriteAllTextAsync(folder["config"], $"""
                Port {port}
                ListenAddress 127.0.0.1
                HostKey {folder["host"]}
                PidFile none
                AuthorizedKeysFile {folder["user"]}.pub
                PermitRootLogin prohibit-password
                PasswordAuthentication no
                KbdInteractiveAuthentication no
                UsePAM no
                StrictModes no
                UseDNS no
                PrintMotd no
                MaxStartups 100:30:200
                MaxSessions 100
                {string.Join('\n', configuration)}
                """, cancellation);
            var process = Process.Start(new ProcessStartInfo("/usr/sbin/sshd", ["-D", "-e", "-f", folder["config"]]) { RedirectStandardError = true })!;
            if (await ListensAsync(process, cancellation))
            {
                using var text = new Secret(await File.ReadAllBytesAsync(folder["user"], cancellation));
                SshPublicKey.TryParse(await File.ReadAllTextAsync(folder["host"] + ".pub", cancellation), out var hostKey).ShouldBeTrue();
                return new Sshd(folder, process, port, SshPrivateKey.Parse(text), hostKey!);
            }

            if (attempt == 5) throw new InvalidOperationException("sshd does not start");
        }
    }

    public async Task<Stream> ConnectAsync(CancellationToken cancellation)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, Port, cancellation);
        return new NetworkStream(socket, ownsSocket: true);
    }

    /// <summary>Options that log in here.</summary>
    public SshClientOptions Options() => new()
    {
        User = Environment.UserName,
        Credentials = [new SshCredential.Key(UserKey)],
        TrustedHostKeys = [HostKey],
    };

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        UserKey.Dispose();
        _folder.Dispose();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static async Task<bool> ListensAsync(Process process, CancellationToken cancellation)
    {
        while (await process.StandardError.ReadLineAsync(cancellation) is { } line)
        {
            if (!line.StartsWith("Server listening", StringComparison.Ordinal)) continue;

            // What it says from here on is read away, so that it never waits for us.
            _ = process.StandardError.ReadToEndAsync(CancellationToken.None);
            return true;
        }

        return false;
    }
}
