using System.Diagnostics;
using System.Text;
using Countersign.Access;
using Countersign.Sessions.Files;
using Countersign.Sessions.Journal;

namespace Countersign.Sessions.Tests.Files;

public sealed class FileCommandTests
{
    [Theory]
    [InlineData("scp -t /tmp/f", "scp -t -- '/tmp/f'", "SendFiles")]
    [InlineData("scp -v -p -d -t -- /tmp/", "scp -p -v -d -t -- '/tmp/'", "SendFiles")]
    [InlineData("scp -pt '/tmp/a b'", "scp -p -t -- '/tmp/a b'", "SendFiles")]
    [InlineData("scp -f ~/notes", "scp -f -- ~/'notes'", "ReceiveFiles")]
    [InlineData("scp -f ~", "scp -f -- ~", "ReceiveFiles")]
    [InlineData("scp -r -f dir", "scp -r -f -- 'dir'", "FileManager, ReceiveFiles")]
    [InlineData("scp -r -t dir", "scp -r -t -- 'dir'", "FileManager, SendFiles, ManageFiles")]
    [InlineData(@"scp -f a\ b\(c\)", "scp -f -- 'a b(c)'", "ReceiveFiles")]
    [InlineData("scp -f '[1] {a} #2~.txt'", "scp -f -- '[1] {a} #2~.txt'", "ReceiveFiles")]
    [InlineData("scp -f -- -rf", "scp -f -- '-rf'", "ReceiveFiles")]
    [InlineData("rsync --server -e.LsfxCIvu . /tmp/x", "rsync '--server' '-e.LsfxCIvu' '.' '/tmp/x'", "SendFiles, ReceiveFiles")]
    [InlineData("rsync --server -vtze.iLsfxCIvu --partial . ~/x", "rsync '--server' '-vtze.iLsfxCIvu' '--partial' '.' ~/'x'", "SendFiles, ReceiveFiles")]
    [InlineData("rsync --server -logDtpre.iLsfxCIvu . /tmp/x", "rsync '--server' '-logDtpre.iLsfxCIvu' '.' '/tmp/x'", "FileManager, SendFiles, ReceiveFiles, ManageFiles")]
    [InlineData("rsync --server -pe.LsfxCIvu . x", "rsync '--server' '-pe.LsfxCIvu' '.' 'x'", "FileManager, SendFiles, ReceiveFiles, ManageFiles")]
    [InlineData("rsync --server --sender -te.LsfxCIvu . a b", "rsync '--server' '--sender' '-te.LsfxCIvu' '.' 'a' 'b'", "ReceiveFiles")]
    [InlineData("rsync --server --sender -logDtpre.iLsfxCIvu . dir/", "rsync '--server' '--sender' '-logDtpre.iLsfxCIvu' '.' 'dir/'", "FileManager, ReceiveFiles")]
    [InlineData("rsync --server -te.LsfxCIvu --delete-during . x", "rsync '--server' '-te.LsfxCIvu' '--delete-during' '.' 'x'", "FileManager, SendFiles, ReceiveFiles, ManageFiles")]
    [InlineData("rsync --server --sender -te.LsfxCIvu --remove-source-files . x", "rsync '--server' '--sender' '-te.LsfxCIvu' '--remove-source-files' '.' 'x'", "FileManager, ReceiveFiles, ManageFiles")]
    public void What_clients_send_is_put_together_anew_and_held_to_permissions(string sent, string built, string needs)
    {
        FileCommand.TryParse(sent, out var command).ShouldBeTrue();
        command!.Command.ShouldBe(built);
        command.Needs.ToString().ShouldBe(needs);
    }

    [Theory]
    [InlineData("scp")]
    [InlineData("scp -t")]
    [InlineData("scp -t -f x")]
    [InlineData("scp x")]
    [InlineData("scp -t x y")]
    [InlineData("scp -S ./evil -t x")]
    [InlineData("scp -oProxyCommand=evil -t x")]
    [InlineData("scp -t -x")]
    [InlineData("scp -t ''")]
    [InlineData("scp -f *.log")]
    [InlineData("scp -f a; reboot")]
    [InlineData("scp -f a&&reboot")]
    [InlineData(@"scp -f a\'b")]
    [InlineData(@"scp -f 'a\b'")]
    [InlineData("scp -f 'a\"b'")]
    [InlineData("scp -f 'a`b'")]
    [InlineData("scp -f 'a$b'")]
    [InlineData("scp -f 'a&b'")]
    [InlineData("scp -f 'a|b'")]
    [InlineData("scp -f 'a;b'")]
    [InlineData("scp -f 'a<b'")]
    [InlineData("scp -f 'a>b'")]
    [InlineData("scp -f a^b")]
    [InlineData("scp -f a%PATH%")]
    [InlineData("scp -f 'a!b'")]
    [InlineData("scp -f 'a*'")]
    [InlineData("scp -f 'a?'")]
    [InlineData("scp -f a\u2018b")]
    [InlineData("scp -f 'a\u2019b'")]
    [InlineData("scp -f 'a\u201cb'")]
    [InlineData("scp -f 'a\u201fb'")]
    [InlineData("scp -f 'a\u2028b'")]
    [InlineData("scp -f 'a\u0085b'")]
    [InlineData("scp -f 'a -S evil'")]
    [InlineData("rsync --server --sender -e.L . 'a --rsh=x'")]
    [InlineData("rsync --server - . x")]
    [InlineData("rsync --server --sender - . x")]
    [InlineData("rsync --server -e.L . ~/a%b")]
    [InlineData("scp -f a|b")]
    [InlineData("scp -f a>b")]
    [InlineData("scp -f $HOME")]
    [InlineData("scp -f `id`")]
    [InlineData("scp -f \"$(id)\"")]
    [InlineData("scp -f ~root/x")]
    [InlineData("scp -f a\nreboot")]
    [InlineData("scp -f 'a\nb'")]
    [InlineData("scp -f 'a")]
    [InlineData("scp -f a\\")]
    [InlineData("scp -f {a,b}")]
    [InlineData("scp -f a#b c")]
    [InlineData("scp -f a b")]
    [InlineData("/usr/bin/scp -t x")]
    [InlineData("A=b scp -t x")]
    [InlineData("~/scp -t x")]
    [InlineData("rsync --server . x")]
    [InlineData("rsync -e.LsfxCIvu . x")]
    [InlineData("rsync --server -e sh . x")]
    [InlineData("rsync --server -esh . x")]
    [InlineData("rsync --server -tesh . x")]
    [InlineData("rsync --server --rsh=sh -e.L . x")]
    [InlineData("rsync --server -e.L --rsync-path=sh . x")]
    [InlineData("rsync --server -e.L --files-from=/etc/list . x")]
    [InlineData("rsync --server -e.L --log-file=/etc/passwd . x")]
    [InlineData("rsync --server -e.L --log-format=%i/../x . x")]
    [InlineData("rsync --server -e.L --partial-dir=/etc . x")]
    [InlineData("rsync --server -e.L --temp-dir /etc . x")]
    [InlineData("rsync --server -e.L --backup-dir=/etc . x")]
    [InlineData("rsync --server -e.L --copy-dest=/etc . x")]
    [InlineData("rsync --server -e.L --write-batch=x . x")]
    [InlineData("rsync --server -e.L --daemon . x")]
    [InlineData("rsync --server -e.L --config=x . x")]
    [InlineData("rsync --server -se.L . x")]
    [InlineData("rsync --server -be.L . x")]
    [InlineData("rsync --server -e.L . --daemon")]
    [InlineData("rsync --server --sender -e.L . x -e.L")]
    [InlineData("rsync --server -e.L . x y")]
    [InlineData("rsync --server -e.L ~ . x")]
    [InlineData("rsync --server -e.L . ")]
    [InlineData("rsync --daemon")]
    [InlineData("sftp-server -t x")]
    public void What_does_not_fit_the_grammar_is_a_command_like_any_other(string sent) => FileCommand.TryParse(sent, out _).ShouldBeFalse();

    [Fact]
    public async Task The_shell_reads_exactly_the_words_that_were_let_through()
    {
        var random = new Random(11);
        var commands = new List<(string Sent, List<ShellWord> Words)>();
        while (commands.Count < 3000)
        {
            var sent = Hostile(random);
            var words = new List<ShellWord>();
            if (ShellWords.TrySplit(sent, words) && words.Count > 0) commands.Add((sent, words));
        }

        // What was sent, as the shell would have read it, and what is sent on: both have to be the same words.
        var script = new StringBuilder("HOME=/home/ann\n");
        foreach (var (sent, words) in commands)
        {
            script.Append("set -f; printf '%s\\0' ").AppendJoin(' ', words.Select(word => word.Quoted)).Append("; printf '\\n'\n");
            script.Append("set -f; printf '%s\\0' ").Append(sent).Append("; printf '\\n'\n");
        }

        var read = (await ShellAsync(script.ToString())).Split('\n');
        for (var number = 0; number < commands.Count; number++)
        {
            var (sent, words) = commands[number];
            var expected = string.Join('\0', words.Select(word => word switch
            {
                { IsAtHome: true, Text: "" } => "/home/ann",
                { IsAtHome: true } => $"/home/ann/{word.Text}",
                _ => word.Text,
            })) + "\0";
            read[2 * number].ShouldBe(expected, sent);
            if (!sent.Contains('~', StringComparison.Ordinal)) read[2 * number + 1].ShouldBe(expected, sent);
        }
    }

    [Fact]
    public void Whatever_is_let_through_is_made_of_known_words()
    {
        var random = new Random(12);
        string[] parts = ["scp", "rsync", "-t", "-f", "-r", "-rpt", "--", "--server", "--sender", "-e.LsfxCIvu", "-logDtpre.i", ".", "x", "-x", "~/y", "'a b'", "--delete", "-e", "sh", "--rsh=sh", ";", "$x"];
        var found = 0;
        for (var round = 0; round < 200_000; round++)
        {
            var sent = string.Join(' ', Enumerable.Range(0, random.Next(3, 8)).Select(_ => parts[random.Next(parts.Length)]));
            if (!FileCommand.TryParse(sent, out var command)) continue;
            found++;
            command.Needs.Intersects(PermissionSet.Of(Permission.SendFiles, Permission.ReceiveFiles)).ShouldBeTrue();
            (command.Direction == FileDirection.ToDevice).ShouldBe(command.Needs.Contains(Permission.SendFiles), sent);
            command.Command.ShouldNotContain(";");
            command.Command.ShouldNotContain("$");
            command.Command.ShouldNotContain("rsh");
            FileCommand.TryParse(command.Command, out var again).ShouldBeTrue(command.Command);
            again!.Command.ShouldBe(command.Command);
        }

        found.ShouldBeGreaterThan(100);
    }

    private static string Hostile(Random random)
    {
        const string Characters = "ab/.-~ '\"\\$`;&|<>(){}[]*?!#=%@^+:,_é☃\n\t1";
        return string.Concat(Enumerable.Range(0, random.Next(1, 24)).Select(_ => Characters[random.Next(random.Next(2) == 0 ? 12 : Characters.Length)]));
    }

    private static async Task<string> ShellAsync(string script)
    {
        using var shell = Process.Start(new ProcessStartInfo("/bin/sh") { RedirectStandardInput = true, RedirectStandardOutput = true, StandardInputEncoding = new UTF8Encoding(false), StandardOutputEncoding = new UTF8Encoding(false) })!;
        var read = shell.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await shell.StandardInput.WriteAsync(script);
        shell.StandardInput.Close();
        await shell.WaitForExitAsync(TestContext.Current.CancellationToken);
        return await read;
    }
}
