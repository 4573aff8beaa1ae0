using System.Text.Json;

namespace Countersign.Cli.AgainstTheServer;

public sealed class SigningInTests : IAsyncLifetime
{
    private readonly FakeTerminal _terminal = new();
    private LiveServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await LiveServer.StartAsync();

    [Fact]
    public async Task Signing_in_keeps_a_token_that_is_never_shown_and_signing_out_ends_it()
    {
        _terminal.Input = LiveServer.Password + "\n";
        (await _terminal.RunAsync("login", "--server", _server.Address, "--password-stdin", "olga")).ShouldBe(0, _terminal.Error);
        _terminal.Output.ShouldStartWith($"Signed in to {_server.Address} as olga, until ");
        var token = await SavedTokenAsync();
        token.ShouldNotBeNullOrEmpty();
        _terminal.Output.ShouldNotContain(token);
        File.GetUnixFileMode(_terminal.ConfigFile).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);

        (await _terminal.RunAsync("whoami")).ShouldBe(0, _terminal.Error);
        _terminal.Output.ShouldStartWith("olga (Olga Owner)");
        _terminal.Output.ShouldContain("Organization: Example\n");
        _terminal.Output.ShouldContain($"Server: {_server.Address}\n");

        (await _terminal.RunAsync("logout")).ShouldBe(0, _terminal.Error);
        (await SavedTokenAsync()).ShouldBeNull();
        (await _terminal.RunAsync("whoami")).ShouldBe(3);
        (await _terminal.RunAsync("whoami", "--token", token)).ShouldBe(3);
        _terminal.Error.ShouldContain("does not accept the token");
        _terminal.Error.ShouldNotContain(token);
    }

    [Fact]
    public async Task A_person_is_asked_for_what_is_missing()
    {
        _terminal.CanAsk = true;
        _terminal.Input = "olga\n";
        _terminal.Secrets.Enqueue(LiveServer.Password);
        _terminal["COUNTERSIGN_SERVER"] = _server.Address;
        (await _terminal.RunAsync("login")).ShouldBe(0, _terminal.Error);
        _terminal.Error.ShouldContain("Login at " + _server.Address);
        _terminal.Error.ShouldContain("Password of olga: ");
        (await _terminal.RunAsync("whoami")).ShouldBe(0, _terminal.Error);
    }

    [Fact]
    public async Task Somebody_changes_their_password_on_the_terminal_or_from_the_input_and_never_on_the_command_line()
    {
        const string Second = "amber-lantern-orchid-73";
        const string Third = "violet-tractor-anthem-08";
        _terminal.CanAsk = true;
        _terminal.Secrets.Enqueue(LiveServer.Password);
        (await _terminal.RunAsync("login", "--server", _server.Address, "olga")).ShouldBe(0, _terminal.Error);

        foreach (var secret in (string[])[LiveServer.Password, Second, "another"]) _terminal.Secrets.Enqueue(secret);
        (await _terminal.RunAsync("password")).ShouldBe(2);
        _terminal.Error.ShouldContain("The two are not the same.");
        foreach (var secret in (string[])[LiveServer.Password, Second, Second]) _terminal.Secrets.Enqueue(secret);
        (await _terminal.RunAsync("password")).ShouldBe(0, _terminal.Error);
        _terminal.Output.ShouldBe("Your password is changed. You are signed in here still, and nowhere else.\n");

        _terminal.Input = $"{LiveServer.Password}\n{Third}\n";
        (await _terminal.RunAsync("password", "--password-stdin")).ShouldBe(1);
        _terminal.Error.ShouldContain("current: This is not the password.");
        _terminal.Input = Second + "\n";
        (await _terminal.RunAsync("password", "--password-stdin")).ShouldBe(2);
        _terminal.Input = $"{Second}\n{Third}\n";
        (await _terminal.RunAsync("password", "--password-stdin", "--json")).ShouldBe(0, _terminal.Error);
        _terminal.Output.ShouldBeEmpty();
        (await _terminal.RunAsync("password", Third)).ShouldBe(2);
        (await _terminal.RunAsync("whoami")).ShouldBe(0, _terminal.Error);

        _terminal.CanAsk = false;
        (await _terminal.RunAsync("password")).ShouldBe(2);
        _terminal.Error.ShouldContain("--password-stdin");
    }

    [Theory]
    [InlineData("olga", "wrong")]
    [InlineData("nobody", LiveServer.Password)]
    [InlineData("not a login", LiveServer.Password)]
    public async Task A_wrong_password_and_an_unknown_login_end_alike_and_save_nothing(string login, string password)
    {
        _terminal.Input = password + "\n";
        (await _terminal.RunAsync("login", "--server", _server.Address, "--password-stdin", login)).ShouldBe(1);
        _terminal.Output.ShouldBeEmpty();
        _terminal.Error.ShouldBe(
            $"countersign: {_server.Address} does not let {login} in.\nThe login or the password is wrong, or the person may not sign in.\n");
        File.Exists(_terminal.ConfigFile).ShouldBeFalse();
    }

    [Fact]
    public async Task The_machine_form_of_signing_in_has_no_token_either()
    {
        _terminal.Input = LiveServer.Password;
        (await _terminal.RunAsync("login", "--json", "--server", _server.Address, "--password-stdin", "olga")).ShouldBe(0, _terminal.Error);
        using var answer = JsonDocument.Parse(_terminal.Output);
        answer.RootElement.GetProperty("person").GetProperty("login").GetString().ShouldBe("olga");
        _terminal.Output.ShouldNotContain((await SavedTokenAsync())!);
    }

    [Fact]
    public async Task The_machine_form_is_what_the_api_answers()
    {
        await SignInAsync();
        (await _terminal.RunAsync("whoami", "--json")).ShouldBe(0, _terminal.Error);
        using var me = JsonDocument.Parse(_terminal.Output);
        me.RootElement.GetProperty("person").GetProperty("name").GetString().ShouldBe("Olga Owner");
        me.RootElement.GetProperty("organization").GetProperty("name").GetString().ShouldBe("Example");
        me.RootElement.GetProperty("scopes").GetArrayLength().ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task A_saved_token_goes_only_to_the_server_that_gave_it_and_each_server_has_its_own()
    {
        await using var other = await LiveServer.StartAsync();
        await SignInAsync();
        (await _terminal.RunAsync("whoami", "--server", other.Address)).ShouldBe(3);
        _terminal.Error.ShouldContain("Not signed in to " + other.Address);
        _terminal.Input = LiveServer.Password;
        (await _terminal.RunAsync("login", "--server", other.Address, "--password-stdin", "olga")).ShouldBe(0, _terminal.Error);
        (await _terminal.RunAsync("whoami")).ShouldBe(0);
        _terminal.Output.ShouldContain(other.Address);
        (await _terminal.RunAsync("whoami", "--server", _server.Address)).ShouldBe(0);
        _terminal.Output.ShouldContain(_server.Address);
    }

    [Fact]
    public async Task A_token_from_the_environment_needs_no_saved_login()
    {
        await SignInAsync();
        var token = await SavedTokenAsync();
        using var elsewhere = new FakeTerminal();
        elsewhere["COUNTERSIGN_TOKEN"] = token!;
        elsewhere["COUNTERSIGN_SERVER"] = _server.Address;
        (await elsewhere.RunAsync("whoami")).ShouldBe(0, elsewhere.Error);
        elsewhere["COUNTERSIGN_TOKEN"] = "cs_somebody_elses";
        (await elsewhere.RunAsync("whoami")).ShouldBe(3);
        File.Exists(elsewhere.ConfigFile).ShouldBeFalse();
    }

    [Fact]
    public async Task Signing_out_of_a_server_that_is_gone_forgets_the_token_and_says_that_it_stays_valid()
    {
        await SignInAsync();
        await _server.DisposeAsync();
        (await _terminal.RunAsync("logout")).ShouldBe(5);
        _terminal.Error.ShouldContain("stays valid at the server");
        (await SavedTokenAsync()).ShouldBeNull();
        _server = await LiveServer.StartAsync();
    }

    [Fact]
    public async Task Signing_out_with_a_token_that_was_given_ends_that_one_alone()
    {
        await SignInAsync();
        var saved = await SavedTokenAsync();
        (await _terminal.RunAsync("tokens", "create", "--label", "backup", "--scope", "read", "--days", "1", "--json")).ShouldBe(0, _terminal.Error);
        using var made = JsonDocument.Parse(_terminal.Output);
        var given = made.RootElement.GetProperty("token").GetString()!;
        (await _terminal.RunAsync("logout", "--token", given)).ShouldBe(0, _terminal.Error);
        _terminal.Output.ShouldBe($"The token of --token is revoked at {_server.Address}. A saved login stays as it is.\n");
        (await SavedTokenAsync()).ShouldBe(saved);
        (await _terminal.RunAsync("whoami", "--token", given)).ShouldBe(3);
        (await _terminal.RunAsync("whoami")).ShouldBe(0, _terminal.Error);

        // The saved one is what it is, also where it was given.
        _terminal["COUNTERSIGN_TOKEN"] = saved!;
        (await _terminal.RunAsync("logout")).ShouldBe(0, _terminal.Error);
        _terminal.Output.ShouldBe($"Signed out of {_server.Address}.\n");
        (await SavedTokenAsync()).ShouldBeNull();
    }

    [Fact]
    public async Task A_key_is_added_listed_and_removed_once()
    {
        await SignInAsync();
        const string Key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS";
        var file = _terminal.PathOf("id_ed25519.pub");
        await File.WriteAllTextAsync(file, Key + " olga@laptop\n", TestContext.Current.CancellationToken);
        (await _terminal.RunAsync("keys", "list")).ShouldBe(0);
        _terminal.Error.ShouldContain("You have no key here");
        (await _terminal.RunAsync("keys", "add", file)).ShouldBe(0, _terminal.Error);
        _terminal.Output.ShouldStartWith("Added olga@laptop, SHA256:");
        (await _terminal.RunAsync("keys", "add", file)).ShouldBe(1);

        (await _terminal.RunAsync("keys", "list")).ShouldBe(0, _terminal.Error);
        _terminal.Output.ShouldContain("olga@laptop");
        _terminal.Output.ShouldContain("ssh-ed25519");
        (await _terminal.RunAsync("keys", "list", "--json")).ShouldBe(0, _terminal.Error);
        using var list = JsonDocument.Parse(_terminal.Output);
        var id = list.RootElement.GetProperty("items")[0].GetProperty("id").GetString()!;
        (await _terminal.RunAsync("keys", "remove", id)).ShouldBe(0, _terminal.Error);
        (await _terminal.RunAsync("keys", "remove", id)).ShouldBe(4);
        _terminal.Error.ShouldContain("not yours to see");
    }

    [Fact]
    public async Task A_path_behind_which_there_is_no_api_is_not_found()
    {
        (await _terminal.RunAsync("whoami", "--server", _server.Address + "/elsewhere", "--token", "cs_x")).ShouldBe(4);
    }

    public async ValueTask DisposeAsync()
    {
        _terminal.Dispose();
        await _server.DisposeAsync();
    }

    private async Task SignInAsync()
    {
        _terminal.Input = LiveServer.Password;
        (await _terminal.RunAsync("login", "--server", _server.Address, "--password-stdin", "olga")).ShouldBe(0, _terminal.Error);
    }

    private async Task<string?> SavedTokenAsync()
    {
        using var saved = JsonDocument.Parse(await File.ReadAllTextAsync(_terminal.ConfigFile, TestContext.Current.CancellationToken));
        return saved.RootElement.GetProperty("servers").TryGetProperty(_server.Address, out var login) ? login.GetProperty("token").GetString() : null;
    }
}
