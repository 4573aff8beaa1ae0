using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Countersign.EndToEnd.Fixtures;
using Countersign.Ssh;

namespace Countersign.EndToEnd;

/// <summary>Clients that move files by libraries other than OpenSSH's, and plain OpenSSH by what <c>countersign ssh-config</c> writes.</summary>
public sealed class MoreClientsTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private readonly byte[] _content = RandomNumberGenerator.GetBytes(1_500_000);
    private TestGateway _gateway = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _gateway = await TestGateway.StartAsync(sshd: "LogVerbose serverloop.c:*:*");

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>PuTTY's, once over SFTP and once over the old protocol of scp, and libssh2's: each file has a line in the session's journal, with its hash.</summary>
    [Theory]
    [InlineData("psftp")]
    [InlineData("pscp")]
    [InlineData("pscp -scp")]
    [InlineData("curl")]
    public async Task A_file_goes_to_the_device_and_back_and_is_in_the_journal(string client)
    {
        await File.WriteAllBytesAsync(_folder["here"], _content, Cancellation);
        var put = await CopyAsync(client, put: true, _folder["here"], _folder["there"]);
        put.ExitCode.ShouldBe(0, put.ToString());
        (await File.ReadAllBytesAsync(_folder["there"], Cancellation)).ShouldBe(_content);

        // Whether the path is a folder is not told in the old protocol: then the name stands beside it.
        await TransferAsync("ToDevice", client == "pscp -scp" ? $"{_folder["there"]} (here)" : _folder["there"]);

        var get = await CopyAsync(client, put: false, _folder["back"], _folder["there"]);
        get.ExitCode.ShouldBe(0, get.ToString());
        (await File.ReadAllBytesAsync(_folder["back"], Cancellation)).ShouldBe(_content);
        await TransferAsync("FromDevice", _folder["there"]);
    }

    [Theory]
    [InlineData("psftp")]
    [InlineData("pscp -scp")]
    [InlineData("curl")]
    public async Task Who_may_not_send_files_is_refused_and_nothing_is_written(string client)
    {
        await _gateway.Owner.DeleteAsync($"grants/{_gateway.TinasGrant}");
        await _gateway.GrantAsync(_gateway.Tina, await _gateway.AddRoleAsync("Reads", "FileManager", "ReceiveFiles"));
        await File.WriteAllBytesAsync(_folder["here"], _content, Cancellation);
        var refused = await CopyAsync(client, put: true, _folder["here"], _folder["there"]);
        (refused.Text + refused.Error).ShouldContain(client == "pscp -scp" ? "you may use none of" : client == "curl" ? "denied" : "permission denied", Case.Insensitive, refused.ToString());
        File.Exists(_folder["there"]).ShouldBeFalse();
    }

    /// <summary>OpenSSH's client sends one for <c>~B</c>, and its server at the device says that it has had it.</summary>
    [Fact]
    public async Task A_break_reaches_the_device_and_is_in_the_journal()
    {
        await using (var ssh = _gateway.Client.StartSsh("tina+web01", _gateway.Tina.ByKey, "echo ready; read line; echo after $line", "-tt", "-o", "EscapeChar=~"))
        {
            await Eventually.TrueAsync(() => ssh.OutputSoFar.Contains("ready", StringComparison.Ordinal), "the program to run", () => ssh.ErrorSoFar);
            await ssh.Input.WriteAsync("~B"u8.ToArray(), Cancellation);
            await ssh.Input.FlushAsync(Cancellation);
            await Eventually.TrueAsync(
                () => _gateway.Sshd.Log.Contains("request break", StringComparison.Ordinal), "the device to have it", () => ssh.ErrorSoFar + _gateway.Sshd.Log);
            await ssh.Input.WriteAsync("it\n"u8.ToArray(), Cancellation);
            (await ssh.EndAsync()).Text.ShouldContain("after it");
        }

        var signal = (await JournalAsync()).Where(one => (string)one["event"]! == "signal").ShouldHaveSingleItem();
        ((string)signal["name"]!).ShouldBe("BREAK");
    }

    /// <summary>RFC 4335 section 3: a length, and an answer where one is wanted; what is none is refused, and no device is told.</summary>
    [Fact]
    public async Task A_break_that_is_none_is_refused()
    {
        await using (var tina = await _gateway.ConnectAsync(_gateway.Tina, TestGateway.Device))
        {
            var (channel, streams) = await SshChannelStreams.OpenSessionAsync(tina, Cancellation);
            (await channel.RequestAsync(SessionRequests.Exec, new ExecRequest("echo ready; cat").Encode(), Cancellation)).ShouldBeTrue();
            await streams.Output.ReadExactlyAsync(new byte[6], Cancellation);
            (await channel.RequestAsync(SessionRequests.Break, new byte[3], Cancellation)).ShouldBeFalse();
            (await channel.RequestAsync(SessionRequests.Break, new byte[5], Cancellation)).ShouldBeFalse();
            (await channel.RequestAsync(SessionRequests.Break, new BreakRequest(500).Encode(), Cancellation)).ShouldBeTrue();
            channel.SendEof();
            await streams.ExitStatus.WaitAsync(Eventually.Patience, Cancellation);
        }

        (await JournalAsync()).Count(one => (string)one["event"]! == "signal").ShouldBe(1);
        _gateway.Sshd.Log.Split("request break").Length.ShouldBe(2);
    }

    /// <summary>What is written for <c>ssh</c> serves whatever starts it, by the device's plain name.</summary>
    [Fact]
    public async Task Plain_scp_sftp_rsync_and_git_go_through_by_what_ssh_config_writes()
    {
        await _gateway.Owner.PostAsync("me/keys", new() { ["label"] = "test", ["key"] = (await Keys.GenerateAsync(_folder, "id")).PublicLine });
        var environment = new Dictionary<string, string>
        {
            ["XDG_CONFIG_HOME"] = _folder.Path,
            ["HOME"] = _folder.Path,
            ["COUNTERSIGN_SERVER"] = _gateway.Server.HttpAddress.AbsoluteUri,
            ["COUNTERSIGN_TOKEN"] = _gateway.OwnerToken,
        };
        var written = await RunningCommand.RunAsync("dotnet", [Path.Combine(AppContext.BaseDirectory, "countersign.dll"), "ssh-config", "--write"], environment: environment);
        written.ExitCode.ShouldBe(0, written.ToString());
        var config = _folder.Write("config", $"Include {Path.Combine(_folder.Path, ".ssh", "countersign.config")}\nHost *\n  IdentityFile {_folder["id"]}\n  IdentitiesOnly yes\n");
        await File.WriteAllBytesAsync(_folder["here"], _content, Cancellation);

        await MustAsync("scp", "-F", config, _folder["here"], $"{TestGateway.Device}:{_folder["by-scp"]}");
        await MustAsync("scp", "-O", "-F", config, _folder["here"], $"{TestGateway.Device}:{_folder["by-old-scp"]}");
        await MustAsync("scp", "-F", config, $"{TestGateway.Device}:{_folder["by-scp"]}", _folder["back-by-scp"]);
        await MustAsync("rsync", "-e", $"ssh -F {config}", _folder["here"], $"{TestGateway.Device}:{_folder["by-rsync"]}");
        await MustAsync("rsync", "-e", $"ssh -F {config}", $"{TestGateway.Device}:{_folder["by-rsync"]}", _folder["back-by-rsync"]);
        var batch = _folder.Write("batch", $"put {_folder["here"]} {_folder["by-sftp"]}\nget {_folder["by-sftp"]} {_folder["back-by-sftp"]}\n");
        await MustAsync("sftp", "-F", config, "-b", batch, TestGateway.Device);
        foreach (var name in new[] { "by-scp", "by-old-scp", "back-by-scp", "by-rsync", "back-by-rsync", "by-sftp", "back-by-sftp" })
        {
            (await File.ReadAllBytesAsync(_folder[name], Cancellation)).AsSpan().SequenceEqual(_content).ShouldBeTrue(name);
        }

        environment = new() { ["GIT_SSH_COMMAND"] = $"ssh -F {config}", ["GIT_CONFIG_GLOBAL"] = "/dev/null", ["GIT_CONFIG_SYSTEM"] = "/dev/null", ["HOME"] = _folder.Path };
        await MustAsync("git", "init", "-q", "--bare", "-b", "main", _folder["bare.git"]);
        await MustAsync("git", "clone", "-q", $"{TestGateway.Device}:{_folder["bare.git"]}", _folder["clone"]);
        await MustAsync("git", "-C", _folder["clone"], "-c", "user.name=Olga", "-c", "user.email=olga@example.org", "commit", "-q", "--allow-empty", "-m", "through the gateway");
        await MustAsync("git", "-C", _folder["clone"], "push", "-q", "origin", "HEAD:main");
        (await MustAsync("git", "-C", _folder["bare.git"], "log", "--format=%s", "main")).ShouldBe("through the gateway\n");

        async Task<string> MustAsync(string program, params string[] arguments)
        {
            var outcome = await RunningCommand.RunAsync(program, arguments, environment: environment);
            outcome.ExitCode.ShouldBe(0, $"{program} {string.Join(' ', arguments)}\n{outcome}");
            return outcome.Text;
        }
    }

    private Task<Outcome> CopyAsync(string client, bool put, string here, string there)
    {
        var port = $"{_gateway.Server.SshAddress.Port}";
        SshPublicKey.TryParse(_gateway.Server.SshHostKeys[0], out var key).ShouldBeTrue();
        string[] putty = ["-batch", "-hostkey", key!.Fingerprint, "-pw", _gateway.Tina.Password, "-P", port];
        const string Host = "tina+web01@127.0.0.1";
        string[] words = client switch
        {
            "psftp" => ["psftp", .. putty, Host],
            "pscp" or "pscp -scp" =>
            [
                .. client.Split(' '), .. client == "pscp" ? (string[])["-sftp"] : [], .. putty, .. put ? (string[])[here, $"{Host}:{there}"] : [$"{Host}:{there}", here],
            ],
            _ => ["curl", "-sS", "--insecure", "--user", $"tina+web01:{_gateway.Tina.Password}", put ? "-T" : "-o", here, $"sftp://127.0.0.1:{port}{there}"],
        };
        var script = client != "psftp" ? "" : put ? $"put {here} {there}\nquit\n" : $"get {there} {here}\nquit\n";
        return RunningCommand.RunAsync(words[0], words[1..], System.Text.Encoding.ASCII.GetBytes(script), new Dictionary<string, string> { ["HOME"] = _folder.Path });
    }

    /// <summary>The last session's journal has one file that went that way, whole.</summary>
    private async Task TransferAsync(string direction, string path)
    {
        var file = (await JournalAsync()).Where(one => (string)one["event"]! == "file").ShouldHaveSingleItem();
        ((string)file["direction"]!).ShouldBe(direction);
        ((string)file["path"]!).ShouldBe(path);
        ((string)file["sha256"]!).ShouldBe(Convert.ToHexStringLower(SHA256.HashData(_content)));
    }

    private async Task<List<JsonNode>> JournalAsync()
    {
        await Eventually.TrueAsync(async () => (await _gateway.SessionsAsync("live")).Count == 0, "the session to end");
        var last = (await _gateway.SessionsAsync("ended")).MaxBy(session => (string)session["id"]!)!;
        return [.. (await _gateway.Owner.GetAsync($"sessions/{(string)last["id"]!}/journal"))["items"]!.AsArray().Select(item => item!["event"]!)];
    }
}
