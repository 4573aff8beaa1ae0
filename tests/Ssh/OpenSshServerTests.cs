using System.Security.Cryptography;
using System.Text;
using Countersign.Ssh.Transport;

namespace Countersign.Ssh.Tests;

/// <summary>Our client against a real sshd.</summary>
public sealed class OpenSshServerTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("ed25519", "ed25519")]
    [InlineData("rsa", "rsa")]
    [InlineData("ecdsa", "ecdsa")]
    public async Task Every_kind_of_host_key_and_user_key(string hostKey, string userKey)
    {
        await using var sshd = await Sshd.StartAsync(hostKey, userKey, Cancellation);
        await using var client = await SshClientConnection.ConnectAsync(await sshd.ConnectAsync(Cancellation), sshd.Options(), Cancellation);
        client.PeerVersion.ShouldStartWith("OpenSSH_");
        await Echoes(client);
    }

    [Fact]
    public async Task Every_algorithm()
    {
        // OpenSSH 10 has them, and offers them to nobody by itself.
        await using var sshd = await Sshd.StartAsync("ed25519", "ed25519", Cancellation, "KexAlgorithms +diffie-hellman-group16-sha512,diffie-hellman-group14-sha256");
        var offer = new AlgorithmOffer();
        foreach (var kex in offer.KeyExchanges) await Converses(sshd, offer with { KeyExchanges = [kex] });
        foreach (var cipher in offer.Ciphers) await Converses(sshd, offer with { Ciphers = [cipher] });
        foreach (var mac in offer.Macs) await Converses(sshd, offer with { Ciphers = ["aes256-ctr"], Macs = [mac] });
    }

    [Fact]
    public async Task Output_error_status_and_signal_arrive()
    {
        await using var sshd = await Sshd.StartAsync("ed25519", "ed25519", Cancellation);
        await using var client = await SshClientConnection.ConnectAsync(await sshd.ConnectAsync(Cancellation), sshd.Options(), Cancellation);
        var (channel, streams) = await SshChannelStreams.OpenSessionAsync(client, Cancellation);
        (await channel.RequestAsync(SessionRequests.Exec, new ExecRequest("echo out; echo err >&2; exit 5").Encode(), Cancellation)).ShouldBeTrue();
        (await ReadToEnd(streams.Output)).ShouldBe("out\n");
        (await ReadToEnd(streams.Error)).ShouldBe("err\n");
        (await streams.ExitStatus).ShouldBe(5u);
        (await streams.ExitSignal).ShouldBeNull();

        (channel, streams) = await SshChannelStreams.OpenSessionAsync(client, Cancellation);
        await channel.RequestAsync(SessionRequests.Exec, new ExecRequest("kill -KILL $$").Encode(), Cancellation);
        (await streams.ExitSignal).ShouldBe(new ExitSignalRequest("KILL", false, ""));
        (await streams.ExitStatus).ShouldBeNull();
    }

    [Fact]
    public async Task A_terminal_has_the_size_that_was_asked_for_and_changes_with_it()
    {
        await using var sshd = await Sshd.StartAsync("ed25519", "ed25519", Cancellation);
        await using var client = await SshClientConnection.ConnectAsync(await sshd.ConnectAsync(Cancellation), sshd.Options(), Cancellation);
        var (channel, streams) = await SshChannelStreams.OpenSessionAsync(client, Cancellation);
        (await channel.RequestAsync(SessionRequests.Pty, new PtyRequest("xterm", new WindowSize(91, 23), [new TerminalMode(53, 0)]).Encode(), Cancellation)).ShouldBeTrue();
        (await channel.RequestAsync(SessionRequests.Exec, new ExecRequest("stty size; read line; stty size; echo $TERM").Encode(), Cancellation)).ShouldBeTrue();
        using var lines = new StreamReader(streams.Output);
        (await lines.ReadLineAsync(Cancellation)).ShouldBe("23 91");
        channel.SendRequest(SessionRequests.WindowChange, new WindowSize(132, 43).Encode());
        await channel.WriteAsync("\n"u8.ToArray(), Cancellation);
        var rest = await lines.ReadToEndAsync(Cancellation);
        rest.ShouldContain("43 132");
        rest.ShouldContain("xterm");
    }

    [Fact]
    public async Task Rekeying_from_both_sides_under_load_loses_nothing()
    {
        await using var sshd = await Sshd.StartAsync("ed25519", "ed25519", Cancellation, "RekeyLimit 3M none");
        var options = sshd.Options() with { RekeyBytes = 2 * 1024 * 1024 };
        await using var client = await SshClientConnection.ConnectAsync(await sshd.ConnectAsync(Cancellation), options, Cancellation);
        var (channel, streams) = await SshChannelStreams.OpenSessionAsync(client, Cancellation);
        await channel.RequestAsync(SessionRequests.Exec, new ExecRequest("cat").Encode(), Cancellation);
        var data = RandomNumberGenerator.GetBytes(24 * 1024 * 1024);
        var hashing = SHA256.HashDataAsync(streams.Output, Cancellation);
        (await channel.WriteAsync(data, Cancellation)).ShouldBeTrue();
        channel.SendEof();
        (await hashing).ShouldBe(SHA256.HashData(data));
        (await streams.ExitStatus).ShouldBe(0u);
        client.Transport.Exchanges.ShouldBeGreaterThan(5);
        client.Transport.Agreement!.KeyExchange.ShouldBe(HybridExchange.OrNext);
    }

    [Fact]
    public async Task Another_host_key_is_refused_before_any_credential_is_shown()
    {
        await using var sshd = await Sshd.StartAsync("ed25519", "ed25519", Cancellation);
        using var other = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        foreach (var trusted in new SshPublicKey[][] { [], [other.PublicKey] })
        {
            var connecting = SshClientConnection.ConnectAsync(await sshd.ConnectAsync(Cancellation), sshd.Options() with { TrustedHostKeys = trusted }, Cancellation);
            (await Should.ThrowAsync<SshHostKeyException>(connecting)).Offered.ShouldBe(sshd.HostKey);
        }
    }

    [Fact]
    public async Task A_host_key_of_another_kind_than_the_trusted_one_is_shown_and_refused()
    {
        await using var sshd = await Sshd.StartAsync("rsa", "ed25519", Cancellation);
        using var other = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        var connecting = SshClientConnection.ConnectAsync(await sshd.ConnectAsync(Cancellation), sshd.Options() with { TrustedHostKeys = [other.PublicKey] }, Cancellation);
        (await Should.ThrowAsync<SshHostKeyException>(connecting)).Offered.ShouldBe(sshd.HostKey);
    }

    [Theory]
    [InlineData("ed25519")]
    [InlineData("ecdsa")]
    [InlineData("rsa")]
    public async Task The_host_key_can_be_fetched_for_pinning(string kind)
    {
        await using var sshd = await Sshd.StartAsync(kind, "ed25519", Cancellation);
        (await SshClientConnection.FetchHostKeyAsync(await sshd.ConnectAsync(Cancellation), Cancellation)).ShouldBe(sshd.HostKey);
    }

    [Fact]
    public async Task A_key_that_the_target_does_not_know_is_an_authentication_exception_that_names_what_it_accepts()
    {
        await using var sshd = await Sshd.StartAsync("ed25519", "ed25519", Cancellation);
        using var stranger = SshPrivateKey.Generate(SshKeyKind.Rsa3072);
        using var password = Secret.FromText("never sent");
        var options = sshd.Options() with { Credentials = [new SshCredential.Password(password), new SshCredential.Key(stranger)] };
        var connecting = SshClientConnection.ConnectAsync(await sshd.ConnectAsync(Cancellation), options, Cancellation);
        (await Should.ThrowAsync<SshAuthenticationException>(connecting)).Message.ShouldContain("publickey");
    }

    [Fact]
    public async Task An_unknown_channel_type_is_refused_and_the_connection_goes_on()
    {
        await using var sshd = await Sshd.StartAsync("ed25519", "ed25519", Cancellation);
        await using var client = await SshClientConnection.ConnectAsync(await sshd.ConnectAsync(Cancellation), sshd.Options(), Cancellation);
        var opening = client.OpenChannelAsync("nonsense", ReadOnlyMemory<byte>.Empty, new SshChannelStreams(), 1000, Cancellation);
        (await Should.ThrowAsync<SshChannelRefusedException>(opening)).Reason.ShouldBe(2u);
        await Echoes(client);
    }

    [Fact]
    public async Task A_target_that_dies_closes_every_channel()
    {
        await using var sshd = await Sshd.StartAsync("ed25519", "ed25519", Cancellation);
        await using var client = await SshClientConnection.ConnectAsync(await sshd.ConnectAsync(Cancellation), sshd.Options(), Cancellation);
        var (channel, streams) = await SshChannelStreams.OpenSessionAsync(client, Cancellation);
        await channel.RequestAsync(SessionRequests.Exec, new ExecRequest("kill -KILL $PPID; sleep 60").Encode(), Cancellation);
        await streams.Closed.WaitAsync(Cancellation);
        await client.Closed.WaitAsync(Cancellation);
        channel.IsClosed.ShouldBeTrue();
        client.EndReason.ShouldNotBeNull();
        (await channel.WriteAsync("x"u8.ToArray(), Cancellation)).ShouldBeFalse();
        (await channel.RequestAsync("env", ReadOnlyMemory<byte>.Empty, Cancellation)).ShouldBeFalse();
        await Should.ThrowAsync<SshConnectionException>(SshChannelStreams.OpenSessionAsync(client, Cancellation));
    }

    private static async Task Converses(Sshd sshd, AlgorithmOffer offer)
    {
        await using var client = await SshClientConnection.ConnectAsync(await sshd.ConnectAsync(Cancellation), sshd.Options() with { Algorithms = offer }, Cancellation);
        await Echoes(client);
    }

    private static async Task Echoes(SshClientConnection client)
    {
        var (channel, streams) = await SshChannelStreams.OpenSessionAsync(client, Cancellation);
        (await channel.RequestAsync(SessionRequests.Exec, new ExecRequest("cat").Encode(), Cancellation)).ShouldBeTrue();
        var data = RandomNumberGenerator.GetBytes(150_000);
        var hashing = SHA256.HashDataAsync(streams.Output, Cancellation);
        (await channel.WriteAsync(data, Cancellation)).ShouldBeTrue();
        channel.SendEof();
        (await hashing).ShouldBe(SHA256.HashData(data));
        (await streams.ExitStatus).ShouldBe(0u);
    }

    private static async Task<string> ReadToEnd(Stream stream)
    {
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return await reader.ReadToEndAsync(Cancellation);
    }
}
