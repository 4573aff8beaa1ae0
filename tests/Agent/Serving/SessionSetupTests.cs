using System.Text;
using Countersign.Agent.Serving;
using Countersign.Ssh;

namespace Countersign.Agent.Tests.Serving;

public sealed class SessionSetupTests
{
    private readonly SessionSetup _setup = new(new OsAccount { Name = "anna", Id = 1000, Home = "/no/such/home", Shell = "/bin/zsh" });

    [Theory]
    [InlineData("LANG")]
    [InlineData("LC_ALL")]
    [InlineData("LC_TIME")]
    [InlineData("TERM")]
    public void Language_and_terminal_type_are_taken(string name)
    {
        _setup.TryTake(new EnvironmentRequest(name, "de_DE.UTF-8")).ShouldBeTrue();
        _setup.LoginShell().Environment[name].ShouldBe("de_DE.UTF-8");
    }

    [Theory]
    [InlineData("PATH", "/evil")]
    [InlineData("LD_PRELOAD", "/evil.so")]
    [InlineData("BASH_ENV", "/evil")]
    [InlineData("", "x")]
    [InlineData("LC_a", "x")]
    [InlineData("LC_A=B", "x")]
    [InlineData("LC_THIS_NAME_IS_LONGER_THAN_ANY_REAL_ONE", "x")]
    [InlineData("LANG", "line\nbreak")]
    [InlineData("LANG", "zero\0")]
    [InlineData("TERM", "\u001b[31m")]
    public void Any_other_variable_and_any_odd_value_is_refused(string name, string value)
    {
        var before = _setup.LoginShell().Environment.Count;
        _setup.TryTake(new EnvironmentRequest(name, value)).ShouldBeFalse();
        _setup.LoginShell().Environment.Count.ShouldBe(before);
    }

    [Fact]
    public void The_number_and_the_length_of_variables_are_bounded()
    {
        for (var i = 0; i < 64; i++) _setup.TryTake(new EnvironmentRequest($"LC_{(char)('A' + (i / 26))}{(char)('A' + (i % 26))}", "x")).ShouldBeTrue();
        _setup.TryTake(new EnvironmentRequest("LANG", "x")).ShouldBeFalse();
        _setup.TryTake(new EnvironmentRequest("LC_AA", "y")).ShouldBeTrue();
        _setup.TryTake(new EnvironmentRequest("LC_AA", new string('y', 1025))).ShouldBeFalse();
    }

    [Fact]
    public void A_terminal_is_taken_once_and_names_its_type()
    {
        _setup.TryTake(new PtyRequest("vt100\n", new(80, 24), [])).ShouldBeFalse();
        _setup.TryTake(new PtyRequest("vt100", new(80, 24), [])).ShouldBeTrue();
        _setup.TryTake(new PtyRequest("vt220", new(80, 24), [])).ShouldBeFalse();
        _setup.LoginShell().Environment["TERM"].ShouldBe("vt100");
    }

    [Fact]
    public void The_shell_of_the_account_is_started_as_a_login_shell_or_with_the_command()
    {
        var shell = _setup.LoginShell();
        shell.Path.ShouldBe("/bin/zsh");
        shell.Arguments.Select(Encoding.UTF8.GetString).ShouldBe(["-zsh"]);
        shell.Directory.ShouldBe("/", "home is not there");
        shell.Environment["HOME"].ShouldBe("/no/such/home");
        _setup.Command("echo 'a b'").Arguments.Select(Encoding.UTF8.GetString).ShouldBe(["zsh", "-c", "echo 'a b'"]);
    }
}
