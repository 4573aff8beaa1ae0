using System.Collections.Concurrent;
using System.Security.Cryptography;
using Countersign.Ssh.Transport;

namespace Countersign.Ssh.Tests;

/// <summary>Clients that people have, each by password and by key, against our server. ParamikoTests has one more.</summary>
public sealed class OtherClientsTests : IDisposable
{
    private static readonly string[] Lenient = ["-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "IdentitiesOnly=yes"];
    private readonly TemporaryFolder _folder = new();
    private readonly byte[] _data = RandomNumberGenerator.GetBytes(1_500_000);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    /// <summary>What each client is expected to agree on: a change here is a change of what is offered, or of the client.</summary>
    [Theory]
    [InlineData("ssh", "password", "-gcm@openssh.com", "")]
    [InlineData("ssh", "key", "-gcm@openssh.com", "")]
    [InlineData("dbclient", "password", "chacha20-poly1305@openssh.com", "")]
    [InlineData("dbclient", "key", "chacha20-poly1305@openssh.com", "")]
    [InlineData("plink", "password", "-gcm@openssh.com", "")]
    [InlineData("plink", "key", "-gcm@openssh.com", "")]
    public async Task A_command_s_input_comes_back_unharmed(string client, string credential, string cipher, string mac)
    {
        await using var visit = await VisitAsync(credential);
        var result = await RunAsync(visit, client, credential, "cat");
        result.ExitCode.ShouldBe(0, result.Error);
        SHA256.HashData(result.OutputBytes).ShouldBe(SHA256.HashData(_data), result.Error);
        Agreed(visit, cipher, mac);
        (await RunAsync(visit, client, credential, "exit 37")).ExitCode.ShouldBe(37);
    }

    [Theory]
    [InlineData("sftp", "password")]
    [InlineData("sftp", "key")]
    [InlineData("scp", "password")]
    [InlineData("scp", "key")]
    [InlineData("psftp", "password")]
    [InlineData("psftp", "key")]
    [InlineData("curl", "password")]
    [InlineData("curl", "key")]
    public async Task A_file_goes_there_and_back_unharmed(string client, string credential)
    {
        await using var visit = await VisitAsync(credential);
        await File.WriteAllBytesAsync(_folder["here"], _data, Cancellation);
        var result = await CopyAsync(visit, client, credential, _folder["here"], _folder["there"], Direction.Put);
        result.ExitCode.ShouldBe(0, result.Error + result.Output);
        (await File.ReadAllBytesAsync(_folder["there"], Cancellation)).AsSpan().SequenceEqual(_data).ShouldBeTrue();
        result = await CopyAsync(visit, client, credential, _folder["back"], _folder["there"], Direction.Get);
        result.ExitCode.ShouldBe(0, result.Error + result.Output);
        (await File.ReadAllBytesAsync(_folder["back"], Cancellation)).AsSpan().SequenceEqual(_data).ShouldBeTrue();

        if (client != "curl") return;

        // libssh2 before 1.11 knows neither strict key exchange nor encrypt-then-MAC, nor GCM.
        var isOld = (await Command.RunAsync("curl", ["--version"], Cancellation)).Output.Contains("libssh2/1.10", StringComparison.Ordinal);
        if (isOld) Agreed(visit, "-ctr", "hmac-sha2-256");
        else Agreed(visit, "-gcm@openssh.com", "");
    }

    [Theory]
    [InlineData("ssh")]
    [InlineData("dbclient")]
    [InlineData("plink")]
    public async Task A_wrong_password_is_refused_to_each(string client)
    {
        await using var visit = await VisitAsync("password", right: "another");
        var result = await RunAsync(visit, client, "password", "cat");
        result.OutputBytes.ShouldBeEmpty();
        visit.Handlers[0].Connection.ShouldBeNull();
        visit.Handlers[0].Attempts.ShouldContain(attempt => attempt is SshAuthAttempt.Password);
    }

    /// <summary>The key exchange is the first of the client's that we have, whichever ones this machine's client and platform know; never one of finite fields, as long as it knows X25519.</summary>
    private static void Agreed(Visit visit, string cipher, string mac)
    {
        var agreement = visit.Handlers[0].Connection.ShouldNotBeNull().Transport.Agreement.ShouldNotBeNull();
        string[] ours = [.. MLKem.IsSupported ? (string[])[HybridExchange.Name] : [], "curve25519-sha256", "curve25519-sha256@libssh.org"];
        agreement.KeyExchange.ShouldBe(visit.Offer().KeyExchanges.First(ours.Contains));
        agreement.ToServer.Cipher.Name.ShouldEndWith(cipher);
        agreement.ToClient.Cipher.Name.ShouldEndWith(cipher);
        (agreement.ToServer.Mac?.Name ?? "").ShouldBe(mac);
    }

    private async Task<Visit> VisitAsync(string credential, string right = "right")
    {
        if (credential == "key")
        {
            await MustAsync("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", _folder["id"]);
            await MustAsync("puttygen", _folder["id"], "-o", _folder["id.ppk"]);
            await MustAsync("dropbearconvert", "openssh", "dropbear", _folder["id"], _folder["id.dropbear"]);
            SshPublicKey.TryParse(await File.ReadAllTextAsync(_folder["id.pub"], Cancellation), out var key).ShouldBeTrue();
            return new Visit(attempt => attempt switch
            {
                SshAuthAttempt.Key { Value: var value } => value.Equals(key),
                SshAuthAttempt.KeyQuery { Offered: var offered } => offered.Equals(key),
                _ => false,
            });
        }

        return new Visit(attempt => attempt is SshAuthAttempt.Password { Value: var value } && value.ExposeText() == right);
    }

    private async Task MustAsync(string program, params string[] arguments)
    {
        var result = await Command.RunAsync(program, arguments, ReadOnlyMemory<byte>.Empty, Cancellation, Home());
        result.ExitCode.ShouldBe(0, result.Error);
    }

    private Dictionary<string, string> Home() => new() { ["HOME"] = _folder.Path, ["DROPBEAR_PASSWORD"] = "right" };

    private Task<Command> RunAsync(Visit visit, string client, string credential, string command)
    {
        var byKey = credential == "key";
        string[] words = (client, byKey) switch
        {
            ("ssh", true) => ["ssh", .. Lenient, "-i", _folder["id"], "-p", visit.Port, "alice@127.0.0.1"],
            ("ssh", false) => ["sshpass", "-p", "right", "ssh", .. Lenient, "-o", "NumberOfPasswordPrompts=1", "-o", "PreferredAuthentications=password", "-p", visit.Port, "alice@127.0.0.1"],
            ("dbclient", true) => ["dbclient", "-y", "-y", "-i", _folder["id.dropbear"], "-p", visit.Port, "alice@127.0.0.1"],
            ("dbclient", false) => ["dbclient", "-y", "-y", "-p", visit.Port, "alice@127.0.0.1"],
            ("plink", true) => ["plink", "-batch", "-hostkey", visit.Fingerprint, "-i", _folder["id.ppk"], "-P", visit.Port, "alice@127.0.0.1"],
            _ => ["plink", "-batch", "-hostkey", visit.Fingerprint, "-pw", "right", "-P", visit.Port, "alice@127.0.0.1"],
        };
        return Command.RunAsync(words[0], [.. words[1..], command], _data, Cancellation, Home());
    }

    private Task<Command> CopyAsync(Visit visit, string client, string credential, string local, string remote, Direction direction)
    {
        var byKey = credential == "key";
        string[] login = byKey ? ["-i", _folder["id"]] : ["-o", "PreferredAuthentications=password"];
        string[] prefix = byKey ? [] : ["sshpass", "-p", "right"];
        var script = direction == Direction.Put ? $"put {local} {remote}\nquit\n" : $"get {remote} {local}\nquit\n";
        string[] words = client switch
        {
            "sftp" => [.. prefix, "sftp", .. Lenient, .. login, "-P", visit.Port, "alice@127.0.0.1"],
            "scp" when direction == Direction.Put => [.. prefix, "scp", .. Lenient, .. login, "-P", visit.Port, local, $"alice@127.0.0.1:{remote}"],
            "scp" => [.. prefix, "scp", .. Lenient, .. login, "-P", visit.Port, $"alice@127.0.0.1:{remote}", local],
            "psftp" when byKey => ["psftp", "-batch", "-hostkey", visit.Fingerprint, "-i", _folder["id.ppk"], "-P", visit.Port, "alice@127.0.0.1"],
            "psftp" => ["psftp", "-batch", "-hostkey", visit.Fingerprint, "-pw", "right", "-P", visit.Port, "alice@127.0.0.1"],
            _ =>
            [
                "curl", "-sS", "--insecure", .. byKey ? (string[])["--user", "alice:", "--key", _folder["id"], "--pubkey", _folder["id.pub"]] : ["--user", "alice:right"],
                direction == Direction.Put ? "-T" : "-o", local, $"sftp://127.0.0.1:{visit.Port}{remote}",
            ],
        };
        return Command.RunAsync(words[0], words[1..], System.Text.Encoding.ASCII.GetBytes(script), Cancellation, Home());
    }

    private enum Direction
    {
        Put,
        Get,
    }

    private sealed class Visit : IAsyncDisposable
    {
        private readonly TestServer _server;
        private readonly ConcurrentQueue<Heard> _clients = [];

        public Visit(Func<SshAuthAttempt, bool> letsIn)
        {
            _server = TestServer.Start(() =>
            {
                var handler = new TestServerHandler { Decide = (attempt, _) => new(letsIn(attempt) ? SshAuthResult.Success : SshAuthResult.Failure) };
                lock (Handlers) Handlers.Add(handler);
                return handler;
            });
            _server.Through = stream =>
            {
                var client = new Heard(stream);
                _clients.Enqueue(client);
                return client;
            };
        }

        public List<TestServerHandler> Handlers { get; } = [];

        /// <summary>Of the first client.</summary>
        public KexInit Offer() => _clients.First().Offer();

        public string Port => $"{_server.Port}";

        public string Fingerprint => _server.Options.HostKeys[0].PublicKey.Fingerprint;

        public ValueTask DisposeAsync() => _server.DisposeAsync();
    }
}
