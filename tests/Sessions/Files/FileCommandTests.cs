using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using Countersign.Access;
using Countersign.Sessions.Files;
using Countersign.Sessions.Journal;

namespace Countersign.Sessions.Tests.Files;

public sealed partial class FileCommandTests
{
    [Theory]
    [InlineData("scp -t /tmp/f", "scp -t -- '/tmp/f'", "SendFiles")]
    [InlineData("scp -v -p -d -t -- /tmp/", "scp -p -v -d -t -- '/tmp/'", "SendFiles")]
    [InlineData("scp -pt '/tmp/a b'", "scp -p -t -- '/tmp/a b'", "SendFiles")]
    [InlineData("scp -f ~/notes", "scp -f -- ~/'notes'", "ReceiveFiles")]
    [InlineData("scp -f ~", "scp -f -- ~", "ReceiveFiles")]
    [InlineData("scp -f ~//", "scp -f -- ~/", "ReceiveFiles")]
    [InlineData("rsync --server --sender -te.LsfxCIvu . ~/", "rsync '--server' '--sender' '-te.LsfxCIvu' '.' ~/", "ReceiveFiles")]
    [InlineData("scp -r -f dir", "scp -r -f -- 'dir'", "FileManager, ReceiveFiles")]
    [InlineData("scp -r -t dir", "scp -r -t -- 'dir'", "FileManager, SendFiles, ManageFiles")]
    [InlineData(@"scp -f a\ b\(c\)", "scp -f -- 'a b(c)'", "ReceiveFiles")]
    [InlineData("scp -f '[1] {a} #2~.txt'", "scp -f -- '[1] {a} #2~.txt'", "ReceiveFiles")]
    [InlineData("scp -f -- -rf", "scp -f -- '-rf'", "ReceiveFiles")]
    [InlineData("rsync --server -e.LsfxCIvu . /tmp/x", "rsync '--server' '-e.LsfxCIvu' '.' '/tmp/x'", "FileManager, SendFiles, ReceiveFiles, ManageFiles")]
    [InlineData("rsync --server -vtze.iLsfxCIvu --partial . ~/x", "rsync '--server' '-vtze.iLsfxCIvu' '--partial' '.' ~/'x'", "FileManager, SendFiles, ReceiveFiles, ManageFiles")]
    [InlineData("rsync --server -tye.LsfxCIvu . x", "rsync '--server' '-tye.LsfxCIvu' '.' 'x'", "FileManager, SendFiles, ReceiveFiles, ManageFiles")]
    [InlineData("rsync --server --sender -tye.LsfxCIvu . x", "rsync '--server' '--sender' '-tye.LsfxCIvu' '.' 'x'", "FileManager, ReceiveFiles")]
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
    [InlineData("scp -f a=~/x")]
    [InlineData("scp -f a:~/x")]
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

    /// <summary>What was sent, as the shell would have read it, and what is sent on: both have to be the same words. bash is what most accounts have.</summary>
    [Theory]
    [InlineData("/bin/sh")]
    [InlineData("/bin/bash")]
    public async Task The_shell_reads_exactly_the_words_that_were_let_through(string shell)
    {
        var random = new Random(11);
        var commands = new List<(string Sent, List<ShellWord> Words)>();
        while (commands.Count < 3000)
        {
            var sent = Hostile(random);
            var words = new List<ShellWord>();
            if (ShellWords.TrySplit(sent, words) && words.Count > 0) commands.Add((sent, words));
        }

        var script = new StringBuilder("HOME=/home/ann\n");
        foreach (var (sent, words) in commands)
        {
            script.Append("set -f; printf '%s\\0' ").AppendJoin(' ', words.Select(word => word.Quoted)).Append("; printf '\\n'\n");
            script.Append("set -f; printf '%s\\0' ").Append(sent).Append("; printf '\\n'\n");
        }

        var read = (await ShellAsync(shell, script.ToString())).Split('\n');
        for (var number = 0; number < commands.Count; number++)
        {
            var (sent, words) = commands[number];
            var expected = string.Concat(words.Select(word => (word.IsAtHome ? Home(word) : word.Text) + "\0"));
            read[2 * number].ShouldBe(expected, sent);

            // Of several slashes behind the home directory one is passed on.
            OneSlash(read[(2 * number) + 1]).ShouldBe(OneSlash(expected), sent);
        }

        static string Home(ShellWord word) => word is { Text: "", IsHomesContent: false } ? "/home/ann" : $"/home/ann/{word.Text}";
    }

    [Theory]
    [InlineData("/bin/sh")]
    [InlineData("/bin/bash")]
    public async Task Any_text_in_quotes_is_read_as_it_is(string shell)
    {
        var random = new Random(13);
        var texts = Enumerable.Range(0, 2000).Select(_ => Text(random)).ToList();
        var script = string.Concat(texts.Select(text => $"printf '%s\\0' {new ShellWord(text, IsAtHome: false).Quoted}\n"));
        (await ShellAsync(shell, script)).Split('\0')[..^1].ShouldBe(texts);
    }

    /// <summary>The same for whole commands.</summary>
    [Theory]
    [InlineData("/bin/sh")]
    [InlineData("/bin/bash")]
    public async Task The_program_is_given_the_words_that_its_client_meant(string shell)
    {
        var random = new Random(14);
        var commands = new List<(string Sent, FileCommand Command)>();
        string[] fronts = ["scp -t ", "scp -rpf -- ", "rsync --server -vlogDtpre.iLsfxCIvu --partial . ", "rsync --server --sender -te.LsfxCIvu . ", "scp -p -t ~/"];
        while (commands.Count < 2000)
        {
            var sent = fronts[random.Next(fronts.Length)] + Hostile(random);
            if (FileCommand.TryParse(sent, out var command)) commands.Add((sent, command));
        }

        var script = new StringBuilder("HOME=/home/ann\nscp() { printf 'scp\\0'; printf '%s\\0' \"$@\"; printf '\\n'; }\nrsync() { printf 'rsync\\0'; printf '%s\\0' \"$@\"; printf '\\n'; }\n");
        foreach (var (sent, command) in commands) script.Append("set -f; ").Append(sent).Append('\n').Append("set -f; ").Append(command.Command).Append('\n');
        var read = (await ShellAsync(shell, script.ToString())).Split('\n');
        for (var number = 0; number < commands.Count; number++)
        {
            var (sent, command) = commands[number];
            var meant = OneSlash(read[2 * number]).Split('\0');
            var given = OneSlash(read[(2 * number) + 1]).Split('\0');
            if (command.Protocol == FileProtocol.Rsync) given.ShouldBe(meant, sent);

            // Letters are put together anew, in another order, with the mark before the path.
            else given[^3..].ShouldBe(["--", meant[^2], ""], sent);
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
        string[] parts = [.. "ab/.-~ '\"\\:=$`;&|<>(){}[]*?!#%@^+,_é☃\n\t\r\u007f\u0085\u00a0\u2028\u3000\ufeff1".Select(character => $"{character}"), "~/", "=~/", ":~", "😀", "\\😀", "''"];
        return string.Concat(Enumerable.Range(0, random.Next(1, 24)).Select(_ => parts[random.Next(random.Next(2) == 0 ? 12 : parts.Length)]));
    }

    /// <summary>Anything but a zero, which no argument can hold.</summary>
    private static string Text(Random random)
    {
        var text = new StringBuilder();
        for (var left = random.Next(40); left > 0; left--)
        {
            var number = random.Next(4) switch { 0 => random.Next(1, 0x20), 1 => random.Next(1, 0x10FFFF), _ => random.Next(0x20, 0x80) };
            if (Rune.TryCreate(number, out var rune)) text.Append(rune.ToString());
        }

        return text.ToString();
    }

    private static string OneSlash(string words) => AtHome().Replace(words, "/home/ann/");

    [GeneratedRegex("(?<=^|\0)/home/ann/+")]
    private static partial Regex AtHome();

    private static async Task<string> ShellAsync(string program, string script)
    {
        using var shell = Process.Start(new ProcessStartInfo(program) { RedirectStandardInput = true, RedirectStandardOutput = true, StandardInputEncoding = new UTF8Encoding(false), StandardOutputEncoding = new UTF8Encoding(false) })!;
        var read = shell.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await shell.StandardInput.WriteAsync(script);
        shell.StandardInput.Close();
        await shell.WaitForExitAsync(TestContext.Current.CancellationToken);
        return await read;
    }
}
