using System.Collections.Concurrent;
using System.Security.Cryptography;
using Countersign.Ssh.Transport;

namespace Countersign.Ssh.Tests;

/// <summary>Our client and our server with each other.</summary>
public sealed class ConnectionTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Sixty_four_mebibytes_come_back_unharmed_while_the_keys_change_every_mebibyte()
    {
        await using var pair = await OwnPair.StartAsync(Cancellation, options => options with { RekeyBytes = 1 << 20 }, options => options with { RekeyBytes = 1 << 20 });
        var (channel, streams) = await SshChannelStreams.OpenSessionAsync(pair.Client, Cancellation);
        await channel.RequestAsync(SessionRequests.Exec, new ExecRequest("cat").Encode(), Cancellation);
        var hashing = SHA256.HashDataAsync(streams.Output, Cancellation);
        using var sent = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var block = 0; block < 64; block++)
        {
            var data = RandomNumberGenerator.GetBytes(1 << 20);
            sent.AppendData(data);
            (await channel.WriteAsync(data, Cancellation)).ShouldBeTrue();
        }

        channel.SendEof();
        (await hashing).ShouldBe(sent.GetHashAndReset());
        (await streams.ExitStatus).ShouldBe(0u);
        pair.Client.Transport.Exchanges.ShouldBeGreaterThan(30);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(15)]
    [InlineData(17)]
    public async Task A_conversation_survives_being_cut_anywhere(int mostPerRead)
    {
        await using var pair = await OwnPair.StartAsync(
            Cancellation, options => options with { RekeyBytes = 20_000 }, options => options with { RekeyBytes = 20_000 }, mostPerRead: mostPerRead);
        var (channel, streams) = await SshChannelStreams.OpenSessionAsync(pair.Client, Cancellation);
        await channel.RequestAsync(SessionRequests.Exec, new ExecRequest("cat").Encode(), Cancellation);
        var data = RandomNumberGenerator.GetBytes(100_000);
        var hashing = SHA256.HashDataAsync(streams.Output, Cancellation);
        (await channel.WriteAsync(data, Cancellation)).ShouldBeTrue();
        channel.SendEof();
        (await hashing).ShouldBe(SHA256.HashData(data));
        (await streams.ExitStatus).ShouldBe(0u);
        pair.Client.Transport.Exchanges.ShouldBeGreaterThan(2);
    }

    [Fact]
    public async Task A_reader_that_stops_keeps_no_more_than_its_window_and_the_writer_s_memory_bounded()
    {
        var handler = new TestServerHandler();
        await using var pair = await OwnPair.StartAsync(Cancellation, handler: handler);
        var silent = new Recorder();
        var channel = await pair.Client.OpenChannelAsync("session", ReadOnlyMemory<byte>.Empty, silent, 3_000_000, Cancellation);
        await channel.RequestAsync(SessionRequests.Exec, new ExecRequest("flood 100000000").Encode(), Cancellation);
        await silent.UntilAsync(() => silent.Bytes == 3_000_000, Cancellation);

        // The writer counts what it has written a moment after the reader has read it.
        var began = TimeProvider.System.GetTimestamp();
        while (handler.Connection!.PendingBytes > 0)
        {
            TimeProvider.System.GetElapsedTime(began).ShouldBeLessThan(TimeSpan.FromSeconds(30));
            await Task.Yield();
        }

        // Whoever grants more gets exactly that much more.
        channel.GrantWindow(50_000);
        await silent.UntilAsync(() => silent.Bytes == 3_050_000, Cancellation);
    }

    [Fact]
    public async Task A_peer_that_gives_a_huge_window_and_does_not_read_leaves_the_writer_waiting_at_a_mebibyte()
    {
        var there = new Recorder { Request = request => request.Reply(SshReply.Success) };
        await using var pair = await OwnPair.StartAsync(Cancellation, handler: new TestServerHandler { Open = _ => new SshChannelAnswer.Accept(there, 1000) });
        using var stopped = new StoppedReader();
        var channel = await pair.Client.OpenChannelAsync("session", ReadOnlyMemory<byte>.Empty, stopped, uint.MaxValue, Cancellation);
        await channel.RequestAsync("shell", ReadOnlyMemory<byte>.Empty, Cancellation);

        var data = new byte[64 * 1024 * 1024];
        var writing = there.Channel!.WriteAsync(data, Cancellation).AsTask();
        writing.IsCompleted.ShouldBeFalse();
        there.Channel.Connection.PendingBytes.ShouldBeInRange(1024 * 1024, 1024 * 1024 + 2 * 35_000);
        stopped.GoOn();
        (await writing).ShouldBeTrue();
        await stopped.UntilAsync(data.Length, Cancellation);
    }

    [Fact]
    public async Task Every_channel_hears_once_that_the_connection_has_ended()
    {
        var opened = new ConcurrentQueue<Recorder>();
        var handler = new TestServerHandler
        {
            Open = _ =>
            {
                var recorder = new Recorder();
                opened.Enqueue(recorder);
                return new SshChannelAnswer.Accept(recorder, 1000);
            },
        };
        await using var pair = await OwnPair.StartAsync(Cancellation, handler: handler);
        var own = new[] { new Recorder(), new Recorder(), new Recorder() };
        foreach (var recorder in own) await pair.Client.OpenChannelAsync("session", ReadOnlyMemory<byte>.Empty, recorder, 1000, Cancellation);
        await pair.Client.DisposeAsync();
        (await pair.Outcome).ShouldBe(new SshServerOutcome(true, null));
        own.ShouldAllBe(recorder => recorder.Closes == 1);
        opened.Count.ShouldBe(3);
        opened.ShouldAllBe(recorder => recorder.Closes == 1);
    }

    [Fact]
    public async Task A_channel_closed_by_either_side_is_closed_once_for_both()
    {
        var there = new Recorder();
        await using var pair = await OwnPair.StartAsync(Cancellation, handler: new TestServerHandler { Open = _ => new SshChannelAnswer.Accept(there, 1000) });
        var here = new Recorder();
        var channel = await pair.Client.OpenChannelAsync("session", ReadOnlyMemory<byte>.Empty, here, 1000, Cancellation);
        channel.Close();
        channel.Close();
        await here.UntilAsync(() => here.Closes == 1, Cancellation);
        await there.UntilAsync(() => there.Closes == 1, Cancellation);
        channel.IsClosed.ShouldBeTrue();
        channel.SendData("dropped"u8);
        channel.SendEof();
        channel.GrantWindow(10);
        (await channel.RequestAsync("shell", ReadOnlyMemory<byte>.Empty, Cancellation)).ShouldBeFalse();
        await pair.Client.DisposeAsync();
        (here.Closes, there.Closes).ShouldBe((1, 1));
    }

    [Fact]
    public async Task Answers_to_requests_keep_their_order_however_they_are_given()
    {
        var requests = new ConcurrentQueue<SshChannelRequest>();
        var there = new Recorder { Request = requests.Enqueue };
        await using var pair = await OwnPair.StartAsync(Cancellation, handler: new TestServerHandler { Open = _ => new SshChannelAnswer.Accept(there, 1000) });
        var channel = await pair.Client.OpenChannelAsync("session", ReadOnlyMemory<byte>.Empty, new Recorder(), 1000, Cancellation);
        var answers = Enumerable.Range(0, 5).Select(i => channel.RequestAsync($"request-{i}", new byte[] { (byte)i }, Cancellation)).ToArray();
        await there.UntilAsync(() => requests.Count == 5, Cancellation);
        var all = requests.ToArray();
        all.Select(request => request.Name).ShouldBe(["request-0", "request-1", "request-2", "request-3", "request-4"]);
        all.Select(request => request.Payload.Span[0]).ShouldBe(new byte[] { 0, 1, 2, 3, 4 });
        foreach (var i in new[] { 4, 2, 3, 0, 1 }) all[i].Reply(i % 2 == 0 ? SshReply.Success : SshReply.Failure);
        all[0].Reply(SshReply.Failure);
        (await Task.WhenAll(answers)).ShouldBe([true, false, true, false, true]);
    }

    [Fact]
    public async Task A_handler_may_be_changed_from_within_its_own_call_and_nothing_is_lost()
    {
        var second = new Recorder();
        var first = new Swapper(second);
        await using var pair = await OwnPair.StartAsync(Cancellation, handler: new TestServerHandler { Open = _ => new SshChannelAnswer.Accept(first, 100_000) });
        var channel = await pair.Client.OpenChannelAsync("session", ReadOnlyMemory<byte>.Empty, new Recorder(), 1000, Cancellation);
        for (var i = 0; i < 100; i++) channel.SendData(new byte[100]);
        await second.UntilAsync(() => second.Bytes + first.Bytes == 10_000, Cancellation);
        first.Bytes.ShouldBe(100);
    }

    [Fact]
    public async Task A_sender_hears_when_the_network_has_taken_everything()
    {
        var here = new Recorder();
        await using var pair = await OwnPair.StartAsync(Cancellation);
        var channel = await pair.Client.OpenChannelAsync("session", ReadOnlyMemory<byte>.Empty, here, 1000, Cancellation);
        channel.SendData(new byte[1000]);
        await here.UntilAsync(() => here.Drains == 1, Cancellation);
        pair.Client.PendingBytes.ShouldBe(0);
    }

    [Fact]
    public async Task More_than_the_window_can_not_be_sent_at_once_and_waits_when_written()
    {
        var there = new Recorder();
        await using var pair = await OwnPair.StartAsync(Cancellation, handler: new TestServerHandler { Open = _ => new SshChannelAnswer.Accept(there, 1000) });
        var channel = await pair.Client.OpenChannelAsync("session", ReadOnlyMemory<byte>.Empty, new Recorder(), 1000, Cancellation);
        Should.Throw<InvalidOperationException>(() => channel.SendData(new byte[1001]));
        channel.SendWindow.ShouldBe(1000);
        var writing = channel.WriteAsync(new byte[2500], Cancellation).AsTask();
        await there.UntilAsync(() => there.Bytes == 1000, Cancellation);
        writing.IsCompleted.ShouldBeFalse();
        there.Channel!.GrantWindow(1500);
        (await writing).ShouldBeTrue();
        await there.UntilAsync(() => there.Bytes == 2500, Cancellation);

        writing = channel.WriteAsync(new byte[1], Cancellation).AsTask();
        channel.Close();
        (await writing).ShouldBeFalse();
    }

    [Fact]
    public async Task More_channels_than_allowed_are_refused_until_one_is_closed()
    {
        await using var pair = await OwnPair.StartAsync(Cancellation, options => options with { MaxChannels = 2 });
        var here = new Recorder();
        var first = await pair.Client.OpenChannelAsync("session", ReadOnlyMemory<byte>.Empty, here, 1000, Cancellation);
        await pair.Client.OpenChannelAsync("session", ReadOnlyMemory<byte>.Empty, new Recorder(), 1000, Cancellation);
        var third = pair.Client.OpenChannelAsync("session", ReadOnlyMemory<byte>.Empty, new Recorder(), 1000, Cancellation);
        (await Should.ThrowAsync<SshChannelRefusedException>(third)).Reason.ShouldBe(4u);
        first.Close();
        await here.UntilAsync(() => here.Closes == 1, Cancellation);
        await pair.Client.OpenChannelAsync("session", ReadOnlyMemory<byte>.Empty, new Recorder(), 1000, Cancellation);
    }

    [Fact]
    public async Task The_server_s_words_in_ending_a_connection_reach_the_client()
    {
        var handler = new TestServerHandler();
        await using var pair = await OwnPair.StartAsync(Cancellation, handler: handler);
        handler.Connection!.Disconnect(11, "your access is over\nreally");
        await pair.Client.Closed.WaitAsync(Cancellation);
        pair.Client.EndReason.ShouldBe("the peer disconnected: your access is over?really");
        (await pair.Outcome).ShouldBe(new SshServerOutcome(true, null));
    }

    [Fact]
    public async Task Last_words_on_a_channel_have_been_taken_before_the_connection_ends()
    {
        var there = new Recorder { Request = request => request.Reply(SshReply.Success) };
        var handler = new TestServerHandler { Open = _ => new SshChannelAnswer.Accept(there, 1000), Parting = () => there.Channel!.SendData("farewell"u8) };
        await using var server = RawServer.Start(handler);
        var peer = await RawPeer.LogInAsync(server.Stream, Cancellation);
        await peer.OpenAsync(Cancellation, command: "anything");
        await there.UntilAsync(() => there.Channel is not null, Cancellation);
        handler.Connection!.Disconnect(11, "over");
        (await peer.ReadAsync(Cancellation))[^8..].ShouldBe("farewell"u8.ToArray());
        (await peer.ReadAsync(Cancellation))[0].ShouldBe((byte)80);

        peer.Send(new SshWriter().Byte(90).String("session").UInt32(7).UInt32(1000).UInt32(1000));
        (await peer.ReadAsync(Cancellation))[0].ShouldBe((byte)92, "a channel that is opened meanwhile is refused");
        handler.Connection.Disconnect(11, "once more");
        peer.Send(new SshWriter().Byte(82));

        (await peer.DisconnectedAsync(Cancellation)).ShouldContain("over");
    }

    [Fact]
    public async Task A_peer_that_does_not_answer_has_a_second_for_the_last_words()
    {
        var time = new FakeTime();
        var handler = new TestServerHandler { Parting = () => { } };
        await using var server = RawServer.Start(handler, options => options with { Time = time, KeepAlive = TimeSpan.Zero });
        var peer = await RawPeer.LogInAsync(server.Stream, Cancellation);
        await peer.OpenAsync(Cancellation);
        handler.Connection!.Disconnect(11, "over");
        (await peer.ReadAsync(Cancellation))[0].ShouldBe((byte)80);
        time.Advance(TimeSpan.FromSeconds(1));
        (await peer.DisconnectedAsync(Cancellation)).ShouldContain("over");
    }

    [Fact]
    public async Task Silence_is_broken_by_keep_alives_and_three_without_answer_end_the_connection()
    {
        var time = new FakeTime();
        await using var server = RawServer.Start(with: options => options with { Time = time, KeepAlive = TimeSpan.FromSeconds(30) });
        var peer = await RawPeer.LogInAsync(server.Stream, Cancellation);
        await peer.OpenAsync(Cancellation);
        time.Advance(TimeSpan.FromSeconds(30));
        for (var asked = 0; asked < 3; asked++)
        {
            time.Advance(TimeSpan.FromSeconds(30));
            (await peer.ReadAsync(Cancellation)).ShouldBe(new SshWriter().Byte(80).String("keepalive@openssh.com").Boolean(true).Written.ToArray());
        }

        time.Advance(TimeSpan.FromSeconds(30));
        (await peer.DisconnectedAsync(Cancellation)).ShouldContain("does not answer");
    }

    [Fact]
    public async Task A_peer_that_answers_keep_alives_stays()
    {
        var time = new FakeTime();
        var handler = new TestServerHandler();
        await using var pair = await OwnPair.StartAsync(Cancellation, options => options with { Time = time, KeepAlive = TimeSpan.FromSeconds(30) }, handler: handler);
        for (var i = 0; i < 20; i++)
        {
            time.Advance(TimeSpan.FromSeconds(30));

            // Whatever was asked has been answered once an opening after it has.
            await pair.Client.OpenChannelAsync("session", ReadOnlyMemory<byte>.Empty, new Recorder(), 1000, Cancellation);
        }

        pair.Client.Closed.IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task The_keys_are_renewed_every_hour_and_a_renewal_that_does_not_end_ends_the_connection()
    {
        var time = new FakeTime();
        await using var server = RawServer.Start(with: options => options with { Time = time, KeepAlive = TimeSpan.Zero });
        var peer = await RawPeer.LogInAsync(server.Stream, Cancellation);
        time.Advance(TimeSpan.FromMinutes(59));
        await peer.OpenAsync(Cancellation);
        peer.Transport.Exchanges.ShouldBe(1);
        time.Advance(TimeSpan.FromMinutes(1));
        await peer.OpenAsync(Cancellation);
        peer.Transport.Exchanges.ShouldBe(2);

        // A peer that has stopped reading never answers the offer.
        using var pause = new ManualResetEventSlim();
        peer.Pause = pause;
        peer.Send(new SshWriter().Byte(80).String("asked so that it pauses").Boolean(true));
        await peer.Paused.WaitAsync(Cancellation);
        time.Advance(TimeSpan.FromMinutes(61));
        time.Advance(TimeSpan.FromMinutes(2));
        pause.Set();
        (await peer.DisconnectedAsync(Cancellation)).ShouldContain("key exchange took too long");
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 3)]
    [InlineData(RenewalAllowance.Price / 3, 0)]
    [InlineData(RenewalAllowance.Price / 2, 1)]
    public void Renewals_of_keys_come_no_faster_than_they_are_earned(long bytes, int every)
    {
        var time = new FakeTime();
        var began = time.GetTimestamp();
        var allowance = new RenewalAllowance(time);
        for (var renewal = 1; renewal <= 1000; renewal++)
        {
            time.Advance(TimeSpan.FromMilliseconds(every * 50));
            var wait = allowance.Take(bytes);
            wait.ShouldBeInRange(TimeSpan.Zero, TimeSpan.FromSeconds(1));
            time.Advance(wait);
            var earned = RenewalAllowance.Most + (renewal * bytes / RenewalAllowance.Price) + (time.GetElapsedTime(began, time.GetTimestamp()).TotalSeconds * RenewalAllowance.PerSecond);
            ((double)renewal).ShouldBeLessThanOrEqualTo(earned + 1.01);
        }
    }

    [Fact]
    public async Task A_server_that_renews_the_keys_for_nothing_is_let_wait_too()
    {
        var time = new FakeTime();
        await using var pair = await OwnPair.StartAsync(Cancellation, options => options with { RekeyBytes = 4000 }, options => options with { Time = time });
        var (channel, streams) = await SshChannelStreams.OpenSessionAsync(pair.Client, Cancellation);
        await channel.RequestAsync(SessionRequests.Exec, new ExecRequest("cat").Encode(), Cancellation);
        var answer = new byte[5000];
        var waits = 0;
        while (pair.Client.Transport.Exchanges < 2 * RenewalAllowance.Most)
        {
            await channel.WriteAsync(answer, Cancellation);
            var reading = streams.Output.ReadExactlyAsync(answer, Cancellation).AsTask();
            waits += await time.PassUntilAsync(reading, TimeSpan.FromSeconds(1));
            await reading;
        }

        waits.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task A_peer_that_renews_the_keys_for_nothing_waits_until_that_is_earned_and_then_goes_on()
    {
        var time = new FakeTime();
        await using var server = RawServer.Start(with: options => options with { Time = time, KeepAlive = TimeSpan.Zero });
        var peer = await RawPeer.LogInAsync(server.Stream, Cancellation, rekeyBytes: 1000);
        var ping = new SshWriter().Byte(SshMessage.Ping).String(new byte[1000]);
        var waits = 0;
        while (peer.Transport.Exchanges < 2 * RenewalAllowance.Most)
        {
            peer.Send(ping);
            var reading = peer.ReadAsync(Cancellation).AsTask();
            waits += await time.PassUntilAsync(reading, TimeSpan.FromSeconds(1));
            (await reading)[0].ShouldBe(SshMessage.Pong);
        }

        waits.ShouldBeGreaterThan(RenewalAllowance.Most / RenewalAllowance.PerSecond / 2);
    }


    [Fact]
    public async Task A_wrong_password_is_an_authentication_exception()
    {
        using var wrong = Secret.FromText("wrong");
        var starting = OwnPair.StartAsync(Cancellation, client: options => options with { Credentials = [new SshCredential.Password(wrong)] });
        (await Should.ThrowAsync<SshAuthenticationException>(starting)).Message.ShouldContain("publickey, password");
    }

    [Fact]
    public async Task A_password_answers_the_one_question_of_keyboard_interactive()
    {
        var handler = new TestServerHandler
        {
            Methods = ["keyboard-interactive"],
            Decide = async (attempt, cancellation) =>
            {
                if (attempt is not SshAuthAttempt.Interactive interactive) return SshAuthResult.Failure;
                var answers = await interactive.PromptAsync("", "", [new SshPrompt("Password: ", false)], cancellation);
                var right = answers[0].ExposeText() == "right";
                await interactive.PromptAsync("", "welcome", [], cancellation);
                return right ? SshAuthResult.Success : SshAuthResult.Failure;
            },
        };
        await using var pair = await OwnPair.StartAsync(Cancellation, handler: handler);
        (await SshChannelStreams.OpenSessionAsync(pair.Client, Cancellation)).Channel.IsClosed.ShouldBeFalse();
    }

    [Fact]
    public async Task Two_factors_are_given_one_after_the_other()
    {
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        using var password = Secret.FromText("right");
        var handler = new TestServerHandler
        {
            Decide = (attempt, _) => new(attempt switch
            {
                SshAuthAttempt.Key { Value: var value } when value.Equals(key.PublicKey) => SshAuthResult.Partial,
                SshAuthAttempt.Password => SshAuthResult.Success,
                _ => SshAuthResult.Failure,
            }),
        };
        await using var pair = await OwnPair.StartAsync(
            Cancellation, handler: handler, client: options => options with { Credentials = [new SshCredential.Key(key), new SshCredential.Password(password)] });
        handler.Attempts.Select(attempt => attempt.GetType().Name).ShouldBe(["None", "Key", "Password"]);
    }

    [Fact]
    public async Task Connecting_that_takes_too_long_or_is_cancelled_says_so_and_disposes_the_stream()
    {
        var time = new FakeTime();
        var (here, there) = DuplexStream.Pair();
        var options = new SshClientOptions { User = "alice", Credentials = [], TrustedHostKeys = [], Time = time };
        var connecting = SshClientConnection.ConnectAsync(here, options, Cancellation);
        (await there.ReadAsync(new byte[100], Cancellation)).ShouldBeGreaterThan(0);
        time.Advance(TimeSpan.FromSeconds(31));
        (await Should.ThrowAsync<SshConnectionException>(connecting)).Message.ShouldBe("connecting took too long");
        await Should.ThrowAsync<IOException>(async () => await there.WriteAsync(new byte[1], Cancellation));

        using var cancelled = new CancellationTokenSource();
        (here, _) = DuplexStream.Pair();
        connecting = SshClientConnection.ConnectAsync(here, options, cancelled.Token);
        await cancelled.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(connecting);
    }

    [Fact]
    public async Task A_server_that_is_stopped_tells_its_clients_and_throws_cancellation()
    {
        using var stop = new CancellationTokenSource();
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        var (here, there) = DuplexStream.Pair();
        var serving = SshServerConnection.RunAsync(there, new SshServerOptions { HostKeys = [key] }, new TestServerHandler(), stop.Token);
        var peer = await RawPeer.LogInAsync(here, Cancellation);
        await stop.CancelAsync();
        (await peer.DisconnectedAsync(Cancellation)).ShouldContain("shutting down");
        await Should.ThrowAsync<OperationCanceledException>(serving);
    }

    private sealed class Swapper(SshChannelHandler next) : SshChannelHandler
    {
        public int Bytes { get; private set; }

        public override void OnData(SshChannel channel, uint type, ReadOnlySpan<byte> data)
        {
            Bytes += data.Length;
            channel.Handler = next;
        }
    }

    /// <summary>Holds up its connection's receive loop until it is told to go on.</summary>
    private sealed class StoppedReader : SshChannelHandler, IDisposable
    {
        private readonly ManualResetEventSlim _goOn = new();
        private readonly TaskCompletionSource _all = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private long _bytes;
        private long _wanted = long.MaxValue;

        public void GoOn() => _goOn.Set();

        public Task UntilAsync(long bytes, CancellationToken cancellation)
        {
            Volatile.Write(ref _wanted, bytes);
            Check();
            return _all.Task.WaitAsync(cancellation);
        }

        public override void OnData(SshChannel channel, uint type, ReadOnlySpan<byte> data)
        {
            _goOn.Wait(Cancellation);
            Interlocked.Add(ref _bytes, data.Length);
            Check();
        }

        public void Dispose() => _goOn.Dispose();

        private void Check()
        {
            if (Interlocked.Read(ref _bytes) >= Volatile.Read(ref _wanted)) _all.TrySetResult();
        }
    }
}
