using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Countersign.Ssh.Transport;

namespace Countersign.Ssh.Tests;

/// <summary>What a peer may do wrong before there are keys, and what it gets for it.</summary>
public sealed class TransportTests
{
    private static readonly AlgorithmOffer Offer = new() { HostKeys = ["ssh-ed25519"] };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: gateway\r\n\r\n", "does not speak SSH")]
    [InlineData("\r\n", "does not speak SSH")]
    [InlineData("SSH-1.5-old\r\n", "the peer speaks SSH-1.5-old, not SSH 2.0")]
    [InlineData("SSH-2.0-zero\0\r\n", "malformed")]
    public async Task Who_does_not_speak_SSH_is_told_so_in_plain_text(string words, string expected)
    {
        await using var server = RawServer.Start();
        await server.Stream.WriteAsync(Encoding.ASCII.GetBytes(words), Cancellation);
        using var reader = new StreamReader(server.Stream, Encoding.ASCII);
        var all = await reader.ReadToEndAsync(Cancellation);
        all.ShouldStartWith("SSH-2.0-Countersign_");
        all.ShouldContain("an SSH 2.0 client is expected");
        var outcome = await server.Outcome;
        outcome.Authenticated.ShouldBeFalse();
        outcome.Error.ShouldNotBeNull().ShouldContain(expected);
    }

    [Fact]
    public async Task A_flood_of_garbage_over_TCP_is_answered_and_closed_without_a_reset()
    {
        await using var server = TestServer.Start();
        await using var stream = (NetworkStream)await server.ConnectAsync(Cancellation);
        await stream.WriteAsync(new byte[200_000], Cancellation);
        using var reader = new StreamReader(stream, Encoding.ASCII);
        (await reader.ReadToEndAsync(Cancellation)).ShouldContain("an SSH 2.0 client is expected");
    }

    [Theory]
    [InlineData(255, true)]
    [InlineData(256, false)]
    public async Task An_identification_of_255_bytes_is_read_and_a_longer_one_is_not(int length, bool read)
    {
        await using var server = RawServer.Start();
        using var peer = new PlainPeer(server.Stream);
        await peer.SendAsync("SSH-2.0-" + new string('x', length - 10) + "\r\n", Cancellation);
        await peer.ReadLineAsync(Cancellation);
        if (read) (await peer.ReadAsync(Cancellation))![0].ShouldBe(SshMessage.KexInit);
        else (await server.Outcome).Error.ShouldNotBeNull().ShouldContain("a line of more than 255 bytes");
    }

    [Fact]
    public async Task An_identification_that_never_ends_is_refused_at_its_bound()
    {
        await using var server = RawServer.Start();
        await server.Stream.WriteAsync(Encoding.ASCII.GetBytes("SSH-2.0-" + new string('x', 247)), Cancellation);
        (await server.Outcome).Error.ShouldNotBeNull().ShouldContain("a line of more than 255 bytes");
    }

    [Fact]
    public async Task A_client_that_says_nothing_is_closed_when_its_time_is_over()
    {
        var time = new FakeTime();
        await using var server = RawServer.Start(with: options => options with { Time = time });
        time.Advance(TimeSpan.FromSeconds(60));
        (await server.Outcome).ShouldBe(new SshServerOutcome(false, "login took too long"));
    }

    [Theory]
    [InlineData(64, true)]
    [InlineData(65, false)]
    public async Task A_server_may_say_64_lines_before_it_identifies_itself(int lines, bool accepted)
    {
        var (here, there) = DuplexStream.Pair();
        var fetching = SshClientConnection.FetchHostKeyAsync(here, Cancellation);
        using var server = new PlainPeer(there);
        for (var i = 0; i < lines; i++) await server.SendAsync("welcome\r\n", Cancellation);
        await server.SendAsync("SSH-2.0-Talkative\r\n", Cancellation);
        await server.SendAsync(PlainPeer.Packet(KexInit.Create(Offer with { Ciphers = ["none"] }, Side.Server).Payload), Cancellation);
        var error = await Should.ThrowAsync<SshConnectionException>(fetching);
        error.Message.ShouldContain(accepted ? "no common cipher algorithm; the peer offers none" : "too many lines");
    }

    [Theory]
    [InlineData(35_001L, 4, "a packet of 35001 bytes; at most 35000 are accepted here")]
    [InlineData(0x7fffffffL, 4, "at most 35000")]
    [InlineData(0xffffffffL, 4, "at most 35000")]
    [InlineData(0L, 4, "malformed")]
    [InlineData(4L, 4, "malformed")]
    [InlineData(5L, 4, "malformed")]
    [InlineData(13L, 4, "malformed")]
    [InlineData(12L, 3, "a packet of 12 bytes has 3 bytes of padding")]
    [InlineData(12L, 11, "a packet of 12 bytes has 11 bytes of padding")]
    [InlineData(12L, 255, "a packet of 12 bytes has 255 bytes of padding")]
    public async Task A_packet_whose_lengths_are_wrong_ends_the_connection_with_a_clear_sentence(long length, int padding, string expected)
    {
        await using var server = RawServer.Start();
        using var peer = new PlainPeer(server.Stream);
        await peer.SendAsync("SSH-2.0-Plain\r\n", Cancellation);
        await peer.SendAsync(PlainPeer.Packet(length, padding, [2], 10), Cancellation);
        await peer.ReadLineAsync(Cancellation);
        (await peer.DisconnectedAsync(Cancellation)).ShouldNotBeNull().ShouldContain(expected);
        (await server.Outcome).Error.ShouldNotBeNull().ShouldContain(expected);
    }

    [Fact]
    public async Task A_packet_of_35000_bytes_is_read()
    {
        await using var server = RawServer.Start();
        using var peer = new PlainPeer(server.Stream);
        await peer.SendAsync("SSH-2.0-Plain\r\n", Cancellation);
        await peer.SendAsync(PlainPeer.Packet(34_996, 4, new byte[34_991].Select((_, i) => i == 0 ? (byte)2 : (byte)0).ToArray(), 4), Cancellation);
        await peer.SendAsync(PlainPeer.Packet(Init("curve25519-sha256", "ssh-dss").Payload), Cancellation);
        await peer.ReadLineAsync(Cancellation);
        (await peer.DisconnectedAsync(Cancellation)).ShouldNotBeNull().ShouldContain("no common host key");
    }

    [Fact]
    public async Task With_strict_key_exchange_nothing_comes_before_KEXINIT()
    {
        await using var server = RawServer.Start();
        using var peer = new PlainPeer(server.Stream);
        await peer.SendAsync("SSH-2.0-Plain\r\n", Cancellation);
        await peer.SendPacketAsync(new SshWriter().Byte(SshMessage.Ignore).String(""), Cancellation);
        await peer.SendAsync(PlainPeer.Packet(KexInit.Create(Offer, Side.Client).Payload), Cancellation);
        await peer.ReadLineAsync(Cancellation);
        (await peer.DisconnectedAsync(Cancellation)).ShouldNotBeNull().ShouldContain("strict key exchange");
    }

    [Theory]
    [InlineData(SshMessage.Ignore)]
    [InlineData(SshMessage.Debug)]
    [InlineData(SshMessage.Unimplemented)]
    [InlineData(SshMessage.ServiceRequest)]
    [InlineData(SshMessage.ExtInfo)]
    [InlineData(SshMessage.KexReply)]
    [InlineData(SshMessage.NewKeys)]
    [InlineData(SshMessage.UserAuthRequest)]
    [InlineData(SshMessage.ChannelOpen)]
    [InlineData((byte)0)]
    [InlineData((byte)255)]
    public async Task With_strict_key_exchange_nothing_comes_between_KEXINIT_and_the_exchange(byte number)
    {
        await using var server = RawServer.Start();
        using var peer = new PlainPeer(server.Stream);
        await peer.OpenAsync(KexInit.Create(Offer, Side.Client), Cancellation);
        await peer.SendPacketAsync(new SshWriter().Byte(number).String("").String(""), Cancellation);
        (await peer.DisconnectedAsync(Cancellation)).ShouldBe($"message {number} is not expected here");
    }

    [Fact]
    public async Task A_second_KEXINIT_in_one_exchange_ends_the_connection()
    {
        await using var server = RawServer.Start();
        using var peer = new PlainPeer(server.Stream);
        var init = KexInit.Create(Offer, Side.Client);
        await peer.OpenAsync(init, Cancellation);
        await peer.SendAsync(PlainPeer.Packet(init.Payload), Cancellation);
        (await peer.DisconnectedAsync(Cancellation)).ShouldBe("message 20 is not expected here");
    }

    [Fact]
    public async Task Without_strict_key_exchange_the_messages_that_mean_nothing_may_come()
    {
        await using var server = RawServer.Start();
        using var peer = new PlainPeer(server.Stream);
        await peer.SendAsync("SSH-2.0-Plain\r\n", Cancellation);
        await peer.SendPacketAsync(new SshWriter().Byte(SshMessage.Ignore).String("x"), Cancellation);
        await peer.SendAsync(PlainPeer.Packet(Init("curve25519-sha256", "ssh-ed25519").Payload), Cancellation);
        await peer.SendPacketAsync(new SshWriter().Byte(SshMessage.Debug).Boolean(false).String("").String(""), Cancellation);
        await peer.SendPacketAsync(new SshWriter().Byte(SshMessage.KexStart).String(Curve()), Cancellation);
        await peer.ReadLineAsync(Cancellation);
        (await peer.ReadAsync(Cancellation))![0].ShouldBe(SshMessage.KexInit);
        (await peer.ReadAsync(Cancellation))![0].ShouldBe(SshMessage.KexReply);
        (await peer.ReadAsync(Cancellation))![0].ShouldBe(SshMessage.NewKeys);
    }

    [Theory]
    [InlineData(SshMessage.Ignore)]
    [InlineData(SshMessage.GlobalRequest)]
    [InlineData(SshMessage.ServiceRequest)]
    public async Task Whoever_sends_on_and_on_and_does_not_sign_in_is_turned_away(byte number)
    {
        await using var server = RawServer.Start();
        using var peer = new PlainPeer(server.Stream);
        await peer.ExchangeKeysAsync(KexInit.Create(Offer, Side.Client), Cancellation);
        var message = new SshWriter().Byte(number);
        if (number == SshMessage.GlobalRequest) message.String("x").Boolean(false);
        else message.String("ssh-userauth");
        if (number != SshMessage.ServiceRequest) await peer.SendPacketAsync(new SshWriter().Byte(SshMessage.ServiceRequest).String("ssh-userauth"), Cancellation);
        var flood = FloodAsync();
        (await peer.DisconnectedAsync(Cancellation)).ShouldNotBeNull().ShouldContain("nobody has signed in");
        (await server.Outcome).Error.ShouldNotBeNull().ShouldContain("512 packets");
        await flood;

        async Task FloodAsync()
        {
            try
            {
                for (var count = 0; count < 600; count++) await peer.SendPacketAsync(message, Cancellation);
            }
            catch (IOException)
            {
                // It has been turned away.
            }
        }
    }

    /// <summary>Before there are keys a packet costs its sender nothing.</summary>
    [Fact]
    public async Task Packets_of_somebody_who_has_not_signed_in_cost_no_buffers_of_their_own()
    {
        var packet = PlainPeer.Packet(new SshWriter().Byte(SshMessage.Ignore).String("").Written.Span);
        using var input = new PacketInput(new Repeating(packet));
        await ReadAsync(100);
        var before = GC.GetAllocatedBytesForCurrentThread();
        await ReadAsync(10_000);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(1024 * 1024);

        // It all happens on this thread: the stream never waits.
        async Task ReadAsync(int packets)
        {
            for (var count = 0; count < packets; count++)
            {
                (await input.FillAsync(Cancellation)).ShouldBeTrue();
                input.TryRead(out _).ShouldBeTrue();
            }
        }
    }

    [Fact]
    public void A_buffer_that_may_have_held_a_password_is_zeroed_before_somebody_else_has_it()
    {
        var buffers = new PinnedBuffers();
        var buffer = buffers.Take();
        buffer.AsSpan().Fill(7);
        buffers.GiveBack(buffer);
        buffers.Take().ShouldBeSameAs(buffer);
        buffer.ShouldAllBe(one => one == 0);
    }

    [Fact]
    public async Task ChaCha20_is_not_agreed_on_without_strict_key_exchange()
    {
        await using var server = RawServer.Start();
        using var peer = new PlainPeer(server.Stream);
        await peer.SendAsync("SSH-2.0-Plain\r\n", Cancellation);
        await peer.SendAsync(PlainPeer.Packet(Init("curve25519-sha256", "ssh-ed25519", ciphers: "chacha20-poly1305@openssh.com").Payload), Cancellation);
        await peer.ReadLineAsync(Cancellation);
        (await peer.DisconnectedAsync(Cancellation)).ShouldNotBeNull().ShouldContain("no common cipher algorithm");
    }

    [Theory]
    [InlineData("kex-strict-c-v00@openssh.com", true)]
    [InlineData("diffie-hellman-group14-sha256", false)]
    public async Task ChaCha20_is_offered_only_to_a_client_that_is_strict(string marker, bool offered)
    {
        await using var server = RawServer.Start(with: options => options with { OfferDelay = TimeSpan.FromMinutes(1) });
        using var peer = new PlainPeer(server.Stream);
        var theirs = await peer.OpenAsync(Init("curve25519-sha256," + marker, "ssh-ed25519", ciphers: "chacha20-poly1305@openssh.com,aes256-ctr"), Cancellation);
        theirs.CiphersToClient.Contains("chacha20-poly1305@openssh.com").ShouldBe(offered);
    }

    [Fact]
    public async Task A_client_does_not_use_ChaCha20_with_a_server_that_is_not_strict()
    {
        var (here, there) = DuplexStream.Pair();
        var fetching = SshClientConnection.FetchHostKeyAsync(here, Cancellation);
        using var server = new PlainPeer(there);
        await server.SendAsync("SSH-2.0-Plain\r\n", Cancellation);
        await server.SendAsync(PlainPeer.Packet(Init("curve25519-sha256", "ssh-ed25519", ciphers: "chacha20-poly1305@openssh.com").Payload), Cancellation);
        (await Should.ThrowAsync<SshConnectionException>(fetching)).Message.ShouldContain("only together with strict key exchange");
    }

    [Theory]
    [InlineData("diffie-hellman-group14-sha256,curve25519-sha256", "diffie-hellman-group14-sha256", false)]
    [InlineData("diffie-hellman-group14-sha256", "diffie-hellman-group14-sha256", true)]
    [InlineData("sntrup761x25519-sha512@openssh.com,curve25519-sha256", "curve25519-sha256", true)]
    [InlineData("curve25519-sha256", "curve25519-sha256", false)]
    public async Task A_guessed_first_packet_counts_only_if_the_guess_was_right(string offered, string agreed, bool wrong)
    {
        await using var server = RawServer.Start(with: options => options with
        {
            Algorithms = new AlgorithmOffer { KeyExchanges = agreed == "curve25519-sha256" || wrong ? ["curve25519-sha256", agreed] : [agreed] },
        });
        using var peer = new PlainPeer(server.Stream);
        await peer.OpenAsync(Init(offered, "ssh-ed25519", guess: true), Cancellation);
        if (wrong) await peer.SendPacketAsync(new SshWriter().Byte(SshMessage.KexStart).String("nonsense"), Cancellation);
        using Crypto.KeyAgreement own = agreed.StartsWith("curve", StringComparison.Ordinal) ? new Crypto.X25519Agreement() : new Crypto.FiniteFieldAgreement("modp_2048", 256);
        await peer.SendPacketAsync(new SshWriter().Byte(SshMessage.KexStart).String(own.Public), Cancellation);
        (await peer.ReadAsync(Cancellation))![0].ShouldBe(SshMessage.KexReply);
    }

    public static TheoryData<string, byte[]> BadValues()
    {
        var group14 = Convert.FromHexString(
            "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B" +
            "0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804" +
            "F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA051015728E5A8AACAA68FFFFFFFFFFFFFFFF");
        var lessOne = group14.ToArray();
        lessOne[^1]--;
        var data = new TheoryData<string, byte[]>
        {
            { "curve25519-sha256", [] },
            { "curve25519-sha256", new byte[32] },
            { "curve25519-sha256", [1, .. new byte[31]] },
            { "curve25519-sha256", [9, .. new byte[30]] },
            { "curve25519-sha256", [9, .. new byte[32]] },
            { "diffie-hellman-group14-sha256", [] },
            { "diffie-hellman-group14-sha256", [0] },
            { "diffie-hellman-group14-sha256", [1] },
            { "diffie-hellman-group14-sha256", [0x80] },
            { "diffie-hellman-group14-sha256", [0, .. lessOne] },
            { "diffie-hellman-group14-sha256", [0, .. group14] },
            { "diffie-hellman-group14-sha256", [1, .. group14] },
            { "diffie-hellman-group14-sha256", [0, 1, .. group14] },
        };
        return data;
    }

    [Theory]
    [MemberData(nameof(BadValues))]
    public async Task A_key_exchange_value_that_would_give_the_secret_away_is_refused(string method, byte[] value)
    {
        await using var server = RawServer.Start();
        using var peer = new PlainPeer(server.Stream);
        await peer.OpenAsync(Init(method, "ssh-ed25519"), Cancellation);
        await peer.SendPacketAsync(new SshWriter().Byte(SshMessage.KexStart).String(value), Cancellation);
        (await peer.DisconnectedAsync(Cancellation)).ShouldBe("the peer's key exchange value is not acceptable");
    }

    [Theory]
    [InlineData("diffie-hellman-group1-sha1", "ssh-ed25519", "no common key exchange algorithm; the peer offers diffie-hellman-group1-sha1")]
    [InlineData("curve25519-sha256", "ssh-rsa,ssh-dss", "no common host key algorithm; the peer offers ssh-rsa,ssh-dss")]
    [InlineData("ext-info-c,kex-strict-c-v00@openssh.com", "ssh-ed25519", "no common key exchange algorithm")]
    [InlineData("", "ssh-ed25519", "no common key exchange algorithm")]
    public async Task Nothing_in_common_is_told_by_name(string method, string hostKey, string expected)
    {
        await using var server = RawServer.Start();
        using var peer = new PlainPeer(server.Stream);
        await peer.SendAsync("SSH-2.0-Plain\r\n", Cancellation);
        await peer.SendAsync(PlainPeer.Packet(Init(method, hostKey).Payload), Cancellation);
        await peer.ReadLineAsync(Cancellation);
        (await peer.DisconnectedAsync(Cancellation)).ShouldNotBeNull().ShouldContain(expected);
    }

    [Fact]
    public void Every_cut_of_a_KEXINIT_is_malformed()
    {
        var payload = KexInit.Create(Offer, Side.Client).Payload;
        KexInit.Parse(payload).KeyExchanges.ShouldContain("curve25519-sha256");
        for (var length = 1; length < payload.Length; length++) Should.Throw<SshConnectionException>(() => KexInit.Parse(payload.AsSpan(0, length)));
    }

    [Theory]
    [InlineData(128, 64, true)]
    [InlineData(129, 1, false)]
    [InlineData(1, 65, false)]
    public void A_list_of_a_KEXINIT_has_at_most_128_names_of_64_bytes(int names, int length, bool isRead)
    {
        var crowded = string.Join(',', Enumerable.Repeat(new string('a', length), names));
        for (var at = 0; at < 10; at++)
        {
            var writer = new SshWriter().Byte(SshMessage.KexInit).Raw(new byte[16]);
            for (var list = 0; list < 10; list++) writer.String(list == at ? crowded : "none");
            var payload = writer.Boolean(false).UInt32(0).Written.ToArray();
            if (isRead) KexInit.Parse(payload).Payload.ShouldBe(payload);
            else Should.Throw<SshConnectionException>(() => KexInit.Parse(payload)).Message.ShouldContain("malformed SSH_MSG_KEXINIT");
        }
    }

    [Fact]
    public async Task A_client_without_words_gets_the_server_s_offer_after_a_moment()
    {
        var time = new FakeTime();
        await using var server = RawServer.Start(with: options => options with { Time = time });
        using var peer = new PlainPeer(server.Stream);
        await peer.SendAsync("SSH-2.0-Patient\r\n", Cancellation);
        await peer.ReadLineAsync(Cancellation);
        var reading = peer.ReadAsync(Cancellation);

        // Until the server has read the line it has only the timers that end a connection; they must not come due here.
        await time.PassUntilAsync(reading, TimeSpan.FromMilliseconds(500));
        var ciphers = KexInit.Parse((await reading)!).CiphersToClient;
        ciphers.ShouldContain("aes256-ctr");
        ciphers.ShouldNotContain("chacha20-poly1305@openssh.com");
    }

    /// <summary>Of every byte that a client sends before there are keys, one is changed, cut off or doubled: the server ends in good order each time.</summary>
    [Fact]
    public async Task A_changed_handshake_never_leads_to_more_than_a_clear_end()
    {
        var init = PlainPeer.Packet(KexInit.Create(Offer, Side.Client).Payload);
        byte[] whole = [.. "SSH-2.0-Plain\r\n"u8, .. init, .. PlainPeer.Packet(new SshWriter().Byte(SshMessage.KexStart).String(Curve()).Written.Span), .. PlainPeer.Packet([SshMessage.NewKeys]), .. new byte[64]];
        var random = new Random(20);
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        var options = new SshServerOptions { HostKeys = [key] };
        for (var at = 0; at < whole.Length; at += random.Next(1, 4))
        {
            byte[] changed = random.Next(3) switch
            {
                0 => [.. whole.AsSpan(0, at), (byte)(whole[at] ^ (1 << random.Next(8))), .. whole.AsSpan(at + 1)],
                1 => [.. whole.AsSpan(0, at)],
                _ => [.. whole.AsSpan(0, at), whole[at], .. whole.AsSpan(at)],
            };
            var (here, there) = DuplexStream.Pair();
            var serving = SshServerConnection.RunAsync(there, options, new TestServerHandler(), Cancellation);
            await here.WriteAsync(changed, Cancellation);
            await here.DisposeAsync();
            var outcome = await serving;
            outcome.Authenticated.ShouldBeFalse();
            outcome.Error.ShouldNotBeNull().ShouldNotContain("internal error");
        }
    }

    private static byte[] Curve()
    {
        using var agreement = new Crypto.X25519Agreement();
        return agreement.Public;
    }

    /// <summary>Without the markers of strict key exchange and extensions.</summary>
    private static KexInit Init(string method, string hostKey, bool guess = false, string ciphers = "aes256-ctr")
    {
        var writer = new SshWriter().Byte(SshMessage.KexInit).Raw(RandomNumberGenerator.GetBytes(16)).String(method).String(hostKey);
        foreach (var list in new[] { ciphers, ciphers, "hmac-sha2-256", "hmac-sha2-256", "none", "none", "", "" }) writer.String(list);
        return KexInit.Parse(writer.Boolean(guess).UInt32(0).Written.Span);
    }

    /// <summary>The same piece, again and again.</summary>
    private sealed class Repeating(byte[] piece) : MemoryStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (!buffer.IsEmpty) piece.CopyTo(buffer);
            return new(buffer.IsEmpty ? 0 : piece.Length);
        }
    }
}
