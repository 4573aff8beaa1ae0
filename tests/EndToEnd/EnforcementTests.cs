using System.Text.Json.Nodes;
using Countersign.EndToEnd.Fixtures;

namespace Countersign.EndToEnd;

/// <summary>A session that runs ends when what allowed it is gone, and says why.</summary>
public sealed class EnforcementTests : IAsyncLifetime
{
    private TestGateway _gateway = null!;

    public async ValueTask InitializeAsync() => _gateway = await TestGateway.StartAsync();

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Fact]
    public async Task Disabling_the_person_ends_the_session_and_the_connection()
    {
        await using var ssh = await RunningAsync();
        await _gateway.Owner.PostAsync($"technicians/{_gateway.Tina.Id}/disable");
        var outcome = await ssh.EndAsync();
        outcome.Error.ShouldContain("your account was disabled");
        await EndedAsync("personDisabled");
        (await _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, "true")).Error.ShouldContain("Permission denied");
    }

    [Fact]
    public async Task Removing_the_grant_ends_the_session_and_leaves_the_connection()
    {
        await using var ssh = await RunningAsync();
        await _gateway.Owner.DeleteAsync($"grants/{_gateway.TinasGrant}");
        var outcome = await ssh.EndAsync();
        outcome.ExitCode.ShouldBe(77, outcome.ToString());
        outcome.Error.ShouldContain("countersign: session ended: your access was taken away");
        await EndedAsync("permissionRevoked");
    }

    [Fact]
    public async Task A_grant_that_is_replaced_by_another_keeps_the_session()
    {
        await using var ssh = await RunningAsync();
        await _gateway.GrantAsync(_gateway.Tina, _gateway.Role);
        await _gateway.Owner.DeleteAsync($"grants/{_gateway.TinasGrant}");
        await ssh.Input.WriteAsync("echo still here\nexit 4\n"u8.ToArray(), TestContext.Current.CancellationToken);
        await ssh.Input.FlushAsync(TestContext.Current.CancellationToken);
        var outcome = await ssh.EndAsync();
        outcome.ExitCode.ShouldBe(4, outcome.ToString());
        outcome.Text.ShouldContain("still here");
    }

    [Fact]
    public async Task Disabling_the_device_ends_the_session()
    {
        await using var ssh = await RunningAsync();
        var patch = new JsonObject { ["enabled"] = false };
        (await _gateway.Owner.SendAsync(HttpMethod.Patch, $"devices/{_gateway.DeviceId}", patch)).Status.ShouldBe(System.Net.HttpStatusCode.OK);
        var outcome = await ssh.EndAsync();
        outcome.Error.ShouldContain("the device was removed or switched off");
        await EndedAsync("deviceRemoved");
    }

    [Fact]
    public async Task Somebody_with_the_right_ends_the_session_by_name()
    {
        await using var ssh = await RunningAsync();
        var session = (await _gateway.SessionsAsync("live")).Single();
        await _gateway.Owner.PostAsync($"sessions/{session["id"]}/end", new() { ["reason"] = "maintenance" });
        var outcome = await ssh.EndAsync();
        outcome.ExitCode.ShouldBe(77, outcome.ToString());
        outcome.Error.ShouldContain("countersign: session ended: terminated by Olga: maintenance");
        await EndedAsync("terminated");
    }

    [Fact]
    public async Task A_session_is_not_to_be_seen_or_ended_by_those_without_the_right()
    {
        await using var ssh = await RunningAsync();
        var id = (string)(await _gateway.SessionsAsync("live")).Single()["id"]!;
        var nora = await _gateway.AddPersonAsync("nora");
        using var api = await _gateway.SignInAsync(nora);
        (await api.GetAsync("sessions"))["items"]!.AsArray().ShouldBeEmpty();
        (await api.SendAsync(HttpMethod.Get, $"sessions/{id}")).Status.ShouldBe(System.Net.HttpStatusCode.NotFound);
        (await api.SendAsync(HttpMethod.Post, $"sessions/{id}/end", [])).Status.ShouldBe(System.Net.HttpStatusCode.NotFound);
        ssh.HasExited.ShouldBeFalse();
    }

    [Fact]
    public async Task A_lost_device_ends_the_session_with_a_sentence()
    {
        await using var ssh = await RunningAsync();
        _gateway.Sshd.Crash();
        var outcome = await ssh.EndAsync();
        outcome.ExitCode.ShouldBe(69, outcome.ToString());
        outcome.Error.ShouldContain("countersign: the connection to web01 was lost");
        await EndedAsync("connectionLost");
    }

    [Fact]
    public async Task Stopping_the_server_ends_the_session_with_its_true_reason()
    {
        await using var ssh = await RunningAsync();
        await _gateway.Server.DisposeAsync();
        var outcome = await ssh.EndAsync();
        outcome.Error.ShouldContain("the gateway is stopping");
    }

    /// <summary>A shell of Tina's, without a terminal, that has said its first word.</summary>
    private async Task<RunningCommand> RunningAsync()
    {
        var ssh = _gateway.Client.StartSsh("tina+web01", _gateway.Tina.ByKey);
        await ssh.Input.WriteAsync("echo started\n"u8.ToArray(), TestContext.Current.CancellationToken);
        await ssh.Input.FlushAsync(TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(() => ssh.OutputSoFar.Contains("started", StringComparison.Ordinal), "the session to start", () => ssh.ErrorSoFar);
        return ssh;
    }

    private async Task<JsonNode> EndedAsync(string reason)
    {
        var session = await _gateway.EndedSessionAsync();
        ((string)session["reason"]!).ShouldBe(reason);
        return session;
    }
}
