using System.Net;
using System.Net.Sockets;

namespace Countersign.EndToEnd.Fixtures;

/// <summary>
/// A real OpenSSH server of one test: the device at the far end. It accepts keys only (passwords would be the machine's own accounts),
/// for the user who runs the tests. Everything of it is in a temporary folder, the shells' home too: what the user's own start-up files do is no
/// part of a test, and is not to be killed half-way by one.
/// </summary>
public sealed class PrivateSshd : IAsyncDisposable
{
    // Nobody can ask sshd for "any port", and between finding a free one and binding it somebody else may take it: then it is tried again.
    private const int Attempts = 20;

    private readonly TempFolder _folder;
    private readonly RunningCommand _sshd;

    private PrivateSshd(TempFolder folder, RunningCommand sshd, int port, KeyPair hostKey, KeyPair clientKey)
    {
        _folder = folder;
        _sshd = sshd;
        Port = port;
        HostKey = hostKey;
        ClientKey = clientKey;
    }

    public static string Host => "127.0.0.1";

    /// <summary>The account to sign in with.</summary>
    public static string User => Environment.UserName;

    public int Port { get; }

    public KeyPair HostKey { get; }

    /// <summary>A key that the account accepts from the start.</summary>
    public KeyPair ClientKey { get; }

    /// <summary>What sshd wrote down: who was accepted or refused, with which key, and what was opened.</summary>
    public string Log => ReadLog(_folder);

    /// <param name="hostKeyType">The only host key that it offers: ed25519, ecdsa or rsa.</param>
    /// <param name="extra">Further lines of sshd_config.</param>
    public static async Task<PrivateSshd> StartAsync(string hostKeyType = "ed25519", string extra = "")
    {
        // sshd insists on this folder of its own for unprivileged children.
        if (Environment.IsPrivilegedProcess)
            Directory.CreateDirectory("/run/sshd");
        var folder = new TempFolder();
        var hostKey = await Keys.GenerateAsync(folder, "host_key", hostKeyType);
        var clientKey = await Keys.GenerateAsync(folder, "client_key");
        folder.Write("authorized_keys", clientKey.PublicLine + "\n");
        for (var attempt = 1; ; attempt++)
        {
            var port = FreePort();
            var config = folder.Write("sshd_config", Configuration(folder, port, extra));
            // Without -D it would detach and be nobody's child. The full path is required: sshd starts itself again for each connection.
            var sshd = RunningCommand.Start("/usr/sbin/sshd", ["-D", "-f", config, "-E", folder["log"]]);
            await Eventually.TrueAsync(
                () => sshd.HasExited || ReadLog(folder).Contains($"Server listening on {Host} port {port}", StringComparison.Ordinal),
                "sshd to listen",
                () => ReadLog(folder) + sshd.ErrorSoFar);
            if (!sshd.HasExited)
                return new(folder, sshd, port, hostKey, clientKey);

            var reason = ReadLog(folder) + sshd.ErrorSoFar;
            await sshd.DisposeAsync();
            if (attempt == Attempts || !reason.Contains("Address already in use", StringComparison.Ordinal))
            {
                folder.Dispose();
                throw new InvalidOperationException($"sshd did not start: {reason}");
            }

            File.Delete(folder["log"]);
        }
    }

    /// <summary>The account accepts this key too, from the next connection on.</summary>
    public void Authorize(string publicLine) => File.AppendAllText(_folder["authorized_keys"], publicLine + "\n");

    /// <summary>The machine is gone from one moment to the next: no connection is closed properly.</summary>
    public void Crash() => _sshd.Kill();

    public async ValueTask DisposeAsync()
    {
        await _sshd.DisposeAsync();
        _folder.Dispose();
    }

    private static string Configuration(TempFolder folder, int port, string extra) => $"""
        Port {port}
        ListenAddress {Host}
        HostKey {folder["host_key"]}
        PidFile none
        AuthorizedKeysFile {folder["authorized_keys"]}
        PermitRootLogin prohibit-password
        PasswordAuthentication no
        KbdInteractiveAuthentication no
        UsePAM no
        StrictModes no
        UseDNS no
        PrintMotd no
        PrintLastLog no
        LogLevel VERBOSE
        MaxStartups 200:30:400
        MaxSessions 200
        Subsystem sftp internal-sftp
        SetEnv HOME={folder.Path}
        {extra}

        """;

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    private static string ReadLog(TempFolder folder)
    {
        try
        {
            using var file = new FileStream(folder["log"], FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var reader = new StreamReader(file);
            return reader.ReadToEnd();
        }
        catch (FileNotFoundException)
        {
            return "";
        }
    }
}
