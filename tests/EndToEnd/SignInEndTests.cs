using System.Text.Json.Nodes;
using Countersign.EndToEnd.Fixtures;

namespace Countersign.EndToEnd;

/// <summary>What ends with the key, the password or the sign-in that it hangs on.</summary>
public sealed class SignInEndTests : IAsyncLifetime
{
    private const string Another = "another lantern for the marble orchard 17";

    private TestGateway _gateway = null!;
    private Api _tina = null!;

    public async ValueTask InitializeAsync()
    {
        _gateway = await TestGateway.StartAsync();
        _tina = await _gateway.SignInAsync(_gateway.Tina);
    }

    public async ValueTask DisposeAsync()
    {
        _tina.Dispose();
        await _gateway.DisposeAsync();
    }

    [Fact]
    public async Task Removing_a_key_ends_the_connections_that_it_opened_and_no_others()
    {
        await using var byKey = await RunningAsync(_gateway.Tina.ByKey);
        await using var byPassword = await RunningAsync(_gateway.Tina.ByPassword);
        var key = (await _tina.GetAsync("me/keys"))["items"]!.AsArray().Single()!;
        await _tina.DeleteAsync($"me/keys/{key["id"]}");
        var ended = await byKey.EndAsync();
        ended.ExitCode.ShouldBe(255, ended.ToString());
        ended.Error.ShouldContain("the key was removed");
        await EchoesAsync(byPassword);
        (await _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, "true")).Error.ShouldContain("Permission denied");
    }

    [Fact]
    public async Task Changing_the_password_ends_the_connections_that_the_old_one_opened_and_no_others()
    {
        await using var byKey = await RunningAsync(_gateway.Tina.ByKey);
        await using var byPassword = await RunningAsync(_gateway.Tina.ByPassword);
        await _tina.PostAsync("me/password", new() { ["current"] = _gateway.Tina.Password, ["new"] = Another });
        (await byPassword.EndAsync()).Error.ShouldContain("the password was changed");
        await EchoesAsync(byKey);
    }

    [Fact]
    public async Task Signing_out_everywhere_else_ends_every_connection_and_one_is_ended_by_its_id()
    {
        await using var one = await RunningAsync(_gateway.Tina.ByKey);
        var shown = (await SignInsAsync()).Single(item => (string)item["kind"]! == "ssh");
        ((string)shown["address"]!, (string)shown["signIn"]!).ShouldBe(("127.0.0.1", "oneFactor"));
        ((string)shown["client"]!).ShouldStartWith("SHA256:");
        await using var two = await RunningAsync(_gateway.Tina.ByPassword);
        await _tina.DeleteAsync($"me/sign-ins/{shown["id"]}");
        (await one.EndAsync()).Error.ShouldContain("it was signed out from elsewhere");
        await EchoesAsync(two);
        await _tina.DeleteAsync("me/sign-ins");
        (await two.EndAsync()).Error.ShouldContain("it was signed out from elsewhere");
        await Eventually.TrueAsync(async () => (await SignInsAsync()).Count == 1, "the connections to be gone from the list");
    }

    [Fact]
    public async Task Who_has_to_change_a_password_first_is_told_so_once_it_was_right_and_not_let_in()
    {
        await _gateway.Owner.PostAsync("technicians", new() { ["kind"] = "technician", ["login"] = "theo", ["name"] = "Theo", ["password"] = Another });
        const string Told = "Your password has to be changed first. Run: countersign login";
        foreach (var right in (Credential[])[Credential.OfPassword(Another), Credential.Interactive(Another)])
        {
            var outcome = await _gateway.Client.SshAsync("theo+web01", right, "true");
            outcome.Error.ShouldContain(Told);
            outcome.Error.ShouldContain("Permission denied");
        }

        (await _gateway.Client.SshAsync("theo+web01", Credential.OfPassword("wrong"), "true")).Error.ShouldNotContain("password has to be changed");
    }

    private async Task<IReadOnlyList<JsonNode>> SignInsAsync() => [.. (await _tina.GetAsync("me/sign-ins"))["items"]!.AsArray().Select(item => item!)];

    private async Task<RunningCommand> RunningAsync(Credential credential)
    {
        var ssh = _gateway.Client.StartSsh("tina+web01", credential, "echo ready; cat");
        await Eventually.TrueAsync(() => ssh.OutputSoFar.Contains("ready", StringComparison.Ordinal), "the command to run", () => ssh.ErrorSoFar);
        return ssh;
    }

    private static async Task EchoesAsync(RunningCommand ssh)
    {
        await ssh.Input.WriteAsync("still here\n"u8.ToArray(), TestContext.Current.CancellationToken);
        await ssh.Input.FlushAsync(TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(() => ssh.OutputSoFar.Contains("still here", StringComparison.Ordinal), "the session to go on", () => ssh.ErrorSoFar);
    }
}
