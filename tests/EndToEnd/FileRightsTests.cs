using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Countersign.EndToEnd.Fixtures;

namespace Countersign.EndToEnd;

/// <summary>Stock clients move files through the gateway with each of the file permissions, and are refused what it does not give.</summary>
public sealed class FileRightsTests : IAsyncLifetime
{
    private readonly TempFolder _there = new();
    private readonly TempFolder _here = new();
    private TestGateway _gateway = null!;
    private Somebody _ned = null!;
    private string _grant = "";

    public async ValueTask InitializeAsync()
    {
        _gateway = await TestGateway.StartAsync();
        _ned = await _gateway.AddPersonAsync("ned");
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        _there.Dispose();
        _here.Dispose();
    }

    /// <summary>Letters: b FileManager, s SendFiles, r ReceiveFiles, m ManageFiles.</summary>
    [Theory]
    [InlineData("b")]
    [InlineData("s")]
    [InlineData("r")]
    [InlineData("bs")]
    [InlineData("br")]
    [InlineData("sr")]
    [InlineData("bm")]
    [InlineData("bsrm")]
    public async Task Sftp_does_what_the_permissions_give_and_goes_on_after_what_they_don_t(string held)
    {
        await HoldAsync(held);
        _there.Write("file", "some content\n");
        _there.Write("other", "x");
        Directory.CreateDirectory(_there["dir"]);
        var local = _here.Write("local", "sent\n");
        (string Needs, string Command)[] operations =
        [
            ("b", $"ls {_there.Path}"),
            ("r", $"get {_there["file"]} {_here["got"]}"),
            ("s", $"put {local} {_there["put"]}"),
            ("m", $"rename {_there["other"]} {_there["renamed"]}"),
            ("m", $"mkdir {_there["made"]}"),
            ("m", $"chmod 600 {_there["file"]}"),
            ("m", $"ln -s {_there["file"]} {_there["link"]}"),
            ("m", $"rmdir {_there["dir"]}"),
            ("m", $"rm {_there["file"]}"),
            ("", "pwd"),
        ];

        // A dash in front: go on after a failure.
        var outcome = await _gateway.Client.SftpAsync("ned+web01", _ned.ByKey, string.Concat(operations.Select(operation => $"-{operation.Command}\n")));

        outcome.ExitCode.ShouldBe(0, outcome.ToString());
        outcome.Text.ShouldContain("Remote working directory: ");
        File.Exists(_here["got"]).ShouldBe(held.Contains('r'), outcome.ToString());
        File.Exists(_there["put"]).ShouldBe(held.Contains('s'), outcome.ToString());
        foreach (var made in (string[])["renamed", "made"]) Path.Exists(_there[made]).ShouldBe(held.Contains('m'), outcome.ToString());
        foreach (var gone in (string[])["dir", "file"]) Path.Exists(_there[gone]).ShouldBe(!held.Contains('m'), outcome.ToString());
        outcome.Error.Split('\n').Count(line => line.Contains("ermission denied", StringComparison.Ordinal))
            .ShouldBe(operations.Count(operation => !operation.Needs.All(held.Contains)), outcome.ToString());

        var refused = (await JournalAsync()).Where(one => (string)one["event"]! == "fileRefused").Sum(one => (int)one["times"]!);
        refused.ShouldBeGreaterThanOrEqualTo(operations.Count(operation => !operation.Needs.All(held.Contains)));
    }

    [Theory]
    [InlineData("sftp")]
    [InlineData("scp -s")]
    [InlineData("scp -O")]
    [InlineData("rsync")]
    public async Task Twenty_megabytes_go_each_way_with_nothing_but_its_permission_and_their_hash_is_in_the_journal(string client)
    {
        var content = RandomNumberGenerator.GetBytes(20_000_000);
        await File.WriteAllBytesAsync(_here["local"], content, TestContext.Current.CancellationToken);

        // Who receives by rsync tells checksums of what is there, and makes whatever directories its client names.
        await HoldAsync(client == "rsync" ? "bsrm" : "s");
        var put = await MoveAsync(client, "", _here["local"], _there["file"]);
        put.ExitCode.ShouldBe(0, put.ToString());
        (await File.ReadAllBytesAsync(_there["file"], TestContext.Current.CancellationToken)).AsSpan().SequenceEqual(content).ShouldBeTrue();
        CheckTransfer(client, await JournalAsync(), "ToDevice", content);
        await HoldAsync("s");
        (await MoveAsync(client, "get", _here["refused"], _there["file"])).ExitCode.ShouldNotBe(0);
        Path.Exists(_here["refused"]).ShouldBeFalse();

        await HoldAsync("r");
        var got = await MoveAsync(client, "get", _here["back"], _there["file"]);
        got.ExitCode.ShouldBe(0, got.ToString());
        (await File.ReadAllBytesAsync(_here["back"], TestContext.Current.CancellationToken)).AsSpan().SequenceEqual(content).ShouldBeTrue();
        CheckTransfer(client, await JournalAsync(), "FromDevice", content);
        (await MoveAsync(client, "", _here["local"], _there["refused"])).ExitCode.ShouldNotBe(0);
        Path.Exists(_there["refused"]).ShouldBeFalse();
    }

    /// <summary>What its client and the device tell each other is copied beside it, so that it is known to the byte.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("get")]
    public async Task All_that_goes_each_way_by_rsync_is_in_the_journal_by_its_bytes_and_hash(string direction)
    {
        await HoldAsync("bsrm");
        var local = _here.Write("local", "content\n");
        _there.Write("file", "something else\n");
        var ssh = _here.Write("copying", $"""
            #!/bin/sh
            # It ends with ssh, as rsync waits for it before it lets go of its own end.
            mkfifo '{_here["pipe"]}'
            exec 3<&0
            tee '{_here["asked"]}' <&3 >'{_here["pipe"]}' & asking=$!
            {_gateway.Client.ShellWords("ned+web01", _ned.ByKey)} "$@" <'{_here["pipe"]}' | tee '{_here["answered"]}'
            kill $asking || :

            """, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        string[] ends = direction == "get" ? [$"device:{_there["file"]}", local] : [local, $"device:{_there["file"]}"];
        var outcome = await RunningCommand.RunAsync("rsync", ["-e", ssh, "-I", .. ends]);
        outcome.ExitCode.ShouldBe(0, outcome.ToString());

        var journal = await JournalAsync();
        foreach (var (name, copy) in ((string, string)[])[("input", "asked"), ("output", "answered")])
        {
            var content = await File.ReadAllBytesAsync(_here[copy], TestContext.Current.CancellationToken);
            var told = journal.Single(one => (string)one["event"]! == name);
            ((long)told["bytes"]!).ShouldBe(content.Length);
            ((string)told["sha256"]!).ShouldBe(Convert.ToHexStringLower(SHA256.HashData(content)));
        }

        journal.Select(one => (string)one["event"]!).ShouldBe(["began", "input", "output", "exited", "ended"]);
    }

    /// <summary>
    /// A client of one's own lists a directory under the name of a file, with letters that ask for no directories: of those only senders take notice, and the
    /// device's rsync removes the file and makes the directory.
    /// </summary>
    [Theory]
    [InlineData("sr", false)]
    [InlineData("bsr", false)]
    [InlineData("bsrm", true)]
    public async Task A_directory_that_an_rsync_of_one_s_own_puts_in_a_file_s_place_needs_Manage_files(string held, bool goes)
    {
        await HoldAsync(held);
        _there.Write("report", "content\n");

        var outcome = await _gateway.Client.SshAsync("ned+web01", _ned.ByKey, $"rsync --server -te.LsfxCIvu . {_there.Path}/", RsyncList("report", 0x41ED));

        outcome.ExitCode.ShouldBe(goes ? 0 : 77, outcome.ToString());
        Directory.Exists(_there["report"]).ShouldBe(goes, outcome.ToString());
        File.Exists(_there["report"]).ShouldBe(!goes, outcome.ToString());
    }

    [Fact]
    public async Task Somebody_who_may_only_send_runs_no_command()
    {
        await HoldAsync("s");
        foreach (var command in (string[])["id", "scp -t x; id", $"scp -t {_there["x"]} && id", "rsync --server -e.L --rsh=sh . x", "/usr/lib/openssh/sftp-server"])
        {
            var outcome = await _gateway.Client.SshAsync("ned+web01", _ned.ByKey, command);
            outcome.ExitCode.ShouldBe(77, outcome.ToString());
            outcome.Error.ShouldContain("you may not use Terminal");
            outcome.Text.ShouldBeEmpty();
        }
    }

    [Fact]
    public async Task A_put_that_goes_on_where_it_was_cut_has_its_range_in_the_journal()
    {
        var content = RandomNumberGenerator.GetBytes(1_000_000);
        await File.WriteAllBytesAsync(_here["local"], content, TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(_there["file"], content[..400_000], TestContext.Current.CancellationToken);
        await HoldAsync("s");
        var outcome = await _gateway.Client.SftpAsync("ned+web01", _ned.ByKey, $"reput {_here["local"]} {_there["file"]}\n");
        outcome.ExitCode.ShouldBe(0, outcome.ToString());
        (await File.ReadAllBytesAsync(_there["file"], TestContext.Current.CancellationToken)).AsSpan().SequenceEqual(content).ShouldBeTrue();
        var file = Transfers(await JournalAsync()).ShouldHaveSingleItem();
        file["sha256"].ShouldBeNull();
        file["ranges"]!.ToJsonString().ShouldBe("""[{"from":400000,"length":600000}]""");
    }

    [Fact]
    public async Task A_transfer_that_a_lost_permission_ends_is_written_down_as_interrupted()
    {
        await HoldAsync("r");
        await using (var sparse = File.Create(_there["large"])) sparse.SetLength(4L << 30);
        var get = RunningSftp($"get {_there["large"]} /dev/null\n");
        await Eventually.TrueAsync(
            async () => (await _gateway.SessionsAsync("live")).Any(session => (long)session["bytesOut"]! > 1_000_000), "bytes to come");
        await _gateway.Owner.DeleteAsync($"grants/{_grant}");
        (await get).ExitCode.ShouldNotBe(0);
        var file = Transfers(await JournalAsync()).ShouldHaveSingleItem();
        ((string)file["outcome"]!).ShouldBe("Interrupted");
        ((long)file["bytes"]!).ShouldBeGreaterThan(1_000_000);
        file["sha256"].ShouldBeNull();
    }

    [Fact]
    public async Task A_library_that_uploads_under_another_name_first_needs_nothing_but_to_send()
    {
        await HoldAsync("s");
        var local = _here.Write("local", "content\n");
        var script = _here.Write("put.py", """
            import paramiko, sys
            port, key, local, remote = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
            client = paramiko.SSHClient()
            client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
            client.connect("127.0.0.1", port, "ned+web01", key_filename=key, allow_agent=False, look_for_keys=False)
            sftp = client.open_sftp()
            sftp.put(local, remote + ".filepart")
            sftp.posix_rename(remote + ".filepart", remote)
            sftp.utime(remote, (1000, 2000))
            for refused in (lambda: sftp.posix_rename(remote, remote + ".moved"), lambda: sftp.listdir("/"), lambda: sftp.open(remote, "r").read()):
                try:
                    refused()
                    sys.exit(3)
                except IOError as error:
                    print(error)
            print(sftp.stat(remote).st_mtime)
            """);
        var outcome = await RunningCommand.RunAsync("/usr/bin/python3", [script, $"{_gateway.Server.SshAddress.Port}", _ned.Key.PrivatePath, local, _there["file"]]);
        outcome.ExitCode.ShouldBe(0, outcome.ToString());
        outcome.Text.ShouldContain("2000");
        outcome.Text.ShouldContain("This needs File manager, which you don't have here.");
        outcome.Text.Split("[Errno 13]").Length.ShouldBe(4, outcome.Text);
        File.ReadAllText(_there["file"]).ShouldBe("content\n");
    }

    [Fact]
    public async Task Where_recording_is_required_files_go_and_rsync_does_not()
    {
        await _gateway.Owner.PutAsync($"settings/devices/{_gateway.DeviceId}/recording", new() { ["value"] = "required" });
        await HoldAsync("bsrm");
        var local = _here.Write("local", "content\n");
        (await MoveAsync("sftp", "", local, _there["one"])).ExitCode.ShouldBe(0);
        (await MoveAsync("scp -O", "", local, _there["two"])).ExitCode.ShouldBe(0);
        var refused = await MoveAsync("rsync", "", local, _there["three"]);
        refused.Error.ShouldContain("web01 has to be recorded and what rsync does can't be");
        Path.Exists(_there["three"]).ShouldBeFalse();
    }

    [Theory]
    [InlineData("bsrm", true)]
    [InlineData("s", false)]
    public async Task A_file_that_runs_as_its_owner_is_sent_by_scp_by_who_may_manage_files(string held, bool goes)
    {
        await HoldAsync(held);
        var local = _here.Write("local", "content\n");
        File.SetUnixFileMode(local, (UnixFileMode)0x9ED);
        var put = await MoveAsync("scp -O -p", "", local, _there["file"]);
        (put.ExitCode == 0).ShouldBe(goes, put.ToString());
        if (goes) ((int)File.GetUnixFileMode(_there["file"])).ShouldBe(0x9ED);
    }

    [Fact]
    public async Task A_tree_goes_both_ways_by_each_client()
    {
        await HoldAsync("bsrm");
        var tree = _here["tree"];
        Directory.CreateDirectory(Path.Combine(tree, "sub dir"));
        await File.WriteAllTextAsync(Path.Combine(tree, "sub dir", "it's"), "content\n", TestContext.Current.CancellationToken);
        foreach (var client in (string[])["scp -s -r", "scp -O -r", "rsync -a"])
        {
            var name = client.Replace(' ', '_');
            var put = await MoveAsync(client, "", tree, _there[name]);
            put.ExitCode.ShouldBe(0, put.ToString());
            File.ReadAllText(Directory.GetFiles(_there[name], "it's", SearchOption.AllDirectories).Single()).ShouldBe("content\n");
            var got = await MoveAsync(client, "get", _here[name], _there[name]);
            got.ExitCode.ShouldBe(0, got.ToString());
            File.ReadAllText(Directory.GetFiles(_here[name], "it's", SearchOption.AllDirectories).Single()).ShouldBe("content\n");
        }
    }

    [Theory]
    [InlineData("*.log")]
    [InlineData("50%.log")]
    public async Task A_pattern_or_a_name_that_shells_read_differently_needs_Terminal_by_scp_s_old_protocol_and_nothing_more_by_the_new(string asked)
    {
        _there.Write("50%.log", "content\n");
        await HoldAsync("br");
        var refused = await MoveAsync("scp -O", "get", _here["refused"], _there[asked]);
        refused.ExitCode.ShouldNotBe(0);
        refused.Error.ShouldContain("on web01; files alone go without it where every path is plain", customMessage: refused.ToString());
        Path.Exists(_here["refused"]).ShouldBeFalse();

        var got = await MoveAsync("scp -s", "get", _here["new"], _there[asked]);
        got.ExitCode.ShouldBe(0, got.ToString());
        File.ReadAllText(_here["new"]).ShouldBe("content\n");

        await HoldAsync("t");
        got = await MoveAsync("scp -O", "get", _here["old"], _there[asked]);
        got.ExitCode.ShouldBe(0, got.ToString());
        File.ReadAllText(_here["old"]).ShouldBe("content\n");
    }

    /// <summary>All that a sender of protocol 27 says whose list has one entry and who is asked for no content.</summary>
    private static byte[] RsyncList(string name, int mode)
    {
        var said = new MemoryStream();
        using var writer = new BinaryWriter(said);
        writer.Write(27);

        // The entry: of no flag that means something in a client's list, name, length, time, mode.
        writer.Write((byte)1);
        writer.Write(name);
        writer.Write(4096);
        writer.Write(1_600_000_000);
        writer.Write(mode);

        // The list's end, no errors with it; both passes have nothing to send, and that is all.
        writer.Write((byte)0);
        writer.Write(0);
        foreach (var _ in Enumerable.Range(0, 3)) writer.Write(-1);
        return said.ToArray();
    }

    private async Task HoldAsync(string held)
    {
        if (_grant.Length > 0) await _gateway.Owner.DeleteAsync($"grants/{_grant}");
        var role = await _gateway.AddRoleAsync($"Files {Guid.NewGuid():N}", [.. held.Select(letter => letter switch
        {
            'b' => "FileManager",
            's' => "SendFiles",
            'r' => "ReceiveFiles",
            't' => "Terminal",
            _ => "ManageFiles",
        })]);
        _grant = await _gateway.GrantAsync(_ned, role);
    }

    private Task<Outcome> MoveAsync(string client, string direction, string local, string remote)
    {
        var words = client.Split(' ');
        var (from, to) = direction == "get" ? ($"device:{remote}", local) : (local, $"device:{remote}");
        return words[0] switch
        {
            "sftp" => _gateway.Client.SftpAsync("ned+web01", _ned.ByKey, direction == "get" ? $"get {remote} {local}\n" : $"put {local} {remote}\n"),
            "scp" => _gateway.Client.ScpAsync("ned+web01", _ned.ByKey, from, to, words[1..]),
            _ => _gateway.Client.RsyncAsync("ned+web01", _ned.ByKey, from, to, words[1..]),
        };
    }

    private Task<Outcome> RunningSftp(string batch) => _gateway.Client.SftpAsync("ned+web01", _ned.ByKey, batch);

    private static List<JsonNode> Transfers(IEnumerable<JsonNode> journal) => [.. journal.Where(one => (string)one["event"]! == "file")];

    private void CheckTransfer(string client, List<JsonNode> journal, string direction, byte[] content)
    {
        if (client == "rsync")
        {
            ((string)journal[0]["command"]!).ShouldStartWith("rsync '--server'");
            ((long)journal.Single(one => (string)one["event"]! == "exited")[direction == "ToDevice" ? "bytesIn" : "bytesOut"]!).ShouldBeGreaterThan(content.Length);
            return;
        }

        var file = Transfers(journal).ShouldHaveSingleItem();
        ((string)file["direction"]!).ShouldBe(direction);
        ((string)file["path"]!).ShouldStartWith(_there["file"]);
        ((long)file["bytes"]!).ShouldBe(content.Length);
        ((string)file["sha256"]!).ShouldBe(Convert.ToHexStringLower(SHA256.HashData(content)));
        ((string)file["outcome"]!).ShouldBe("Ok");
    }

    /// <summary>Of the session that ended last.</summary>
    private async Task<List<JsonNode>> JournalAsync()
    {
        await Eventually.TrueAsync(async () => (await _gateway.SessionsAsync("live")).Count == 0, "sessions to end");
        var last = (await _gateway.SessionsAsync("ended")).MaxBy(session => (string)session["started"]!)!;
        return [.. (await _gateway.Owner.GetAsync($"sessions/{(string)last["id"]!}/journal"))["items"]!.AsArray().Select(item => item!["event"]!)];
    }
}
