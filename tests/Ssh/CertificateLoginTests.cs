using System.Net;

namespace Countersign.Ssh.Tests;

/// <summary>Certificates between our ends and OpenSSH's, of users and of hosts.</summary>
public sealed class CertificateLoginTests : IDisposable
{
    private static readonly string[] Lenient = ["-F", "none", "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR"];
    private readonly SshPrivateKey _authority = SshPrivateKey.Generate(SshKeyKind.Ed25519);
    private readonly SshPrivateKey _key = SshPrivateKey.Generate(SshKeyKind.Ed25519);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    public void Dispose()
    {
        _authority.Dispose();
        _key.Dispose();
    }

    [Theory]
    [InlineData("ed25519", "ed25519", "")]
    [InlineData("ed25519", "rsa", "")]
    [InlineData("rsa", "ed25519", "")]
    [InlineData("ecdsa", "ecdsa", "256")]
    public async Task Our_server_lets_in_whom_ssh_keygen_certified(string authorityKind, string keyKind, string bits)
    {
        using var folder = new TemporaryFolder();
        await CertificateTests.Keygen(folder, authorityKind, keyKind, bits, "-n", "alice", "-V", "-1h:+1h", "-O", "source-address=127.0.0.1");
        SshPublicKey.TryParse(await File.ReadAllTextAsync(folder["ca.pub"], Cancellation), out var authority).ShouldBeTrue();
        var handler = new CertificateHandler(authority);
        await using var server = TestServer.Start(() => handler);
        var result = await Ssh(server, folder, "alice", []);
        (result.Output, result.ExitCode).ShouldBe(("to output", 0), result.Error);
        handler.Attempts.ShouldContain(attempt => attempt is SshAuthAttempt.CertificateQuery);
        handler.Attempts.OfType<SshAuthAttempt.Certificate>().ShouldHaveSingleItem().Value.KeyId.ShouldBe("the id");
    }

    [Theory]
    [InlineData("bob", "127.0.0.1", SshCertificateVerdict.NotForThisName)]
    [InlineData("alice", "192.0.2.1", SshCertificateVerdict.WrongAddress)]
    public async Task Our_server_refuses_a_certificate_for_another_name_or_place(string user, string address, SshCertificateVerdict verdict)
    {
        using var folder = new TemporaryFolder();
        await CertificateTests.Keygen(folder, "ed25519", "ed25519", "", "-n", "alice", "-V", "-1h:+1h", "-O", "source-address=" + address);
        SshPublicKey.TryParse(await File.ReadAllTextAsync(folder["ca.pub"], Cancellation), out var authority).ShouldBeTrue();
        var handler = new CertificateHandler(authority);
        await using var server = TestServer.Start(() => handler);
        (await Ssh(server, folder, user, [])).ExitCode.ShouldBe(255);
        handler.Refusals.ShouldContain(verdict);
        handler.Attempts.ShouldAllBe(attempt => attempt is SshAuthAttempt.None || attempt is SshAuthAttempt.KeyQuery);
    }

    [Fact]
    public async Task A_handler_that_knows_no_authorities_lets_no_certificate_in()
    {
        // The certified key itself would do; that it comes in a certificate is another matter, which nobody asked this handler about before.
        var handler = new TestServerHandler { Decide = (attempt, _) => new(attempt is SshAuthAttempt.Key or SshAuthAttempt.KeyQuery ? SshAuthResult.Success : SshAuthResult.Failure) };
        var options = Options(Issue(SshCertificateKind.User, "alice"));
        await using var server = TestServer.Start(() => handler);
        await Should.ThrowAsync<SshAuthenticationException>(async () =>
            await SshClientConnection.ConnectAsync(await server.ConnectAsync(Cancellation), options with { TrustedHostKeys = [server.Options.HostKeys[0].PublicKey] }, Cancellation));
        handler.Connection.ShouldBeNull();
    }

    [Theory]
    [InlineData("expired")]
    [InlineData("not yet valid")]
    [InlineData("host's")]
    [InlineData("another's name")]
    [InlineData("another authority")]
    [InlineData("another key's signature")]
    [InlineData("force-command")]
    [InlineData("good")]
    public async Task Our_server_lets_nobody_in_by_a_certificate_with_one_thing_wrong(string wrong)
    {
        using var other = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        var terms = Terms(wrong == "host's" ? SshCertificateKind.Host : SshCertificateKind.User, wrong == "another's name" ? "bob" : "alice");
        if (wrong == "expired") terms = terms with { ValidBefore = Now.AddSeconds(-1) };
        if (wrong == "not yet valid") terms = terms with { ValidAfter = Now.AddMinutes(10) };
        if (wrong == "force-command") terms = terms with { CriticalOptions = [SshCertificateOption.Text("force-command", "true")] };
        var certificate = SshCertificate.Issue(wrong == "another authority" ? other : _authority, _key.PublicKey, terms);
        await using var server = RawServer.Start(new CertificateHandler(_authority.PublicKey));
        var peer = await RawPeer.ConnectAsync(server.Stream, Cancellation);
        var request = RawPeer.Request("alice", "publickey").Boolean(true).String(certificate.Type).String(certificate.Blob.Span);
        var signed = new SshWriter().String(peer.Transport.Session).Raw(request.Written.Span);
        peer.Send(request.String((wrong == "another key's signature" ? other : _key).Sign("ssh-ed25519", signed.Written.Span)));
        (await peer.ReadAsync(Cancellation))[0].ShouldBe(wrong == "good" ? Transport.SshMessage.UserAuthSuccess : Transport.SshMessage.UserAuthFailure);
    }

    [Theory]
    [InlineData("ssh-ed25519")]
    [InlineData("rsa-sha2-512-cert-v01@openssh.com")]
    [InlineData("ssh-rsa-cert-v01@openssh.com")]
    public async Task A_certificate_under_another_algorithm_s_name_is_refused(string algorithm)
    {
        var certificate = Issue(SshCertificateKind.User, "alice");
        var handler = new CertificateHandler(_authority.PublicKey);
        await using var server = RawServer.Start(handler);
        var peer = await RawPeer.ConnectAsync(server.Stream, Cancellation);
        peer.Send(RawPeer.Request("alice", "publickey").Boolean(false).String(algorithm).String(certificate.Blob.Span));
        (await peer.ReadAsync(Cancellation))[0].ShouldBe(Transport.SshMessage.UserAuthFailure);
        handler.Attempts.ShouldBeEmpty();
    }

    [Fact]
    public async Task Sshd_lets_in_whom_we_certified_and_nobody_whom_we_did_not()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder["authorities"], _authority.PublicKey + "\n", Cancellation);
        await using var sshd = await Sshd.StartAsync("ed25519", "ed25519", Cancellation, "TrustedUserCAKeys " + folder["authorities"]);
        var certificate = Issue(SshCertificateKind.User, Environment.UserName);
        var options = sshd.Options() with { Credentials = [new SshCredential.Certificate(_key, certificate)] };
        await using (var client = await SshClientConnection.ConnectAsync(await sshd.ConnectAsync(Cancellation), options, Cancellation))
        {
            var (channel, streams) = await SshChannelStreams.OpenSessionAsync(client, Cancellation);
            await channel.RequestAsync(SessionRequests.Exec, new ExecRequest("exit 7").Encode(), Cancellation);
            (await streams.ExitStatus).ShouldBe(7u);
        }

        var another = options with { Credentials = [new SshCredential.Certificate(_key, Issue(SshCertificateKind.User, "somebody-else"))] };
        await Should.ThrowAsync<SshAuthenticationException>(async () => await SshClientConnection.ConnectAsync(await sshd.ConnectAsync(Cancellation), another, Cancellation));
    }

    [Theory]
    [InlineData(SshKeyKind.Ed25519, "ssh-ed25519-cert-v01@openssh.com")]
    [InlineData(SshKeyKind.Rsa3072, "rsa-sha2-512-cert-v01@openssh.com")]
    public async Task Ssh_accepts_our_host_by_its_authority_alone(SshKeyKind kind, string algorithm)
    {
        using var folder = new TemporaryFolder();
        await using var server = CertifiedServer(kind, "127.0.0.1");
        await File.WriteAllTextAsync(folder["known_hosts"], $"@cert-authority * {_authority.PublicKey}\n", Cancellation);
        using var text = _key.Export();
        folder.Write("key", text.Expose());
        var result = await Ssh(server, folder, "alice", ["-v", "-o", "StrictHostKeyChecking=yes", "-o", $"UserKnownHostsFile={folder["known_hosts"]}"]);
        result.Output.ShouldBe("to output", result.Error);
        result.Error.ShouldContain("kex: host key algorithm: " + algorithm);

        await using var elsewhere = CertifiedServer(kind, "another.example");
        (await Ssh(elsewhere, folder, "alice", ["-o", "StrictHostKeyChecking=yes", "-o", $"UserKnownHostsFile={folder["known_hosts"]}"])).ExitCode.ShouldBe(255);
    }

    [Theory]
    [InlineData("good", null)]
    [InlineData("another host", "NotForThisName")]
    [InlineData("no host name", "unexpected host key")]
    [InlineData("another authority", "not trusted")]
    [InlineData("a user's", "WrongKind")]
    [InlineData("expired", "Expired")]
    public async Task Our_client_accepts_sshd_by_a_certificate_for_this_host_and_time(string which, string? refusal)
    {
        using var folder = new TemporaryFolder();
        await using var plain = await Sshd.StartAsync("ed25519", "ed25519", Cancellation);
        using var other = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        var terms = Terms(which == "a user's" ? SshCertificateKind.User : SshCertificateKind.Host, which == "another host" ? "web02" : "web01");
        if (which == "expired") terms = terms with { ValidBefore = Now.AddSeconds(-1) };
        var certificate = SshCertificate.Issue(which == "another authority" ? other : _authority, _key.PublicKey, terms);
        using var text = _key.Export();
        folder.Write("host", text.Expose());
        await File.WriteAllTextAsync(folder["host-cert.pub"], certificate + "\n", Cancellation);
        await using var sshd = await Sshd.StartAsync("ed25519", "ed25519", Cancellation, $"HostKey {folder["host"]}", $"HostCertificate {folder["host-cert.pub"]}");
        var options = sshd.Options() with { TrustedHostKeys = [], TrustedHostAuthorities = [_authority.PublicKey], HostName = which == "no host name" ? null : "web01" };
        var connecting = SshClientConnection.ConnectAsync(await sshd.ConnectAsync(Cancellation), options, Cancellation);
        if (refusal is null) await (await connecting).DisposeAsync();
        else (await Should.ThrowAsync<SshHostKeyException>(connecting)).Message.ShouldContain(refusal);
    }

    [Fact]
    public async Task A_host_certificate_for_no_host_key_of_the_server_is_refused_at_its_start()
    {
        using var other = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        var options = new SshServerOptions { HostKeys = [other], HostCertificates = [Issue(SshCertificateKind.Host, "web01")] };
        await Should.ThrowAsync<ArgumentException>(SshServerConnection.RunAsync(new MemoryStream(), options, new TestServerHandler(), Cancellation));
        options = new SshServerOptions { HostKeys = [_key], HostCertificates = [Issue(SshCertificateKind.User, "web01")] };
        await Should.ThrowAsync<ArgumentException>(SshServerConnection.RunAsync(new MemoryStream(), options, new TestServerHandler(), Cancellation));
    }

    [Fact]
    public async Task A_certificate_for_another_key_is_not_shown_to_anybody()
    {
        using var other = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        var failing = OwnPair.StartAsync(Cancellation, client: options => options with { Credentials = [new SshCredential.Certificate(other, Issue(SshCertificateKind.User, "alice"))] });
        (await Should.ThrowAsync<SshAuthenticationException>(failing)).Message.ShouldContain("for another key");
    }

    private static SshCertificateTerms Terms(SshCertificateKind kind, string principal) =>
        new() { Kind = kind, KeyId = "of a test", Principals = [principal], ValidAfter = Now.AddHours(-1), ValidBefore = Now.AddHours(1) };

    private SshCertificate Issue(SshCertificateKind kind, string principal) => SshCertificate.Issue(_authority, _key.PublicKey, Terms(kind, principal));

    private SshClientOptions Options(SshCertificate certificate) => new() { User = "alice", Credentials = [new SshCredential.Certificate(_key, certificate)], TrustedHostKeys = [] };

    private TestServer CertifiedServer(SshKeyKind kind, string name)
    {
        var hostKey = SshPrivateKey.Generate(kind);
        var certificate = SshCertificate.Issue(_authority, hostKey.PublicKey, Terms(SshCertificateKind.Host, name));
        return new TestServer(
            new SshServerOptions { HostKeys = [hostKey], HostCertificates = [certificate] },
            () => new TestServerHandler { Decide = (attempt, _) => new(attempt is SshAuthAttempt.None ? SshAuthResult.Failure : SshAuthResult.Success) });
    }

    private static Task<Command> Ssh(TestServer server, TemporaryFolder folder, string user, string[] options)
    {
        string[] hosts = options.Any(option => option.StartsWith("StrictHostKeyChecking", StringComparison.Ordinal)) ? [] : ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"];
        return Command.RunAsync("ssh", [.. Lenient, .. hosts, .. options, "-i", folder["key"], "-p", $"{server.Port}", $"{user}@127.0.0.1", "both"], Cancellation);
    }

    /// <summary>Trusts one authority, and no key by itself.</summary>
    private sealed class CertificateHandler(SshPublicKey authority) : SshServerHandler
    {
        public List<SshAuthAttempt> Attempts { get; } = [];

        public List<SshCertificateVerdict> Refusals { get; } = [];

        public override IPAddress? PeerAddress => IPAddress.Loopback;

        public override IReadOnlyList<string> AuthenticationMethods => ["publickey"];

        public override ValueTask<SshAuthResult> AuthenticateAsync(SshAuthAttempt attempt, CancellationToken cancellation)
        {
            Attempts.Add(attempt);
            var trusted = attempt is SshAuthAttempt.Certificate { Value: var shown } && shown.Authority.Equals(authority)
                || (attempt is SshAuthAttempt.CertificateQuery { Offered: var offered } && offered.Authority.Equals(authority));
            return new(trusted ? SshAuthResult.Success : SshAuthResult.Failure);
        }

        public override void OnCertificateRefused(string user, SshCertificate certificate, SshCertificateVerdict verdict) => Refusals.Add(verdict);

        public override SshChannelAnswer OnChannelOpen(SshServerConnection connection, string type, ReadOnlySpan<byte> extra) =>
            new SshChannelAnswer.Accept(TestProgram.Handler(), SshChannelStreams.DefaultWindow);
    }
}
