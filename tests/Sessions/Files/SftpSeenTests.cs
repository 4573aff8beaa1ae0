using Countersign.Access;
using Countersign.Sessions.Journal;
using Countersign.Sessions.Relay;
using Countersign.Ssh.Sftp;

namespace Countersign.Sessions.Tests.Files;

/// <summary>Whatever content goes is in the journal, however it is asked for and in whatever order it is answered.</summary>
public sealed class SftpSeenTests
{
    private static readonly PermissionSet SendAndReceive = PermissionSet.Of(Permission.SendFiles, Permission.ReceiveFiles);

    /// <summary>OpenSSH's server opens each of these for reading.</summary>
    [Theory]
    [InlineData(0x00)]
    [InlineData(0x04)]
    [InlineData(0x08)]
    [InlineData(0x10)]
    [InlineData(0x20)]
    [InlineData(0x28)]
    [InlineData(0x11)]
    [InlineData(0x19)]
    public void An_opening_for_neither_reading_nor_writing_and_one_that_empties_what_it_reads_are_refused(uint flags)
    {
        using var lab = SftpLab.Started();
        lab.Held = SendAndReceive;
        var id = lab.Ask(lab.Begin(SftpType.Open).String("/etc/shadow").UInt32(flags).Attributes(default));
        lab.BytesToDevice.ShouldBeEmpty();
        lab.Told().ShouldBe([(id, SftpStatus.BadMessage)]);
    }

    [Theory]
    [InlineData(0x09)]
    [InlineData(0x05)]
    public void What_is_read_of_a_file_that_may_be_made_by_opening_it_is_in_the_journal(uint flags)
    {
        using var lab = SftpLab.Started();
        lab.Held = SendAndReceive;
        lab.Open("/f", (SftpOpenFlags)flags);
        Read(lab, "/f", "content"u8);
        lab.Close("/f");
        lab.Events.OfType<FileTransferred>().ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            file => file.Direction.ShouldBe(FileDirection.FromDevice), file => file.Bytes.ShouldBe(7));
    }

    [Fact]
    public void That_a_file_was_made_by_opening_it_to_read_is_in_the_journal()
    {
        using var lab = SftpLab.Started();
        lab.Open("/f", SftpOpenFlags.Read | SftpOpenFlags.Create);
        lab.Open("/g", SftpOpenFlags.Read);
        lab.Events.ShouldBe([new FileActed(FileAction.Open, "/f", null, "made, unless it was there", FileOutcome.Ok)]);
    }

    [Theory]
    [InlineData(SftpOpenFlags.Write, FileStart.AsItWas)]
    [InlineData(SftpOpenFlags.Write | SftpOpenFlags.Append, FileStart.AsItWas)]
    [InlineData(SftpOpenFlags.Write | SftpOpenFlags.Create, FileStart.AsItWasOrNew)]
    [InlineData(SftpOpenFlags.Write | SftpOpenFlags.Truncate, FileStart.Emptied)]
    [InlineData(SftpOpenFlags.Write | SftpOpenFlags.Create | SftpOpenFlags.Truncate, FileStart.Emptied)]
    [InlineData(SftpOpenFlags.Write | SftpOpenFlags.Create | SftpOpenFlags.Exclusive, FileStart.New)]
    [InlineData(SftpOpenFlags.Write | SftpOpenFlags.Create | SftpOpenFlags.Exclusive | SftpOpenFlags.Truncate, FileStart.New)]
    public void What_a_file_held_when_it_was_opened_to_write_is_in_the_journal(SftpOpenFlags flags, FileStart start)
    {
        using var lab = SftpLab.Started();
        lab.Held = PermissionSet.Of(Permission.SendFiles);
        lab.Open("/f", flags);
        lab.Close("/f");
        lab.Events.OfType<FileTransferred>().ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            file => file.Direction.ShouldBe(FileDirection.ToDevice), file => file.Bytes.ShouldBe(0), file => file.Start.ShouldBe(start));
    }

    [Theory]
    [InlineData(SftpOpenFlags.Truncate, FileStart.Emptied)]
    [InlineData(SftpOpenFlags.Create, FileStart.AsItWasOrNew)]
    [InlineData(SftpOpenFlags.Create | SftpOpenFlags.Exclusive, FileStart.New)]
    public void A_file_that_was_emptied_or_made_by_its_opening_and_then_read_is_told_both_ways(SftpOpenFlags flags, FileStart start)
    {
        using var lab = SftpLab.Started();
        lab.Held = SendAndReceive;
        lab.Open("/f", SftpOpenFlags.Read | SftpOpenFlags.Write | flags);
        Read(lab, "/f", "content"u8);
        lab.Close("/f");
        lab.Events.OfType<FileTransferred>().Select(file => (file.Direction, file.Bytes, file.Start)).ShouldBe(
            [(FileDirection.ToDevice, 0, start), (FileDirection.FromDevice, 7, null)]);
    }

    [Fact]
    public void A_file_that_was_opened_as_it_was_and_only_read_is_told_one_way()
    {
        using var lab = SftpLab.Started();
        lab.Held = SendAndReceive;
        lab.Open("/f", SftpOpenFlags.Read | SftpOpenFlags.Write);
        Read(lab, "/f", "content"u8);
        lab.Close("/f");
        lab.Events.OfType<FileTransferred>().ShouldHaveSingleItem().Direction.ShouldBe(FileDirection.FromDevice);
    }

    [Theory]
    [InlineData(SftpOpenFlags.Write | SftpOpenFlags.Truncate, "emptied")]
    [InlineData(SftpOpenFlags.Write | SftpOpenFlags.Create, "made, unless it was there")]
    [InlineData(SftpOpenFlags.Write | SftpOpenFlags.Create | SftpOpenFlags.Exclusive, "made")]
    [InlineData(SftpOpenFlags.Write, null)]
    public void What_an_opening_was_to_do_that_the_session_s_end_cut_is_in_the_journal(SftpOpenFlags flags, string? does)
    {
        using var lab = SftpLab.Started();
        lab.Ask(lab.Begin(SftpType.Open).String("/f").UInt32((uint)flags).Attributes(default));
        lab.Dispose();
        lab.Events.ShouldBe([new FileActed(FileAction.Open, "/f", null, does, FileOutcome.Interrupted)]);
    }

    [Fact]
    public void The_path_that_a_path_is_answered_with_is_in_the_journal()
    {
        using var lab = SftpLab.Started();
        lab.Held = PermissionSet.Of(Permission.SendFiles);
        var id = lab.Ask(lab.Begin(SftpType.RealPath).String("."));
        lab.Device(lab.Writer.Begin(SftpType.Name, id).UInt32(1).String("/home/ann").String("/home/ann").Attributes(default).End());
        var home = lab.Ask(lab.Begin(SftpType.Extended).String("home-directory").String("bob"));
        lab.Device(lab.Writer.Begin(SftpType.Name, home).UInt32(1).String("/what else").String("").Attributes(default).End());
        lab.Events.ShouldBe(
        [
            new FileActed(FileAction.Resolve, ".", "/home/ann", null, FileOutcome.Ok),
            new FileActed(FileAction.Resolve, "bob", "/what else", null, FileOutcome.Ok),
        ]);
    }

    [Fact]
    public void That_a_file_was_flushed_to_its_disk_is_in_the_journal()
    {
        using var lab = SftpLab.Started();
        lab.Open("/f", SftpOpenFlags.Write | SftpOpenFlags.Create);
        lab.Answer(lab.Ask(lab.Begin(SftpType.Extended).String("fsync@openssh.com").String("/f")), SftpStatus.Ok);
        lab.Events.ShouldBe([new FileActed(FileAction.Sync, "/f", null, null, FileOutcome.Ok)]);
    }

    [Fact]
    public void Names_of_users_and_groups_are_in_the_journal_and_nothing_else_passes_with_them()
    {
        using var lab = SftpLab.Started();
        lab.Forget();
        var id = AskNames(lab, users: 2, groups: 1);
        lab.Device(Answer(lab, id, ["ann", "\u001bbob"], ["wheel"], behind: new string('x', 200_000)));
        SftpResponse.Parse(SftpLab.Messages(lab.BytesToClient).ShouldHaveSingleItem(), out var told).ShouldBe(SftpParse.Complete);
        told.Data.ToArray().ShouldBe(new Ssh.SshWriter().String(List("ann", "")).String(List("wheel")).Written.ToArray());
        lab.Events.ShouldBe([new FileActed(FileAction.Names, "", "ann wheel", null, FileOutcome.Ok)]);

        lab.Forget();
        var second = AskNames(lab, users: 2, groups: 0);
        lab.Device(Answer(lab, second, [new string('a', 4000), new string('b', 4000)], []));
        lab.BytesToClient.Length.ShouldBeLessThan(4100, "no more than is written down");

        var third = AskNames(lab, users: 1, groups: 1);
        Should.Throw<NotUnderstoodException>(() => lab.Device(Answer(lab, third, ["ann", "bob"], ["wheel"]))).Message.ShouldContain("can't be read");
    }

    [Fact]
    public void Making_a_file_by_opening_it_to_read_makes_it_no_upload_of_one_s_own()
    {
        using var lab = SftpLab.Started();
        lab.Open("/f", SftpOpenFlags.Read | SftpOpenFlags.Create);
        lab.Held = PermissionSet.Of(Permission.SendFiles);
        lab.Forget();
        lab.Ask(lab.Begin(SftpType.FSetStat).String("/f").Attributes(new() { Permissions = 0x1FF }));
        lab.Ask(lab.Begin(SftpType.SetStat).String("/f").Attributes(new() { Permissions = 0x1FF }));
        lab.BytesToDevice.ShouldBeEmpty();
        lab.Told().Select(told => told.Status).ShouldBe([SftpStatus.PermissionDenied, SftpStatus.PermissionDenied]);
    }

    [Fact]
    public void A_handle_is_good_for_what_it_was_opened_for()
    {
        using var lab = SftpLab.Started();
        lab.Open("in", SftpOpenFlags.Read);
        lab.Open("out", SftpOpenFlags.Write);
        lab.Device(lab.Writer.Begin(SftpType.Handle, lab.Ask(lab.Begin(SftpType.OpenDirectory).String("/"))).String("list").End());
        lab.Forget();
        lab.Ask(lab.Begin(SftpType.Read).String("out").UInt64(0).UInt32(10));
        lab.Ask(lab.Begin(SftpType.Read).String("list").UInt64(0).UInt32(10));
        lab.Ask(lab.Begin(SftpType.ReadDirectory).String("in"));
        lab.Ask(lab.Begin(SftpType.Write).String("in").UInt64(0).String("x"));
        lab.Ask(lab.Begin(SftpType.Write).String("list").UInt64(0).String("x"));
        lab.BytesToDevice.ShouldBeEmpty();
        lab.Told().ShouldAllBe(told => told.Status == SftpStatus.Failure);
    }

    [Fact]
    public void Content_that_comes_behind_the_answer_to_the_close_is_in_the_journal()
    {
        using var lab = SftpLab.Started();
        lab.Open("/f", SftpOpenFlags.Read);
        var read = lab.Ask(lab.Begin(SftpType.Read).String("/f").UInt64(0).UInt32(10));
        var close = lab.Ask(lab.Begin(SftpType.Close).String("/f"));
        lab.Answer(close, SftpStatus.Ok);
        lab.Device(lab.Writer.Begin(SftpType.Data, read).String("content"u8).End());
        var file = lab.Events.OfType<FileTransferred>().ShouldHaveSingleItem();
        (file.Bytes, file.Outcome).ShouldBe((7, FileOutcome.Ok));
        file.Sha256.ShouldNotBeNull();
    }

    [Fact]
    public void A_write_that_fails_behind_the_answer_to_the_close_has_failed()
    {
        using var lab = SftpLab.Started();
        lab.Open("/f", SftpOpenFlags.Write);
        var write = lab.Ask(lab.Begin(SftpType.Write).String("/f").UInt64(0).String("content"));
        lab.Answer(lab.Ask(lab.Begin(SftpType.Close).String("/f")), SftpStatus.Ok);
        lab.Answer(write, SftpStatus.Failure);
        var file = lab.Events.OfType<FileTransferred>().ShouldHaveSingleItem();
        (file.Bytes, file.Outcome, file.Sha256).ShouldBe((7, FileOutcome.Failed, null));
    }

    [Fact]
    public void A_file_that_was_closed_while_content_was_on_its_way_is_written_down_at_the_session_s_end()
    {
        var lab = SftpLab.Started();
        lab.Open("/f", SftpOpenFlags.Read);
        lab.Ask(lab.Begin(SftpType.Read).String("/f").UInt64(0).UInt32(10));
        lab.Answer(lab.Ask(lab.Begin(SftpType.Close).String("/f")), SftpStatus.Ok);
        lab.Dispose();
        lab.Events.OfType<FileTransferred>().ShouldHaveSingleItem().Outcome.ShouldBe(FileOutcome.Interrupted);
    }

    [Fact]
    public void A_sentence_of_the_device_is_cut_and_cleaned()
    {
        using var lab = SftpLab.Started();
        var id = lab.Ask(lab.Begin(SftpType.Stat).String("/"));
        lab.Device(lab.Writer.Status(id, SftpStatus.Failure, "no\u001b[31m\n" + new string('x', 100_000)));
        SftpResponse.Parse(SftpLab.Messages(lab.BytesToClient).ShouldHaveSingleItem(), out var answer).ShouldBe(SftpParse.Complete);
        (answer.Id, answer.Status).ShouldBe((id, SftpStatus.Failure));
        System.Text.Encoding.UTF8.GetString(answer.Sentence).ShouldBe("no[31m" + new string('x', 194));
    }

    [Theory]
    [InlineData("two names of one path")]
    [InlineData("two places of one link")]
    [InlineData("names cut off")]
    [InlineData("attributes cut off")]
    [InlineData("a status cut off")]
    [InlineData("space cut off")]
    public void An_answer_that_says_more_than_it_can_or_less_ends_the_session(string how)
    {
        using var lab = SftpLab.Started();
        Should.Throw<NotUnderstoodException>(() =>
        {
            switch (how)
            {
                case "two names of one path":
                    lab.Device(Names(lab, lab.Ask(lab.Begin(SftpType.RealPath).String(".")), 2));
                    break;
                case "two places of one link":
                    lab.Device(Names(lab, lab.Ask(lab.Begin(SftpType.ReadLink).String("/l")), 2));
                    break;
                case "names cut off":
                    lab.Device(lab.Writer.Begin(SftpType.Name, OpenDirectory(lab)).UInt32(3).String("a").String("a").End());
                    break;
                case "attributes cut off":
                    lab.Device(lab.Writer.Begin(SftpType.Attributes, lab.Ask(lab.Begin(SftpType.Stat).String("/"))).UInt32(1).End());
                    break;
                case "a status cut off":
                    lab.Device(lab.Writer.Begin(SftpType.Status, lab.Ask(lab.Begin(SftpType.Stat).String("/"))).UInt32(4).UInt32(9).End());
                    break;
                case "space cut off":
                    lab.Device(lab.Writer.Begin(SftpType.ExtendedReply, lab.Ask(lab.Begin(SftpType.Extended).String("statvfs@openssh.com").String("/"))).UInt64(1).End());
                    break;
            }
        });
        lab.Told().ShouldAllBe(told => told.Id < lab.LastId);
    }

    [Fact]
    public void An_answer_tells_what_it_is_for_and_nothing_besides()
    {
        using var lab = SftpLab.Started();
        var path = lab.Ask(lab.Begin(SftpType.RealPath).String("."));
        var attributes = lab.Ask(lab.Begin(SftpType.Stat).String("/"));
        var space = lab.Ask(lab.Begin(SftpType.Extended).String("statvfs@openssh.com").String("/"));
        var names = OpenDirectory(lab);
        lab.Forget();
        lab.Device(lab.Writer.Begin(SftpType.Name, path).UInt32(1).String("/home").String("content").UInt32(0x8000_0000).UInt32(1).String("a@b").String("content").End());
        lab.Device(lab.Writer.Begin(SftpType.Attributes, attributes).UInt32(0x8000_0001).UInt64(7).UInt32(1).String("a@b").String("content").End());
        lab.Device([.. Space(lab, space)]);
        lab.Device(lab.Writer.Begin(SftpType.Name, names).UInt32(1).String("f").String("-rw f").UInt32(0x8000_0001).UInt64(7).UInt32(1).String("a@b").String("content").End());
        lab.BytesToClient.AsSpan().IndexOf("content"u8).ShouldBe(-1);
        var told = SftpLab.Messages(lab.BytesToClient);
        told.Count.ShouldBe(4);
        SftpResponse.Parse(told[0], out var home).ShouldBe(SftpParse.Complete);
        home.Names.MoveNext();
        SftpResponse.Parse(told[1], out var size).ShouldBe(SftpParse.Complete);
        size.Attributes.Size.ShouldBe(7ul);
        told[2].Length.ShouldBe(5 + 88);
        SftpResponse.Parse(told[3], out var listed).ShouldBe(SftpParse.Complete);
        listed.Names.Count.ShouldBe(1u);
    }

    [Fact]
    public void What_the_device_says_of_its_extensions_is_short_and_said_once()
    {
        using var lab = new SftpLab();
        lab.Client(lab.Writer.BeginVersion(SftpType.Init, 3).End());
        lab.Device(lab.Writer.BeginVersion(SftpType.Version, 3)
            .String("fsync@openssh.com").String("1").String("fsync@openssh.com").String("content").String("copy-data").String(new string('x', 1000)).End());
        SftpResponse.Parse(SftpLab.Messages(lab.BytesToClient).ShouldHaveSingleItem(), out var version).ShouldBe(SftpParse.Complete);
        var said = new List<string>();
        foreach (var name in version.Extensions) said.Add(System.Text.Encoding.ASCII.GetString(name));
        said.ShouldBe(["fsync@openssh.com"]);
        lab.BytesToClient.AsSpan().IndexOf("content"u8).ShouldBe(-1);
    }

    private static byte[] Names(SftpLab lab, uint id, uint count)
    {
        var writer = lab.Writer.Begin(SftpType.Name, id).UInt32(count);
        for (var number = 0; number < count; number++) writer.String("a").String("a").Attributes(default);
        return [.. writer.End()];
    }

    private static byte[] Space(SftpLab lab, uint id)
    {
        var writer = lab.Writer.Begin(SftpType.ExtendedReply, id);
        for (var number = 0; number < 11; number++) writer.UInt64(5);
        return [.. writer.String("content").End()];
    }

    private static uint OpenDirectory(SftpLab lab)
    {
        lab.Device(lab.Writer.Begin(SftpType.Handle, lab.Ask(lab.Begin(SftpType.OpenDirectory).String("/"))).String("d").End());
        return lab.Ask(lab.Begin(SftpType.ReadDirectory).String("d"));
    }

    private static void Read(SftpLab lab, string handle, ReadOnlySpan<byte> content)
    {
        var id = lab.Ask(lab.Begin(SftpType.Read).String(handle).UInt64(0).UInt32(1000));
        lab.Device(lab.Writer.Begin(SftpType.Data, id).String(content).End());
    }

    private static uint AskNames(SftpLab lab, int users, int groups) =>
        lab.Ask(lab.Begin(SftpType.Extended).String("users-groups-by-id@openssh.com").String(new byte[4 * users]).String(new byte[4 * groups]));

    private static byte[] Answer(SftpLab lab, uint id, string[] users, string[] groups, string behind = "") =>
        lab.Writer.Begin(SftpType.ExtendedReply, id).String(List(users)).String(List(groups)).String(behind).End().ToArray();

    private static byte[] List(params string[] names)
    {
        var list = new Ssh.SshWriter();
        foreach (var name in names) list.String(name);
        return list.Written.ToArray();
    }
}
