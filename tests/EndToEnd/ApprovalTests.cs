using System.Net;
using System.Text;
using Countersign.EndToEnd.Fixtures;
using Countersign.Ssh;

namespace Countersign.EndToEnd;

/// <summary>Tina's connections need approval, and Mara gives it: the stock client waits, connects, is refused, gives up.</summary>
public sealed class ApprovalTests : IAsyncLifetime
{
    private TestGateway _gateway = null!;
    private Api _mara = null!;
    private string _marasId = "";
    private string _group = "";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _gateway = await TestGateway.StartAsync();
        var mara = await _gateway.AddPersonAsync("mara");
        _marasId = mara.Id;
        _mara = await _gateway.SignInAsync(mara);
        var everyone = (await _gateway.Owner.GetAsync("technician-groups"))["items"]!.AsArray().Single(group => group!["parent"] is null)!["id"]!;
        _group = (string)(await _gateway.Owner.PostAsync("technician-groups", new()
        {
            ["parent"] = (string)everyone!,
            ["name"] = "Night shift",
            ["requiresManagerialApproval"] = true,
        }))["id"]!;
        await _gateway.Owner.PutAsync($"technician-groups/{_group}/members/{_gateway.Tina.Id}");
        await _gateway.Owner.PutAsync($"technician-groups/{_group}/managers/{_marasId}");
    }

    public async ValueTask DisposeAsync()
    {
        _mara.Dispose();
        await _gateway.DisposeAsync();
    }

    [Fact]
    public async Task A_connection_waits_with_number_and_approvers_and_connects_when_approved()
    {
        await using var ssh = Start("echo in; exit 3");
        var number = await WaitingAsync(ssh);
        ssh.ErrorSoFar.ShouldContain($"countersign: request #{number}: web01 needs approval.");
        ssh.ErrorSoFar.ShouldContain("It can be given by mara the technician.");
        ssh.HasExited.ShouldBeFalse();
        await _mara.PostAsync($"requests/{number}/approve", new() { ["comment"] = "go ahead" });
        var outcome = await ssh.EndAsync();
        outcome.ExitCode.ShouldBe(3, outcome.ToString());
        outcome.Text.ShouldBe("in\n");
        outcome.Error.ShouldContain($"countersign: request #{number}: approved by mara the technician: go ahead");
        ((string)(await _mara.GetAsync($"requests/{number}"))["state"]!).ShouldBe("used");
    }

    [Fact]
    public async Task A_rejection_is_told_with_who_and_why()
    {
        await using var ssh = Start("true");
        var number = await WaitingAsync(ssh);
        await _mara.PostAsync($"requests/{number}/reject", new() { ["reason"] = "not at night" });
        var outcome = await ssh.EndAsync();
        outcome.ExitCode.ShouldBe(77, outcome.ToString());
        outcome.Error.ShouldContain($"countersign: request #{number}: rejected by mara the technician: not at night");
        (await _gateway.SessionsAsync("ended")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_request_that_nobody_decides_expires()
    {
        await SetAsync("approvalStatusChangeToExpire", "2s");
        await using var ssh = Start("true");
        var number = await WaitingAsync(ssh);
        var outcome = await ssh.EndAsync();
        outcome.ExitCode.ShouldBe(77, outcome.ToString());
        outcome.Error.ShouldContain($"request #{number}: expired");
    }

    [Fact]
    public async Task Ctrl_C_in_the_terminal_cancels()
    {
        await using var terminal = await _gateway.Client.OpenTerminalAsync("tina+web01", _gateway.Tina.ByKey);
        await terminal.WaitForAsync("waiting for approval");
        await terminal.TypeAsync("touch something\r");
        await terminal.PressAsync("C-c");
        await terminal.WaitForAsync("countersign: cancelled");
        (await terminal.WaitForEndAsync()).ShouldBe(130);
        await StateAsync("cancelled");
    }

    /// <summary>What is typed while it waits, and what came with the client's first word, before it was told to wait.</summary>
    [Fact]
    public async Task What_is_typed_before_somebody_is_let_in_runs_nowhere()
    {
        using var there = new TempFolder();
        await using var tina = await _gateway.ConnectAsync(_gateway.Tina, TestGateway.Device);
        var (channel, streams) = await SshChannelStreams.OpenSessionAsync(tina, Cancellation);
        await channel.RequestAsync(SessionRequests.Pty, new PtyRequest("xterm", new(80, 24), []).Encode(), Cancellation);
        await TypeAsync($"touch {there["first"]}");
        (await channel.RequestAsync(SessionRequests.Shell, default, Cancellation)).ShouldBeTrue();
        var said = new StringBuilder();
        await SaysAsync("countersign: waiting for approval");
        await TypeAsync($"touch {there["while-waiting"]}");

        // What came before this has been taken by then, or thrown away.
        (await channel.RequestAsync(SessionRequests.WindowChange, new WindowSize(80, 24).Encode(), Cancellation)).ShouldBeTrue();
        var number = (long)(await _mara.GetAsync("requests?for=me"))["items"]!.AsArray().ShouldHaveSingleItem()!["number"]!;
        await _mara.PostAsync($"requests/{number}/approve");
        await SaysAsync("approved by");
        await TypeAsync($"touch {there["last"]}; exit");
        await streams.ExitStatus.WaitAsync(Eventually.Patience, Cancellation);
        File.Exists(there["last"]).ShouldBeTrue();
        File.Exists(there["first"]).ShouldBeFalse();
        File.Exists(there["while-waiting"]).ShouldBeFalse();

        async Task TypeAsync(string line)
        {
            (await channel.WriteAsync(Encoding.ASCII.GetBytes(line + "\r"), Cancellation)).ShouldBeTrue();
        }

        async Task SaysAsync(string text)
        {
            var buffer = new byte[1024];
            while (!said.ToString().Contains(text, StringComparison.Ordinal))
            {
                var read = await streams.Error.ReadAsync(buffer, Cancellation).AsTask().WaitAsync(Eventually.Patience, Cancellation);
                read.ShouldBeGreaterThan(0, said.ToString());
                said.Append(Encoding.UTF8.GetString(buffer, 0, read));
            }
        }
    }

    [Fact]
    public async Task A_client_that_is_closed_cancels()
    {
        var ssh = Start("true");
        await WaitingAsync(ssh);
        await ssh.DisposeAsync();
        await StateAsync("cancelled");
    }

    [Fact]
    public async Task A_reason_is_asked_for_in_the_terminal_and_taken_from_the_environment_without_one()
    {
        await SetAsync("approvalReasonRequired", "true");
        (await _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, "true")).Error.ShouldContain("LC_REASON");

        await using (var given = _gateway.Client.StartSsh("tina+web01", _gateway.Tina.ByKey, "true", "-o", "SetEnv=LC_REASON=ticket-7"))
        {
            ((string)(await _mara.GetAsync($"requests/{await WaitingAsync(given)}"))["reason"]!).ShouldBe("ticket-7");
        }

        await StateAsync("cancelled");
        await using var terminal = await _gateway.Client.OpenTerminalAsync("tina+web01", _gateway.Tina.ByKey);
        await terminal.WaitForAsync("Why do you want to connect?");
        await terminal.TypeAsync("disk fullx");
        await terminal.PressAsync("BSpace");
        await terminal.PressAsync("Enter");
        await terminal.WaitForAsync("waiting for approval");
        var request = (await _mara.GetAsync("requests?for=me"))["items"]!.AsArray().ShouldHaveSingleItem()!;
        ((string)request["reason"]!).ShouldBe("disk full");
        await _mara.PostAsync($"requests/{request["number"]}/approve");
        await terminal.WaitForAsync("approved by mara");
        await terminal.EnterAsync("echo $((6*7)) is the answer; exit 0");
        await terminal.WaitForAsync("42 is the answer");
        (await terminal.WaitForEndAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task A_requester_who_is_an_approver_gets_in_at_once_where_the_organization_lets_them()
    {
        await _gateway.Owner.PutAsync($"technician-groups/{_group}/managers/{_gateway.Tina.Id}");
        await SetAsync("autoApproveWhenRequesterIsApprover", "true");
        var outcome = await _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, "echo in");
        outcome.ExitCode.ShouldBe(0, outcome.ToString());
        outcome.Text.ShouldBe("in\n");
        outcome.Error.ShouldContain("approved automatically");
    }

    [Fact]
    public async Task Twenty_connections_come_in_under_one_approval()
    {
        var clients = Enumerable.Range(0, 20).Select(number => Start($"echo {number}")).ToList();
        try
        {
            var number = await WaitingAsync(clients[0]);
            await Eventually.TrueAsync(
                () => clients.TrueForAll(client => client.ErrorSoFar.Contains($"request #{number}: web01 needs approval", StringComparison.Ordinal)),
                "all of them to wait for the same request",
                () => string.Concat(clients.Select(client => client.ErrorSoFar)));
            await _mara.PostAsync($"requests/{number}/approve");
            for (var client = 0; client < clients.Count; client++)
            {
                var outcome = await clients[client].EndAsync();
                outcome.Text.ShouldBe($"{client}\n", outcome.ToString());
            }

            (await _gateway.Owner.GetAsync("requests?for=me"))["items"]!.AsArray().ShouldBeEmpty();
            (await _mara.SendAsync(HttpMethod.Get, $"requests/{number + 1}")).Status.ShouldBe(HttpStatusCode.NotFound);
        }
        finally
        {
            foreach (var client in clients) await client.DisposeAsync();
        }
    }

    [Fact]
    public async Task Revoking_ends_the_session_that_lives_on_the_approval()
    {
        await using var ssh = Start("echo in; cat");
        var number = await WaitingAsync(ssh);
        await _mara.PostAsync($"requests/{number}/approve");
        await Eventually.TrueAsync(() => ssh.OutputSoFar == "in\n", "the session to start", () => ssh.ErrorSoFar);
        await _mara.PostAsync($"requests/{number}/revoke", new() { ["reason"] = "enough" });
        var outcome = await ssh.EndAsync();
        outcome.ExitCode.ShouldBe(77, outcome.ToString());
        outcome.Error.ShouldContain("countersign: session ended: the approval was revoked by mara the technician: enough", customMessage: outcome.ToString());
        ((string)(await _gateway.EndedSessionAsync())["reason"]!).ShouldBe("permissionRevoked");
    }

    [Fact]
    public async Task Of_two_approvers_at_the_same_moment_one_decides_and_the_client_is_told_what_the_other_is()
    {
        var max = await _gateway.AddPersonAsync("max");
        await _gateway.Owner.PutAsync($"technician-groups/{_group}/managers/{max.Id}");
        using var other = await _gateway.SignInAsync(max);
        for (var round = 0; round < 5; round++)
        {
            await using var ssh = Start("echo in");
            var number = await WaitingAsync(ssh);
            var answers = await Task.WhenAll(
                _mara.SendAsync(HttpMethod.Post, $"requests/{number}/approve", []), other.SendAsync(HttpMethod.Post, $"requests/{number}/reject", []));
            answers.Select(answer => answer.Status).Order().ShouldBe([HttpStatusCode.OK, HttpStatusCode.Conflict]);
            var approved = answers[0].Status == HttpStatusCode.OK;
            var outcome = await ssh.EndAsync();
            outcome.ExitCode.ShouldBe(approved ? 0 : 77, outcome.ToString());
            outcome.Error.ShouldContain(approved ? "approved by mara the technician" : "rejected by max the technician");

            // The client goes in as soon as it may: the one who is late may find the approval used already.
            answers[approved ? 1 : 0].Text.ShouldContain(approved ? "by mara the technician." : "It is rejected already, by max the technician.");
            if (approved) await _mara.PostAsync($"requests/{number}/revoke");
        }
    }

    [Fact]
    public async Task A_ticket_is_asked_for_in_the_organization_s_words_until_it_is_one()
    {
        await SetAsync("approvalReasonPattern", "^OPS-[0-9]+");
        await SetAsync("approvalReasonWords", "a ticket such as OPS-1234");
        await using var ssh = _gateway.Client.StartSsh("tina+web01", _gateway.Tina.ByKey, "true", "-o", "SetEnv=LC_REASON=please");
        var refused = await ssh.EndAsync();
        refused.ExitCode.ShouldBe(77, refused.ToString());
        refused.Error.ShouldContain("web01 needs approval, and a reason for it: a ticket such as OPS-1234.");

        await using var terminal = await _gateway.Client.OpenTerminalAsync("tina+web01", _gateway.Tina.ByKey);
        await terminal.WaitForAsync("Give a ticket");
        await terminal.EnterAsync("please");
        await Eventually.TrueAsync(
            async () => (await terminal.ScreenAsync()).Split("Why do you want to connect?").Length == 3, "to be asked again");
        await terminal.EnterAsync("OPS-77 disk full");
        await terminal.WaitForAsync("waiting for approval");
        ((string)(await _mara.GetAsync("requests?for=me"))["items"]![0]!["reason"]!).ShouldBe("OPS-77 disk full");
        await terminal.PressAsync("C-c");
        (await terminal.WaitForEndAsync()).ShouldBe(130);
    }

    [Fact]
    public async Task A_client_that_waits_is_told_when_nobody_can_approve_any_more_and_when_somebody_can_again()
    {
        await using var ssh = Start("echo in");
        var number = await WaitingAsync(ssh);
        await _gateway.Owner.PostAsync($"technicians/{_marasId}/disable");
        await SaysAsync(ssh, $"countersign: request #{number}: nobody can approve it now");
        (await _gateway.Owner.GetAsync("requests?for=me"))["items"]!.AsArray().ShouldHaveSingleItem();
        await _gateway.Owner.PostAsync($"technicians/{_marasId}/enable");
        await SaysAsync(ssh, $"countersign: request #{number}: there is somebody again who can approve it");
        await _mara.PostAsync($"requests/{number}/approve");
        (await ssh.EndAsync()).Text.ShouldBe("in\n");
    }

    [Fact]
    public async Task Where_nobody_can_approve_it_is_said_who_can_mend_that_and_a_new_approver_can_approve()
    {
        await _gateway.Owner.PostAsync($"technicians/{_marasId}/disable");
        await using var ssh = Start("echo in");
        var number = await WaitingAsync(ssh);
        ssh.ErrorSoFar.ShouldContain("Nobody can give it now: Olga can appoint somebody.");
        var owner = (string)(await _gateway.Owner.GetAsync("me"))["person"]!["id"]!;
        await _gateway.Owner.PutAsync($"technician-groups/{_group}/managers/{owner}");
        await _gateway.Owner.PostAsync($"requests/{number}/approve");
        (await ssh.EndAsync()).Text.ShouldBe("in\n");
    }

    /// <summary>A command of Tina's that waits for its input's end.</summary>
    private RunningCommand Start(string command) => _gateway.Client.StartSsh("tina+web01", _gateway.Tina.ByKey, command);

    /// <returns>The request's number, once the client has been told that it waits.</returns>
    private static async Task<long> WaitingAsync(RunningCommand ssh)
    {
        await Eventually.TrueAsync(() => ssh.ErrorSoFar.Contains("countersign: waiting for approval", StringComparison.Ordinal), "the client to wait", () => ssh.ErrorSoFar);
        var start = ssh.ErrorSoFar.IndexOf('#', StringComparison.Ordinal) + 1;
        return long.Parse(ssh.ErrorSoFar[start..ssh.ErrorSoFar.IndexOf(':', start)], System.Globalization.CultureInfo.InvariantCulture);
    }

    private static Task SaysAsync(RunningCommand ssh, string text) =>
        Eventually.TrueAsync(() => ssh.ErrorSoFar.Contains(text, StringComparison.Ordinal), text, () => ssh.ErrorSoFar);

    private async Task SetAsync(string setting, string value) => await _gateway.Owner.PutAsync($"settings/organization/{setting}", new() { ["value"] = value });

    /// <summary>Waits until Tina's newest request is in the state.</summary>
    private async Task StateAsync(string state)
    {
        using var tina = await _gateway.SignInAsync(_gateway.Tina);
        await Eventually.TrueAsync(
            async () => (string)(await tina.GetAsync("requests"))["items"]![0]!["state"]! == state, $"the request to be {state}");
    }
}
