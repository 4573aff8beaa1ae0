namespace Countersign.Agent.Tests.Serving;

public sealed class ServeCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public ServeCommandTests() => File.WriteAllText(_folder["authorized"], "");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("0.0.0.0:0", "not a loopback address")]
    [InlineData("[::]:0", "not a loopback address")]
    [InlineData("192.0.2.1:22", "not a loopback address")]
    [InlineData("127.0.0.1", "not an address and port")]
    [InlineData("localhost:22", "not an address and port")]
    [InlineData("nonsense", "not an address and port")]
    public async Task Only_a_loopback_address_is_listened_on(string listen, string reason)
    {
        var agent = await ServeAsync(listen);
        agent.ExitCode.ShouldBe(1);
        agent.Error.ShouldContain(reason);
        File.Exists(_folder["host_key"]).ShouldBeFalse();
    }

    [Fact]
    public async Task A_host_key_is_made_for_its_owner_only_and_kept()
    {
        await using var agent = await ServedAgent.StartAsync();
        File.GetUnixFileMode(agent.Folder["host_key"]).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var ssh = await Client.RunAsync("ssh-keygen", ["-y", "-f", agent.Folder["host_key"]]);
        ssh.ExitCode.ShouldBe(0, ssh.Error);
        (await File.ReadAllTextAsync(agent.Folder["known"], TestContext.Current.CancellationToken)).ShouldContain(string.Join(' ', ssh.Output.Split(' ').Take(2)).Trim());
    }

    [Fact]
    public async Task A_host_key_that_others_can_read_is_refused()
    {
        await ServedAgent.MustAsync("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", _folder["host_key"]);
        File.SetUnixFileMode(_folder["host_key"], (UnixFileMode)0x1A4 /* rw-r--r-- */);
        var agent = await ServeAsync("127.0.0.1:0");
        agent.ExitCode.ShouldBe(1);
        agent.Error.ShouldContain("can be read by others");
    }

    [Fact]
    public async Task A_file_that_is_no_key_is_refused_without_showing_it()
    {
        File.WriteAllText(_folder["host_key"], "hunter2 is not a key");
        File.SetUnixFileMode(_folder["host_key"], UnixFileMode.UserRead);
        var agent = await ServeAsync("127.0.0.1:0");
        agent.ExitCode.ShouldBe(1);
        agent.Error.ShouldNotContain("hunter2");
    }

    [Fact]
    public async Task A_missing_file_of_keys_is_an_error()
    {
        File.Delete(_folder["authorized"]);
        var agent = await ServeAsync("127.0.0.1:0");
        agent.ExitCode.ShouldBe(1);
        agent.Error.ShouldContain("authorized");
    }

    private Task<Client> ServeAsync(string listen) =>
        Client.RunAsync(Client.Agent, ["serve", "--listen", listen, "--host-key", _folder["host_key"], "--authorized-keys", _folder["authorized"]]);
}
