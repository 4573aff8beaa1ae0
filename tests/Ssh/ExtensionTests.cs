using Countersign.Ssh.Transport;

namespace Countersign.Ssh.Tests;

/// <summary>What both ends may say and ask besides the protocol proper: RFC 8308 and OpenSSH's extensions.</summary>
public sealed class ExtensionTests
{
    private static readonly string[] Batch = ["-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_ping_is_answered_after_login_and_not_before()
    {
        await using var server = RawServer.Start();
        var peer = await RawPeer.LogInAsync(server.Stream, Cancellation);
        peer.Send(new SshWriter().Byte(SshMessage.Ping).String("are you there"));
        (await peer.ReadAsync(Cancellation)).ShouldBe(new SshWriter().Byte(SshMessage.Pong).String("are you there").Written.ToArray());
        peer.Send(new SshWriter().Byte(SshMessage.Ping).UInt32(100));
        (await peer.DisconnectedAsync(Cancellation)).ShouldContain("malformed SSH_MSG_PING");

        await using var early = RawServer.Start();
        var stranger = await RawPeer.ConnectAsync(early.Stream, Cancellation);
        stranger.Send(new SshWriter().Byte(SshMessage.Ping).String(""));
        (await stranger.DisconnectedAsync(Cancellation)).ShouldContain("authenticate first");
    }

    [Fact]
    public async Task A_client_s_extensions_are_read_where_they_belong_and_nowhere_else()
    {
        await using var server = RawServer.Start();
        using var peer = new PlainPeer(server.Stream);
        await peer.ExchangeKeysAsync(KexInit.Create(new AlgorithmOffer { HostKeys = ["ssh-ed25519"] }, Side.Client), Cancellation);
        await peer.SendPacketAsync(new SshWriter().Raw(ExtensionInfo.OfClient), Cancellation);
        await peer.SendPacketAsync(new SshWriter().Byte(SshMessage.ServiceRequest).String("ssh-userauth"), Cancellation);
        (await peer.ReadAsync(Cancellation))![0].ShouldBe(SshMessage.ServiceAccept);
        await peer.SendPacketAsync(new SshWriter().Raw(ExtensionInfo.OfClient), Cancellation);
        (await peer.DisconnectedAsync(Cancellation)).ShouldBe("message 7 is not expected here");
    }

    [Fact]
    public async Task Malformed_extensions_end_the_connection()
    {
        await using var server = RawServer.Start();
        using var peer = new PlainPeer(server.Stream);
        await peer.ExchangeKeysAsync(KexInit.Create(new AlgorithmOffer { HostKeys = ["ssh-ed25519"] }, Side.Client), Cancellation);
        await peer.SendPacketAsync(new SshWriter().Byte(SshMessage.ExtInfo).UInt32(65), Cancellation);
        (await peer.DisconnectedAsync(Cancellation)).ShouldBe("malformed SSH_MSG_EXT_INFO");
    }

    [Fact]
    public void A_server_says_which_signatures_it_takes_and_that_it_answers_pings()
    {
        ExtensionInfo.Parse(ExtensionInfo.OfServer.AsSpan(1)).SignatureAlgorithms.ShouldBe(["ssh-ed25519", "rsa-sha2-512", "rsa-sha2-256", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"]);
        System.Text.Encoding.ASCII.GetString(ExtensionInfo.OfServer).ShouldContain("ping@openssh.com");
        for (var length = 1; length < ExtensionInfo.OfServer.Length; length++) Should.Throw<SshConnectionException>(() => ExtensionInfo.Parse(ExtensionInfo.OfServer.AsSpan(1, length - 1)));
    }

    [Fact]
    public async Task Who_wants_no_more_sessions_gets_no_more()
    {
        await using var server = RawServer.Start();
        var peer = await RawPeer.LogInAsync(server.Stream, Cancellation);
        await peer.OpenAsync(Cancellation);
        peer.Send(new SshWriter().Byte(SshMessage.GlobalRequest).String("no-more-sessions@openssh.com").Boolean(true));
        (await peer.ReadAsync(Cancellation)).ShouldBe([SshMessage.RequestSuccess]);
        peer.Send(new SshWriter().Byte(SshMessage.ChannelOpen).String("session").UInt32(8).UInt32(1000).UInt32(1000));
        var answer = await peer.ReadAsync(Cancellation);
        (answer[0], RawPeer.ReadNumber(answer.AsSpan(5))).ShouldBe((SshMessage.ChannelOpenFailure, 1u));
    }

    [Fact]
    public async Task Every_host_key_is_announced_and_proven_and_no_other()
    {
        using var second = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        using var third = SshPrivateKey.Generate(SshKeyKind.Rsa3072);
        using var stranger = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        SshPrivateKey? first = null;
        await using var server = RawServer.Start(with: options =>
        {
            first = options.HostKeys[0];
            return options with { HostKeys = [first, second, third] };
        });
        var peer = await RawPeer.LogInAsync(server.Stream, Cancellation);
        peer.Send(Prove(second.PublicKey, third.PublicKey));
        var proofs = new SshReader((await peer.ReadAsync(Cancellation)).AsSpan(1));
        peer.HostKeys.ShouldBe(new SshWriter().String(first!.PublicKey.Blob.Span).String(second.PublicKey.Blob.Span).String(third.PublicKey.Blob.Span).Written.ToArray());
        foreach (var (key, algorithm) in new[] { (second, "ssh-ed25519"), (third, "rsa-sha2-512") })
        {
            proofs.TryReadString(out var signature).ShouldBeTrue();
            var signed = new SshWriter().String("hostkeys-prove-00@openssh.com").String(peer.Transport.Session).String(key.PublicKey.Blob.Span);
            key.PublicKey.Verify(algorithm, signed.Written.Span, signature).ShouldBeTrue();
        }

        proofs.IsAtEnd.ShouldBeTrue();
        peer.Send(Prove(second.PublicKey, stranger.PublicKey));
        (await peer.ReadAsync(Cancellation)).ShouldBe([SshMessage.RequestFailure]);
        peer.Send(Prove());
        (await peer.ReadAsync(Cancellation)).ShouldBe([SshMessage.RequestFailure]);
        peer.Send(Prove([.. Enumerable.Repeat(second.PublicKey, 65)]));
        (await peer.ReadAsync(Cancellation)).ShouldBe([SshMessage.RequestFailure]);
    }

    [Fact]
    public async Task Ssh_learns_the_host_keys_that_it_did_not_know()
    {
        using var folder = new TemporaryFolder();
        var keys = new[] { SshPrivateKey.Generate(SshKeyKind.Ed25519), SshPrivateKey.Generate(SshKeyKind.Rsa3072), SshPrivateKey.Generate(SshKeyKind.Ed25519) };
        await using var server = new TestServer(new SshServerOptions { HostKeys = keys }, () => new TestServerHandler());
        await File.WriteAllTextAsync(folder["known_hosts"], $"[127.0.0.1]:{server.Port} {keys[0].PublicKey}\n", Cancellation);
        var result = await Command.RunAsync(
            "sshpass",
            ["-p", "right", "ssh", "-F", "none", "-p", $"{server.Port}", "-o", "StrictHostKeyChecking=yes", "-o", $"UserKnownHostsFile={folder["known_hosts"]}", "-o", "UpdateHostKeys=yes", "-o", "PreferredAuthentications=password", "alice@127.0.0.1", "both"],
            Cancellation);
        result.ExitCode.ShouldBe(0, result.Error);
        var known = await File.ReadAllTextAsync(folder["known_hosts"], Cancellation);
        foreach (var key in keys) known.ShouldContain(key.PublicKey.ToString());
    }

    [Fact]
    public async Task Ssh_takes_our_refusal_of_its_keep_alive_for_a_sign_of_life()
    {
        var handler = new AskedHandler();
        await using var server = TestServer.Start(() => handler);
        await Ssh(server, ["-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=1"], "silence");

        // One unanswered would have ended the connection before the second came; the handler ends it at the third.
        handler.Asked.Count(asked => asked.Name == "keepalive@openssh.com").ShouldBe(3);
    }

    [Fact]
    public async Task What_ssh_asks_to_forward_reaches_the_handler_and_is_refused()
    {
        using var folder = new TemporaryFolder();
        var handler = new AskedHandler();
        await using var server = TestServer.Start(() => handler);
        string[] exits = ["-o", "ExitOnForwardFailure=yes"];
        (await Ssh(server, [.. exits, "-R", "0:127.0.0.1:1"], "both")).ExitCode.ShouldBe(255);
        TcpIpForwardRequest.TryParse(handler.Asked.Single(asked => asked.Name == Forwardings.TcpIpForward).Payload, out var tcp).ShouldBeTrue();
        tcp.ShouldBe(new TcpIpForwardRequest("localhost", 0));
        (await Ssh(server, [.. exits, "-R", "/run/remote.sock:/run/local.sock"], "both")).ExitCode.ShouldBe(255);
        StreamLocalForwardRequest.TryParse(handler.Asked.Single(asked => asked.Name == Forwardings.StreamLocalForward).Payload, out var local).ShouldBeTrue();
        local.ShouldBe(new StreamLocalForwardRequest("/run/remote.sock"));
        (await Ssh(server, ["-W", "target.example:8443"], null)).ExitCode.ShouldBe(255);
        TcpIpOpen.TryParse(handler.Opened.Single(opened => opened.Name == Forwardings.DirectTcpIp).Payload, out var direct).ShouldBeTrue();
        (direct.Host, direct.Port).ShouldBe(("target.example", (ushort)8443));
    }

    [Fact]
    public async Task A_handler_may_grant_a_forwarding_with_the_port_that_it_took()
    {
        var handler = new AskedHandler { Answer = new SshGlobalAnswer.Grant(TcpIpForwardRequest.BoundPort(4711)) };
        await using var server = RawServer.Start(handler);
        var peer = await RawPeer.LogInAsync(server.Stream, Cancellation);
        peer.Send(new SshWriter().Byte(SshMessage.GlobalRequest).String(Forwardings.TcpIpForward).Boolean(true).Raw(new TcpIpForwardRequest("", 0).Encode()));
        (await peer.ReadAsync(Cancellation)).ShouldBe(new SshWriter().Byte(SshMessage.RequestSuccess).UInt32(4711).Written.ToArray());
    }

    [Fact]
    public void Requests_about_forwardings_are_read_back_and_nonsense_is_not()
    {
        TcpIpOpen.TryParse(new TcpIpOpen("host", 22, "10.0.0.1", 0).Encode(), out var open).ShouldBeTrue();
        open.ShouldBe(new TcpIpOpen("host", 22, "10.0.0.1", 0));
        StreamLocalOpen.TryParse(new StreamLocalOpen("/run/x").Encode(), out var local).ShouldBeTrue();
        local.ShouldBe(new StreamLocalOpen("/run/x"));
        BreakRequest.TryParse(new BreakRequest(500).Encode(), out var pause).ShouldBeTrue();
        pause.ShouldBe(new BreakRequest(500));

        TcpIpOpen.TryParse(new TcpIpOpen("", 22, "", 0).Encode(), out _).ShouldBeFalse();
        TcpIpOpen.TryParse(new TcpIpOpen("host", 0, "", 0).Encode(), out _).ShouldBeFalse();
        TcpIpOpen.TryParse(new TcpIpOpen(new string('h', 256), 22, "", 0).Encode(), out _).ShouldBeFalse();
        TcpIpOpen.TryParse(new SshWriter().String("host").UInt32(65536).String("").UInt32(0).Written.Span, out _).ShouldBeFalse();
        TcpIpForwardRequest.TryParse(new SshWriter().String("").UInt32(65536).Written.Span, out _).ShouldBeFalse();
        StreamLocalOpen.TryParse(new StreamLocalOpen("/run/x\0y").Encode(), out _).ShouldBeFalse();
        StreamLocalForwardRequest.TryParse(new StreamLocalForwardRequest("").Encode(), out _).ShouldBeFalse();
        StreamLocalForwardRequest.TryParse(new StreamLocalForwardRequest(new string('p', 4097)).Encode(), out _).ShouldBeFalse();
        foreach (var good in new[] { new TcpIpOpen("host", 22, "a", 1).Encode(), new StreamLocalOpen("/x").Encode() })
        {
            for (var length = 0; length < good.Length; length++)
            {
                TcpIpOpen.TryParse(good.AsSpan(0, length), out _).ShouldBeFalse();
                StreamLocalOpen.TryParse(good.AsSpan(0, length), out _).ShouldBeFalse();
            }
        }
    }

    private static SshWriter Prove(params SshPublicKey[] keys)
    {
        var request = new SshWriter().Byte(SshMessage.GlobalRequest).String("hostkeys-prove-00@openssh.com").Boolean(true);
        foreach (var key in keys) request.String(key.Blob.Span);
        return request;
    }

    private static Task<Command> Ssh(TestServer server, string[] options, string? command)
    {
        string[] words = ["-p", "right", "ssh", .. Batch, "-p", $"{server.Port}", "-o", "PreferredAuthentications=password", .. options, "alice@127.0.0.1"];
        return Command.RunAsync("sshpass", command is null ? words : [.. words, command], Cancellation);
    }

    /// <summary>Notes what is asked for; grants nothing but sessions in which nothing happens.</summary>
    private sealed class AskedHandler : SshServerHandler
    {
        public SshGlobalAnswer Answer { get; init; } = new SshGlobalAnswer.Refuse();

        public List<(string Name, byte[] Payload)> Asked { get; } = [];

        public List<(string Name, byte[] Payload)> Opened { get; } = [];

        public override IReadOnlyList<string> AuthenticationMethods => ["password"];

        public override ValueTask<SshAuthResult> AuthenticateAsync(SshAuthAttempt attempt, CancellationToken cancellation) =>
            new(attempt is SshAuthAttempt.Password ? SshAuthResult.Success : SshAuthResult.Failure);

        public override SshGlobalAnswer OnGlobalRequest(SshServerConnection connection, string name, ReadOnlySpan<byte> payload)
        {
            Asked.Add((name, payload.ToArray()));
            if (Asked.Count(asked => asked.Name == "keepalive@openssh.com") == 3) connection.Disconnect(11, "enough");
            return Answer;
        }

        public override SshChannelAnswer OnChannelOpen(SshServerConnection connection, string type, ReadOnlySpan<byte> extra)
        {
            Opened.Add((type, extra.ToArray()));
            return type == "session" ? new SshChannelAnswer.Accept(new Recorder { Request = request => request.Reply(SshReply.Success) }, 1000) : new SshChannelAnswer.Refuse(1, "no");
        }
    }
}
