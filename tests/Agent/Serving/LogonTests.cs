namespace Countersign.Agent.Tests.Serving;

public sealed class LogonTests
{
    [Fact]
    public async Task Only_a_key_of_the_file_logs_on_and_only_as_the_agent_s_own_account()
    {
        await using var agent = await ServedAgent.StartAsync();
        await ServedAgent.MustAsync("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", agent.Folder["other"]);
        Allowed(await RunAsync(agent, agent.Options()));
        Refused(await RunAsync(agent, agent.Options(key: agent.Folder["other"])));
        Refused(await RunAsync(agent, agent.Options(user: "nobody")));
        Refused(await RunAsync(agent, ["-o", "PubkeyAuthentication=no", .. agent.Options()]));
    }

    [Fact]
    public async Task A_key_that_is_taken_out_of_the_file_does_not_log_on_any_more()
    {
        await using var agent = await ServedAgent.StartAsync();
        Allowed(await RunAsync(agent, agent.Options()));
        await File.WriteAllTextAsync(agent.Folder["authorized"], "# nobody\n", TestContext.Current.CancellationToken);
        Refused(await RunAsync(agent, agent.Options()));
    }

    [Fact]
    public async Task A_line_with_options_and_a_file_that_others_can_write_allow_nobody()
    {
        await using var agent = await ServedAgent.StartAsync();
        var key = await File.ReadAllTextAsync(agent.Folder["id.pub"], TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(agent.Folder["authorized"], $"command=\"date\" {key}", TestContext.Current.CancellationToken);
        Refused(await RunAsync(agent, agent.Options()));

        await File.WriteAllTextAsync(agent.Folder["authorized"], key, TestContext.Current.CancellationToken);
        Allowed(await RunAsync(agent, agent.Options()));
        File.SetUnixFileMode(agent.Folder["authorized"], (UnixFileMode)0x1B4 /* rw-rw-r-- */);
        Refused(await RunAsync(agent, agent.Options()));
    }

    [Fact]
    public async Task Forwarding_is_refused()
    {
        await using var agent = await ServedAgent.StartAsync();
        var client = await Client.RunAsync("ssh", [.. agent.Options(), "-W", "127.0.0.1:1", "127.0.0.1"]);
        client.ExitCode.ShouldNotBe(0);
        client.Error.ShouldContain("administratively prohibited");
    }

    private static Task<Client> RunAsync(ServedAgent agent, string[] options) => Client.RunAsync("ssh", [.. options, "-v", "127.0.0.1", "true"]);

    private static void Allowed(Client client) => client.ExitCode.ShouldBe(0, client.Error);

    private static void Refused(Client client)
    {
        client.ExitCode.ShouldBe(255);
        client.Error.ShouldContain("Permission denied (publickey)");
    }
}
