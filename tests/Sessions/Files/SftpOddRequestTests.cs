using Countersign.Access;
using Countersign.Sessions.Journal;
using Countersign.Sessions.Relay;
using Countersign.Ssh.Sftp;

namespace Countersign.Sessions.Tests.Files;

/// <summary>Requests that no client makes, and answers that no server gives.</summary>
public sealed class SftpOddRequestTests
{
    [Fact]
    public void A_message_without_an_id_ends_the_session()
    {
        using var lab = SftpLab.Started();
        Should.Throw<NotUnderstoodException>(() => lab.Client([0, 0, 0, 1, (byte)SftpType.Stat])).Message.ShouldContain("5 to 262144 are allowed");
        lab.BytesToDevice.ShouldBeEmpty();
    }

    [Fact]
    public void Content_is_copied_between_handles_that_are_open_and_no_others()
    {
        using var lab = SftpLab.Started();
        lab.Open("/from", SftpOpenFlags.Read);
        lab.Forget();
        var id = Copy(lab, "/from", "/to");
        lab.Told().ShouldBe([(id, SftpStatus.Failure)]);
        lab.BytesToDevice.ShouldBeEmpty();

        lab.Open("/to", SftpOpenFlags.Write);
        lab.Forget();
        id = Copy(lab, "/from", "/to");
        lab.Asked().ShouldBe([SftpType.Extended]);
        lab.Answer(id, SftpStatus.Ok);
        lab.Events.OfType<FileActed>().Last().ShouldSatisfyAllConditions(
            copied => copied.Action.ShouldBe(FileAction.Copy), copied => copied.Path.ShouldBe("/from"), copied => copied.To.ShouldBe("/to"));
    }

    /// <summary>What they are is not known here, so they are more than sending a file; who may, has it written down.</summary>
    [Fact]
    public void Extended_attributes_are_for_who_may_manage_files_and_are_in_the_journal()
    {
        using var lab = SftpLab.Started();
        lab.Held = PermissionSet.Of(Permission.FileManager, Permission.SendFiles);
        lab.Open("/f", SftpOpenFlags.Write | SftpOpenFlags.Create);
        lab.Forget();
        var id = SetExtended(lab);
        lab.Told().ShouldBe([(id, SftpStatus.PermissionDenied)]);
        lab.BytesToDevice.ShouldBeEmpty();

        lab.Held = SftpLab.All;
        lab.Answer(SetExtended(lab), SftpStatus.Ok);
        lab.Events.OfType<FileActed>().Last().ShouldSatisfyAllConditions(
            set => set.Action.ShouldBe(FileAction.SetAttributes), set => set.Path.ShouldBe("/f"), set => set.Changes.ShouldBe("extended attributes"));
    }

    [Fact]
    public void Names_of_users_that_are_cut_end_the_session()
    {
        using var lab = SftpLab.Started();
        var id = lab.Ask(lab.Begin(SftpType.Extended).String("users-groups-by-id@openssh.com").String(new byte[4]).String(new byte[4]));
        var cut = lab.Writer.Begin(SftpType.ExtendedReply, id).String([]).UInt32(9).End().ToArray();
        Should.Throw<NotUnderstoodException>(() => lab.Device(cut));
        lab.BytesToClient.ShouldBeEmpty();
    }

    private static uint Copy(SftpLab lab, string from, string to) =>
        lab.Ask(lab.Begin(SftpType.Extended).String("copy-data").String(from).UInt64(0).UInt64(0).String(to).UInt64(0));

    private static uint SetExtended(SftpLab lab) =>
        lab.Ask(lab.Begin(SftpType.FSetStat).String("/f").UInt32(0x80000000).UInt32(1).String("acl@example.org").String("all"));
}
