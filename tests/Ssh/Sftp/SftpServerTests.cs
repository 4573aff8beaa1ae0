using System.Text;
using Countersign.Ssh.Sftp;

namespace Countersign.Ssh.Tests.Sftp;

public sealed class SftpServerTests
{
    internal const SftpOpenFlags NewFile = SftpOpenFlags.Read | SftpOpenFlags.Write | SftpOpenFlags.Create | SftpOpenFlags.Truncate;

    [Fact]
    public async Task The_version_announces_the_extensions()
    {
        await using var dialogue = new SftpDialogue();
        await dialogue.SendAsync(dialogue.Writer.BeginVersion(SftpType.Init, 6).String("some@example.com").String("1"));
        var answer = await dialogue.ReceiveAsync();
        SftpResponse.Parse(answer, out var response).ShouldBe(SftpParse.Complete);
        response.Version.ShouldBe(3u);
        var names = new List<string>();
        foreach (var name in response.Extensions) names.Add(Encoding.ASCII.GetString(name));
        names.ShouldBe(
            ["posix-rename@openssh.com", "statvfs@openssh.com", "fstatvfs@openssh.com", "hardlink@openssh.com", "fsync@openssh.com", "limits@openssh.com"]);
    }

    [Fact]
    public async Task What_is_written_can_be_read_at_any_offset()
    {
        await using var dialogue = await SftpDialogue.StartAsync();
        var handle = await dialogue.OpenAsync("file", NewFile);
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.Write).String(handle).UInt64(3).String("world"))).ShouldBe(SftpStatus.Ok);
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.Write).String(handle).UInt64(0).String("oh "))).ShouldBe(SftpStatus.Ok);
        Data(await dialogue.AskAsync(dialogue.Begin(SftpType.Read).String(handle).UInt64(1).UInt32(4))).ShouldBe("h wo"u8.ToArray());
        Data(await dialogue.AskAsync(dialogue.Begin(SftpType.Read).String(handle).UInt64(6).UInt32(uint.MaxValue))).ShouldBe("ld"u8.ToArray());
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.Read).String(handle).UInt64(8).UInt32(1))).ShouldBe(SftpStatus.EndOfFile);
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.Extended).String("fsync@openssh.com").String(handle))).ShouldBe(SftpStatus.Ok);
        (await dialogue.AttributesAsync(dialogue.Begin(SftpType.FStat).String(handle))).Size.ShouldBe(8u);
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.Close).String(handle))).ShouldBe(SftpStatus.Ok);
        (await File.ReadAllTextAsync(dialogue.PathOf("file"), TestContext.Current.CancellationToken)).ShouldBe("oh world");
    }

    [Fact]
    public async Task A_read_or_write_at_an_impossible_offset_is_an_error_and_no_more()
    {
        await using var dialogue = await SftpDialogue.StartAsync();
        var handle = await dialogue.OpenAsync("file", NewFile);
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.Read).String(handle).UInt64(ulong.MaxValue).UInt32(1))).ShouldBe(SftpStatus.Failure);
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.Write).String(handle).UInt64(ulong.MaxValue).String("x"))).ShouldBe(SftpStatus.Failure);
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.Write).String(handle).UInt64(long.MaxValue).String("x"))).ShouldBe(SftpStatus.Failure);
        (await dialogue.AttributesAsync(dialogue.Begin(SftpType.FStat).String(handle))).Size.ShouldBe(0u);
    }

    [Theory]
    [InlineData(SftpOpenFlags.None)]
    [InlineData(SftpOpenFlags.Append)]
    [InlineData(SftpOpenFlags.Read | SftpOpenFlags.Truncate)]
    [InlineData(SftpOpenFlags.Create | SftpOpenFlags.Truncate)]
    public async Task Flags_that_would_change_a_file_not_opened_for_writing_are_refused(SftpOpenFlags flags)
    {
        await using var dialogue = await SftpDialogue.StartAsync();
        await File.WriteAllTextAsync(dialogue.PathOf("file"), "kept", TestContext.Current.CancellationToken);
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.Open).String("file").UInt32((uint)flags).Attributes(default))).ShouldBe(SftpStatus.BadMessage);
        (await File.ReadAllTextAsync(dialogue.PathOf("file"), TestContext.Current.CancellationToken)).ShouldBe("kept");
    }

    [Fact]
    public async Task Appending_writes_at_the_end_whatever_the_offset()
    {
        await using var dialogue = await SftpDialogue.StartAsync();
        await File.WriteAllTextAsync(dialogue.PathOf("log"), "one", TestContext.Current.CancellationToken);
        var handle = await dialogue.OpenAsync("log", SftpOpenFlags.Write | SftpOpenFlags.Append);
        await dialogue.StatusAsync(dialogue.Begin(SftpType.Write).String(handle).UInt64(0).String(" two"));
        (await File.ReadAllTextAsync(dialogue.PathOf("log"), TestContext.Current.CancellationToken)).ShouldBe("one two");
    }

    [Fact]
    public async Task Creating_exclusively_fails_on_what_is_there_and_gives_the_mode_asked_for()
    {
        await using var dialogue = await SftpDialogue.StartAsync();
        var flags = (uint)(SftpOpenFlags.Write | SftpOpenFlags.Create | SftpOpenFlags.Exclusive);
        await dialogue.HandleAsync(dialogue.Begin(SftpType.Open).String("new").UInt32(flags).Attributes(new() { Permissions = 0x180 }));
        (await dialogue.AttributesAsync(dialogue.Begin(SftpType.Stat).String("new"))).Permissions.ShouldBe(0x8180u);
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.Open).String("new").UInt32(flags).Attributes(default))).ShouldBe(SftpStatus.Failure);
    }

    [Fact]
    public async Task A_directory_is_not_opened_as_a_file_and_a_pipe_is_not_waited_for()
    {
        await using var dialogue = await SftpDialogue.StartAsync();
        var pipe = dialogue.PathOf("pipe");
        using (var made = System.Diagnostics.Process.Start("mkfifo", [pipe])) await made.WaitForExitAsync(TestContext.Current.CancellationToken);
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.Open).String("pipe").UInt32(1).Attributes(default))).ShouldBe(SftpStatus.Failure);
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.Open).String(".").UInt32(1).Attributes(default))).ShouldBe(SftpStatus.Failure);
    }

    [Fact]
    public async Task Every_error_has_the_status_that_the_draft_gives_it()
    {
        await using var dialogue = await SftpDialogue.StartAsync();
        await File.WriteAllTextAsync(dialogue.PathOf("file"), "", TestContext.Current.CancellationToken);
        Directory.CreateDirectory(dialogue.PathOf("full/inside"));
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.Stat).String("missing"))).ShouldBe(SftpStatus.NoSuchFile);
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.Stat).String("file/below"))).ShouldBe(SftpStatus.NoSuchFile);
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.Remove).String("missing"))).ShouldBe(SftpStatus.NoSuchFile);
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.Remove).String("full"))).ShouldBe(SftpStatus.Failure);
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.RemoveDirectory).String("full"))).ShouldBe(SftpStatus.Failure);
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.RemoveDirectory).String("file"))).ShouldBe(SftpStatus.NoSuchFile);
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.MakeDirectory).String("full").Attributes(default))).ShouldBe(SftpStatus.Failure);
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.OpenDirectory).String("file"))).ShouldBe(SftpStatus.NoSuchFile);
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.ReadLink).String("file"))).ShouldBe(SftpStatus.Failure);
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.Stat).String("nul\0byte"))).ShouldBe(SftpStatus.Failure);
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.Stat).String(new string('x', 300)))).ShouldBe(SftpStatus.Failure);
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.Stat).String("/" + new string('x', 100_000)))).ShouldBe(SftpStatus.Failure);
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.Extended).String("vendor@example.com"))).ShouldBe(SftpStatus.Unsupported);
        (await dialogue.StatusAsync(dialogue.Begin((SftpType)21))).ShouldBe(SftpStatus.Unsupported);
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.Open).String("file"))).ShouldBe(SftpStatus.BadMessage);
    }

    [Fact]
    public async Task Rename_does_not_replace_and_its_posix_form_does()
    {
        await using var dialogue = await SftpDialogue.StartAsync();
        await File.WriteAllTextAsync(dialogue.PathOf("a"), "a", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(dialogue.PathOf("b"), "b", TestContext.Current.CancellationToken);
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.Rename).String("a").String("b"))).ShouldBe(SftpStatus.Failure);
        File.ReadAllText(dialogue.PathOf("b")).ShouldBe("b");
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.Extended).String("posix-rename@openssh.com").String("a").String("b"))).ShouldBe(SftpStatus.Ok);
        File.ReadAllText(dialogue.PathOf("b")).ShouldBe("a");
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.Rename).String("b").String("c"))).ShouldBe(SftpStatus.Ok);
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.Extended).String("hardlink@openssh.com").String("c").String("d"))).ShouldBe(SftpStatus.Ok);
        Directory.GetFileSystemEntries(dialogue.Directory).Select(Path.GetFileName).Order().ShouldBe(["c", "d"]);
    }

    [Fact]
    public async Task Links_are_made_read_followed_and_not_followed()
    {
        await using var dialogue = await SftpDialogue.StartAsync();
        await File.WriteAllTextAsync(dialogue.PathOf("file"), "12345", TestContext.Current.CancellationToken);
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.SymbolicLink).String("file").String("link"))).ShouldBe(SftpStatus.Ok);
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.SymbolicLink).String("nowhere").String("dangling"))).ShouldBe(SftpStatus.Ok);
        Name(await dialogue.AskAsync(dialogue.Begin(SftpType.ReadLink).String("link"))).ShouldBe("file");
        (await dialogue.AttributesAsync(dialogue.Begin(SftpType.Stat).String("link"))).Size.ShouldBe(5u);
        ((await dialogue.AttributesAsync(dialogue.Begin(SftpType.LStat).String("link"))).Permissions & 0xF000).ShouldBe(0xA000u);
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.Stat).String("dangling"))).ShouldBe(SftpStatus.NoSuchFile);
    }

    [Fact]
    public async Task Attributes_are_set_by_path_and_by_handle()
    {
        await using var dialogue = await SftpDialogue.StartAsync();
        await File.WriteAllTextAsync(dialogue.PathOf("file"), "123456", TestContext.Current.CancellationToken);
        var wanted = new SftpAttributes { Size = 3, Permissions = 0x1C0, Times = new(1_000_000, 2_000_000) };
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.SetStat).String("file").Attributes(wanted))).ShouldBe(SftpStatus.Ok);
        var read = await dialogue.AttributesAsync(dialogue.Begin(SftpType.Stat).String("file"));
        (read with { Owner = null }).ShouldBe(wanted with { Permissions = 0x81C0 });

        var handle = await dialogue.OpenAsync("file", SftpOpenFlags.Write);
        var more = new SftpAttributes { Size = 9, Permissions = 0x124, Times = new(3, 4), Owner = read.Owner };
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.FSetStat).String(handle).Attributes(more))).ShouldBe(SftpStatus.Ok);
        (await dialogue.AttributesAsync(dialogue.Begin(SftpType.FStat).String(handle))).ShouldBe(more with { Permissions = 0x8124 });
    }

    [Fact]
    public async Task Real_paths_are_canonical_also_for_what_is_about_to_be_made()
    {
        await using var dialogue = await SftpDialogue.StartAsync();
        Directory.CreateDirectory(dialogue.PathOf("one/two"));
        var root = Path.GetFullPath(dialogue.Directory);
        Name(await dialogue.AskAsync(dialogue.Begin(SftpType.RealPath).String(""))).ShouldBe(root);
        Name(await dialogue.AskAsync(dialogue.Begin(SftpType.RealPath).String("one/./two/../two/"))).ShouldBe(root + "/one/two");
        Name(await dialogue.AskAsync(dialogue.Begin(SftpType.RealPath).String("one/../new"))).ShouldBe(root + "/new");
        Name(await dialogue.AskAsync(dialogue.Begin(SftpType.RealPath).String("/"))).ShouldBe("/");
        Name(await dialogue.AskAsync(dialogue.Begin(SftpType.RealPath).String("/countersign-is-not-here"))).ShouldBe("/countersign-is-not-here");
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.RealPath).String("missing/below"))).ShouldBe(SftpStatus.NoSuchFile);
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.RealPath).String("missing/.."))).ShouldBe(SftpStatus.NoSuchFile);
    }

    [Fact]
    public async Task A_listing_has_every_name_once_whatever_bytes_it_is_made_of()
    {
        await using var dialogue = await SftpDialogue.StartAsync();
        var expected = new List<string>();
        byte[][] odd = ["new\nline"u8.ToArray(), [0xFF, 0xFE, 0x80], "space and 'quote\" \\"u8.ToArray(), "ünïcödé"u8.ToArray(), [0x1B, (byte)'[', (byte)'m'], "-rf"u8.ToArray()];
        foreach (var name in odd)
        {
            await dialogue.HandleAsync(dialogue.Begin(SftpType.Open).String(name).UInt32((uint)NewFile).Attributes(default));
            expected.Add(Convert.ToHexString(name));
        }

        for (var i = 0; i < 500; i++)
        {
            File.WriteAllText(dialogue.PathOf($"file-{i}"), "");
            expected.Add(Convert.ToHexString(Encoding.UTF8.GetBytes($"file-{i}")));
        }

        var handle = await dialogue.HandleAsync(dialogue.Begin(SftpType.OpenDirectory).String("."));
        var found = new List<string>();
        while (true)
        {
            var answer = await dialogue.AskAsync(dialogue.Begin(SftpType.ReadDirectory).String(handle));
            if (answer[0] == (byte)SftpType.Status) break;
            SftpResponse.Parse(answer, out var response);
            foreach (var name in response.Names)
            {
                name.LongName.EndsWith(name.FileName).ShouldBeTrue();
                found.Add(Convert.ToHexString(name.FileName));
            }
        }

        found.Remove(Convert.ToHexString("."u8)).ShouldBeTrue();
        found.Remove(Convert.ToHexString(".."u8)).ShouldBeTrue();
        found.Order().ShouldBe(expected.Order());
        foreach (var name in odd) (await dialogue.StatusAsync(dialogue.Begin(SftpType.Remove).String(name))).ShouldBe(SftpStatus.Ok);
    }

    [Fact]
    public async Task The_long_name_is_the_line_of_ls()
    {
        await using var dialogue = await SftpDialogue.StartAsync();
        await File.WriteAllTextAsync(dialogue.PathOf("file"), "12345", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(dialogue.PathOf("file"), (UnixFileMode)0x9E8 /* set user id, rwx r-x --- */);
        File.SetLastWriteTimeUtc(dialogue.PathOf("file"), new DateTime(2001, 2, 3, 12, 0, 0, DateTimeKind.Utc));
        var handle = await dialogue.HandleAsync(dialogue.Begin(SftpType.OpenDirectory).String(""));
        var answer = await dialogue.AskAsync(dialogue.Begin(SftpType.ReadDirectory).String(handle));
        SftpResponse.Parse(answer, out var response);
        var lines = new List<string>();
        foreach (var name in response.Names) lines.Add(Encoding.UTF8.GetString(name.LongName));
        lines.Single(line => line.EndsWith("file", StringComparison.Ordinal)).ShouldMatch("^-rwsr-x---    1 \\S+ +\\S+ +5 Feb  3  2001 file$");
        lines.Count(line => line.StartsWith("drwx------", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public async Task The_number_of_open_handles_is_bounded_and_closing_makes_room()
    {
        await using var dialogue = await SftpDialogue.StartAsync(maxHandles: 3);
        var first = await dialogue.OpenAsync("file", NewFile);
        await dialogue.OpenAsync("file", SftpOpenFlags.Read);
        await dialogue.HandleAsync(dialogue.Begin(SftpType.OpenDirectory).String("."));
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.OpenDirectory).String("."))).ShouldBe(SftpStatus.Failure);
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.Open).String("other").UInt32((uint)NewFile).Attributes(default))).ShouldBe(SftpStatus.Failure);
        File.Exists(dialogue.PathOf("other")).ShouldBeFalse();
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.Close).String(first))).ShouldBe(SftpStatus.Ok);
        var second = await dialogue.OpenAsync("file", SftpOpenFlags.Read);
        second.ShouldNotBe(first);
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.Close).String(first))).ShouldBe(SftpStatus.Failure);
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.ReadDirectory).String(second))).ShouldBe(SftpStatus.Failure);
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.Read).String("nonsense").UInt64(0).UInt32(1))).ShouldBe(SftpStatus.Failure);
    }

    [Fact]
    public async Task Limits_and_file_systems_are_told()
    {
        await using var dialogue = await SftpDialogue.StartAsync();
        var limits = await dialogue.AskAsync(dialogue.Begin(SftpType.Extended).String("limits@openssh.com"));
        SftpResponse.Parse(limits, out var response);
        Numbers(response.Data).ShouldBe([262144, 261120, 261120, 1024]);
        var system = await dialogue.AskAsync(dialogue.Begin(SftpType.Extended).String("statvfs@openssh.com").String("."));
        SftpResponse.Parse(system, out response);
        var numbers = Numbers(response.Data);
        var drive = new DriveInfo(dialogue.Directory);
        (numbers[1] * numbers[2]).ShouldBe((ulong)drive.TotalSize);
        numbers[10].ShouldBe(255u);
    }

    [Theory]
    [InlineData(new byte[] { 0xFF, 0xFF, 0xFF, 0xFF })]
    [InlineData(new byte[] { 0, 0, 0, 0 })]
    [InlineData(new byte[] { 0, 0, 0, 1, 3 })]
    [InlineData(new byte[] { 0, 0, 0, 5, 1, 0, 0, 0, 3 })]
    public async Task What_can_not_be_answered_ends_the_session_with_a_reason(byte[] bytes)
    {
        await using var dialogue = await SftpDialogue.StartAsync();
        await dialogue.Raw.WriteAsync(bytes, TestContext.Current.CancellationToken);
        await Should.ThrowAsync<SftpProtocolException>(() => dialogue.Server);
    }

    [Theory]
    [InlineData(new byte[] { 0, 0, 0, 5, 1, 0, 0, 0, 2 })]
    [InlineData(new byte[] { 0, 0, 0, 5, 17, 0, 0, 0, 1 })]
    public async Task Anything_but_an_init_of_version_3_or_later_is_refused_at_the_start(byte[] bytes)
    {
        await using var dialogue = new SftpDialogue();
        await dialogue.Raw.WriteAsync(bytes, TestContext.Current.CancellationToken);
        await Should.ThrowAsync<SftpProtocolException>(() => dialogue.Server);
    }

    [Fact]
    public async Task The_end_of_the_stream_ends_the_session_and_inside_a_message_is_an_error()
    {
        await using var orderly = await SftpDialogue.StartAsync();
        await orderly.Raw.CompleteAsync();
        await orderly.Server;

        await using var cut = await SftpDialogue.StartAsync();
        await cut.Raw.WriteAsync(new byte[] { 0, 0, 0 }, TestContext.Current.CancellationToken);
        await cut.Raw.CompleteAsync();
        await Should.ThrowAsync<SftpProtocolException>(() => cut.Server);
    }

    [Fact]
    public async Task Random_messages_are_all_answered()
    {
        await using var dialogue = await SftpDialogue.StartAsync();
        var random = new Random(3);
        var handle = await dialogue.OpenAsync("file", NewFile);
        for (var round = 0; round < 5000; round++)
        {
            var body = new byte[random.Next(40)];
            random.NextBytes(body);
            // No paths but those that noise makes up: the lengths in front of them are what is broken here.
            var message = dialogue.Begin((SftpType)random.Next(3, 24)).UInt32((uint)random.Next(body.Length * 2 + 9));
            foreach (var octet in random.Next(2) == 0 ? handle : body) message.UInt32(octet | 0xFF000000);
            await dialogue.AskAsync(message);
        }
    }

    internal static byte[] Data(byte[] answer)
    {
        SftpResponse.Parse(answer, out var response).ShouldBe(SftpParse.Complete);
        response.Type.ShouldBe(SftpType.Data);
        return response.Data.ToArray();
    }

    private static string Name(byte[] answer)
    {
        SftpResponse.Parse(answer, out var response).ShouldBe(SftpParse.Complete);
        response.Type.ShouldBe(SftpType.Name, Encoding.UTF8.GetString(response.Sentence));
        var names = response.Names;
        names.MoveNext().ShouldBeTrue();
        return Encoding.UTF8.GetString(names.Current.FileName);
    }

    private static ulong[] Numbers(ReadOnlySpan<byte> data)
    {
        var reader = new SshReader(data);
        var numbers = new List<ulong>();
        while (reader.TryReadUInt64(out var number)) numbers.Add(number);
        return [.. numbers];
    }
}
