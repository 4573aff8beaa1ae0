using Countersign.Access;
using Countersign.Ssh.Sftp;

namespace Countersign.Sessions.Tests.Files;

/// <summary>What somebody who may only send may do with what they have uploaded is over as soon as another file can have its name.</summary>
public sealed class SftpOwnUploadTests
{
    private const SftpOpenFlags Upload = SftpOpenFlags.Write | SftpOpenFlags.Create | SftpOpenFlags.Truncate;

    private static readonly PermissionSet Send = PermissionSet.Of(Permission.SendFiles);

    [Fact]
    public void An_upload_that_was_given_its_name_is_known_by_that_name_alone()
    {
        using var lab = Uploaded("/x.filepart");
        lab.Answer(Rename(lab, "/x.filepart", "/x"), SftpStatus.Ok);

        Mode(lab, "/x.filepart").ShouldBeFalse();
        Rename(lab, "/x.filepart", "/x");
        Mode(lab, "/x").ShouldBeTrue();

        lab.Asked().ShouldBe([SftpType.Extended, SftpType.SetStat]);
    }

    /// <summary>Who waits for no answers has the device do the one right after the other: between them somebody else's file may get the name.</summary>
    [Fact]
    public void An_upload_loses_its_old_name_when_the_device_is_asked_to_rename_it_and_not_once_it_has_answered()
    {
        using var lab = Uploaded("/x.filepart");
        var open = lab.Ask(lab.Begin(SftpType.Open).String("/x.filepart").UInt32((uint)Upload).Attributes(default));
        var rename = Rename(lab, "/x.filepart", "/x");

        Mode(lab, "/x.filepart").ShouldBeFalse();
        lab.Device(lab.Writer.Begin(SftpType.Handle, open).String("again").End());
        lab.Answer(rename, SftpStatus.Ok);
        Mode(lab, "/x.filepart").ShouldBeFalse("it was opened before it was renamed");

        // The handle is the file's, whatever its name is.
        lab.Forget();
        lab.Ask(lab.Begin(SftpType.FSetStat).String("again").Attributes(new() { Permissions = 0x1B6 }));
        lab.Asked().ShouldBe([SftpType.FSetStat]);
    }

    [Fact]
    public void An_upload_that_could_not_be_renamed_keeps_its_name()
    {
        using var lab = Uploaded("/x.filepart");
        lab.Answer(Rename(lab, "/x.filepart", "/x"), SftpStatus.Failure);

        Mode(lab, "/x").ShouldBeFalse();
        Mode(lab, "/x.filepart").ShouldBeTrue();
    }

    public static TheoryData<string> Managing => ["remove", "rename", "rename over it", "rename its folder", "posix-rename", "symlink", "hardlink", "copy"];

    [Theory]
    [MemberData(nameof(Managing))]
    public void After_something_that_needs_Manage_files_no_path_is_an_upload_of_one_s_own(string what)
    {
        using var lab = Uploaded("/d/x");
        lab.Held = SftpLab.All;
        lab.Open("source", SftpOpenFlags.Read);
        lab.Open("/d/target", Upload);
        var open = lab.Ask(lab.Begin(SftpType.Open).String("/d/y").UInt32((uint)Upload).Attributes(default));
        var asked = lab.Ask(what switch
        {
            "remove" => lab.Begin(SftpType.Remove).String("/d/./x"),
            "rename" => lab.Begin(SftpType.Rename).String("/d/x").String("/z"),
            "rename over it" => lab.Begin(SftpType.Rename).String("/z").String("/d/x"),
            "rename its folder" => lab.Begin(SftpType.Rename).String("/d").String("/e"),
            "posix-rename" => lab.Begin(SftpType.Extended).String("posix-rename@openssh.com").String("/z").String("/d/x"),
            "symlink" => lab.Begin(SftpType.SymbolicLink).String("/z").String("/d/x"),
            "hardlink" => lab.Begin(SftpType.Extended).String("hardlink@openssh.com").String("/z").String("/d/x"),
            _ => lab.Begin(SftpType.Extended).String("copy-data").String("source").UInt64(0).UInt64(0).String("/d/target").UInt64(0),
        });
        lab.Device(lab.Writer.Begin(SftpType.Handle, open).String("y").End());
        lab.Answer(asked, SftpStatus.Ok);

        lab.Held = Send;
        Mode(lab, "/d/x").ShouldBeFalse();
        Mode(lab, "/d/y").ShouldBeFalse();
        Mode(lab, "/d/target").ShouldBeFalse();
        lab.Open("/d/x", Upload);
        Mode(lab, "/d/x").ShouldBeTrue();
    }

    [Fact]
    public void Who_has_opened_what_was_there_and_written_nothing_has_uploaded_nothing_that_could_be_given_its_name()
    {
        using var lab = SftpLab.Started();
        lab.Held = Send;
        lab.Open("/x.filepart", SftpOpenFlags.Write);
        lab.Write("/x.filepart", 0, []);
        lab.Answer(lab.Ask(lab.Begin(SftpType.Write).String("/x.filepart").UInt64(0).String("content")), SftpStatus.Failure);
        lab.Forget();

        Rename(lab, "/x.filepart", "/x");
        lab.Ask(lab.Begin(SftpType.Rename).String("/x.filepart").String("/x"));

        lab.BytesToDevice.ShouldBeEmpty();
        lab.Told().Select(told => told.Status).ShouldBe([SftpStatus.PermissionDenied, SftpStatus.PermissionDenied]);
    }

    /// <summary>As WinSCP does that goes on with an upload.</summary>
    [Fact]
    public void An_upload_that_went_on_where_it_was_cut_may_be_given_its_name_and_no_mode()
    {
        using var lab = SftpLab.Started();
        lab.Held = Send;
        lab.Open("/x.filepart", SftpOpenFlags.Write);
        lab.Write("/x.filepart", 1000, [1, 2, 3]);
        lab.Close("/x.filepart");
        lab.Forget();

        lab.Answer(Rename(lab, "/x.filepart", "/x"), SftpStatus.Ok);
        Mode(lab, "/x").ShouldBeFalse();
        lab.Ask(lab.Begin(SftpType.SetStat).String("/x").Attributes(new() { Times = new(1, 2) }));

        lab.Asked().ShouldBe([SftpType.Extended, SftpType.SetStat]);
    }

    private static SftpLab Uploaded(string path)
    {
        var lab = SftpLab.Started();
        lab.Held = Send;
        lab.Open(path, Upload);
        lab.Write(path, 0, [1]);
        lab.Close(path);
        lab.Forget();
        return lab;
    }

    private static uint Rename(SftpLab lab, string path, string other) =>
        lab.Ask(lab.Begin(SftpType.Extended).String("posix-rename@openssh.com").String(path).String(other));

    /// <summary>Whether the device is asked to set it.</summary>
    private static bool Mode(SftpLab lab, string path)
    {
        var before = lab.BytesToDevice.Length;
        lab.Ask(lab.Begin(SftpType.SetStat).String(path).Attributes(new() { Permissions = 0x1B6 }));
        return lab.BytesToDevice.Length > before;
    }
}
