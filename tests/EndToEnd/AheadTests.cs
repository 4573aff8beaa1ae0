using System.Text.Json.Nodes;
using Countersign.EndToEnd.Fixtures;

namespace Countersign.EndToEnd;

/// <summary>Tina may ask for access to web01, Mara accepts there: the stock client before, within and after. The server's clocks are moved.</summary>
public sealed class AheadTests : IAsyncLifetime
{
    private readonly MovedTime _time = new();
    private TestGateway _gateway = null!;
    private Api _mara = null!;
    private Api _tina = null!;

    public async ValueTask InitializeAsync()
    {
        _gateway = await TestGateway.StartAsync(options => options with { Time = _time });
        var mara = await _gateway.AddPersonAsync("mara");
        await _gateway.GrantAsync(mara, await RoleAsync("Accept access requests"));
        await _gateway.GrantAsync(_gateway.Tina, await RoleAsync("Request access"));
        await _gateway.Owner.DeleteAsync($"grants/{_gateway.TinasGrant}");
        (_mara, _tina) = (await _gateway.SignInAsync(mara), await _gateway.SignInAsync(_gateway.Tina));
    }

    public async ValueTask DisposeAsync()
    {
        _mara.Dispose();
        _tina.Dispose();
        await _gateway.DisposeAsync();
    }

    [Fact]
    public async Task Refused_before_on_request_approved_in_warned_and_cut_at_the_end()
    {
        var before = await _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, "echo in");
        before.ExitCode.ShouldBe(77, before.ToString());
        before.Error.ShouldContain("web01 is on request: ask for access first, with countersign request web01 --for 1h");
        var number = await AskAsync(new() { ["kind"] = "fromApproval", ["duration"] = "30m" });
        (await _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, "echo in")).ExitCode.ShouldBe(77);
        await _mara.PostAsync($"requests/{number}/approve");

        await using var ssh = await RunningAsync();
        await using var second = await RunningAsync();
        ((string)(await _gateway.SessionsAsync("live"))[0]["endsBecause"]!).ShouldBe("windowOver");
        _time.Move(TimeSpan.FromMinutes(26));
        await SaysAsync(ssh, "countersign: this session ends in ");
        ssh.ErrorSoFar.ShouldContain($"the time of your access is over; for more time: countersign extend {number} --for 1h");
        await EchoesAsync(ssh, "still here");
        _time.Move(TimeSpan.FromMinutes(4));
        foreach (var one in (RunningCommand[])[ssh, second])
        {
            var outcome = await one.EndAsync();
            outcome.ExitCode.ShouldBe(77, outcome.ToString());
            outcome.Error.ShouldContain("countersign: session ended: the time of your access is over");
        }

        (await _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, "echo in")).ExitCode.ShouldBe(77);
        await Eventually.TrueAsync(async () => (string)(await _tina.GetAsync($"requests/{number}"))["state"]! == "ended", "the request to have ended");
    }

    [Fact]
    public async Task More_time_that_is_approved_keeps_the_session_alive()
    {
        var number = await AskAsync(new() { ["kind"] = "fromFirstUse", ["duration"] = "30m", ["latestStart"] = _time.GetUtcNow().AddHours(4).ToString("O") });
        await _mara.PostAsync($"requests/{number}/approve");
        _time.Move(TimeSpan.FromHours(3));
        await using var ssh = await RunningAsync();
        _time.Move(TimeSpan.FromMinutes(26));
        await SaysAsync(ssh, "countersign: this session ends in ");
        var more = (long)(await _tina.PostAsync($"requests/{number}/extension", new() { ["duration"] = "1h" }))["items"]![0]!["number"]!;
        await _mara.PostAsync($"requests/{more}/approve");
        await SaysAsync(ssh, $"countersign: request #{more}: approved by mara the technician; your access holds until ");
        for (var time = 0; time < 3; time++)
        {
            await EchoesAsync(ssh, $"still here {time}");
            _time.Move(TimeSpan.FromMinutes(20));
        }

        await EchoesAsync(ssh, "still here");

        _time.Move(TimeSpan.FromMinutes(5));
        var outcome = await ssh.EndAsync();
        outcome.ExitCode.ShouldBe(77, outcome.ToString());
        outcome.Error.ShouldContain("countersign: session ended: the time of your access is over");
    }

    [Fact]
    public async Task Revoking_ends_the_session_at_once()
    {
        var number = await AskAsync(new() { ["kind"] = "fixed", ["to"] = _time.GetUtcNow().AddHours(1).ToString("O") });
        await _mara.PostAsync($"requests/{number}/approve");
        await using var ssh = await RunningAsync();
        await _mara.PostAsync($"requests/{number}/revoke", new() { ["reason"] = "enough" });
        var outcome = await ssh.EndAsync();
        outcome.ExitCode.ShouldBe(77, outcome.ToString());
        outcome.Error.ShouldContain("countersign: session ended: the approval was revoked by mara the technician: enough");
    }

    private async Task<long> AskAsync(JsonObject time) => (long)(await _tina.PostAsync("requests", new()
    {
        ["devices"] = new JsonArray(_gateway.DeviceId),
        ["time"] = time,
        ["reason"] = "upgrade",
    }))["items"]!.AsArray().ShouldHaveSingleItem()!["number"]!;

    private async Task<string> RoleAsync(string name) =>
        (string)(await _gateway.Owner.GetAsync("roles"))["items"]!.AsArray().Single(role => (string)role!["name"]! == name)!["id"]!;

    private async Task<RunningCommand> RunningAsync()
    {
        var ssh = _gateway.Client.StartSsh("tina+web01", _gateway.Tina.ByKey);
        await EchoesAsync(ssh, "started");
        return ssh;
    }

    private static async Task EchoesAsync(RunningCommand ssh, string text)
    {
        await ssh.Input.WriteAsync(System.Text.Encoding.UTF8.GetBytes($"echo {text}\n"), TestContext.Current.CancellationToken);
        await ssh.Input.FlushAsync(TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(() => ssh.OutputSoFar.Contains($"{text}\n", StringComparison.Ordinal), text, () => ssh.ErrorSoFar);
    }

    private static Task SaysAsync(RunningCommand ssh, string text) =>
        Eventually.TrueAsync(() => ssh.ErrorSoFar.Contains(text, StringComparison.Ordinal), text, () => ssh.ErrorSoFar);
}
