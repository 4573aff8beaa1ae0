using System.Security.Cryptography;
using System.Text;
using Countersign.Access;
using Countersign.Sessions.Files;
using Countersign.Sessions.Journal;
using Countersign.Sessions.Relay;
using Countersign.Ssh.Sftp;

namespace Countersign.Sessions.Tests.Files;

public sealed class SftpInterpreterTests
{
    private const SftpOpenFlags Upload = SftpOpenFlags.Write | SftpOpenFlags.Create | SftpOpenFlags.Truncate;

    [Fact]
    public void What_the_device_tells_after_the_permission_went_goes_no_further()
    {
        using var lab = SftpLab.Started();
        lab.Open("/f", SftpOpenFlags.Read);
        var directory = lab.Ask(lab.Begin(SftpType.OpenDirectory).String("/d"));
        lab.Device(lab.Writer.Begin(SftpType.Handle, directory).String("d").End());
        var read = lab.Ask(lab.Begin(SftpType.Read).String("/f").UInt64(0).UInt32(9));
        var names = lab.Ask(lab.Begin(SftpType.ReadDirectory).String("d"));
        var link = lab.Ask(lab.Begin(SftpType.ReadLink).String("/l"));
        var stat = lab.Ask(lab.Begin(SftpType.Stat).String("/f"));
        lab.Forget();
        lab.Held = PermissionSet.Of(Permission.SendFiles);
        byte[] content = [.. lab.Writer.Begin(SftpType.Data, read).String("secret"u8).End()];
        lab.Device(content.AsSpan(0, 15));

        // The client knows its answer, and may use the id again while the device's is still coming.
        var again = lab.Writer.Begin(SftpType.Stat, read).String("/g").End().ToArray();
        lab.Client(again);
        lab.Device(content.AsSpan(15));
        lab.Device(lab.Writer.Begin(SftpType.Name, names).UInt32(1).String("secret").String("secret").Attributes(default).End());
        lab.Device(lab.Writer.Begin(SftpType.Name, link).UInt32(1).String("secret").String("secret").Attributes(default).End());
        lab.Device(lab.Writer.Begin(SftpType.Attributes, stat).Attributes(default).End());
        lab.Told().ShouldBe([(read, SftpStatus.PermissionDenied), (names, SftpStatus.PermissionDenied), (link, SftpStatus.PermissionDenied), (stat, null)]);
        lab.BytesToClient.AsSpan().IndexOf("secret"u8).ShouldBe(-1);
        lab.Events.OfType<FileRefused>().Select(refused => (refused.Action, refused.Path)).ShouldBe([(FileAction.Read, "/f"), (FileAction.List, "/d"), (FileAction.ReadLink, "/l")]);
    }

    [Fact]
    public void Content_whose_head_was_passed_on_comes_to_its_end()
    {
        using var lab = SftpLab.Started();
        lab.Open("/f", SftpOpenFlags.Read);
        var read = lab.Ask(lab.Begin(SftpType.Read).String("/f").UInt64(0).UInt32(9));
        lab.Forget();
        byte[] content = [.. lab.Writer.Begin(SftpType.Data, read).String("content"u8).End()];
        lab.Device(content.AsSpan(0, 15));
        lab.Held = PermissionSet.Of(Permission.SendFiles);
        lab.Device(content.AsSpan(15));
        lab.BytesToClient.ShouldBe(content);
    }

    [Fact]
    public void The_device_s_extensions_are_told_as_far_as_they_are_understood()
    {
        using var lab = new SftpLab();
        lab.Client(lab.Writer.BeginVersion(SftpType.Init, 6).String("x").String("y").End());
        var init = SftpLab.Messages(lab.BytesToDevice).ShouldHaveSingleItem();
        init.ShouldBe((byte[])[1, 0, 0, 0, 3]);
        lab.Device(lab.Writer.BeginVersion(SftpType.Version, 3)
            .String("posix-rename@openssh.com").String("1").String("run-program@example.org").String("1").String("copy-data").String("1").End());
        SftpResponse.Parse(SftpLab.Messages(lab.BytesToClient).ShouldHaveSingleItem(), out var version).ShouldBe(SftpParse.Complete);
        var names = new List<string>();
        foreach (var name in version.Extensions) names.Add(Encoding.ASCII.GetString(name));
        names.ShouldBe(["posix-rename@openssh.com", "copy-data"]);
    }

    [Fact]
    public void An_unknown_request_or_extension_is_answered_here()
    {
        using var lab = SftpLab.Started();
        var one = lab.Ask(lab.Begin(SftpType.Extended).String("run-program@example.org").String("anything"));
        var two = lab.Ask(lab.Begin((SftpType)77).String("x"));
        lab.Told().ShouldBe([(one, SftpStatus.Unsupported), (two, SftpStatus.Unsupported)]);
        lab.BytesToDevice.ShouldBeEmpty();
    }

    [Fact]
    public void A_refusal_is_told_in_its_turn_and_the_session_goes_on()
    {
        using var lab = SftpLab.Started();
        lab.Held = PermissionSet.Of(Permission.FileManager);
        var first = lab.Ask(lab.Begin(SftpType.Stat).String("/a"));
        var refused = lab.Ask(lab.Begin(SftpType.Remove).String("/a"));
        var last = lab.Ask(lab.Begin(SftpType.Stat).String("/b"));
        lab.BytesToClient.ShouldBeEmpty();
        lab.Answer(first, SftpStatus.NoSuchFile);
        lab.Answer(last, SftpStatus.NoSuchFile);
        lab.Told().ShouldBe([(first, SftpStatus.NoSuchFile), (refused, SftpStatus.PermissionDenied), (last, SftpStatus.NoSuchFile)]);
        lab.Asked().ShouldBe([SftpType.Stat, SftpType.Stat]);
        lab.Events.OfType<FileRefused>().ShouldHaveSingleItem().ShouldBe(new(FileAction.Remove, "/a", "File manager and Manage files", 1) { At = default });
    }

    [Fact]
    public void A_refused_write_s_content_does_not_pass()
    {
        using var lab = SftpLab.Started();
        lab.Open("/f", Upload);
        lab.Write("/f", 0, [1, 2, 3]);
        lab.Forget();
        lab.Held = PermissionSet.Of(Permission.ReceiveFiles);
        var id = lab.Ask(lab.Begin(SftpType.Write).String("/f").UInt64(3).String(new byte[100_000]));
        lab.BytesToDevice.ShouldBeEmpty();
        lab.Told().ShouldBe([(id, SftpStatus.PermissionDenied)]);
        lab.Close("/f");
        var file = lab.Events.OfType<FileTransferred>().ShouldHaveSingleItem();
        file.Outcome.ShouldBe(FileOutcome.PermissionDenied);
        file.Bytes.ShouldBe(3);
        file.Sha256.ShouldBeNull();
    }

    [Fact]
    public void A_permission_that_is_lost_is_refused_from_then_on_and_one_that_comes_back_counts()
    {
        using var lab = SftpLab.Started();
        lab.Open("/f", SftpOpenFlags.Read);
        lab.Forget();
        var read = lab.Begin(SftpType.Read).String("/f").UInt64(0).UInt32(10).End().ToArray();
        lab.Held = PermissionSet.Of(Permission.FileManager);
        lab.Client(read);
        lab.Told().ShouldBe([(lab.LastId, SftpStatus.PermissionDenied)]);
        lab.Held = SftpLab.All;
        lab.Client(read);
        lab.Asked().ShouldBe([SftpType.Read]);
    }

    [Fact]
    public void A_file_that_went_in_order_has_its_hash_in_the_journal()
    {
        var content = RandomNumberGenerator.GetBytes(100_000);
        using var lab = SftpLab.Started();
        lab.Open("/up", Upload);
        for (var at = 0; at < content.Length; at += 32_768) lab.Write("/up", at, content[at..Math.Min(content.Length, at + 32_768)]);
        lab.Close("/up");
        lab.Open("/down", SftpOpenFlags.Read);
        for (var at = 0; at < content.Length; at += 50_000)
        {
            var id = lab.Ask(lab.Begin(SftpType.Read).String("/down").UInt64((ulong)at).UInt32(50_000));
            lab.Device(lab.Writer.Begin(SftpType.Data, id).String(content.AsSpan(at, 50_000)).End());
        }

        lab.Answer(lab.Ask(lab.Begin(SftpType.Read).String("/down").UInt64(100_000).UInt32(50_000)), SftpStatus.EndOfFile);
        lab.Close("/down");
        var hash = Convert.ToHexStringLower(SHA256.HashData(content));
        lab.Events.ShouldBe(
        [
            new FileTransferred(FileDirection.ToDevice, "/up", 100_000, hash, null, FileOutcome.Ok, FileStart.Emptied),
            new FileTransferred(FileDirection.FromDevice, "/down", 100_000, hash, null, FileOutcome.Ok),
        ]);
    }

    [Fact]
    public void A_file_that_went_in_parts_has_its_ranges_in_the_journal()
    {
        using var lab = SftpLab.Started();
        lab.Open("/f", SftpOpenFlags.Write);
        lab.Write("/f", 1000, new byte[100]);
        lab.Write("/f", 1100, new byte[50]);
        lab.Write("/f", 5, new byte[10]);
        lab.Close("/f");
        var file = lab.Events.OfType<FileTransferred>().ShouldHaveSingleItem();
        file.Sha256.ShouldBeNull();
        file.Ranges.ShouldBe([new(5, 10), new(1000, 150)]);
        file.Bytes.ShouldBe(160);
    }

    [Fact]
    public void What_the_device_did_not_store_has_no_hash()
    {
        using var lab = SftpLab.Started();
        lab.Open("/f", Upload);
        lab.Answer(lab.Ask(lab.Begin(SftpType.Write).String("/f").UInt64(0).String(new byte[10])), SftpStatus.Failure);
        lab.Close("/f");
        lab.Events.OfType<FileTransferred>().ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            file => file.Outcome.ShouldBe(FileOutcome.Failed), file => file.Sha256.ShouldBeNull(), file => file.Ranges.ShouldBe([new(0, 10)]));
    }

    [Fact]
    public void A_transfer_that_the_session_s_end_cuts_is_written_down_so()
    {
        var lab = SftpLab.Started();
        lab.Open("/f", Upload);
        lab.Write("/f", 0, new byte[10]);
        lab.Ask(lab.Begin(SftpType.Remove).String("/g"));
        lab.Dispose();
        lab.Events.OfType<FileTransferred>().ShouldHaveSingleItem().Outcome.ShouldBe(FileOutcome.Interrupted);
        lab.Events.OfType<FileActed>().ShouldHaveSingleItem().ShouldBe(new(FileAction.Remove, "/g", null, null, FileOutcome.Interrupted));
    }

    [Fact]
    public void Refusals_that_repeat_are_one_event_with_their_number_and_each_path_has_its_own()
    {
        using var lab = SftpLab.Started();
        lab.Held = PermissionSet.Of(Permission.SendFiles);
        for (var count = 0; count < 5; count++) lab.Ask(lab.Begin(SftpType.OpenDirectory).String("/a"));
        lab.Ask(lab.Begin(SftpType.OpenDirectory).String("/b"));
        lab.Ask(lab.Begin(SftpType.OpenDirectory).String("/a"));
        lab.Answer(lab.Ask(lab.Begin(SftpType.Stat).String("/")), SftpStatus.Ok);
        lab.Events.ShouldBe(
        [
            new FileRefused(FileAction.List, "/a", "File manager", 1),
            new FileRefused(FileAction.List, "/a", "File manager", 4),
            new FileRefused(FileAction.List, "/b", "File manager", 1),
            new FileRefused(FileAction.List, "/a", "File manager", 1),
            new FileActed(FileAction.Look, "/", null, null, FileOutcome.Ok),
        ]);
    }

    [Theory]
    [InlineData("closed")]
    [InlineData("closed before its content came")]
    [InlineData("cut")]
    public void What_was_refused_stands_before_a_file_that_came_to_its_end_after_it(string how)
    {
        using var lab = SftpLab.Started();
        lab.Open("/f", SftpOpenFlags.Read);
        var read = lab.Ask(lab.Begin(SftpType.Read).String("/f").UInt64(0).UInt32(10));
        if (how == "closed before its content came") lab.Close("/f");
        lab.Held = PermissionSet.Of(Permission.ReceiveFiles);
        for (var count = 0; count < 3; count++) lab.Ask(lab.Begin(SftpType.Remove).String("/a"));
        if (how != "cut") lab.Device(lab.Writer.Begin(SftpType.Data, read).String("content"u8).End());
        if (how == "closed") lab.Close("/f");
        if (how == "cut") lab.Dispose();
        else for (var count = 0; count < 2; count++) lab.Ask(lab.Begin(SftpType.Remove).String("/a"));

        (string, int)[] told = [("refused", 1), ("refused", 2), ("file", 1), .. how == "cut" ? Array.Empty<(string, int)>() : [("refused", 1)]];
        lab.Events.Select(one => one is FileRefused refused ? ("refused", refused.Times) : ("file", 1)).ShouldBe(told);
    }

    [Fact]
    public void Who_may_upload_may_finish_the_upload_and_no_other_file()
    {
        using var lab = SftpLab.Started();
        lab.Held = PermissionSet.Of(Permission.SendFiles);
        lab.Open("/f.filepart", Upload);
        lab.Answer(lab.Ask(lab.Begin(SftpType.FSetStat).String("/f.filepart").Attributes(new() { Permissions = 0x81A4, Times = new(1, 2) })), SftpStatus.Ok);
        lab.Close("/f.filepart");
        lab.Answer(lab.Ask(lab.Begin(SftpType.Extended).String("posix-rename@openssh.com").String("/f.filepart").String("/f")), SftpStatus.Ok);
        lab.Answer(lab.Ask(lab.Begin(SftpType.SetStat).String("/f").Attributes(new() { Times = new(1, 2) })), SftpStatus.Ok);
        lab.Told().ShouldAllBe(told => told.Status == null || told.Status == SftpStatus.Ok);
        lab.Forget();

        foreach (var refused in (Func<SftpWriter>[])
        [
            () => lab.Begin(SftpType.SetStat).String("/other").Attributes(new() { Times = new(1, 2) }),
            () => lab.Begin(SftpType.SetStat).String("/f").Attributes(new() { Owner = new(0, 0) }),
            () => lab.Begin(SftpType.SetStat).String("/f").Attributes(new() { Permissions = 0x9ED }),
            () => lab.Begin(SftpType.SetStat).String("/f").Attributes(new() { Size = 0 }),
            () => lab.Begin(SftpType.Rename).String("/f").String("/g"),
            () => lab.Begin(SftpType.Rename).String("/x.filepart").String("/x"),
            () => lab.Begin(SftpType.Rename).String("/f.filepart").String("/etc/passwd"),
        ])
        {
            lab.Ask(refused());
        }

        lab.BytesToDevice.ShouldBeEmpty();
        lab.Told().Count(told => told.Status == SftpStatus.PermissionDenied).ShouldBe(7);
    }

    [Theory]
    [InlineData(SftpOpenFlags.Write)]
    [InlineData(SftpOpenFlags.Write | SftpOpenFlags.Create)]
    [InlineData(SftpOpenFlags.Write | SftpOpenFlags.Append)]
    public void Who_may_upload_opens_no_content_to_others_that_was_there_before(SftpOpenFlags flags)
    {
        using var lab = SftpLab.Started();
        lab.Held = PermissionSet.Of(Permission.SendFiles);
        lab.Open("/key", Upload);
        lab.Close("/key");
        lab.Open("/key", flags);
        lab.Answer(lab.Ask(lab.Begin(SftpType.FSetStat).String("/key").Attributes(new() { Times = new(1, 2), Size = 4 })), SftpStatus.Ok);
        lab.Answer(lab.Ask(lab.Begin(SftpType.SetStat).String("/key").Attributes(new() { Times = new(1, 2) })), SftpStatus.Ok);
        lab.Forget();

        lab.Ask(lab.Begin(SftpType.FSetStat).String("/key").Attributes(new() { Permissions = 0x1B6 }));
        lab.Ask(lab.Begin(SftpType.SetStat).String("/key").Attributes(new() { Permissions = 0x1B6 }));
        lab.Ask(lab.Begin(SftpType.Extended).String("lsetstat@openssh.com").String("/key").Attributes(new() { Permissions = 0x1B6 }));

        lab.BytesToDevice.ShouldBeEmpty();
        lab.Told().Count(told => told.Status == SftpStatus.PermissionDenied).ShouldBe(3);
    }

    [Fact]
    public void The_attributes_that_something_is_made_with_are_written_down()
    {
        using var lab = SftpLab.Started();
        lab.Answer(lab.Ask(lab.Begin(SftpType.MakeDirectory).String("/d").Attributes(new() { Permissions = 0x5FF })), SftpStatus.Ok);
        lab.Answer(lab.Ask(lab.Begin(SftpType.MakeDirectory).String("/plain").Attributes(default)), SftpStatus.Ok);
        var open = lab.Ask(lab.Begin(SftpType.Open).String("/f").UInt32((uint)Upload).Attributes(new() { Permissions = 0x9ED }));
        lab.Device(lab.Writer.Begin(SftpType.Handle, open).String("/f").End());
        lab.Close("/f");
        lab.Answer(lab.Ask(lab.Begin(SftpType.Open).String("/no").UInt32((uint)Upload).Attributes(new() { Permissions = 0x1FF })), SftpStatus.PermissionDenied);
        lab.Events.Where(one => one is FileActed).ShouldBe(
        [
            new FileActed(FileAction.MakeDirectory, "/d", null, "mode 2777", FileOutcome.Ok),
            new FileActed(FileAction.MakeDirectory, "/plain", null, null, FileOutcome.Ok),
            new FileActed(FileAction.Open, "/f", null, "mode 4755", FileOutcome.Ok),
            new FileActed(FileAction.Open, "/no", null, "emptied: mode 777", FileOutcome.PermissionDenied),
        ]);
    }

    [Theory]
    [InlineData(SftpOpenFlags.Write | SftpOpenFlags.Exclusive)]
    [InlineData(SftpOpenFlags.Read | SftpOpenFlags.Write | SftpOpenFlags.Exclusive)]
    [InlineData(SftpOpenFlags.Write | SftpOpenFlags.Append | SftpOpenFlags.Exclusive)]
    public void Exclusive_without_create_opens_nothing_and_gives_no_right_over_what_was_there(SftpOpenFlags flags)
    {
        using var lab = SftpLab.Started();
        lab.Held = PermissionSet.Of(Permission.SendFiles, Permission.ReceiveFiles);

        lab.Ask(lab.Begin(SftpType.Open).String("/key").UInt32((uint)flags).Attributes(default));
        lab.Ask(lab.Begin(SftpType.SetStat).String("/key").Attributes(new() { Permissions = 0x1FF }));

        lab.BytesToDevice.ShouldBeEmpty();
        lab.Told().Select(told => told.Status).ShouldBe([SftpStatus.BadMessage, SftpStatus.PermissionDenied]);
        SftpRights.KindOf(flags).ShouldBe(UploadKind.Opened);
    }

    [Theory]
    [InlineData(SftpOpenFlags.Write | SftpOpenFlags.Truncate)]
    [InlineData(SftpOpenFlags.Write | SftpOpenFlags.Create | SftpOpenFlags.Exclusive)]
    public void What_an_upload_has_made_or_emptied_may_have_the_mode_that_it_is_given(SftpOpenFlags flags)
    {
        using var lab = SftpLab.Started();
        lab.Held = PermissionSet.Of(Permission.SendFiles);
        lab.Open("/new", flags);

        lab.Answer(lab.Ask(lab.Begin(SftpType.FSetStat).String("/new").Attributes(new() { Permissions = 0x1ED })), SftpStatus.Ok);

        lab.Asked().ShouldBe([SftpType.Open, SftpType.FSetStat]);
    }

    [Theory]
    [InlineData("strange id")]
    [InlineData("wrong type")]
    [InlineData("version again")]
    [InlineData("answered twice")]
    [InlineData("too much data")]
    [InlineData("open handle")]
    [InlineData("opened without a handle")]
    [InlineData("another version")]
    public void A_device_that_does_not_answer_what_it_was_asked_ends_the_session(string how)
    {
        using var lab = how == "another version" ? new SftpLab() : SftpLab.Started();
        if (how == "another version") lab.Client(lab.Writer.BeginVersion(SftpType.Init, 3).End());
        else lab.Open("/f", SftpOpenFlags.Read);
        var stat = how == "another version" ? 0 : lab.Ask(lab.Begin(SftpType.Stat).String("/"));
        Should.Throw<NotUnderstoodException>(() =>
        {
            switch (how)
            {
                case "strange id": lab.Answer(stat + 1, SftpStatus.Ok); break;
                case "wrong type": lab.Device(lab.Writer.Begin(SftpType.Handle, stat).String("h").End()); break;
                case "version again": lab.Device(lab.Writer.BeginVersion(SftpType.Version, 3).End()); break;
                case "another version": lab.Device(lab.Writer.BeginVersion(SftpType.Version, 4).End()); break;
                case "answered twice":
                    lab.Answer(stat, SftpStatus.Failure);
                    lab.Answer(stat, SftpStatus.Failure);
                    break;
                case "too much data":
                    var read = lab.Ask(lab.Begin(SftpType.Read).String("/f").UInt64(0).UInt32(10));
                    lab.Device(lab.Writer.Begin(SftpType.Data, read).String(new byte[11]).End());
                    break;
                case "open handle": lab.Open("/f", SftpOpenFlags.Read); break;
                case "opened without a handle":
                    lab.Answer(lab.Ask(lab.Begin(SftpType.OpenDirectory).String("/")), SftpStatus.Ok);
                    break;
            }
        });
    }

    [Theory]
    [InlineData("too long")]
    [InlineData("too short")]
    [InlineData("a write that does not fit")]
    [InlineData("a long handle")]
    [InlineData("an id twice")]
    [InlineData("init again")]
    public void A_client_that_does_not_speak_the_protocol_ends_the_session(string how)
    {
        using var lab = SftpLab.Started();
        lab.Ask(lab.Begin(SftpType.Stat).String("/"));
        Should.Throw<NotUnderstoodException>(() =>
        {
            switch (how)
            {
                case "too long": lab.Client([0, 4, 0, 1, 17]); break;
                case "too short": lab.Client([0, 0, 0, 4, 17]); break;
                case "a write that does not fit": lab.Client([0, 0, 0, 40, 6, 0, 0, 0, 9, 0, 0, 0, 0, .. new byte[8], 0, 0, 0, 200]); break;
                case "a long handle": lab.Client([0, 0, 200, 0, 6, 0, 0, 0, 9, 0, 0, 1, 1]); break;
                case "an id twice": lab.Client(lab.Writer.Begin(SftpType.Stat, lab.LastId).String("/").End()); break;
                case "init again": lab.Client(lab.Writer.BeginVersion(SftpType.Init, 3).End()); break;
            }
        });
    }

    [Fact]
    public void Paths_that_can_t_be_told_apart_in_the_journal_are_refused()
    {
        using var lab = SftpLab.Started();
        lab.Ask(lab.Begin(SftpType.Stat).String("/etc/passwd\0.txt"));
        lab.Ask(lab.Begin(SftpType.Stat).String(new string('a', 4096)));
        lab.Ask(lab.Begin(SftpType.Open).String("/f").UInt32(0x40).Attributes(default));
        lab.BytesToDevice.ShouldBeEmpty();
        lab.Told().ShouldAllBe(told => told.Status == SftpStatus.BadMessage);
    }

    [Fact]
    public void A_handle_that_is_not_open_is_answered_here()
    {
        using var lab = SftpLab.Started();
        lab.Open("/f", Upload);
        lab.Close("/f");
        lab.Forget();
        lab.Ask(lab.Begin(SftpType.Write).String("/f").UInt64(0).String("x"));
        lab.Ask(lab.Begin(SftpType.Read).String("/f").UInt64(0).UInt32(1));
        lab.Ask(lab.Begin(SftpType.Close).String("/f"));
        lab.BytesToDevice.ShouldBeEmpty();
        lab.Told().ShouldAllBe(told => told.Status == SftpStatus.Failure);
    }

    [Fact]
    public void Requests_under_way_and_open_files_are_bounded()
    {
        using var lab = SftpLab.Started();
        var stat = lab.Begin(SftpType.Stat).String("/").End().Length;
        var all = new MemoryStream();
        for (var count = 0; count < 3000; count++) all.Write(lab.Begin(SftpType.Stat).String("/").End());
        var taken = lab.Interpreter.FromClient(all.ToArray());
        taken.ShouldBe(SftpInterpreter.MostUnderWay * stat);
        lab.Interpreter.FromClient(all.ToArray().AsSpan(taken)).ShouldBe(0);
        lab.Answer(2, SftpStatus.Ok);
        lab.Interpreter.FromClient(all.ToArray().AsSpan(taken, stat)).ShouldBe(stat);

        using var other = SftpLab.Started();
        for (var count = 0; count < OpenFiles.Most; count++) other.Open($"/{count}", SftpOpenFlags.Read);
        other.Forget();
        other.Ask(other.Begin(SftpType.OpenDirectory).String("/"));
        other.Told().ShouldHaveSingleItem().Status.ShouldBe(SftpStatus.Failure);
    }

    [Fact]
    public void A_client_that_does_not_read_its_refusals_is_not_listened_to()
    {
        using var lab = SftpLab.Started();
        lab.Held = PermissionSet.Of(Permission.SendFiles);
        lab.ClientIsBehind = true;
        lab.Interpreter.FromClient(lab.Begin(SftpType.Remove).String("/").End()).ShouldBe(0);
        lab.BytesToClient.ShouldBeEmpty();
    }

    [Fact]
    public void Limits_of_the_device_are_told_as_far_as_they_hold_here()
    {
        using var lab = SftpLab.Started();
        var id = lab.Ask(lab.Begin(SftpType.Extended).String("limits@openssh.com"));
        lab.Device(lab.Writer.Begin(SftpType.ExtendedReply, id).UInt64(1 << 30).UInt64(1000).UInt64(0).UInt64(0).End());
        SftpResponse.Parse(SftpLab.Messages(lab.BytesToClient).ShouldHaveSingleItem(), out var limits).ShouldBe(SftpParse.Complete);
        limits.Data.ToArray().ShouldBe(
            lab.Writer.Begin(SftpType.ExtendedReply, 1).UInt64(SftpLimits.Packet).UInt64(1000).UInt64(SftpLimits.Payload).UInt64(OpenFiles.Most).End()[9..].ToArray());
    }
}
