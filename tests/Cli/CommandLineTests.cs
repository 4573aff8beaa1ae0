using System.CommandLine;

namespace Countersign.Cli;

public sealed class CommandLineTests : IDisposable
{
    private readonly FakeTerminal _terminal = new();

    [Theory]
    [InlineData("")]
    [InlineData("dvices")]
    [InlineData("keys")]
    [InlineData("explain")]
    [InlineData("explain anna")]
    [InlineData("explain anna web1 Terminal more")]
    [InlineData("end")]
    [InlineData("end web1")]
    [InlineData("end ../me")]
    [InlineData("end 0196f0c26a517c3e9d0f5b1c7a2e4d68")]
    [InlineData("keys remove laptop")]
    [InlineData("keys add")]
    [InlineData("devices --limit 0")]
    [InlineData("devices --limit 1001")]
    [InlineData("devices --limit many")]
    [InlineData("devices --server")]
    [InlineData("approve")]
    [InlineData("approve web1")]
    [InlineData("approve 0")]
    [InlineData("approve -1")]
    [InlineData("approve 1.5")]
    [InlineData("approve 99999999999999999999")]
    [InlineData("approve 1 2")]
    [InlineData("approve 1/../2")]
    [InlineData("approve 1 --reason no")]
    [InlineData("reject 1 --reason")]
    [InlineData("reject 1 --comment no")]
    [InlineData("revoke #")]
    [InlineData("cancel 1 --reason no")]
    [InlineData("requests --follow")]
    [InlineData("approvals 1")]
    [InlineData("login a b")]
    [InlineData("login --password hunter2")]
    public async Task A_wrong_command_line_ends_with_2_and_says_where_help_is(string line)
    {
        (await _terminal.RunAsync(line.Split(' ', StringSplitOptions.RemoveEmptyEntries))).ShouldBe(2);
        _terminal.Output.ShouldBeEmpty();
        _terminal.Error.ShouldStartWith("countersign: ");
        _terminal.Error.ShouldContain("--help");
    }

    [Fact]
    public async Task Every_command_has_help_with_examples_that_can_be_parsed()
    {
        var root = CommandLine.Create(_terminal.Surroundings(TextWriter.Null, TextWriter.Null));
        var commands = All(root, []).ToList();
        commands.Count.ShouldBeGreaterThan(20);
        foreach (var (path, command) in commands)
        {
            (await _terminal.RunAsync([.. path, "--help"])).ShouldBe(0);
            _terminal.Output.ShouldContain("Examples:");
            foreach (var above in command.Parents.OfType<System.CommandLine.Command>().SelectMany(parent => parent.Arguments)) _terminal.Output.ShouldNotContain($"<{above.Name}>");
            foreach (var example in ((DocumentedCommand)command).Examples)
            {
                _terminal.Output.ShouldContain(example);
                var own = example.Split(" | ").Single(part => part.StartsWith("countersign ", StringComparison.Ordinal));
                root.Parse(own["countersign ".Length..]).Errors.ShouldBeEmpty(example);
                own.ShouldStartWith("countersign " + path[0]);
            }
        }
    }

    [Fact]
    public async Task An_argument_that_begins_with_an_at_sign_is_not_a_file_to_read()
    {
        var file = _terminal.PathOf("arguments");
        await File.WriteAllTextAsync(file, "--help", TestContext.Current.CancellationToken);
        (await _terminal.RunAsync("devices", "@" + file)).ShouldBe(3);
    }

    [Theory]
    [InlineData("devices")]
    [InlineData("explain anna web1")]
    [InlineData("sessions")]
    [InlineData("approvals")]
    [InlineData("approvals --follow")]
    [InlineData("requests")]
    [InlineData("approve 1")]
    [InlineData("reject 1")]
    [InlineData("revoke 1")]
    [InlineData("cancel 1")]
    [InlineData("whoami")]
    [InlineData("logout")]
    [InlineData("keys list")]
    [InlineData("end 0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d68")]
    [InlineData("keys remove 0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d68")]
    public async Task Without_a_login_every_command_ends_with_3_and_says_how_to_sign_in(string line)
    {
        (await _terminal.RunAsync(line.Split(' '))).ShouldBe(3);
        _terminal.Error.ShouldContain("countersign login --server");
        (await _terminal.RunAsync([.. line.Split(' '), "--server", "https://127.0.0.1:1"])).ShouldBe(3);
        _terminal.Error.ShouldContain("Not signed in to https://127.0.0.1:1");
        _terminal.Output.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_server_that_is_not_there_ends_with_5()
    {
        // Port 1 of loopback is reserved (tcpmux): nobody listens there, and nobody is given it as a free port.
        _terminal["COUNTERSIGN_TOKEN"] = "cs_token";
        _terminal["COUNTERSIGN_SERVER"] = "http://127.0.0.1:1";
        (await _terminal.RunAsync("devices")).ShouldBe(5);
        _terminal.Error.ShouldContain("http://127.0.0.1:1 can't be reached");
    }

    [Theory]
    [InlineData("two words")]
    [InlineData("a\r\nX-Other: header")]
    [InlineData("tökén")]
    public async Task A_token_that_is_none_is_refused_and_not_shown(string token)
    {
        (await _terminal.RunAsync("devices", "--server", "http://127.0.0.1:1", "--token", token)).ShouldBe(2);
        _terminal.Error.ShouldNotContain(token);
        _terminal["COUNTERSIGN_TOKEN"] = token;
        (await _terminal.RunAsync("devices", "--server", "http://127.0.0.1:1")).ShouldBe(2);
        _terminal.Error.ShouldNotContain(token);
    }

    [Fact]
    public async Task A_password_is_not_waited_for_where_nobody_can_be_asked()
    {
        (await _terminal.RunAsync("login", "--server", "http://127.0.0.1:1", "anna")).ShouldBe(2);
        _terminal.Error.ShouldContain("--password-stdin");
        (await _terminal.RunAsync("login", "--server", "http://127.0.0.1:1", "--password-stdin", "anna")).ShouldBe(2);
        _terminal.Error.ShouldContain("holds no password");
        _terminal.Input = new string('x', 1025) + "\n";
        (await _terminal.RunAsync("login", "--server", "http://127.0.0.1:1", "--password-stdin", "anna")).ShouldBe(2);
        _terminal.Error.ShouldContain("holds no password");
    }

    [Fact]
    public async Task A_private_key_is_recognized_and_stays_here()
    {
        var file = _terminal.PathOf("id_ed25519");
        await File.WriteAllTextAsync(file, "-----BEGIN OPENSSH PRIVATE KEY-----\nnot really\n", TestContext.Current.CancellationToken);
        (await _terminal.RunAsync("keys", "add", file)).ShouldBe(2);
        _terminal.Error.ShouldContain("is a private key, and was not sent");
        _terminal.Error.ShouldContain("id_ed25519.pub");
    }

    [Fact]
    public async Task A_certificate_is_told_to_be_one()
    {
        _terminal.Input = "ssh-ed25519-cert-v01@openssh.com AAAA\n";
        (await _terminal.RunAsync("keys", "add", "-")).ShouldBe(2);
        _terminal.Error.ShouldContain("holds a certificate");
    }

    [Theory]
    [InlineData("")]
    [InlineData("ssh-ed25519 AAAA\nssh-ed25519 AAAA\n")]
    [InlineData("ssh-ed25519 AAAA\n")]
    [InlineData("hello\n")]
    public async Task What_is_no_public_key_is_not_sent(string content)
    {
        _terminal.Input = content;
        (await _terminal.RunAsync("keys", "add", "-")).ShouldBe(2);
        (await _terminal.RunAsync("keys", "add", _terminal.PathOf("missing"))).ShouldBe(2);
        _terminal.Error.ShouldContain("can't be read");
    }

    public void Dispose() => _terminal.Dispose();

    private static IEnumerable<(string[] Path, Command Command)> All(Command command, string[] path)
    {
        foreach (var sub in command.Subcommands)
        {
            string[] here = [.. path, sub.Name];
            yield return (here, sub);
            foreach (var below in All(sub, here))
                yield return below;
        }
    }
}
