using System.Text.RegularExpressions;
using Countersign.Ssh.Transport;

namespace Countersign.Ssh.Tests;

/// <summary>A well-known auditor's opinion of what our server offers.</summary>
public sealed partial class SshAuditTests
{
    /// <summary>What it warns of and is offered all the same, and why; docs/ssh.md says more.</summary>
    private static readonly Dictionary<string, string> Accepted = new()
    {
        ["hmac-sha2-256: using encrypt-and-MAC mode"] = "libssh2 (curl) has no other MAC in common with us",
        ["diffie-hellman-group14-sha256: 2048-bit modulus only provides 112-bits of symmetric strength"] = "said since its version 3; the last in the list, for what has nothing else",
        ["kex-strict-s-v00@openssh.com: unknown algorithm"] = "younger than this auditor: the marker of strict key exchange, and no algorithm",
    };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>It is answered with GCM alone, as every client that lists GCM, so the second test has it judge the names that it did not see.</summary>
    [Fact]
    public async Task Visiting_it_finds_nothing_to_fail_and_warns_only_of_what_is_argued_for()
    {
        await using var server = new TestServer(
            new SshServerOptions { HostKeys = [SshPrivateKey.Generate(SshKeyKind.Ed25519), SshPrivateKey.Generate(SshKeyKind.Rsa3072)] }, () => new TestServerHandler());
        var report = await Command.RunAsync("ssh-audit", ["--no-colors", "--timeout=30", "-p", $"{server.Port}", "127.0.0.1"], Cancellation);
        report.Output.ShouldContain("(kex) curve25519-sha256 ", customMessage: report.Error);
        report.Output.ShouldNotContain("[fail]");
        Warnings(report).ShouldBeSubsetOf(Accepted.Keys);
        Warnings(report).ShouldContain("hmac-sha2-256: using encrypt-and-MAC mode");
    }

    [Fact]
    public async Task Every_name_that_could_be_offered_is_as_good_in_its_eyes()
    {
        var offer = new AlgorithmOffer();
        string[] names = [.. offer.KeyExchanges, .. offer.Ciphers, .. offer.Macs, "ssh-ed25519", "rsa-sha2-512", "rsa-sha2-256"];
        var report = await Command.RunAsync("ssh-audit", ["--no-colors", "--lookup=" + string.Join(',', names)], Cancellation);
        foreach (var name in names) report.Output.ShouldContain($") {name} ");
        report.Output.ShouldNotContain("[fail]");
        Warnings(report).ShouldBeSubsetOf(Accepted.Keys);
    }

    private static string[] Warnings(Command report) =>
        [.. Warning().Matches(report.Output).Select(match => $"{match.Groups["name"].Value}: {match.Groups["words"].Value.Trim()}")];

    [GeneratedRegex(@"^\([a-z]{3}\) (?<name>\S+).*\[warn\](?<words>.*)$", RegexOptions.Multiline)]
    private static partial Regex Warning();
}
