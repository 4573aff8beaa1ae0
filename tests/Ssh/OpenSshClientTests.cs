using System.Security.Cryptography;

namespace Countersign.Ssh.Tests;

/// <summary>The stock client against our server.</summary>
public sealed class OpenSshClientTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("aes256-gcm@openssh.com")]
    [InlineData("aes128-gcm@openssh.com")]
    [InlineData("aes256-ctr")]
    [InlineData("aes128-ctr")]
    [InlineData("chacha20-poly1305@openssh.com")]
    public Task Every_cipher(string cipher) => Converses($"Ciphers={cipher}", "kex: client->server cipher: " + cipher);

    [Theory]
    [InlineData("hmac-sha2-256-etm@openssh.com")]
    [InlineData("hmac-sha2-512-etm@openssh.com")]
    [InlineData("hmac-sha2-256")]
    public async Task Every_MAC(string mac)
    {
        await using var server = TestServer.Start();
        var result = await Ssh(server, ["-o", "Ciphers=aes256-ctr", "-o", $"MACs={mac}", "-v"], "cat", RandomNumberGenerator.GetBytes(200_000));
        result.Error.ShouldContain($"cipher: aes256-ctr MAC: {mac} compression: none");
    }

    [Theory]
    [InlineData("curve25519-sha256")]
    [InlineData("curve25519-sha256@libssh.org")]
    [InlineData("diffie-hellman-group16-sha512")]
    [InlineData("diffie-hellman-group14-sha256")]
    public Task Every_key_exchange(string kex) => Converses($"KexAlgorithms={kex}", "kex: algorithm: " + kex);

    [Theory]
    [InlineData(SshKeyKind.Ed25519, "ssh-ed25519")]
    [InlineData(SshKeyKind.Rsa3072, "rsa-sha2-512")]
    [InlineData(SshKeyKind.Rsa3072, "rsa-sha2-256")]
    public Task Every_host_key_algorithm(SshKeyKind kind, string algorithm) =>
        Converses($"HostKeyAlgorithms={algorithm}", "kex: host key algorithm: " + algorithm, kind);

    [Fact]
    public Task A_client_that_lists_GCM_last_gets_GCM() => Converses("LogLevel=DEBUG1", "-gcm@openssh.com MAC: <implicit>");

    [Fact]
    public async Task Output_error_and_exit_status_arrive()
    {
        await using var server = TestServer.Start();
        var both = await Ssh(server, [], "both", ReadOnlyMemory<byte>.Empty);
        (both.Output, both.Error, both.ExitCode).ShouldBe(("to output", "to error", 0));
        (await Ssh(server, [], "exit 37", ReadOnlyMemory<byte>.Empty)).ExitCode.ShouldBe(37);
        (await Ssh(server, [], "kill TERM", ReadOnlyMemory<byte>.Empty)).ExitCode.ShouldBe(255);
        var outcomes = await server.EndedAsync(3, Cancellation);
        outcomes.Count.ShouldBe(3);
        outcomes.ShouldAllBe(outcome => outcome.Authenticated && outcome.Error == null);
    }

    private static async Task Converses(string option, string expected, SshKeyKind hostKey = SshKeyKind.Ed25519)
    {
        await using var server = TestServer.Start(hostKey: hostKey);
        var input = RandomNumberGenerator.GetBytes(200_000);
        var result = await Ssh(server, ["-v", "-o", option], "cat", input);
        result.ExitCode.ShouldBe(0, result.Error);
        result.Error.ShouldContain(expected);
        result.OutputBytes.AsSpan().SequenceEqual(input).ShouldBeTrue();
    }

    private static Task<Command> Ssh(TestServer server, string[] options, string command, ReadOnlyMemory<byte> input) =>
        Command.RunAsync(
            "sshpass",
            ["-p", "right", "ssh", "-F", "none", "-p", $"{server.Port}", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "PreferredAuthentications=password", .. options, "alice@127.0.0.1", command],
            input,
            Cancellation);
}
