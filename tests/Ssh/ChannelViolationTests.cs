using System.Security.Cryptography;
using Countersign.Ssh.Transport;

namespace Countersign.Ssh.Tests;

/// <summary>What a client that has logged in may do wrong, and what it gets for it.</summary>
public sealed class ChannelViolationTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1000, true)]
    [InlineData(1001, false)]
    public async Task Data_within_the_window_is_taken_and_one_byte_more_is_not(int length, bool taken)
    {
        var there = new Recorder();
        await using var server = RawServer.Start(new TestServerHandler { Open = _ => new SshChannelAnswer.Accept(there, 1000) });
        var peer = await RawPeer.LogInAsync(server.Stream, Cancellation);
        var id = await peer.OpenAsync(Cancellation);
        peer.Send(Message(SshMessage.ChannelData, id).String(new byte[length]));
        if (taken)
        {
            await there.UntilAsync(() => there.Bytes == length, Cancellation);
        }
        else
        {
            (await peer.DisconnectedAsync(Cancellation)).ShouldContain("more data than the window allows");
            await server.Outcome;
            there.Bytes.ShouldBe(0);
            there.Closes.ShouldBe(1);
        }
    }

    [Theory]
    [InlineData(32768, true)]
    [InlineData(32769, false)]
    [InlineData(200_000, false)]
    [InlineData(300_000, false)]
    public async Task One_message_has_at_most_32_kibibytes_of_data(int length, bool taken)
    {
        var there = new Recorder();
        await using var server = RawServer.Start(new TestServerHandler { Open = _ => new SshChannelAnswer.Accept(there, 1_000_000) });
        var peer = await RawPeer.LogInAsync(server.Stream, Cancellation);
        var id = await peer.OpenAsync(Cancellation);
        peer.Send(Message(SshMessage.ChannelData, id).String(new byte[length]));
        if (taken) await there.UntilAsync(() => there.Bytes == length, Cancellation);
        else (await peer.DisconnectedAsync(Cancellation)).ShouldContain(length > 262_144 ? "at most 262144 are accepted here" : $"{length} bytes of data in one message");
    }

    public static TheoryData<string, string> Violations => new()
    {
        { "unknown channel", "there is no channel 99" },
        { "confirmation of an unknown one", "there is no channel 99" },
        { "failure of an unknown one", "there is no channel 99" },
        { "failure of nothing", "there is no channel" },
        { "data after eof", "data after the end of file" },
        { "eof twice", "a second end of file" },
        { "reply to nothing", "a reply to no request" },
        { "successes of nothing asked for globally", "a reply to no global request" },
        { "refusals of nothing asked for globally", "a reply to no global request" },
        { "huge window", "a window of more than 4 GiB" },
        { "extended type zero", "malformed channel message 95" },
        { "string past the end", "malformed channel message 94" },
        { "bytes after the end", "malformed channel message 96" },
        { "long request name", "malformed channel message 98" },
        { "long type", "malformed channel message 90" },
        { "confirmation of nothing", "there is no channel" },
        { "message after close", "there is no channel" },
        { "many requests", "too many requests without waiting" },
        { "no number", "malformed channel message 94" },
        { "global request", "malformed SSH_MSG_GLOBAL_REQUEST" },
    };

    [Theory]
    [MemberData(nameof(Violations))]
    public async Task A_message_that_breaks_the_rules_ends_the_connection_and_says_which(string violation, string expected)
    {
        var there = new Recorder { Request = _ => { } };
        await using var server = RawServer.Start(new TestServerHandler { Open = _ => new SshChannelAnswer.Accept(there, 100_000) });
        var peer = await RawPeer.LogInAsync(server.Stream, Cancellation);
        var id = await peer.OpenAsync(Cancellation);
        foreach (var message in Messages(violation, id)) peer.Send(message);
        (await peer.DisconnectedAsync(Cancellation)).ShouldContain(expected);
        (await server.Outcome).Error.ShouldNotBeNull().ShouldContain(expected);
        there.Closes.ShouldBe(1);
    }

    /// <summary>Older clients of Dropbear do so, though the request wants no reply.</summary>
    [Fact]
    public async Task A_refusal_of_the_host_keys_that_were_told_is_borne_with()
    {
        await using var server = RawServer.Start();
        var peer = await RawPeer.LogInAsync(server.Stream, Cancellation);
        peer.Send(new SshWriter().Byte(SshMessage.RequestFailure));
        await peer.OpenAsync(Cancellation);
    }

    [Fact]
    public async Task An_opening_with_tiny_packets_is_refused()
    {
        await using var server = RawServer.Start();
        var peer = await RawPeer.LogInAsync(server.Stream, Cancellation);
        peer.Send(new SshWriter().Byte(SshMessage.ChannelOpen).String("session").UInt32(7).UInt32(1000).UInt32(255));
        var answer = await peer.ReadAsync(Cancellation);
        answer[0].ShouldBe(SshMessage.ChannelOpenFailure);
        RawPeer.ReadNumber(answer.AsSpan(1)).ShouldBe(7u);
    }

    [Fact]
    public async Task Data_to_a_peer_with_small_packets_is_split()
    {
        await using var server = RawServer.Start();
        var peer = await RawPeer.LogInAsync(server.Stream, Cancellation);
        await peer.OpenAsync(Cancellation, window: 1000, maxPacket: 300, command: "flood 700");
        foreach (var expected in new uint[] { 300, 300, 100 })
        {
            var data = await peer.ReadAsync(Cancellation);
            data[0].ShouldBe(SshMessage.ChannelData);
            RawPeer.ReadNumber(data.AsSpan(5)).ShouldBe(expected);
        }
    }

    [Fact]
    public async Task An_unknown_message_is_answered_with_its_number_in_the_sequence()
    {
        await using var server = RawServer.Start();
        using var peer = new PlainPeer(server.Stream);
        await peer.ExchangeKeysAsync(KexInit.Create(new AlgorithmOffer { HostKeys = ["ssh-ed25519"] }, Side.Client), Cancellation);
        await peer.SendPacketAsync(new SshWriter().Byte(SshMessage.ServiceRequest).String("ssh-userauth"), Cancellation);
        await peer.SendPacketAsync(RawPeer.Request("alice", "password").Boolean(false).String("right"), Cancellation);
        (await peer.ReadAsync(Cancellation))![0].ShouldBe(SshMessage.ServiceAccept);
        (await peer.ReadAsync(Cancellation))![0].ShouldBe(SshMessage.UserAuthSuccess);
        (await peer.ReadAsync(Cancellation))![0].ShouldBe(SshMessage.GlobalRequest, "the host keys");

        // Number 2 and 3 mean nothing; 4 is not known; an answer that it is not known is no cause for another.
        await peer.SendPacketAsync(new SshWriter().Byte(SshMessage.Ignore).String("nothing"), Cancellation);
        await peer.SendPacketAsync(new SshWriter().Byte(SshMessage.Debug).Boolean(true).String("nothing").String(""), Cancellation);
        await peer.SendPacketAsync(new SshWriter().Byte(200).String("what is this"), Cancellation);
        await peer.SendPacketAsync(new SshWriter().Byte(SshMessage.Unimplemented).UInt32(0), Cancellation);
        await peer.SendPacketAsync(new SshWriter().Byte(101), Cancellation);
        (await peer.ReadAsync(Cancellation)).ShouldBe(new SshWriter().Byte(SshMessage.Unimplemented).UInt32(4).Written.ToArray());
        (await peer.ReadAsync(Cancellation)).ShouldBe(new SshWriter().Byte(SshMessage.Unimplemented).UInt32(6).Written.ToArray());
    }

    [Fact]
    public async Task Forwardings_and_whatever_else_is_asked_for_globally_is_refused_in_order()
    {
        await using var server = RawServer.Start();
        var peer = await RawPeer.LogInAsync(server.Stream, Cancellation);
        foreach (var name in new[] { "tcpip-forward", "streamlocal-forward@openssh.com", "keepalive@openssh.com", "nonsense" })
        {
            peer.Send(new SshWriter().Byte(SshMessage.GlobalRequest).String(name).Boolean(true).String("").UInt32(0));
            (await peer.ReadAsync(Cancellation)).ShouldBe([SshMessage.RequestFailure]);
        }

        // One that wants no answer gets none.
        peer.Send(new SshWriter().Byte(SshMessage.GlobalRequest).String("nonsense").Boolean(false));
        await peer.OpenAsync(Cancellation);
    }

    [Fact]
    public async Task After_the_peer_s_KEXINIT_only_the_exchange_goes_on()
    {
        await using var server = RawServer.Start();
        var peer = await RawPeer.LogInAsync(server.Stream, Cancellation);
        peer.Transport.Output.Send(PacketUse.Transport, KexInit.Create(new AlgorithmOffer { HostKeys = ["ssh-ed25519"] }, Side.Client).Payload, []);
        peer.Transport.Send(PacketUse.Transport, new SshWriter().Byte(SshMessage.ChannelOpen).String("session").UInt32(7).UInt32(1000).UInt32(32768));
        (await server.Outcome).Error.ShouldBe("message 90 is not expected here");
    }

    [Fact]
    public async Task A_peer_that_asks_and_does_not_read_is_dropped_before_it_costs_much()
    {
        await using var server = RawServer.Start();
        var peer = await RawPeer.LogInAsync(server.Stream, Cancellation);
        using var pause = new ManualResetEventSlim();
        peer.Pause = pause;
        var request = new SshWriter().Byte(SshMessage.GlobalRequest).String("nonsense").Boolean(true);
        while (!server.Outcome.IsCompleted)
        {
            for (var i = 0; i < 1000; i++) peer.Transport.Output.Send(PacketUse.Data, request.Written.Span, []);
            peer.Transport.Flush();
            await Task.WhenAny(peer.Transport.Output.WhenRoom(), server.Outcome);
        }

        (await server.Outcome).Error.ShouldBe("the peer does not read what it is sent");
        pause.Set();
    }

    [Theory]
    [InlineData("aes256-gcm@openssh.com", "")]
    [InlineData("chacha20-poly1305@openssh.com", "")]
    [InlineData("aes128-ctr", "hmac-sha2-256-etm@openssh.com")]
    [InlineData("aes256-ctr", "hmac-sha2-512-etm@openssh.com")]
    [InlineData("aes256-ctr", "hmac-sha2-256")]
    public async Task A_packet_changed_on_the_way_ends_the_connection(string cipher, string mac)
    {
        var (client, middleClient) = DuplexStream.Pair();
        var offer = new AlgorithmOffer { Ciphers = [cipher], Macs = mac.Length > 0 ? [mac] : new AlgorithmOffer().Macs };
        await using var server = RawServer.Start();
        var changing = new Changer(middleClient, server.Stream);
        var relaying = changing.RunAsync();
        var peer = await RawPeer.LogInAsync(client, Cancellation, offer: offer);
        changing.ChangeNext();
        peer.Send(new SshWriter().Byte(SshMessage.Ignore).String(new byte[100]));
        (await server.Outcome).Error.ShouldBe("a packet failed its integrity check");
        (await peer.DisconnectedAsync(Cancellation)).ShouldContain("integrity check");
        await relaying;
    }

    [Theory]
    [InlineData("aes256-gcm@openssh.com", "", "integrity check")]
    [InlineData("chacha20-poly1305@openssh.com", "", "a packet")]
    [InlineData("aes128-ctr", "hmac-sha2-256-etm@openssh.com", "integrity check")]
    [InlineData("aes256-ctr", "hmac-sha2-256", "a packet")]
    public async Task A_packet_that_comes_twice_ends_the_connection(string cipher, string mac, string expected)
    {
        var (client, middleClient) = DuplexStream.Pair();
        var offer = new AlgorithmOffer { Ciphers = [cipher], Macs = mac.Length > 0 ? [mac] : new AlgorithmOffer().Macs };
        await using var server = RawServer.Start();
        var changing = new Changer(middleClient, server.Stream);
        var relaying = changing.RunAsync();
        var peer = await RawPeer.LogInAsync(client, Cancellation, offer: offer);
        changing.RepeatNext();
        peer.Send(new SshWriter().Byte(SshMessage.Ignore).String(new byte[100]));
        (await server.Outcome).Error.ShouldNotBeNull().ShouldContain(expected);
        await peer.DisconnectedAsync(Cancellation);
        await relaying;
    }

    [Fact]
    public async Task Changed_messages_after_login_never_lead_to_more_than_a_clear_end()
    {
        var random = new Random(4253);
        SshWriter[] good =
        [
            Message(SshMessage.ChannelData, 0).String("some data"),
            Message(SshMessage.ChannelExtendedData, 0).UInt32(1).String("some data"),
            Message(SshMessage.ChannelWindowAdjust, 0).UInt32(100),
            Message(SshMessage.ChannelRequest, 0).String("pty-req").Boolean(true).String("xterm").UInt32(80).UInt32(24).UInt32(0).UInt32(0).String([1, 0, 0, 0, 3, 0]),
            Message(SshMessage.ChannelRequest, 0).String("env").Boolean(true).String("LANG").String("C"),
            Message(SshMessage.ChannelRequest, 0).String("exec").Boolean(true).String("seen"),
            Message(SshMessage.ChannelEof, 0),
            Message(SshMessage.ChannelClose, 0),
            new SshWriter().Byte(SshMessage.ChannelOpen).String("session").UInt32(8).UInt32(1000).UInt32(32768),
            new SshWriter().Byte(SshMessage.GlobalRequest).String("keepalive@openssh.com").Boolean(true),
            new SshWriter().Byte(SshMessage.UserAuthRequest).String("alice").String("ssh-connection").String("none"),
        ];
        for (var run = 0; run < 150; run++)
        {
            await using var server = RawServer.Start();
            var peer = await RawPeer.LogInAsync(server.Stream, Cancellation);
            await peer.OpenAsync(Cancellation);
            for (var i = 0; i < 20; i++)
            {
                var bytes = good[random.Next(good.Length)].Written.ToArray();
                for (var changes = random.Next(3); changes > 0; changes--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
                peer.Send(new SshWriter().Raw(bytes.AsSpan(0, random.Next(4) == 0 ? random.Next(1, bytes.Length + 1) : bytes.Length)));
            }

            peer.Transport.Close(SshDisconnectReason.ByApplication, "");
            var outcome = await server.Outcome;
            outcome.Authenticated.ShouldBeTrue();
            (outcome.Error ?? "").ShouldNotContain("internal error");
        }
    }

    [Fact]
    public async Task The_peer_may_renew_the_keys_in_the_middle_of_its_data()
    {
        await using var server = RawServer.Start();
        var peer = await RawPeer.LogInAsync(server.Stream, Cancellation, rekeyBytes: 5000);
        var id = await peer.OpenAsync(Cancellation, window: 1_000_000, command: "sha256");
        var data = RandomNumberGenerator.GetBytes(60_000);
        for (var at = 0; at < data.Length; at += 1000) peer.Send(Message(SshMessage.ChannelData, id).String(data.AsSpan(at, 1000)));
        peer.Send(Message(SshMessage.ChannelEof, id));
        var answer = await peer.ReadAsync(Cancellation);
        while (answer[0] != SshMessage.ChannelData) answer = await peer.ReadAsync(Cancellation);
        System.Text.Encoding.ASCII.GetString(answer.AsSpan(9)).ShouldBe(Convert.ToHexStringLower(SHA256.HashData(data)));
        peer.Transport.Exchanges.ShouldBeGreaterThan(1);
    }

    [Theory]
    [InlineData(SshMessage.ChannelOpenConfirmation, 0)]
    [InlineData(SshMessage.ChannelOpenConfirmation, 1)]
    [InlineData(SshMessage.ChannelOpenConfirmation, 2)]
    [InlineData(SshMessage.ChannelOpenConfirmation, 3)]
    [InlineData(SshMessage.ChannelOpenFailure, 0)]
    [InlineData(SshMessage.ChannelOpenFailure, 1)]
    public async Task An_answer_to_our_own_opening_that_can_t_be_read_ends_the_connection(byte number, int fields)
    {
        var handler = new TestServerHandler();
        await using var server = RawServer.Start(handler);
        var peer = await RawPeer.LogInAsync(server.Stream, Cancellation);
        var opening = handler.Connection!.OpenChannelAsync("forwarded-tcpip", default, new Recorder(), 1000, Cancellation);
        var asked = await peer.ReadAsync(Cancellation);
        asked[0].ShouldBe(SshMessage.ChannelOpen);
        var answer = Message(number, RawPeer.ReadNumber(asked.AsSpan(5 + "forwarded-tcpip".Length)));

        // With three of its numbers, a confirmation is whole and takes too little in one message.
        for (var field = 0; field < fields; field++) answer = answer.UInt32(255);
        peer.Send(answer);
        (await peer.DisconnectedAsync(Cancellation)).ShouldContain($"malformed channel message {number}");
        await Should.ThrowAsync<SshConnectionException>(opening);
    }

    private static SshWriter Message(byte number, uint channel) => new SshWriter().Byte(number).UInt32(channel);

    private static IEnumerable<SshWriter> Messages(string violation, uint id) => violation switch
    {
        "unknown channel" => [Message(SshMessage.ChannelData, 99).String("x")],
        "data after eof" => [Message(SshMessage.ChannelEof, id), Message(SshMessage.ChannelData, id).String("x")],
        "eof twice" => [Message(SshMessage.ChannelEof, id), Message(SshMessage.ChannelEof, id)],
        "reply to nothing" => [Message(SshMessage.ChannelSuccess, id)],
        "successes of nothing asked for globally" => [new SshWriter().Byte(SshMessage.RequestSuccess), new SshWriter().Byte(SshMessage.RequestSuccess)],
        "refusals of nothing asked for globally" => [new SshWriter().Byte(SshMessage.RequestFailure), new SshWriter().Byte(SshMessage.RequestFailure)],
        "huge window" => [Message(SshMessage.ChannelWindowAdjust, id).UInt32(uint.MaxValue), Message(SshMessage.ChannelWindowAdjust, id).UInt32(1)],
        "extended type zero" => [Message(SshMessage.ChannelExtendedData, id).UInt32(0).String("x")],
        "string past the end" => [Message(SshMessage.ChannelData, id).UInt32(100).Raw([1, 2, 3])],
        "bytes after the end" => [Message(SshMessage.ChannelEof, id).Byte(0)],
        "long request name" => [Message(SshMessage.ChannelRequest, id).String(new string('x', 65)).Boolean(true)],
        "long type" => [new SshWriter().Byte(SshMessage.ChannelOpen).String(new string('x', 65)).UInt32(7).UInt32(1000).UInt32(1000)],
        "confirmation of nothing" => [Message(SshMessage.ChannelOpenConfirmation, id).UInt32(1).UInt32(1).UInt32(1000)],
        "confirmation of an unknown one" => [Message(SshMessage.ChannelOpenConfirmation, 99).UInt32(1).UInt32(1).UInt32(1000)],
        "failure of an unknown one" => [Message(SshMessage.ChannelOpenFailure, 99).UInt32(1).String("no").String("")],
        "failure of nothing" => [Message(SshMessage.ChannelOpenFailure, id).UInt32(1).String("no").String("")],
        "message after close" => [Message(SshMessage.ChannelClose, id), Message(SshMessage.ChannelEof, id)],
        "many requests" => Enumerable.Range(0, 65).Select(_ => Message(SshMessage.ChannelRequest, id).String("shell").Boolean(true)),
        "no number" => [new SshWriter().Byte(SshMessage.ChannelData)],
        "global request" => [new SshWriter().Byte(SshMessage.GlobalRequest).UInt32(7)],
        _ => throw new ArgumentOutOfRangeException(nameof(violation)),
    };

    /// <summary>Stands between two ends, and changes one bit or sends something twice when it is told to.</summary>
    private sealed class Changer(Stream client, Stream server)
    {
        private int _change;
        private int _repeat;

        public void ChangeNext() => Volatile.Write(ref _change, 1);

        public void RepeatNext() => Volatile.Write(ref _repeat, 1);

        public Task RunAsync() => Task.WhenAll(CopyAsync(client, server, changes: true), CopyAsync(server, client, changes: false));

        private async Task CopyAsync(Stream from, Stream to, bool changes)
        {
            var buffer = new byte[65536];
            try
            {
                for (int read; (read = await from.ReadAsync(buffer)) > 0;)
                {
                    if (changes && Interlocked.Exchange(ref _change, 0) == 1) buffer[read / 2] ^= 4;
                    await to.WriteAsync(buffer.AsMemory(0, read));
                    if (changes && Interlocked.Exchange(ref _repeat, 0) == 1) await to.WriteAsync(buffer.AsMemory(0, read));
                }
            }
            catch (Exception error) when (error is IOException or ObjectDisposedException)
            {
                // An end has closed.
            }

            await to.DisposeAsync();
        }
    }
}
