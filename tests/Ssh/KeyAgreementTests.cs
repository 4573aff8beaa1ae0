using System.Security.Cryptography;
using Countersign.Ssh.Crypto;
using Countersign.Ssh.Transport;

namespace Countersign.Ssh.Tests;

/// <summary>Methods of key exchange that not every machine or every client has.</summary>
public sealed class KeyAgreementTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>On a machine without ML-KEM (OpenSSL before 3.5) this holds that it is not offered; on one with it, that it works.</summary>
    [Fact]
    public async Task ML_KEM_is_used_between_our_ends_exactly_where_the_platform_has_it()
    {
        await using var pair = await OwnPair.StartAsync(Cancellation);
        pair.Client.Transport.Agreement!.KeyExchange.ShouldBe(HybridExchange.OrNext);
    }

    [Fact]
    public void ML_KEM_is_named_exactly_where_the_platform_has_it_and_asked_for_alone_elsewhere_there_is_nothing_in_common()
    {
        var server = new AlgorithmOffer { HostKeys = ["ssh-ed25519"] };
        KexInit.Create(server, Side.Server).KeyExchanges.Contains(HybridExchange.Name).ShouldBe(MLKem.IsSupported);
        var client = KexInit.Create(new AlgorithmOffer { HostKeys = ["ssh-ed25519"], KeyExchanges = [HybridExchange.Name] }, Side.Client);
        var agree = () => Agreement.Between(client, KexInit.Create(server.For(client), Side.Server), Side.Server);
        if (MLKem.IsSupported) agree().KeyExchange.ShouldBe(HybridExchange.Name);
        else Should.Throw<SshConnectionException>(agree).Message.ShouldContain("no common key exchange algorithm; the peer offers mlkem768x25519-sha256");
    }

    [Fact]
    public void A_name_that_nobody_offers_is_a_mistake_of_our_own()
    {
        Should.Throw<ArgumentException>(() => CipherKind.Get("3des-cbc"));
        Should.Throw<ArgumentException>(() => MacKind.Get("hmac-md5"));
        var gcm = new DirectionKind(CipherKind.All[0], null);
        Should.Throw<ArgumentException>(() => new Agreement("diffie-hellman-group1-sha1", "ssh-ed25519", gcm, gcm).Start(Side.Server));
    }

    [Fact]
    public void The_two_secrets_of_a_hybrid_are_hashed_in_their_order()
    {
        using var lattice = new Secret(Enumerable.Repeat((byte)1, 32).ToArray());
        using var curve = new Secret(Enumerable.Repeat((byte)2, 32).ToArray());
        using var combined = MlKemX25519Agreement.Combine(lattice, curve);
        combined.Expose().ToArray().ShouldBe(SHA256.HashData([.. lattice.Expose(), .. curve.Expose()]));
        using var other = MlKemX25519Agreement.Combine(curve, lattice);
        other.Expose().SequenceEqual(combined.Expose()).ShouldBeFalse();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(32)]
    [InlineData(1184)]
    [InlineData(1215)]
    [InlineData(1217)]
    public void A_hybrid_value_of_another_length_is_refused(int length)
    {
        using var server = new MlKemX25519Agreement(Side.Server);
        server.Form.ShouldBe(SecretForm.Text);
        Should.Throw<CryptographicException>(() => server.Agree(new byte[length]));
    }

    [Fact]
    public void A_hybrid_s_ends_come_to_the_same_secret_and_with_any_part_changed_they_do_not()
    {
        if (!MLKem.IsSupported)
        {
            Should.Throw<PlatformNotSupportedException>(() => new MlKemX25519Agreement(Side.Client));
            return;
        }

        using var client = new MlKemX25519Agreement(Side.Client);
        using var server = new MlKemX25519Agreement(Side.Server);
        using var ours = server.Agree(client.Public);
        (client.Public.Length, server.Public.Length).ShouldBe((1216, 1120));
        using (var theirs = client.Agree(server.Public)) theirs.Expose().SequenceEqual(ours.Expose()).ShouldBeTrue();

        // In the ciphertext, where ML-KEM gives another secret and no error, and in the point.
        foreach (var at in (int[])[0, 1087, 1088, 1118])
        {
            var changed = server.Public.ToArray();
            changed[at] ^= 1;
            using var other = client.Agree(changed);
            other.Expose().SequenceEqual(ours.Expose()).ShouldBeFalse($"byte {at}");
        }

        // A point of a small order; a key whose numbers are not below the modulus (FIPS 203, section 7.2).
        Should.Throw<CryptographicException>(() => client.Agree([.. server.Public.AsSpan(..1088), .. new byte[32]]));
        using var another = new MlKemX25519Agreement(Side.Server);
        Should.Throw<CryptographicException>(() => another.Agree([.. client.Public.AsSpan(..1184), .. new byte[32]]));
        Should.Throw<CryptographicException>(() => another.Agree([.. Enumerable.Repeat((byte)0xff, 1152), .. client.Public.AsSpan(1152)]));
    }

    [Theory]
    [InlineData(SshCompatibility.NistCurves, 0)]
    [InlineData(SshCompatibility.None, 255)]
    public async Task The_NIST_curves_are_there_for_who_asks_for_them_and_for_nobody_else(SshCompatibility compatibility, int expected)
    {
        using var folder = new TemporaryFolder();
        (await Command.RunAsync("ssh-keygen", ["-q", "-t", "ecdsa", "-b", "256", "-N", "", "-f", folder["host"]], Cancellation)).ExitCode.ShouldBe(0);
        using var text = new Secret(await File.ReadAllBytesAsync(folder["host"], Cancellation));
        var options = new SshServerOptions { HostKeys = [SshPrivateKey.Parse(text), SshPrivateKey.Generate(SshKeyKind.Ed25519)], Compatibility = compatibility };
        await using var server = new TestServer(options, () => new TestServerHandler());
        foreach (var option in new[] { "KexAlgorithms=ecdh-sha2-nistp256", "HostKeyAlgorithms=ecdsa-sha2-nistp256" })
        {
            var result = await Command.RunAsync(
                "sshpass",
                ["-p", "right", "ssh", "-F", "none", "-p", $"{server.Port}", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", option, "-o", "PreferredAuthentications=password", "alice@127.0.0.1", "both"],
                Cancellation);
            result.ExitCode.ShouldBe(expected, result.Error);
        }
    }

    [Fact]
    public async Task A_server_with_no_key_that_may_be_used_does_not_start()
    {
        using var folder = new TemporaryFolder();
        (await Command.RunAsync("ssh-keygen", ["-q", "-t", "ecdsa", "-N", "", "-f", folder["host"]], Cancellation)).ExitCode.ShouldBe(0);
        using var text = new Secret(await File.ReadAllBytesAsync(folder["host"], Cancellation));
        using var key = SshPrivateKey.Parse(text);
        await Should.ThrowAsync<ArgumentException>(SshServerConnection.RunAsync(new MemoryStream(), new SshServerOptions { HostKeys = [key] }, new TestServerHandler(), Cancellation));
        await Should.ThrowAsync<ArgumentException>(SshServerConnection.RunAsync(new MemoryStream(), new SshServerOptions { HostKeys = [] }, new TestServerHandler(), Cancellation));
    }

    public static TheoryData<string, byte[]> NotOnP256 => new()
    {
        { "nothing", [] },
        { "infinity", [0] },
        { "not on the curve", [4, .. new byte[63], 1] },
        { "zeros", [4, .. new byte[64]] },
        { "beyond the field", [4, .. Enumerable.Repeat((byte)0xff, 64)] },
        { "too long", [4, .. new byte[65]] },
        { "compressed", [2, .. Convert.FromHexString("6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296")] },
    };

    [Theory]
    [MemberData(nameof(NotOnP256))]
    public void A_point_that_is_not_on_the_curve_is_refused(string what, byte[] value)
    {
        using var own = new P256Agreement();
        Should.Throw<CryptographicException>(() => own.Agree(value), what);
    }

    [Fact]
    public void Both_ends_of_every_method_come_to_the_same_secret()
    {
        foreach (var make in new Func<KeyAgreement>[] { () => new X25519Agreement(), () => new P256Agreement(), () => new FiniteFieldAgreement("modp_2048", 256) })
        {
            using var one = make();
            using var two = make();
            using var left = one.Agree(two.Public);
            using var right = two.Agree(one.Public);
            left.Expose().SequenceEqual(right.Expose()).ShouldBeTrue();
            left.Length.ShouldBeGreaterThan(31);
        }
    }
}
