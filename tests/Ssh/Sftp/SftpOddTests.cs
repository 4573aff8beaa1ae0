using System.Net.Sockets;
using System.Text;
using Countersign.Ssh.Sftp;

namespace Countersign.Ssh.Tests.Sftp;

/// <summary>Files that are no files, names that can't be, and what the system refuses.</summary>
public sealed class SftpOddTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_kind_of_file_and_every_bit_is_shown_as_ls_shows_it()
    {
        await using var dialogue = await SftpDialogue.StartAsync();
        (uint Mode, string Shown)[] modes = [(0xFFF, "rwsrwsrwt"), (0xE00, "--S--S--T"), (0xC49, "--s--s--x"), (0x249, "--x--x--t"), (0x1B4, "rw-rw-r--")];
        foreach (var (mode, _) in modes)
        {
            var path = dialogue.PathOf($"mode{mode}");
            await File.WriteAllTextAsync(path, "", Cancellation);
            File.SetUnixFileMode(path, (UnixFileMode)mode);
        }

        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(dialogue.PathOf("socket")));
        (await Command.RunAsync("mkfifo", [dialogue.PathOf("pipe")], Cancellation)).ExitCode.ShouldBe(0);
        File.CreateSymbolicLink(dialogue.PathOf("link"), "nowhere");
        Directory.CreateDirectory(dialogue.PathOf("directory"));
        await File.WriteAllTextAsync(dialogue.PathOf("future"), "", Cancellation);
        File.SetLastWriteTimeUtc(dialogue.PathOf("future"), DateTime.UnixEpoch.AddYears(130));
        var lines = await ListAsync(dialogue, ".");
        foreach (var (mode, shown) in modes) lines[$"mode{mode}"].ShouldStartWith($"-{shown}");
        foreach (var (name, kind) in (ReadOnlySpan<(string, char)>)[("socket", 's'), ("pipe", 'p'), ("link", 'l'), ("directory", 'd'), ("future", '-')]) lines[name][0].ShouldBe(kind);
        lines["future"].ShouldContain(" 2100 ");
        (await ListAsync(dialogue, "/dev"))["null"][0].ShouldBe('c');
    }

    [Fact]
    public async Task What_can_not_be_is_refused_by_every_operation()
    {
        await using var dialogue = await SftpDialogue.StartAsync();
        await File.WriteAllTextAsync(dialogue.PathOf("file"), "", Cancellation);
        const string Nul = "nul\0byte";
        foreach (var make in (Func<SftpWriter>[])
        [
            () => dialogue.Begin(SftpType.Open).String(Nul).UInt32(1).Attributes(default),
            () => dialogue.Begin(SftpType.Stat).String(Nul),
            () => dialogue.Begin(SftpType.LStat).String(Nul),
            () => dialogue.Begin(SftpType.SetStat).String(Nul).Attributes(default),
            () => dialogue.Begin(SftpType.OpenDirectory).String(Nul),
            () => dialogue.Begin(SftpType.Remove).String(Nul),
            () => dialogue.Begin(SftpType.MakeDirectory).String(Nul).Attributes(new() { Permissions = 0x1C0 }),
            () => dialogue.Begin(SftpType.RemoveDirectory).String(Nul),
            () => dialogue.Begin(SftpType.RealPath).String(Nul),
            () => dialogue.Begin(SftpType.ReadLink).String(Nul),
            () => dialogue.Begin(SftpType.Rename).String(Nul).String("b"),
            () => dialogue.Begin(SftpType.Rename).String("file").String(Nul),
            () => dialogue.Begin(SftpType.SymbolicLink).String(Nul).String("link"),
            () => dialogue.Begin(SftpType.SymbolicLink).String("target").String(Nul),
            () => dialogue.Begin(SftpType.SymbolicLink).String(new string('x', 5000)).String("link"),
            () => dialogue.Begin(SftpType.Extended).String("statvfs@openssh.com").String(Nul),
            () => dialogue.Begin(SftpType.Extended).String("posix-rename@openssh.com").String(Nul).String("b"),
            () => dialogue.Begin(SftpType.Extended).String("hardlink@openssh.com").String("file").String(Nul),
        ])
        {
            (await dialogue.StatusAsync(make())).ShouldBe(SftpStatus.Failure);
        }

        Directory.GetFileSystemEntries(dialogue.Directory).Select(Path.GetFileName).ShouldBe(["file"]);
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.Extended).String("statvfs@openssh.com").String("missing"))).ShouldBe(SftpStatus.NoSuchFile);
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.RealPath).String($"{new string('x', 300)}"))).ShouldBe(SftpStatus.Failure);
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.RealPath).String("file/below"))).ShouldBe(SftpStatus.NoSuchFile);
    }

    [Fact]
    public async Task A_first_attribute_that_can_not_be_set_is_what_is_answered()
    {
        await using var dialogue = await SftpDialogue.StartAsync();
        await File.WriteAllTextAsync(dialogue.PathOf("file"), "123", Cancellation);

        // Open for reading: its size can't be changed, and nothing after that is tried.
        var handle = await dialogue.OpenAsync("file", SftpOpenFlags.Read);
        var all = new SftpAttributes { Size = 1, Owner = new(0, 0), Permissions = 0x1FF, Times = new(1, 2) };
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.FSetStat).String(handle).Attributes(all))).ShouldBe(SftpStatus.Failure);
        (await dialogue.StatusAsync(dialogue.Begin(SftpType.SetStat).String("missing").Attributes(all))).ShouldBe(SftpStatus.NoSuchFile);
        (await dialogue.AttributesAsync(dialogue.Begin(SftpType.Stat).String("file"))).Size.ShouldBe(3u);
        ((int)File.GetUnixFileMode(dialogue.PathOf("file")) & 0x1FF).ShouldNotBe(0x1FF);
    }

    private static async Task<Dictionary<string, string>> ListAsync(SftpDialogue dialogue, string path)
    {
        var handle = await dialogue.HandleAsync(dialogue.Begin(SftpType.OpenDirectory).String(path));
        var lines = new Dictionary<string, string>();
        while (true)
        {
            var answer = await dialogue.AskAsync(dialogue.Begin(SftpType.ReadDirectory).String(handle));
            if (answer[0] == (byte)SftpType.Status) return lines;
            SftpResponse.Parse(answer, out var response);
            foreach (var name in response.Names) lines[Encoding.UTF8.GetString(name.FileName)] = Encoding.UTF8.GetString(name.LongName);
        }
    }
}
