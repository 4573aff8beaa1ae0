using System.Net;
using System.Net.Sockets;

namespace Countersign.Bench.Ways;

/// <summary>OpenSSH's server, private to one run: everything of it is in the folder that it is given.</summary>
internal sealed class Sshd : IAsyncDisposable
{
    private readonly Child _process;

    private Sshd(Child process, int port, string hostKey)
    {
        _process = process;
        Port = port;
        HostKey = hostKey;
    }

    public int Port { get; }

    public string HostKey { get; }

    /// <param name="authorized">The file of keys that it lets in, as the user who runs this.</param>
    public static async Task<Sshd> StartAsync(string folder, string authorized)
    {
        // sshd insists on this folder of its own for unprivileged children.
        if (Environment.IsPrivilegedProcess) Directory.CreateDirectory("/run/sshd");
        Directory.CreateDirectory(folder);
        var hostKey = Path.Combine(folder, "host_key");
        await Child.RunAsync("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", hostKey);
        var port = FreePort();
        var config = Path.Combine(folder, "config");
        await File.WriteAllTextAsync(config, $"""
            Port {port}
            ListenAddress 127.0.0.1
            HostKey {hostKey}
            PidFile none
            AuthorizedKeysFile {authorized}
            PermitRootLogin prohibit-password
            PasswordAuthentication no
            KbdInteractiveAuthentication no
            UsePAM no
            StrictModes no
            UseDNS no
            PrintMotd no
            PrintLastLog no
            MaxStartups 200:30:400
            MaxSessions 200
            Subsystem sftp internal-sftp

            """);

        // The full path is required: sshd starts itself again for each connection.
        var process = Child.Start("/usr/sbin/sshd", "-D", "-e", "-f", config);
        while (!await ListensAsync(port))
        {
            if (process.HasExited) throw new InvalidOperationException($"sshd did not start: {await process.ErrorsAsync()}");
            await Task.Delay(20);
        }

        return new(process, port, (await File.ReadAllTextAsync(hostKey + ".pub")).Trim());
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    private static async Task<bool> ListensAsync(int port)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
