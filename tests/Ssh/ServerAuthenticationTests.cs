using Countersign.Ssh.Transport;

namespace Countersign.Ssh.Tests;

public sealed class ServerAuthenticationTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_failure_names_the_methods_and_too_many_of_them_end_the_connection()
    {
        await using var server = RawServer.Start(new TestServerHandler { Methods = ["password", "publickey"] }, options => options with { MaxAttempts = 3 });
        var peer = await RawPeer.ConnectAsync(server.Stream, Cancellation);
        for (var attempt = 0; attempt < 3; attempt++)
        {
            peer.Send(Password("alice", "wrong"));
            (await peer.ReadAsync(Cancellation)).ShouldBe(Failure("password,publickey"));
        }

        (await peer.DisconnectedAsync(Cancellation)).ShouldContain("too many failed attempts");
        (await server.Outcome).ShouldBe(new SshServerOutcome(false, "too many failed attempts to authenticate"));
    }

    [Fact]
    public async Task None_and_key_queries_do_not_count_as_failures_but_have_an_end()
    {
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        await using var server = RawServer.Start(with: options => options with { MaxAttempts = 1 });
        var peer = await RawPeer.ConnectAsync(server.Stream, Cancellation);
        for (var i = 0; i < 64; i++)
        {
            peer.Send(RawPeer.Request("alice", "none"));
            (await peer.ReadAsync(Cancellation))[0].ShouldBe(SshMessage.UserAuthFailure);
            peer.Send(RawPeer.Request("alice", "publickey").Boolean(false).String("ssh-ed25519").String(key.PublicKey.Blob.Span));
            (await peer.ReadAsync(Cancellation))[0].ShouldBe(SshMessage.UserAuthFailure);
        }

        peer.Send(RawPeer.Request("alice", "none"));
        (await peer.DisconnectedAsync(Cancellation)).ShouldContain("too many authentication requests");
    }

    [Theory]
    [InlineData(256, true)]
    [InlineData(257, false)]
    [InlineData(20_000, false)]
    public async Task A_user_name_of_256_bytes_is_heard_and_a_longer_one_is_told_so(int length, bool heard)
    {
        var handler = new TestServerHandler();
        await using var server = RawServer.Start(handler);
        var peer = await RawPeer.ConnectAsync(server.Stream, Cancellation);
        peer.Send(Password(new string('a', length), "wrong"));
        (await peer.ReadAsync(Cancellation))[0].ShouldBe(SshMessage.UserAuthFailure);
        handler.Attempts.Count.ShouldBe(heard ? 1 : 0);
        if (!heard) (await peer.DisconnectedAsync(Cancellation)).ShouldContain("user name is longer than 256 bytes");
    }

    [Fact]
    public async Task A_user_name_of_a_mebibyte_is_refused_by_its_length_alone()
    {
        var handler = new TestServerHandler();
        await using var server = RawServer.Start(handler);
        var peer = await RawPeer.ConnectAsync(server.Stream, Cancellation);
        peer.Transport.Send(PacketUse.Data, Password(new string('a', 1024 * 1024), "wrong"));
        (await peer.DisconnectedAsync(Cancellation)).ShouldContain("at most 35000 are accepted here");
        handler.Attempts.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_user_name_that_is_not_UTF_8_is_refused()
    {
        await using var server = RawServer.Start();
        var peer = await RawPeer.ConnectAsync(server.Stream, Cancellation);
        peer.Send(new SshWriter().Byte(SshMessage.UserAuthRequest).String([0xff, 0xfe]).String("ssh-connection").String("none"));
        (await peer.DisconnectedAsync(Cancellation)).ShouldContain("not UTF-8");
    }

    [Fact]
    public async Task After_a_partial_success_another_user_name_ends_the_connection()
    {
        var handler = new TestServerHandler { Decide = (_, _) => new(SshAuthResult.Partial) };
        await using var server = RawServer.Start(handler);
        var peer = await RawPeer.ConnectAsync(server.Stream, Cancellation);
        peer.Send(Password("alice", "one"));
        var answer = await peer.ReadAsync(Cancellation);
        answer[0].ShouldBe(SshMessage.UserAuthFailure);
        answer[^1].ShouldBe((byte)1);
        peer.Send(Password("bob", "two"));
        (await peer.DisconnectedAsync(Cancellation)).ShouldContain("user name may not change");
        handler.Attempts.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Before_any_success_the_user_name_may_change()
    {
        var handler = new TestServerHandler();
        await using var server = RawServer.Start(handler);
        var peer = await RawPeer.ConnectAsync(server.Stream, Cancellation);
        peer.Send(Password("alice", "wrong"));
        (await peer.ReadAsync(Cancellation))[0].ShouldBe(SshMessage.UserAuthFailure);
        peer.Send(Password("bob", "right"));
        (await peer.ReadAsync(Cancellation))[0].ShouldBe(SshMessage.UserAuthSuccess);
        handler.Attempts.Select(attempt => attempt.User).ShouldBe(["alice", "bob"]);
    }

    [Fact]
    public async Task Requests_after_success_are_ignored()
    {
        var handler = new TestServerHandler();
        await using var server = RawServer.Start(handler);
        var peer = await RawPeer.LogInAsync(server.Stream, Cancellation);
        peer.Send(Password("root", "right"));
        await peer.OpenAsync(Cancellation);
        handler.Attempts.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("ssh-userauth")]
    [InlineData("nonsense")]
    public async Task Another_service_than_the_connection_is_refused(string service)
    {
        var handler = new TestServerHandler();
        await using var server = RawServer.Start(handler);
        var peer = await RawPeer.ConnectAsync(server.Stream, Cancellation);
        peer.Send(RawPeer.Request("alice", "password", service).Boolean(false).String("right"));
        (await peer.ReadAsync(Cancellation))[0].ShouldBe(SshMessage.UserAuthFailure);
        handler.Attempts.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_method_that_is_not_named_is_refused_unasked()
    {
        var handler = new TestServerHandler { Methods = ["publickey"] };
        await using var server = RawServer.Start(handler);
        var peer = await RawPeer.ConnectAsync(server.Stream, Cancellation);
        foreach (var method in new[] { "password", "keyboard-interactive", "hostbased", "nonsense" })
        {
            peer.Send(RawPeer.Request("alice", method).Boolean(false).String("right"));
            (await peer.ReadAsync(Cancellation)).ShouldBe(Failure("publickey"));
        }

        handler.Attempts.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_key_counts_only_with_its_signature_over_this_very_session()
    {
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        var handler = new TestServerHandler { Decide = (attempt, _) => new(attempt is SshAuthAttempt.Key or SshAuthAttempt.KeyQuery ? SshAuthResult.Success : SshAuthResult.Failure) };
        await using var server = RawServer.Start(handler);
        var peer = await RawPeer.ConnectAsync(server.Stream, Cancellation);

        peer.Send(RawPeer.Request("alice", "publickey").Boolean(false).String("ssh-ed25519").String(key.PublicKey.Blob.Span));
        (await peer.ReadAsync(Cancellation))[0].ShouldBe(SshMessage.UserAuthMethod);

        var elsewhere = new byte[32];
        peer.Send(Signed(key, elsewhere, "alice", "alice"));
        (await peer.ReadAsync(Cancellation))[0].ShouldBe(SshMessage.UserAuthFailure);

        peer.Send(Signed(key, peer.Transport.Session.ToArray(), "alice", "bob"));
        (await peer.ReadAsync(Cancellation))[0].ShouldBe(SshMessage.UserAuthFailure);
        handler.Attempts.ShouldAllBe(attempt => attempt is SshAuthAttempt.KeyQuery);

        peer.Send(Signed(key, peer.Transport.Session.ToArray(), "alice", "alice"));
        (await peer.ReadAsync(Cancellation))[0].ShouldBe(SshMessage.UserAuthSuccess);
    }

    [Fact]
    public async Task RSA_with_SHA_1_is_refused_even_with_a_right_signature()
    {
        using var key = SshPrivateKey.Generate(SshKeyKind.Rsa3072);
        var handler = new TestServerHandler { Decide = (_, _) => new(SshAuthResult.Success) };
        await using var server = RawServer.Start(handler);
        var peer = await RawPeer.ConnectAsync(server.Stream, Cancellation);
        peer.Send(RawPeer.Request("alice", "publickey").Boolean(true).String("ssh-rsa").String(key.PublicKey.Blob.Span).String(key.Sign("rsa-sha2-256", "x"u8)));
        (await peer.ReadAsync(Cancellation))[0].ShouldBe(SshMessage.UserAuthFailure);
        handler.Attempts.ShouldBeEmpty();
    }

    [Fact]
    public async Task Questions_are_asked_answered_and_a_new_request_gives_them_up()
    {
        var handler = new TestServerHandler
        {
            Decide = async (attempt, cancellation) =>
            {
                if (attempt is not SshAuthAttempt.Interactive interactive) return SshAuthResult.Failure;
                var answers = await interactive.PromptAsync("name", "instruction", [new SshPrompt("Password: ", false), new SshPrompt("Code: ", true)], cancellation);
                return answers[0].ExposeText() == "secret" && answers[1].ExposeText() == "123456" ? SshAuthResult.Success : SshAuthResult.Failure;
            },
        };
        await using var server = RawServer.Start(handler);
        var peer = await RawPeer.ConnectAsync(server.Stream, Cancellation);
        var interactive = RawPeer.Request("alice", "keyboard-interactive").String("").String("");
        peer.Send(interactive);
        (await peer.ReadAsync(Cancellation)).ShouldBe(new SshWriter().Byte(SshMessage.UserAuthMethod)
            .String("name").String("instruction").String("").UInt32(2).String("Password: ").Boolean(false).String("Code: ").Boolean(true).Written.ToArray());

        // Another request: the first gets no answer of its own.
        peer.Send(Password("alice", "wrong"));
        (await peer.ReadAsync(Cancellation))[0].ShouldBe(SshMessage.UserAuthFailure);

        peer.Send(interactive);
        (await peer.ReadAsync(Cancellation))[0].ShouldBe(SshMessage.UserAuthMethod);
        peer.Send(new SshWriter().Byte(SshMessage.UserAuthInfoResponse).UInt32(2).String("secret").String("123456"));
        (await peer.ReadAsync(Cancellation))[0].ShouldBe(SshMessage.UserAuthSuccess);
    }

    [Theory]
    [InlineData(1u)]
    [InlineData(3u)]
    [InlineData(0xffffffffu)]
    public async Task Another_number_of_answers_than_questions_ends_the_connection(uint count)
    {
        var handler = new TestServerHandler
        {
            Decide = async (attempt, cancellation) =>
            {
                await ((SshAuthAttempt.Interactive)attempt).PromptAsync("", "", [new SshPrompt("a", false), new SshPrompt("b", false)], cancellation);
                return SshAuthResult.Success;
            },
        };
        await using var server = RawServer.Start(handler);
        var peer = await RawPeer.ConnectAsync(server.Stream, Cancellation);
        peer.Send(RawPeer.Request("alice", "keyboard-interactive").String("").String(""));
        await peer.ReadAsync(Cancellation);
        peer.Send(new SshWriter().Byte(SshMessage.UserAuthInfoResponse).UInt32(count).String("x").String("y").String("z"));
        (await peer.DisconnectedAsync(Cancellation)).ShouldContain("as many answers as prompts");
        (await server.Outcome).Authenticated.ShouldBeFalse();
    }

    [Fact]
    public async Task A_channel_before_authentication_ends_the_connection_and_a_global_request_is_refused()
    {
        await using var server = RawServer.Start();
        var peer = await RawPeer.ConnectAsync(server.Stream, Cancellation);
        peer.Send(new SshWriter().Byte(SshMessage.GlobalRequest).String("tcpip-forward").Boolean(true).String("0.0.0.0").UInt32(22));
        (await peer.ReadAsync(Cancellation))[0].ShouldBe(SshMessage.RequestFailure);
        peer.Send(new SshWriter().Byte(SshMessage.ChannelOpen).String("session").UInt32(0).UInt32(1000).UInt32(1000));
        (await peer.DisconnectedAsync(Cancellation)).ShouldContain("authenticate first");
    }

    [Fact]
    public async Task New_keys_before_authentication_are_refused()
    {
        await using var server = RawServer.Start();
        var peer = await RawPeer.ConnectAsync(server.Stream, Cancellation);
        peer.Transport.Send(PacketUse.Transport, new SshWriter().Raw(KexInit.Create(new AlgorithmOffer { HostKeys = ["ssh-ed25519"] }, Side.Client).Payload));
        (await peer.DisconnectedAsync(Cancellation)).ShouldContain("no new keys before authentication");
    }

    [Fact]
    public async Task A_login_that_takes_too_long_is_ended_and_told_so()
    {
        var time = new FakeTime();
        await using var server = RawServer.Start(with: options => options with { Time = time, LoginTimeout = TimeSpan.FromSeconds(60) });
        var peer = await RawPeer.ConnectAsync(server.Stream, Cancellation);
        time.Advance(TimeSpan.FromSeconds(59));
        peer.Send(RawPeer.Request("alice", "none"));
        (await peer.ReadAsync(Cancellation))[0].ShouldBe(SshMessage.UserAuthFailure);
        time.Advance(TimeSpan.FromSeconds(1));
        (await peer.DisconnectedAsync(Cancellation)).ShouldContain("login took too long");
    }

    [Fact]
    public async Task A_login_in_time_is_not_ended_later()
    {
        var time = new FakeTime();
        await using var server = RawServer.Start(with: options => options with { Time = time, KeepAlive = TimeSpan.Zero });
        var peer = await RawPeer.LogInAsync(server.Stream, Cancellation);
        time.Advance(TimeSpan.FromMinutes(10));
        await peer.OpenAsync(Cancellation);
    }

    [Fact]
    public async Task A_client_that_leaves_cancels_the_attempt_under_way()
    {
        var cancelled = new TaskCompletionSource();
        var handler = new TestServerHandler
        {
            Decide = async (_, cancellation) =>
            {
                using var registration = cancellation.Register(() => cancelled.SetResult());
                await cancelled.Task;
                return SshAuthResult.Success;
            },
        };
        await using var server = RawServer.Start(handler);
        var peer = await RawPeer.ConnectAsync(server.Stream, Cancellation);
        peer.Send(Password("alice", "right"));
        peer.Transport.Close(SshDisconnectReason.ByApplication, "gone");
        await cancelled.Task.WaitAsync(Cancellation);
        (await server.Outcome).Authenticated.ShouldBeFalse();
        handler.Connection.ShouldBeNull();
    }

    [Fact]
    public async Task A_handler_that_throws_lets_nobody_in_and_harms_nobody_else()
    {
        var handler = new TestServerHandler { Decide = (_, _) => throw new InvalidOperationException("a secret detail") };
        await using var server = RawServer.Start(handler);
        var peer = await RawPeer.ConnectAsync(server.Stream, Cancellation);
        peer.Send(Password("alice", "right"));
        (await peer.DisconnectedAsync(Cancellation)).ShouldNotContain("secret detail");
        var outcome = await server.Outcome;
        (outcome.Authenticated, outcome.Error).ShouldBe((false, "internal error (InvalidOperationException)"));

        // Whoever runs the server is told all of it.
        outcome.Fault.ShouldBeOfType<InvalidOperationException>().Message.ShouldBe("a secret detail");
    }

    [Theory]
    [InlineData(20 * 1024, false)]
    [InlineData(20 * 1024 + 1, true)]
    public async Task An_authentication_request_has_the_size_of_a_certificate_and_a_signature_at_most(int bytes, bool isTooLong)
    {
        await using var server = RawServer.Start();
        var peer = await RawPeer.ConnectAsync(server.Stream, Cancellation);
        var head = Password("alice", "").Written.Length;
        peer.Send(Password("alice", new string('x', bytes - head)));
        if (isTooLong) (await peer.DisconnectedAsync(Cancellation)).ShouldContain("an authentication request has at most 20480 bytes");
        else (await peer.ReadAsync(Cancellation))[0].ShouldBe(SshMessage.UserAuthFailure);
    }

    [Fact]
    public async Task What_a_client_sends_without_waiting_for_answers_is_bounded_in_bytes()
    {
        var never = new TaskCompletionSource<IDisposable?>();
        var turns = 0;
        async ValueTask<IDisposable?> TurnAsync(CancellationToken cancellation) => Interlocked.Increment(ref turns) == 1 ? null : await never.Task.WaitAsync(cancellation);
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        await using var server = RawServer.Start(new TestServerHandler { Turn = TurnAsync });
        var peer = await RawPeer.ConnectAsync(server.Stream, Cancellation);
        peer.Send(RawPeer.Request("alice", "publickey").Boolean(false).String("ssh-ed25519").String(key.PublicKey.Blob.Span));
        for (var waiting = 0; waiting < 3; waiting++) peer.Send(Password("alice", new string('x', 15_000)));
        (await peer.DisconnectedAsync(Cancellation)).ShouldContain("without waiting for answers");
    }

    [Fact]
    public async Task A_password_is_gone_after_the_attempt()
    {
        var handler = new TestServerHandler();
        await using var server = RawServer.Start(handler);
        await RawPeer.LogInAsync(server.Stream, Cancellation);
        handler.Attempts.OfType<SshAuthAttempt.Password>().ShouldHaveSingleItem().Value.Length.ShouldBe(0);
    }

    private static SshWriter Password(string user, string password) => RawPeer.Request(user, "password").Boolean(false).String(password);

    private static byte[] Failure(string methods) => new SshWriter().Byte(SshMessage.UserAuthFailure).String(methods).Boolean(false).Written.ToArray();

    private static SshWriter Signed(SshPrivateKey key, byte[] session, string user, string signedUser)
    {
        SshWriter Head(string name) => RawPeer.Request(name, "publickey").Boolean(true).String("ssh-ed25519").String(key.PublicKey.Blob.Span);
        var data = new SshWriter().String(session).Raw(Head(signedUser).Written.Span);
        return Head(user).String(key.Sign("ssh-ed25519", data.Written.Span));
    }
}
