using Countersign.Access;
using Countersign.Sessions.Files;
using Countersign.Sessions.Tests.Journal;
using Countersign.Ssh.Sftp;

namespace Countersign.Sessions.Tests.Files;

/// <summary>However much is asked, and whatever it is: the journal of a disk that is busy for a moment does not fail.</summary>
public sealed class HeldUpFilesTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Refusals_that_alternate_wait_for_the_disk()
    {
        var disk = new SlowDisk();
        await using var journal = Journaled.Begin(disk);
        var answered = 0L;
        using var interpreter = new SftpInterpreter(
            new(_ => { }, bytes => answered += bytes.Length, () => false, () => journal.IsBehind), () => PermissionSet.Of(Permission.SendFiles), one => journal.Append(one));
        var writer = new SftpWriter();
        interpreter.FromClient(writer.BeginVersion(SftpType.Init, 3).End());
        interpreter.FromDevice(writer.BeginVersion(SftpType.Version, 3).End());
        var asked = new List<byte>();
        var each = writer.Status(1, SftpStatus.PermissionDenied, "This needs File manager and Manage files, which you don't have here.").Length;
        var count = 0u;
        while (asked.Count < 2 * 1024 * 1024)
        {
            asked.AddRange(writer.Begin(SftpType.Remove, ++count).String("a").End());
            asked.AddRange(writer.Begin(SftpType.MakeDirectory, ++count).String("a").Attributes(default).End());
        }

        var bytes = asked.ToArray();
        answered = 0;
        disk.Hold();
        var taken = interpreter.FromClient(bytes);
        disk.Release();
        taken.ShouldBeLessThan(bytes.Length / 4);
        while (taken < bytes.Length)
        {
            (await journal.MarkAsync()).ShouldNotBeNull();
            taken += interpreter.FromClient(bytes.AsSpan(taken));
        }

        journal.Failed.IsCompleted.ShouldBeFalse();
        answered.ShouldBe(count * (long)each);
    }

    /// <summary>As much as can be under way and open, with the paths that are the longest as JSON, answered and then cut while the disk takes nothing.</summary>
    [Fact]
    public async Task What_is_under_way_and_open_when_the_disk_stops_finds_room()
    {
        var disk = new SlowDisk();
        await using var journal = Journaled.Begin(disk);
        var writer = new SftpWriter();
        var asked = new Queue<uint>();
        var passed = 0;
        using var interpreter = new SftpInterpreter(new(bytes => passed += bytes.Length, _ => { }, () => false, () => journal.IsBehind), () => SftpLab.All, one => journal.Append(one));
        interpreter.FromClient(writer.BeginVersion(SftpType.Init, 3).End());
        interpreter.FromDevice(writer.BeginVersion(SftpType.Version, 3).End());
        var id = 0u;
        var path = new string('+', 128);
        while (true)
        {
                var open = writer.Begin(SftpType.Open, ++id).String(path).UInt32((uint)SftpOpenFlags.Write).Attributes(default).End().ToArray();
                passed = 0;
                interpreter.FromClient(open);
                if (passed == 0) break;
                interpreter.FromDevice(writer.Begin(SftpType.Handle, id).UInt32(4).UInt32(id).End());
                for (var part = 0; part < 70; part++)
                {
                    interpreter.FromClient(writer.Begin(SftpType.Write, ++id).UInt32(4).UInt32(id - (uint)part - 1).UInt64(1_000_000_000_000_000ul + ((ulong)part * 9)).String("x").End());
                    interpreter.FromDevice(writer.Status(id, SftpStatus.Ok, ""));
                }
        }

        disk.Hold();
        while (interpreter.FromClient(writer.Begin(SftpType.Rename, ++id).String(new string('+', 1000)).String(new string('\u00e9', 1000)).End()) > 0) asked.Enqueue(id);
        asked.Count.ShouldBeInRange(100, SftpInterpreter.MostUnderWay);
        while (asked.TryDequeue(out var one)) interpreter.FromDevice(writer.Status(one, SftpStatus.Ok, ""));
        interpreter.Dispose();
        disk.Release();
        (await journal.MarkAsync().WaitAsync(Cancellation)).ShouldNotBeNull();
        journal.Failed.IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public void A_session_of_scp_goes_no_further_while_the_journal_is_behind()
    {
        FileCommand.TryParse("scp -t x", out var command).ShouldBeTrue();
        var isBehind = true;
        var passed = 0;
        using var interpreter = new ScpInterpreter(new(bytes => passed += bytes.Length, _ => { }, () => false, () => isBehind), command!, () => SftpLab.All, _ => { });
        interpreter.FromDevice([0]);
        interpreter.FromClient("C0644 1 f\n"u8).ShouldBe(0);
        passed.ShouldBe(0);
        isBehind = false;
        interpreter.FromClient("C0644 1 f\n"u8).ShouldBe(10);
    }
}
