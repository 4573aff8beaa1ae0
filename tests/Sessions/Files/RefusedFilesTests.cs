using Countersign.Access;
using Countersign.Sessions.Files;
using Countersign.Sessions.Journal;
using Countersign.Ssh.Sftp;

namespace Countersign.Sessions.Tests.Files;

public sealed class RefusedFilesTests
{
    [Fact]
    public void Of_many_that_are_alike_the_first_is_told_at_once_and_the_rest_by_the_thousand()
    {
        var events = new List<JournalEvent>();
        var refused = new RefusedFiles(events.Add);
        var needs = PermissionSet.Of(Permission.SendFiles);
        for (var number = 1; number <= 2500; number++) refused.Add(FileAction.Write, "/a", needs);
        refused.Flush();
        refused.Flush();
        events.Cast<FileRefused>().Select(one => (one.Path, one.Times)).ShouldBe([("/a", 1), ("/a", 1000), ("/a", 1000), ("/a", 499)]);
    }

    [Fact]
    public void Another_action_path_or_permission_begins_anew()
    {
        var events = new List<JournalEvent>();
        var refused = new RefusedFiles(events.Add);
        refused.Add(FileAction.Write, "/a", PermissionSet.Of(Permission.SendFiles));
        refused.Add(FileAction.Write, "/b", PermissionSet.Of(Permission.SendFiles));
        refused.Add(FileAction.Write, "/b", PermissionSet.Of(Permission.ManageFiles));
        refused.Add(FileAction.Remove, "/b", PermissionSet.Of(Permission.ManageFiles));
        events.Cast<FileRefused>().Select(one => (one.Path, one.Times)).ShouldBe([("/a", 1), ("/b", 1), ("/b", 1), ("/b", 1)]);
    }

    [Theory]
    [InlineData(SftpStatus.Ok, FileOutcome.Ok)]
    [InlineData(SftpStatus.EndOfFile, FileOutcome.Ok)]
    [InlineData(SftpStatus.NoSuchFile, FileOutcome.NoSuchFile)]
    [InlineData(SftpStatus.PermissionDenied, FileOutcome.PermissionDenied)]
    [InlineData(SftpStatus.Unsupported, FileOutcome.Unsupported)]
    [InlineData(SftpStatus.Failure, FileOutcome.Failed)]
    [InlineData((SftpStatus)77, FileOutcome.Failed)]
    public void What_a_device_answered_is_written_down_as_one_of_few_outcomes(SftpStatus status, FileOutcome outcome) => FileNames.Outcome(status).ShouldBe(outcome);
}
