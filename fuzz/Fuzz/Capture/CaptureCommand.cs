using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Countersign.Ssh;

namespace Countersign.Fuzz.Capture;

/// <summary>Makes the corpus: real clients talk to a real sshd, through a tap. Needs what test.sh installs, and root or any account that may sign in.</summary>
internal static class CaptureCommand
{
    public static async Task RunAsync(string folder)
    {
        var work = Directory.CreateTempSubdirectory("f").FullName;
        using var hostKey = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        await PrepareAsync(work);
        using var text = new Secret(await File.ReadAllBytesAsync($"{work}/user"));
        using var userKey = SshPrivateKey.Parse(text);
        using var sshd = await StartSshdAsync(work);
        var writer = new CorpusWriter(folder, work);
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            var port = ((IPEndPoint)listener.LocalEndpoint).Port;
            var fingerprint = hostKey.PublicKey.Fingerprint;
            foreach (var (name, command) in Clients(work, port, fingerprint))
            {
                var tapping = new Tap(sshd.Port, Environment.UserName, hostKey, userKey).RunAsync(listener);
                var client = RunClientAsync(command, work);
                var tapped = await tapping.WaitAsync(TimeSpan.FromSeconds(30));
                writer.Write(name, tapped);
                Console.WriteLine($"{name}: {tapped.SignedIn.Count} + {tapped.Used.Count} messages; {(await client).Trim()}");
            }

            await writer.WriteKeysAsync();
            writer.WriteWritten();
        }
        finally
        {
            sshd.Process.Kill(entireProcessTree: true);
            Directory.Delete(work, recursive: true);
        }
    }

    private static IEnumerable<(string Name, string Command)> Clients(string work, int port, string fingerprint)
    {
        const string Options = "-F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR";
        var byWord = $"sshpass -p right ssh {Options} -p {port} -o PreferredAuthentications=password alice@127.0.0.1";
        var byKey = $"ssh {Options} -i {work}/user -o IdentitiesOnly=yes -p {port} alice@127.0.0.1";
        yield return ("openssh-command", $"echo hello | {byWord} cat");
        yield return ("openssh-key", $"{byKey} 'echo out; echo err >&2; exit 3'");
        yield return ("openssh-certificate", $"ssh {Options} -i {work}/user -o CertificateFile={work}/user-cert.pub -p {port} alice@127.0.0.1 true");
        yield return ("openssh-interactive", $"sshpass -p right -P Word ssh {Options} -o PreferredAuthentications=keyboard-interactive -p {port} alice@127.0.0.1 true");
        yield return ("openssh-terminal", $"(echo 'echo hi'; echo exit) | ssh -tt {Options} -i {work}/user -o SetEnv=A=b -p {port} alice@127.0.0.1 sh");
        yield return ("openssh-signal", $"{byKey} 'kill -TERM $$'");
        yield return ("openssh-stdio-forward", $"echo x | ssh {Options} -i {work}/user -W 127.0.0.1:9 -p {port} alice@127.0.0.1");
        yield return ("openssh-remote-forward", $"ssh {Options} -i {work}/user -R 0:127.0.0.1:9 -p {port} alice@127.0.0.1 true");
        yield return ("openssh-ctr-group14", $"ssh {Options} -i {work}/user -o Ciphers=aes256-ctr -o MACs=hmac-sha2-256 -o KexAlgorithms=diffie-hellman-group14-sha256 -p {port} alice@127.0.0.1 true");
        yield return ("openssh-chacha-group16", $"ssh {Options} -i {work}/user -o Ciphers=chacha20-poly1305@openssh.com -o KexAlgorithms=diffie-hellman-group16-sha512 -p {port} alice@127.0.0.1 true");
        yield return ("openssh-sftp", $"printf 'ls -la\\nget a got\\nput a sent\\nrename sent named\\nchmod 600 named\\nmkdir d\\nrmdir d\\nln -s a l\\nln a h\\ndf\\nrm named\\nstat a\\n' | sed s/^stat.*// | sshpass -p right sftp {Options} -o PreferredAuthentications=password -P {port} alice@127.0.0.1:{work}");
        yield return ("openssh-scp", $"sshpass -p right scp {Options} -o PreferredAuthentications=password -rp -P {port} {work}/dir alice@127.0.0.1:{work}/there");
        yield return ("openssh-scp-old-to", $"sshpass -p right scp -O {Options} -o PreferredAuthentications=password -rp -P {port} {work}/dir alice@127.0.0.1:{work}/old");
        yield return ("openssh-scp-old-from", $"sshpass -p right scp -O {Options} -o PreferredAuthentications=password -rp -P {port} alice@127.0.0.1:{work}/dir {work}/back");
        yield return ("openssh-scp-old-missing", $"sshpass -p right scp -O {Options} -o PreferredAuthentications=password -P {port} alice@127.0.0.1:{work}/no {work}/no");
        yield return ("rsync-to", $"rsync -a -e 'ssh {Options} -i {work}/user -p {port}' {work}/dir alice@127.0.0.1:{work}/synced");
        yield return ("plink", $"echo y | plink -batch -hostkey {fingerprint} -pw right -P {port} alice@127.0.0.1 'echo hello'");
        yield return ("psftp", $"printf 'cd {work}\\nls\\nget a got2\\nput a sent2\\n' | psftp -batch -hostkey {fingerprint} -pw right -P {port} alice@127.0.0.1");
        yield return ("dropbear", $"DROPBEAR_PASSWORD=right dbclient -y -y -p {port} alice@127.0.0.1 'echo hello'");
        yield return ("curl-sftp", $"curl -sS --insecure --user alice:right sftp://127.0.0.1:{port}{work}/a -o {work}/curled");
        yield return ("paramiko", $$"""
            /usr/bin/python3 -c 'import paramiko
            t = paramiko.Transport(("127.0.0.1", {{port}})); t.connect(username="alice", password="right")
            c = t.open_session(); c.exec_command("echo hello"); c.recv(100); c.recv_exit_status(); t.close()'
            """);
    }

    private static async Task PrepareAsync(string work)
    {
        Directory.CreateDirectory("/run/sshd");
        Directory.CreateDirectory($"{work}/dir/sub");
        await File.WriteAllTextAsync($"{work}/a", string.Concat(Enumerable.Repeat("0123456789", 30)));
        await File.WriteAllTextAsync($"{work}/dir/b", "hello\n");
        await File.WriteAllTextAsync($"{work}/dir/sub/empty", "");
        await RunClientAsync($"ssh-keygen -q -t ed25519 -N '' -C '' -f {work}/user; ssh-keygen -q -t ed25519 -N '' -C '' -f {work}/host; ssh-keygen -q -t ed25519 -N '' -C '' -f {work}/ca; ssh-keygen -q -s {work}/ca -I fuzz -n alice -V always:forever {work}/user.pub", work);
    }

    private static async Task<string> RunClientAsync(string command, string work)
    {
        using var shell = Process.Start(new ProcessStartInfo("/usr/bin/timeout", ["10", "/bin/bash", "-c", command]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = work })!;
        var error = shell.StandardError.ReadToEndAsync();
        await shell.StandardOutput.ReadToEndAsync();
        await shell.WaitForExitAsync();
        return await error;
    }

    private static async Task<Sshd> StartSshdAsync(string work)
    {
        int port;
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            port = ((IPEndPoint)free.LocalEndpoint).Port;
        }

        await File.WriteAllTextAsync($"{work}/config", $"""
            Port {port}
            ListenAddress 127.0.0.1
            HostKey {work}/host
            PidFile none
            AuthorizedKeysFile {work}/user.pub
            PermitRootLogin yes
            UsePAM no
            StrictModes no
            PrintMotd no
            Subsystem sftp internal-sftp
            """);
        var process = Process.Start(new ProcessStartInfo("/usr/sbin/sshd", ["-D", "-e", "-f", $"{work}/config"]) { RedirectStandardError = true })!;
        while (await process.StandardError.ReadLineAsync() is { } line && !line.StartsWith("Server listening", StringComparison.Ordinal))
        {
        }

        _ = process.StandardError.ReadToEndAsync();
        return new(process, port);
    }

    private sealed record Sshd(Process Process, int Port) : IDisposable
    {
        public void Dispose() => Process.Dispose();
    }
}
