using System.Text.Json.Nodes;
using Countersign.EndToEnd.Fixtures;

namespace Countersign.EndToEnd;

/// <summary>What only a real terminal shows of the command line tool; what it says to the server is tested beside it.</summary>
public sealed class CommandLineToolTests : IDisposable
{
    private readonly TempFolder _home = new();

    [Fact]
    public async Task A_password_is_not_shown_while_it_is_typed()
    {
        // Nobody listens on port 1: the tool says so once it has the password, and ends with 5.
        await using var terminal = await StartAsync("login", "--server", "http://127.0.0.1:1", "anna");
        await terminal.WaitForAsync("Password of anna: ");
        await terminal.TypeAsync("hunterX");
        await terminal.PressAsync("BSpace");
        await terminal.EnterAsync("2");
        (await terminal.WaitForEndAsync()).ShouldBe(5);
        var screen = await terminal.ScreenAsync();
        screen.ShouldContain("can't be reached");
        screen.ShouldNotContain("hunter");
    }

    [Fact]
    public async Task An_interrupt_at_the_password_ends_it()
    {
        await using var terminal = await StartAsync("login", "--server", "http://127.0.0.1:1", "anna");
        await terminal.WaitForAsync("Password of anna: ");
        await terminal.PressAsync("C-c");
        (await terminal.WaitForEndAsync()).ShouldBe(130);
    }

    [Fact]
    public async Task A_running_session_is_listed_and_ended_from_the_command_line()
    {
        await using var gateway = await TestGateway.StartAsync();
        await gateway.Owner.PutAsync("settings/organization/maxSession", new() { ["value"] = "1h" });
        await using var ssh = gateway.Client.StartSsh($"{gateway.Tina.Login}+{TestGateway.Device}", gateway.Tina.ByKey, "echo started; cat");
        await Eventually.TrueAsync(() => ssh.OutputSoFar == "started\n", "the session to start", () => ssh.ErrorSoFar);

        var listed = await RunAsync(gateway, "sessions", "--json");
        listed.ExitCode.ShouldBe(0, listed.ToString());
        var id = (string)JsonNode.Parse(listed.Text)!["items"]!.AsArray().ShouldHaveSingleItem()!["id"]!;
        var table = (await RunAsync(gateway, "sessions")).Text;
        table.ShouldContain(id);
        table.ShouldContain(" tina ");
        table.ShouldContain($" {TestGateway.Device} ");
        table.ShouldContain(" command: echo started; cat ");
        table.ShouldContain(" (maximum time) ");

        (await RunAsync(gateway, "end", id, "--reason", "maintenance starts")).ExitCode.ShouldBe(0);
        (await ssh.EndAsync()).Error.ShouldContain("maintenance starts");
        await gateway.EndedSessionAsync();
        (await RunAsync(gateway, "sessions", "--ended")).Text.ShouldContain("terminated by Olga: maintenance starts");
        (await RunAsync(gateway, "sessions")).Error.ShouldContain("No session that you may see is running.");
        (await RunAsync(gateway, "end", id)).ExitCode.ShouldBe(1);
        (await RunAsync(gateway, "end", Guid.NewGuid().ToString())).ExitCode.ShouldBe(4);
    }

    [Fact]
    public async Task A_device_that_shows_another_host_key_is_told_with_the_list()
    {
        await using var gateway = await TestGateway.StartAsync();
        var stale = await Keys.GenerateAsync(_home, "stale");
        await gateway.AddDeviceAsync("web02", gateway.Sshd.Port, stale.PublicLine, gateway.Sshd.ClientKey.PrivateText);
        (await gateway.Client.SshAsync("tina+web02", gateway.Tina.ByKey, "true")).Error.ShouldContain("is not the pinned one");
        var listed = await RunAsync(gateway, "devices");
        listed.ExitCode.ShouldBe(0, listed.ToString());
        listed.Error.ShouldContain("web02 shows another host key than the pinned one: SHA256:");
        listed.Error.ShouldContain("Connections refused: 1.");
        listed.Error.ShouldNotContain("web01");
    }

    [Fact]
    public async Task A_request_is_followed_approved_revoked_and_cancelled_from_the_command_line()
    {
        await using var gateway = await TestGateway.StartAsync();
        await gateway.Owner.PutAsync("settings/organization/managerialApproval", new() { ["value"] = "required" });
        await gateway.Owner.PutAsync("settings/organization/approvalValidFor", new() { ["value"] = "1h; often" });
        await using var following = RunningCommand.Start("dotnet", Arguments("approvals", "--follow"), environment: Environment(gateway));
        await using var ssh = gateway.Client.StartSsh($"{gateway.Tina.Login}+{TestGateway.Device}", gateway.Tina.ByKey, "echo started; cat");
        await Eventually.TrueAsync(() => following.OutputSoFar.Contains("waits for your approval", StringComparison.Ordinal), "the request to be shown", () => following.ErrorSoFar + ssh.ErrorSoFar);
        following.OutputSoFar.ShouldStartWith($"#1  tina on {TestGateway.Device} as ");

        (await RunAsync(gateway, "approve", "1", "--comment", "until noon")).Text.ShouldBe("Request #1 is approved.\n");
        await Eventually.TrueAsync(() => ssh.OutputSoFar == "started\n", "the session to start", () => ssh.ErrorSoFar);
        await Eventually.TrueAsync(() => ssh.ErrorSoFar.Contains("request #1: approved by Olga: until noon", StringComparison.Ordinal), "the comment to be shown", () => ssh.ErrorSoFar);
        (await RunAsync(gateway, "approve", "1")).ExitCode.ShouldBe(1);
        (await RunAsync(gateway, "revoke", "1", "--reason", "enough")).Text.ShouldBe("Request #1 is revoked.\n");
        (await ssh.EndAsync()).Error.ShouldContain("the approval was revoked by Olga: enough");

        using var tina = await gateway.SignInAsync(gateway.Tina);
        await using var again = gateway.Client.StartSsh($"{gateway.Tina.Login}+{TestGateway.Device}", gateway.Tina.ByKey, "true");
        await Eventually.TrueAsync(() => following.OutputSoFar.Contains("\n#2  ", StringComparison.Ordinal), "the next to be shown", () => following.ErrorSoFar);
        await tina.PostAsync("requests/2/cancel");
        var cancelled = await again.EndAsync();
        cancelled.Error.ShouldContain("request #2: cancelled by tina the technician");
        cancelled.ExitCode.ShouldBe(130);
        (await RunAsync(gateway, "approvals")).Error.ShouldContain("No request waits for your approval.");
    }

    [Fact]
    public async Task Plain_ssh_goes_through_the_server_once_it_is_in_the_configuration()
    {
        await using var gateway = await TestGateway.StartAsync();
        await gateway.Owner.PostAsync("me/keys", new() { ["label"] = "test", ["key"] = (await Keys.GenerateAsync(_home, "id")).PublicLine });
        var written = await RunAsync(gateway, "ssh-config", "--write");
        written.ExitCode.ShouldBe(0, written.ToString());
        written.Error.ShouldContain("Include countersign.config");
        var config = Path.Combine(_home.Path, ".ssh", "countersign.config");
        File.GetUnixFileMode(config).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        _home.Write("plain", $"Include {config}\nHost *\n  IdentityFile {_home["id"]}\n  IdentitiesOnly yes\n");
        var plain = await RunningCommand.RunAsync("ssh", ["-F", _home["plain"], TestGateway.Device, "echo through"]);
        plain.Text.ShouldBe("through\n", plain.ToString());
        ((string)(await gateway.EndedSessionAsync())["login"]!).ShouldBe("olga");

        var again = await RunAsync(gateway, "ssh-config", "--write");
        again.Error.ShouldContain("is as it has to be: 1 device.");
        (await RunAsync(gateway, "ssh-config")).Text.ShouldBe(await File.ReadAllTextAsync(config, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Who_has_signed_in_needs_no_key_of_their_own_and_who_has_signed_out_has_none()
    {
        await using var gateway = await TestGateway.StartAsync();
        var environment = Environment(gateway);
        environment.Remove("COUNTERSIGN_TOKEN");
        Task<Outcome> Run(string input, params string[] arguments) =>
            RunningCommand.RunAsync("dotnet", Arguments(arguments), System.Text.Encoding.UTF8.GetBytes(input), environment);
        (await Run(gateway.Tina.Password + "\n", "login", "--password-stdin", "tina")).ExitCode.ShouldBe(0);
        var files = Directory.GetFiles(Path.Combine(_home.Path, "countersign"), "id-*");
        files.Length.ShouldBe(2);
        files.ShouldAllBe(file => File.GetUnixFileMode(file) == (UnixFileMode.UserRead | UnixFileMode.UserWrite));
        var written = await Run("", "ssh-config", "--write");
        written.ExitCode.ShouldBe(0, written.ToString());
        var config = Path.Combine(_home.Path, ".ssh", "countersign.config");
        var plain = await RunningCommand.RunAsync("ssh", ["-F", config, "-o", "IdentityAgent=none", TestGateway.Device, "echo through"]);
        plain.Text.ShouldBe("through\n", plain.ToString());
        var own = await Run("", "ssh", TestGateway.Device, "--", "echo", "as", "well");
        own.Text.ShouldBe("as well\n", own.ToString());

        (await Run("", "logout")).ExitCode.ShouldBe(0);
        Directory.GetFiles(Path.Combine(_home.Path, "countersign"), "id-*").ShouldBeEmpty();
        (await RunningCommand.RunAsync("ssh", ["-F", config, "-o", "IdentityAgent=none", "-o", "BatchMode=yes", TestGateway.Device, "true"])).Error.ShouldContain("Permission denied");
    }

    public void Dispose() => _home.Dispose();

    private Task<Terminal> StartAsync(params string[] arguments) => Terminal.StartAsync(
        ["dotnet", Path.Combine(AppContext.BaseDirectory, "countersign.dll"), .. arguments],
        new Dictionary<string, string> { ["XDG_CONFIG_HOME"] = _home.Path });

    /// <summary>As the owner.</summary>
    private Task<Outcome> RunAsync(TestGateway gateway, params string[] arguments) => RunningCommand.RunAsync(
        "dotnet", Arguments(arguments), environment: Environment(gateway));

    private static string[] Arguments(params string[] arguments) => [Path.Combine(AppContext.BaseDirectory, "countersign.dll"), .. arguments];

    private Dictionary<string, string> Environment(TestGateway gateway) => new()
    {
        ["XDG_CONFIG_HOME"] = _home.Path,
        ["HOME"] = _home.Path,
        ["COUNTERSIGN_SERVER"] = gateway.Server.HttpAddress.AbsoluteUri,
        ["COUNTERSIGN_TOKEN"] = gateway.OwnerToken,
    };
}
