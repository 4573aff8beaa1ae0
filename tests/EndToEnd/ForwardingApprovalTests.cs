using System.Net;
using System.Net.Sockets;
using Countersign.EndToEnd.Fixtures;
using Countersign.Server.Features.Requests;
using Countersign.Server.Platform;
using Microsoft.Extensions.DependencyInjection;

namespace Countersign.EndToEnd;

/// <summary>Forwarded connections that need approval: what the stock client and the program behind it see while they wait, and how it ends.</summary>
public sealed class ForwardingApprovalTests : IAsyncLifetime
{
    private readonly EchoService _service = new();
    private readonly TempFolder _folder = new();
    private TestGateway _gateway = null!;

    public async ValueTask InitializeAsync()
    {
        _gateway = await TestGateway.StartAsync();
        await _gateway.GrantAsync(_gateway.Tina, await _gateway.AddRoleAsync("Tunnels", "Tunnel"));
        await _gateway.Owner.PutAsync("settings/organization/managerialApproval", new() { ["value"] = "required" });
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _service.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task What_is_sent_meanwhile_waits_in_the_client_and_goes_through_once_it_is_approved()
    {
        await using var ssh = StartStdio();
        await ssh.SendAsync("ahead"u8.ToArray());
        var number = await WaitingAsync();
        ssh.HasExited.ShouldBeFalse();
        _service.Accepted.ShouldBe(0);
        await _gateway.Owner.PostAsync($"requests/{number}/approve");
        var outcome = await ssh.EndAsync();
        outcome.Text.ShouldBe("ahead", outcome.ToString());
        ((string)(await RequestAsync(number))["state"]!).ShouldBe("used");
        ((string)(await _gateway.EndedSessionAsync())["command"]!).ShouldBe(_service.Address);
    }

    [Fact]
    public async Task A_refusal_is_told_with_who_and_why_and_nothing_reaches_the_device()
    {
        await using var ssh = StartStdio();
        var number = await WaitingAsync();
        await _gateway.Owner.PostAsync($"requests/{number}/reject", new() { ["reason"] = "not at night" });
        var outcome = await ssh.EndAsync();
        outcome.ExitCode.ShouldBe(255, outcome.ToString());
        outcome.Error.ShouldContain($"request #{number}: rejected by Olga: not at night");
        (await _gateway.SessionsAsync("ended")).ShouldBeEmpty();
        _gateway.Sshd.Log.ShouldNotContain("Accepted");
    }

    [Fact]
    public async Task One_that_nobody_decides_expires_and_that_is_told()
    {
        await _gateway.Owner.PutAsync("settings/organization/approvalStatusChangeToExpire", new() { ["value"] = "2s" });
        var outcome = await _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, null, default, "-W", _service.Address);
        outcome.ExitCode.ShouldBe(255, outcome.ToString());
        outcome.Error.ShouldContain("request #1: expired");
    }

    [Fact]
    public async Task One_that_its_requester_takes_back_is_refused()
    {
        using var tina = await _gateway.SignInAsync(_gateway.Tina);
        await using var ssh = StartStdio();
        var number = await WaitingAsync();
        await tina.PostAsync($"requests/{number}/cancel");
        var outcome = await ssh.EndAsync();
        outcome.ExitCode.ShouldBe(255, outcome.ToString());
        outcome.Error.ShouldContain($"request #{number}: ");
        (await _gateway.SessionsAsync("ended")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_client_that_is_gone_cancels_what_all_of_its_connections_wait_for()
    {
        var socket = _folder["local"];
        var ssh = Listen(socket, "-N");
        await Eventually.TrueAsync(() => File.Exists(socket), "ssh to listen", () => ssh.ErrorSoFar);
        using var one = await EchoService.ConnectAsync(socket);
        using var other = await EchoService.ConnectAsync(socket);
        var number = await WaitingAsync();
        await ssh.DisposeAsync();
        await Eventually.TrueAsync(async () => (string)(await RequestAsync(number))["state"]! == "cancelled", "the request to be cancelled");
        (await _gateway.Owner.SendAsync(HttpMethod.Post, $"requests/{number}/approve", [])).Status.ShouldBe(HttpStatusCode.Conflict);
        _gateway.Sshd.Log.ShouldNotContain("Accepted");
    }

    [Fact]
    public async Task Many_wait_for_one_approval_and_all_of_them_come_through()
    {
        var socket = _folder["local"];
        await using var ssh = Listen(socket, "-N");
        await Eventually.TrueAsync(() => File.Exists(socket), "ssh to listen", () => ssh.ErrorSoFar);
        var all = new List<Socket>();
        try
        {
            for (var number = 0; number < 10; number++) all.Add(await EchoService.ConnectAsync(socket));
            var asked = await WaitingAsync();
            var services = _gateway.Server.Services;
            var organization = services.GetRequiredService<PolicySource>().All.Single().Organization;
            await Eventually.TrueAsync(() => services.GetRequiredService<WaitingConnections>().Count(organization, asked) == all.Count, "all of them to wait for the same request", () => ssh.ErrorSoFar);
            await _gateway.Owner.PostAsync($"requests/{asked}/approve");
            foreach (var one in all) (await EchoService.AskAsync(one, 7)).ShouldBe(7, ssh.ErrorSoFar);
            (await _gateway.SessionsAsync("live")).Count.ShouldBe(all.Count);
        }
        finally
        {
            foreach (var one in all) one.Dispose();
        }
    }

    [Fact]
    public async Task A_program_that_does_not_wait_that_long_leaves_nothing_open_behind_it()
    {
        var socket = _folder["local"];
        await using var ssh = Listen(socket, "-N");
        await Eventually.TrueAsync(() => File.Exists(socket), "ssh to listen", () => ssh.ErrorSoFar);
        (await EchoService.ConnectAsync(socket)).Dispose();
        var number = await WaitingAsync();
        await _gateway.Owner.PostAsync($"requests/{number}/approve");
        ((string)(await _gateway.EndedSessionAsync())["reason"]!).ShouldBe("completed");
        (await _gateway.SessionsAsync("live")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_session_of_the_same_connection_shows_what_its_forwarded_connections_wait_for_once()
    {
        await _gateway.Owner.PutAsync("settings/organization/approvalReasonRequired", new() { ["value"] = "true" });
        var socket = _folder["local"];
        await using var ssh = Listen(socket, "-o", "SetEnv=LC_REASON=ticket-7");
        var first = await WaitingAsync();
        await _gateway.Owner.PostAsync($"requests/{first}/approve");
        await Eventually.TrueAsync(() => ssh.OutputSoFar == "in\n", "the session to start", () => ssh.ErrorSoFar);
        using var one = await EchoService.ConnectAsync(socket);
        using var other = await EchoService.ConnectAsync(socket);
        var number = await WaitingAsync();
        number.ShouldBe(first + 1);
        ((string)(await RequestAsync(number))["reason"]!).ShouldBe("ticket-7");
        await _gateway.Owner.PostAsync($"requests/{number}/approve");
        (await EchoService.AskAsync(one, 1)).ShouldBe(1, ssh.ErrorSoFar);
        (await EchoService.AskAsync(other, 2)).ShouldBe(2, ssh.ErrorSoFar);
        await Eventually.TrueAsync(
            () => ssh.ErrorSoFar.Contains($"countersign: forwarded connections: request #{number}: approved by Olga", StringComparison.Ordinal), "ssh to tell of the approval", () => ssh.ErrorSoFar);
        ssh.ErrorSoFar.Split($"countersign: forwarded connections: request #{number}: web01 needs approval.").Length.ShouldBe(2, ssh.ErrorSoFar);
    }

    [Fact]
    public async Task Without_a_session_a_talkative_client_shows_it_and_one_that_needs_a_reason_says_where_to_give_it()
    {
        await using (var ssh = _gateway.Client.StartSsh("tina+web01", _gateway.Tina.ByKey, null, "-v", "-W", _service.Address))
        {
            var number = await WaitingAsync();
            await Eventually.TrueAsync(
                () => ssh.ErrorSoFar.Contains($"forwarded connections: request #{number}: web01 needs approval. ", StringComparison.Ordinal), "ssh to say what it waits for", () => ssh.ErrorSoFar);
        }

        await _gateway.Owner.PutAsync("settings/organization/approvalReasonRequired", new() { ["value"] = "true" });
        var outcome = await _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, null, default, "-W", _service.Address);
        outcome.Error.ShouldContain("web01 needs approval, and a reason for it. Give it in a session of the same connection");
    }

    private RunningCommand StartStdio() => _gateway.Client.StartSsh("tina+web01", _gateway.Tina.ByKey, null, "-W", _service.Address);

    /// <summary>A client that listens; with <c>-N</c> it opens no session.</summary>
    private RunningCommand Listen(string socket, params string[] options) =>
        _gateway.Client.StartSsh("tina+web01", _gateway.Tina.ByKey, options.Contains("-N") ? null : "echo in; cat", [.. options, "-L", $"{socket}:{_service.Address}"]);

    /// <returns>The number of the one request that waits.</returns>
    private async Task<long> WaitingAsync()
    {
        var waiting = await Eventually.SomeAsync(
            async () => (await _gateway.Owner.GetAsync("requests?for=me"))["items"]!.AsArray().SingleOrDefault(item => (string)item!["state"]! == "waiting"), "a request to wait");
        return (long)waiting["number"]!;
    }

    private async Task<System.Text.Json.Nodes.JsonNode> RequestAsync(long number) => await _gateway.Owner.GetAsync($"requests/{number}");
}
