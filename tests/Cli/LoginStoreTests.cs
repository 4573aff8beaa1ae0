using System.Text;
using Countersign.Cli.Api;
using Countersign.Cli.Saved;

namespace Countersign.Cli;

public sealed class LoginStoreTests : IDisposable
{
    private readonly FakeTerminal _terminal = new();

    private LoginStore Store => LoginStore.For(name => name == "XDG_CONFIG_HOME" ? Path.GetDirectoryName(_terminal.ConfigFolder) : null);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_written_is_read_and_only_the_owner_can_read_it()
    {
        var gate = Address("https://gate.example.org");
        var other = Address("https://other.example.org");
        var saved = new SavedLogins().With(gate, new() { Login = "anna", Token = "one" }).With(other, new() { Login = "ben", Token = "two" });
        (await Store.WriteAsync(saved, Stop)).ShouldBeNull();
        File.GetUnixFileMode(_terminal.ConfigFile).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.GetUnixFileMode(_terminal.ConfigFolder).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Directory.GetFiles(_terminal.ConfigFolder).ShouldBe([_terminal.ConfigFile]);

        var read = await ReadAsync();
        read.Current.ShouldBe("https://other.example.org");
        read.Find(gate)!.Token.ShouldBe("one");
        read.Find(other)!.Token.ShouldBe("two");
        read.Without(gate).Find(gate).ShouldBeNull();
        read.Without(gate).Find(other).ShouldNotBeNull();
        read.Find(Address("https://gate.example.org:8443")).ShouldBeNull();
    }

    [Fact]
    public async Task Nothing_saved_is_nothing_known_and_no_error()
    {
        var read = await ReadAsync();
        read.Current.ShouldBeNull();
        read.Servers.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("\0\0\0\0")]
    [InlineData("{\"servers\":null}")]
    [InlineData("{\"servers\":{\"https://gate.example.org\":\"token\"}}")]
    [InlineData("{\"current\":7}")]
    public async Task A_damaged_file_is_told_and_signing_in_again_replaces_it(string content)
    {
        await WriteRawAsync(Encoding.UTF8.GetBytes(content));
        await Refused("countersign login");
        (await Store.WriteAsync(new SavedLogins().With(Address("https://gate.example.org"), new() { Token = "one" }), Stop)).ShouldBeNull();
        (await ReadAsync()).Current.ShouldBe("https://gate.example.org");
    }

    [Fact]
    public async Task A_file_without_a_token_in_it_is_one_without_a_login()
    {
        await WriteRawAsync("{\"current\":\"https://gate.example.org\",\"servers\":{\"https://gate.example.org\":null}}"u8.ToArray());
        (await _terminal.RunAsync("devices")).ShouldBe(3);
        _terminal.Error.ShouldContain("Not signed in to https://gate.example.org");
    }

    [Fact]
    public async Task A_saved_address_is_checked_like_a_given_one()
    {
        await WriteRawAsync("{\"current\":\"http://gate.example.org\",\"servers\":{\"http://gate.example.org\":{\"token\":\"one\"}}}"u8.ToArray());
        (await _terminal.RunAsync("devices")).ShouldBe(2);
        _terminal.Error.ShouldContain("plain HTTP");
    }

    [Fact]
    public async Task A_file_that_is_far_too_large_is_not_read()
    {
        await WriteRawAsync(new byte[1024 * 1024]);
        await Refused("far too large");
    }

    [Theory]
    [InlineData(UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.OtherRead)]
    [InlineData(UnixFileMode.GroupWrite)]
    [InlineData(UnixFileMode.OtherWrite)]
    public async Task A_file_that_others_can_read_or_write_is_not_used(UnixFileMode others)
    {
        await WriteRawAsync("{}"u8.ToArray());
        (await ReadAsync()).ShouldNotBeNull();
        File.SetUnixFileMode(_terminal.ConfigFile, UnixFileMode.UserRead | UnixFileMode.UserWrite | others);
        await Refused("others");
    }

    [Fact]
    public async Task A_place_that_can_t_be_written_is_told()
    {
        await File.WriteAllTextAsync(_terminal.ConfigFolder, "a file where the folder should be", Stop);
        var failure = await Store.WriteAsync(new SavedLogins(), Stop);
        failure!.ExitCode.ShouldBe(1);
        failure.Message.ShouldContain(_terminal.ConfigFile);
    }

    [Theory]
    [InlineData("/xdg", "/home/anna", "/xdg/countersign/config.json")]
    [InlineData("relative", "/home/anna", "/home/anna/.config/countersign/config.json")]
    [InlineData("", "/home/anna", "/home/anna/.config/countersign/config.json")]
    [InlineData(null, "/home/anna", "/home/anna/.config/countersign/config.json")]
    public void The_file_is_where_the_desktop_specification_says(string? xdg, string home, string expected) =>
        LoginStore.For(name => name switch { "XDG_CONFIG_HOME" => xdg, "HOME" => home, _ => null }).FilePath.ShouldBe(expected);

    [Fact]
    public void What_holds_a_token_does_not_show_it_as_text()
    {
        new SavedLogin { Token = "hunter2" }.ToString()!.ShouldNotContain("hunter2");
        new SignInAnswer { Token = "hunter2" }.ToString()!.ShouldNotContain("hunter2");
        new SignInRequest { Login = "anna", Password = "hunter2", Label = "" }.ToString()!.ShouldNotContain("hunter2");
        new PasswordChange { Current = "hunter2", New = "hunter2" }.ToString()!.ShouldNotContain("hunter2");
    }

    public void Dispose() => _terminal.Dispose();

    private static ServerAddress Address(string text)
    {
        ServerAddress.Parse(text).TryGet(out var address, out _).ShouldBeTrue();
        return address!;
    }

    private async Task<SavedLogins> ReadAsync()
    {
        (await Store.ReadAsync(Stop)).TryGet(out var saved, out var failure).ShouldBeTrue(failure?.Message);
        return saved!;
    }

    private async Task Refused(string because)
    {
        (await Store.ReadAsync(Stop)).TryGet(out _, out var failure).ShouldBeFalse();
        failure!.ExitCode.ShouldBe(3);
        $"{failure.Message} {failure.Advice}".ShouldContain(because);
    }

    private async Task WriteRawAsync(byte[] content)
    {
        Directory.CreateDirectory(_terminal.ConfigFolder);
        await using var file = new FileStream(_terminal.ConfigFile, new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        await file.WriteAsync(content, Stop);
    }
}
