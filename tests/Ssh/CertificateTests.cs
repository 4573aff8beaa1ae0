using System.Net;

namespace Countersign.Ssh.Tests;

/// <summary>Certificates by themselves: what ssh-keygen makes of ours, we of its, and what is refused.</summary>
public sealed class CertificateTests
{
    private static readonly DateTimeOffset From = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset To = new(2030, 1, 2, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Between = From.AddHours(1);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static SshCertificateTerms Terms => new() { Kind = SshCertificateKind.User, KeyId = "alice's laptop", Principals = ["alice", "admin"], ValidAfter = From, ValidBefore = To, Serial = 42 };

    [Theory]
    [InlineData(SshKeyKind.Ed25519, SshKeyKind.Ed25519, "ssh-ed25519-cert-v01@openssh.com", "ssh-ed25519")]
    [InlineData(SshKeyKind.Rsa3072, SshKeyKind.Ed25519, "ssh-ed25519-cert-v01@openssh.com", "rsa-sha2-512")]
    [InlineData(SshKeyKind.Ed25519, SshKeyKind.Rsa3072, "ssh-rsa-cert-v01@openssh.com", "ssh-ed25519")]
    public async Task Ssh_keygen_reads_what_we_issue(SshKeyKind authorityKind, SshKeyKind keyKind, string type, string signedWith)
    {
        using var folder = new TemporaryFolder();
        using var authority = SshPrivateKey.Generate(authorityKind);
        using var key = SshPrivateKey.Generate(keyKind);
        var terms = Terms with
        {
            CriticalOptions = [SshCertificateOption.Text("source-address", "127.0.0.0/8"), SshCertificateOption.Text("force-command", "/bin/true")],
            Extensions = [SshCertificateOption.Flag("permit-pty"), SshCertificateOption.Flag("permit-agent-forwarding")],
        };
        var certificate = SshCertificate.Issue(authority, key.PublicKey, terms);
        await File.WriteAllTextAsync(folder["cert.pub"], certificate + "\n", Cancellation);
        var shown = await Command.RunAsync("ssh-keygen", ["-L", "-f", folder["cert.pub"]], ReadOnlyMemory<byte>.Empty, Cancellation, new Dictionary<string, string> { ["TZ"] = "UTC" });
        shown.ExitCode.ShouldBe(0, shown.Error);
        foreach (var words in new[]
        {
            $"Type: {type} user certificate", key.PublicKey.Fingerprint, $"{authority.PublicKey.Fingerprint} (using {signedWith})", "Key ID: \"alice's laptop\"", "Serial: 42",
            "Valid: from 2030-01-01T00:00:00 to 2030-01-02T00:00:00", "alice\n", "admin\n", "source-address 127.0.0.0/8", "force-command /bin/true", "permit-pty", "permit-agent-forwarding",
        })
        {
            shown.Output.ShouldContain(words);
        }
    }

    [Theory]
    [InlineData("ed25519", "ed25519", "")]
    [InlineData("ed25519", "rsa", "")]
    [InlineData("rsa", "ed25519", "")]
    [InlineData("ecdsa", "ecdsa", "256")]
    [InlineData("ecdsa", "ecdsa", "384")]
    [InlineData("ecdsa", "ecdsa", "521")]
    public async Task We_read_what_ssh_keygen_issues(string authorityKind, string keyKind, string bits)
    {
        using var folder = new TemporaryFolder();
        var line = await Keygen(folder, authorityKind, keyKind, bits, "-n", "alice,admin", "-z", "77", "-V", "20300101000000Z:20300102000000Z", "-O", "source-address=10.0.0.0/8,::1");
        SshCertificate.TryParse(line, out var certificate).ShouldBeTrue();
        (certificate.Kind, certificate.KeyId, certificate.Serial, certificate.ValidAfter, certificate.ValidBefore).ShouldBe((SshCertificateKind.User, "the id", 77ul, From, To));
        certificate.Principals.ShouldBe(["alice", "admin"]);
        certificate.ToString().ShouldBe(string.Join(' ', line.Split(' ')[..2]));
        certificate.Extensions.Select(option => option.Name).ShouldContain("permit-pty");
        certificate.CriticalOptions.ShouldBe([SshCertificateOption.Text("source-address", "10.0.0.0/8,::1")]);
        certificate.Judge(SshCertificateKind.User, "alice", Between, IPAddress.Parse("10.9.9.9")).ShouldBe(SshCertificateVerdict.Good);
    }

    [Fact]
    public async Task An_RSA_authority_that_signs_with_SHA_1_is_refused()
    {
        using var folder = new TemporaryFolder();
        SshCertificate.TryParse(await Keygen(folder, "rsa", "ed25519", "", "-n", "alice", "-t", "ssh-rsa"), out _).ShouldBeFalse();
    }

    [Fact]
    public async Task An_authority_with_a_short_RSA_key_is_refused()
    {
        using var folder = new TemporaryFolder();
        SshCertificate.TryParse(await Keygen(folder, "rsa", "ed25519", "1024", "-n", "alice"), out _).ShouldBeFalse();
    }

    [Fact]
    public async Task A_certificate_without_principals_is_for_nobody()
    {
        using var folder = new TemporaryFolder();
        SshCertificate.TryParse(await Keygen(folder, "ed25519", "ed25519", ""), out var certificate).ShouldBeTrue();
        certificate.Principals.ShouldBeEmpty();
        foreach (var name in new[] { "alice", "root", "", "*" })
        {
            certificate.Judge(SshCertificateKind.User, name, Between, null).ShouldBe(SshCertificateVerdict.NotForThisName);
        }
    }

    [Theory]
    [InlineData("*")]
    [InlineData("al*")]
    [InlineData("alic?")]
    [InlineData("ALICE")]
    [InlineData("alice ")]
    [InlineData("!bob")]
    [InlineData("bob,alice")]
    public void A_principal_is_a_name_and_no_pattern(string principal) =>
        Made(Terms with { Principals = [principal] }).Judge(SshCertificateKind.User, "alice", Between, null).ShouldBe(SshCertificateVerdict.NotForThisName);

    [Theory]
    [InlineData(-1, SshCertificateVerdict.NotYetValid)]
    [InlineData(0, SshCertificateVerdict.Good)]
    [InlineData(86_399, SshCertificateVerdict.Good)]
    [InlineData(86_400, SshCertificateVerdict.Expired)]
    [InlineData(-3_000_000_000, SshCertificateVerdict.NotYetValid)]
    public void It_is_valid_from_its_first_second_to_the_last_before_its_end(long second, SshCertificateVerdict expected) =>
        Made(Terms).Judge(SshCertificateKind.User, "alice", From.AddSeconds(second), null).ShouldBe(expected);

    [Fact]
    public void A_host_s_is_not_a_user_s()
    {
        Made(Terms with { Kind = SshCertificateKind.Host }).Judge(SshCertificateKind.User, "alice", Between, null).ShouldBe(SshCertificateVerdict.WrongKind);
        Made(Terms).Judge(SshCertificateKind.Host, "alice", Between, null).ShouldBe(SshCertificateVerdict.WrongKind);
        Made(Terms with { Kind = SshCertificateKind.Host }).Judge(SshCertificateKind.Host, "alice", Between, null).ShouldBe(SshCertificateVerdict.Good);
    }

    [Theory]
    [InlineData("force-command")]
    [InlineData("verify-required")]
    [InlineData("permit-pty")]
    [InlineData("")]
    public void A_critical_option_that_nobody_here_keeps_refuses_the_certificate(string name) =>
        Made(Terms with { CriticalOptions = [SshCertificateOption.Text(name, "x")] }).Judge(SshCertificateKind.User, "alice", Between, IPAddress.Loopback).ShouldBe(SshCertificateVerdict.CriticalOption);

    [Fact]
    public void A_host_s_certificate_has_no_critical_options() =>
        Made(Terms with { Kind = SshCertificateKind.Host, CriticalOptions = [SshCertificateOption.Text("source-address", "127.0.0.1")] })
            .Judge(SshCertificateKind.Host, "alice", Between, IPAddress.Loopback).ShouldBe(SshCertificateVerdict.CriticalOption);

    [Theory]
    [InlineData("127.0.0.1", "127.0.0.1", true)]
    [InlineData("127.0.0.1", "::ffff:127.0.0.1", true)]
    [InlineData("10.0.0.0/8", "10.255.0.1", true)]
    [InlineData("10.0.0.0/8", "11.0.0.1", false)]
    [InlineData("192.168.1.1,fd00::/8", "fd12::1", true)]
    [InlineData("0.0.0.0/0", "203.0.113.9", true)]
    [InlineData("0.0.0.0/0", "::1", false)]
    [InlineData("10.0.0.1/8", "10.0.0.1", false)]
    [InlineData("10.0.0.1,nonsense", "10.0.0.1", false)]
    [InlineData("10.0.0.1,", "10.0.0.1", false)]
    [InlineData("10.1", "10.0.0.1", false)]
    [InlineData("012.0.0.1", "10.0.0.1", false)]
    [InlineData("10.0.0.0/33", "10.0.0.1", false)]
    [InlineData("10.0.0.0/-1", "10.0.0.1", false)]
    [InlineData("", "10.0.0.1", false)]
    [InlineData("10.0.0.1", null, false)]
    [InlineData("::ffff:10.0.0.1", "10.0.0.1", false)]
    [InlineData("fe80::1%1", "fe80::1", false)]
    [InlineData("fd00::1/8", "fd00::1", false)]
    public void The_source_address_is_kept_to(string list, string? source, bool good) =>
        Made(Terms with { CriticalOptions = [SshCertificateOption.Text("source-address", list)] })
            .Judge(SshCertificateKind.User, "alice", Between, source is null ? null : IPAddress.Parse(source))
            .ShouldBe(good ? SshCertificateVerdict.Good : SshCertificateVerdict.WrongAddress);

    [Fact]
    public void A_source_address_that_is_not_one_string_allows_nobody()
    {
        var option = new SshCertificateOption("source-address", new SshWriter().String("127.0.0.1").Byte(0).Written);
        Made(Terms with { CriticalOptions = [option] }).Judge(SshCertificateKind.User, "alice", Between, IPAddress.Loopback).ShouldBe(SshCertificateVerdict.WrongAddress);
    }

    [Fact]
    public void Every_byte_of_it_is_signed()
    {
        var good = Made(Terms with { Extensions = [SshCertificateOption.Flag("permit-pty")] }).Blob.ToArray();
        for (var at = 0; at < good.Length; at++)
        {
            var bad = good.ToArray();
            bad[at] ^= 1;
            SshCertificate.TryParse(bad, out _).ShouldBeFalse($"byte {at}");
            SshCertificate.TryParse(good.AsSpan(0, at), out _).ShouldBeFalse($"cut at {at}");
        }

        SshCertificate.TryParse([.. good, 0], out _).ShouldBeFalse();
        SshCertificate.TryParse(good, out _).ShouldBeTrue();
    }

    public static TheoryData<string> Wrongs =>
    [
        "type", "kind 0", "kind 3", "key cut off", "short key", "principals past their end", "empty principal", "257 principals", "long principal", "principal not UTF-8", "long key id",
        "options out of order", "option twice", "65 options", "option past its end", "long nonce", "authority is a certificate", "authority cut off", "signature of another kind",
        "signature cut off", "bytes after the signature", "a certificate in a certificate", "larger than a certificate is",
    ];

    /// <summary>Each signed by the authority as it stands, so that nothing but the one thing is wrong.</summary>
    [Theory]
    [MemberData(nameof(Wrongs))]
    public void Signed_or_not_what_is_malformed_is_refused(string wrong)
    {
        using var authority = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        Build(authority, key, "").ShouldBeTrue();
        Build(authority, key, wrong).ShouldBeFalse();
    }

    [Fact]
    public void Random_bytes_are_no_certificate()
    {
        var random = new Random(4252);
        var head = new SshWriter().String("ssh-ed25519-cert-v01@openssh.com").Written.ToArray();
        for (var run = 0; run < 2000; run++)
        {
            var rest = new byte[random.Next(300)];
            random.NextBytes(rest);
            for (var at = 0; at + 4 <= rest.Length; at += random.Next(4, 40)) rest.AsSpan(at, 3).Clear();
            SshCertificate.TryParse([.. head, .. rest], out _).ShouldBeFalse();
        }
    }

    [Fact]
    public void An_option_is_its_name_and_its_bytes_and_has_a_value_where_these_are_one_text()
    {
        var option = SshCertificateOption.Text("source-address", "::1");
        option.Value.ShouldBe("::1");
        SshCertificateOption.Flag("permit-pty").Value.ShouldBeNull();
        new SshCertificateOption("source-address", new byte[] { 0, 0, 0, 1, 0xFF }).Value.ShouldBeNull();
        option.Equals(SshCertificateOption.Text("source-address", "::1")).ShouldBeTrue();
        option.GetHashCode().ShouldBe(SshCertificateOption.Text("source-address", "::2").GetHashCode());
        option.Equals(SshCertificateOption.Text("source-address", "::2")).ShouldBeFalse();
        option.Equals(SshCertificateOption.Text("another", "::1")).ShouldBeFalse();
        option.Equals(null).ShouldBeFalse();
    }

    [Fact]
    public void Addresses_and_options_by_the_hundred_are_not_read()
    {
        var many = string.Join(',', Enumerable.Repeat("127.0.0.1", 65));
        Made(Terms with { CriticalOptions = [SshCertificateOption.Text("source-address", many)] }).Judge(SshCertificateKind.User, "alice", Between, IPAddress.Loopback).ShouldBe(SshCertificateVerdict.WrongAddress);
        Should.Throw<ArgumentException>(() => Made(Terms with { Extensions = [.. Enumerable.Range(0, 65).Select(number => SshCertificateOption.Flag($"x{number:d3}"))] }));
        Should.Throw<ArgumentException>(() => Made(Terms with { Principals = [.. Enumerable.Range(0, 257).Select(number => $"a{number}")] }));
    }

    [Fact]
    public void Nothing_is_issued_that_nobody_would_accept()
    {
        Should.Throw<ArgumentException>(() => Made(Terms with { Principals = [] }));
        Should.Throw<ArgumentException>(() => Made(Terms with { Principals = [""] }));
        Should.Throw<ArgumentException>(() => Made(Terms with { Principals = [new string('a', 257)] }));
        Should.Throw<ArgumentException>(() => Made(Terms with { ValidBefore = From }));
        Should.Throw<ArgumentException>(() => Made(Terms with { ValidAfter = DateTimeOffset.MinValue }));
        Should.Throw<ArgumentException>(() => Made(Terms with { Kind = 0 }));
        Should.Throw<ArgumentException>(() => Made(Terms with { KeyId = new string('a', 1025) }));
        Should.Throw<ArgumentException>(() => Made(Terms with { Extensions = [SshCertificateOption.Flag("permit-pty"), SshCertificateOption.Flag("permit-pty")] }));
    }

    public static SshCertificate Made(SshCertificateTerms terms)
    {
        using var authority = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        return SshCertificate.Issue(authority, key.PublicKey, terms);
    }

    internal static async Task<string> Keygen(TemporaryFolder folder, string authorityKind, string keyKind, string bits, params string[] options)
    {
        foreach (var (kind, name) in new[] { (authorityKind, "ca"), (keyKind, "key") })
        {
            string[] size = bits.Length > 0 && kind != "ed25519" ? ["-b", bits] : [];
            var made = await Command.RunAsync("ssh-keygen", ["-q", "-t", kind, .. size, "-N", "", "-f", folder[name]], Cancellation);
            made.ExitCode.ShouldBe(0, made.Error);
        }

        var signed = await Command.RunAsync("ssh-keygen", ["-q", "-s", folder["ca"], "-I", "the id", .. options, folder["key.pub"]], Cancellation);
        signed.ExitCode.ShouldBe(0, signed.Error);
        return (await File.ReadAllTextAsync(folder["key-cert.pub"], Cancellation)).Trim();
    }

    private static bool Build(SshPrivateKey authority, SshPrivateKey key, string wrong)
    {
        string If(string name, string bad, string good) => wrong == name ? bad : good;
        var point = key.PublicKey.Blob.Span[^32..];
        var names = new SshWriter();
        if (wrong == "257 principals") for (var i = 0; i < 257; i++) names.String($"n{i}");
        else if (wrong == "principal not UTF-8") names.String([0xff]);
        else names.String(If("empty principal", "", If("long principal", new string('a', 257), "alice")));
        if (wrong == "principals past their end") names.UInt32(9);
        var options = new SshWriter();
        if (wrong == "options out of order") options.String("b").String("").String("a").String("");
        if (wrong == "option twice") options.String("a").String("").String("a").String("");
        if (wrong == "65 options") for (var i = 0; i < 65; i++) options.String($"o{i:00}").String("");
        if (wrong == "option past its end") options.String("a").UInt32(1);
        var inner = Made(Terms).Blob.Span;
        var body = new SshWriter().String(If("type", "ssh-ed25519-cert-v02@openssh.com", "ssh-ed25519-cert-v01@openssh.com"))
            .String(new byte[wrong == "long nonce" ? 65 : 32]);
        if (wrong == "a certificate in a certificate") body.String(inner);
        else body.String(wrong == "short key" ? point[1..] : point);
        if (wrong == "key cut off") body = new SshWriter().String("ssh-ed25519-cert-v01@openssh.com").String(new byte[32]).UInt32(32).Raw(point[..10]);
        body.UInt64(1).UInt32(wrong == "kind 0" ? 0u : wrong == "kind 3" ? 3u : 1u).String(If("long key id", new string('k', 1025), "id")).String(names.Written.Span)
            .UInt64(0).UInt64(ulong.MaxValue).String(options.Written.Span).String("").String(If("larger than a certificate is", new string('r', 17_000), ""));
        if (wrong == "authority is a certificate") body.String(inner);
        else body.String(wrong == "authority cut off" ? authority.PublicKey.Blob.Span[..^1] : authority.PublicKey.Blob.Span);
        var signature = authority.Sign("ssh-ed25519", body.Written.Span);
        if (wrong == "signature of another kind") signature = new SshWriter().String("rsa-sha2-512").Raw(signature.AsSpan(4 + "ssh-ed25519".Length)).Written.ToArray();
        if (wrong == "signature cut off") signature = signature[..^1];
        body.String(signature);
        if (wrong == "bytes after the signature") body.Byte(0);
        return SshCertificate.TryParse(body.Written.Span, out _);
    }
}
