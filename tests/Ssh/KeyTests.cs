using System.Security.Cryptography;
using System.Text;

namespace Countersign.Ssh.Tests;

public sealed class KeyTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string, string> Kinds => new()
    {
        { "ed25519", "" },
        { "rsa", "2048" },
        { "rsa", "3072" },
        { "ecdsa", "256" },
        { "ecdsa", "384" },
        { "ecdsa", "521" },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_key_of_ssh_keygen_is_read_signs_and_is_written_back_so_that_ssh_keygen_reads_it(string kind, string bits)
    {
        using var folder = new TemporaryFolder();
        var path = await SshKeygen(folder, kind, bits);
        using var text = new Secret(await File.ReadAllBytesAsync(path, Cancellation));
        using var key = SshPrivateKey.Parse(text);
        var line = (await File.ReadAllTextAsync(path + ".pub", Cancellation)).Trim();

        SshPublicKey.TryParse(line, out var publicKey).ShouldBeTrue();
        key.PublicKey.ShouldBe(publicKey);
        line.ShouldStartWith(publicKey.ToString());
        var listed = await Command.RunAsync("ssh-keygen", ["-l", "-f", path + ".pub"], Cancellation);
        listed.Output.Split(' ')[1].ShouldBe(publicKey.Fingerprint);

        foreach (var algorithm in Crypto.SignatureAlgorithms.ForKey(key.PublicKey.Type))
        {
            var signature = key.Sign(algorithm, "what was signed"u8);
            publicKey.Verify(algorithm, "what was signed"u8, signature).ShouldBeTrue();
            publicKey.Verify(algorithm, "something else"u8, signature).ShouldBeFalse();
            signature[^1] ^= 1;
            publicKey.Verify(algorithm, "what was signed"u8, signature).ShouldBeFalse();
        }

        using var exported = key.Export("a comment");
        var again = folder.Write("again", exported.Expose());
        var derived = await Command.RunAsync("ssh-keygen", ["-y", "-f", again], Cancellation);
        derived.ExitCode.ShouldBe(0, derived.Error);
        derived.Output.ShouldStartWith(publicKey.ToString());
        derived.Output.ShouldContain("a comment");
    }

    [Theory]
    [InlineData(SshKeyKind.Ed25519)]
    [InlineData(SshKeyKind.Rsa3072)]
    public async Task A_generated_key_is_read_by_ssh_keygen(SshKeyKind kind)
    {
        using var folder = new TemporaryFolder();
        using var key = SshPrivateKey.Generate(kind);
        using var text = key.Export();
        var derived = await Command.RunAsync("ssh-keygen", ["-y", "-f", folder.Write("key", text.Expose())], Cancellation);
        derived.ExitCode.ShouldBe(0, derived.Error);
        derived.Output.Trim().ShouldBe(key.PublicKey.ToString());

        using var parsed = SshPrivateKey.Parse(text);
        parsed.PublicKey.ShouldBe(key.PublicKey);
    }

    [Fact]
    public async Task A_key_with_a_passphrase_is_refused_and_the_message_says_why()
    {
        using var folder = new TemporaryFolder();
        await Command.RunAsync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "passphrase", "-f", folder["key"]], Cancellation);
        using var text = new Secret(await File.ReadAllBytesAsync(folder["key"], Cancellation));
        Should.Throw<FormatException>(() => SshPrivateKey.Parse(text)).Message.ShouldContain("passphrase");
    }

    [Fact]
    public void Every_cut_of_a_private_key_is_a_format_exception_that_does_not_show_the_text()
    {
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        using var text = key.Export();
        var lines = text.ExposeText();
        var body = lines.Split('\n')[1][..20];
        for (var length = 0; length < lines.TrimEnd().Length; length++)
        {
            using var cut = Secret.FromText(lines[..length]);
            Should.Throw<FormatException>(() => SshPrivateKey.Parse(cut)).Message.ShouldNotContain(body);
        }

        for (var length = 0; length < 200; length += 4)
        {
            using var cut = Secret.FromText(string.Concat(lines.AsSpan(0, 36 + length), "\n-----END OPENSSH PRIVATE KEY-----"));
            Should.Throw<FormatException>(() => SshPrivateKey.Parse(cut)).Message.ShouldNotContain(body);
        }
    }

    [Fact]
    public async Task A_short_RSA_key_is_no_key()
    {
        using var folder = new TemporaryFolder();
        var path = await SshKeygen(folder, "rsa", "1024");
        SshPublicKey.TryParse(await File.ReadAllTextAsync(path + ".pub", Cancellation), out _).ShouldBeFalse();
        using var text = new Secret(await File.ReadAllBytesAsync(path, Cancellation));
        Should.Throw<FormatException>(() => SshPrivateKey.Parse(text));
    }

    [Fact]
    public void An_RSA_key_that_would_be_slow_or_worthless_to_use_is_no_key()
    {
        var modulus = new byte[256];
        modulus.AsSpan().Fill(0xff);
        var even = modulus.ToArray();
        even[^1] = 0xfe;
        Parses(new SshWriter().String("ssh-rsa").Mpint([1, 0, 1]).Mpint(modulus)).ShouldBeTrue();
        Parses(new SshWriter().String("ssh-rsa").Mpint([1, 0, 1]).Mpint(even)).ShouldBeFalse();
        Parses(new SshWriter().String("ssh-rsa").Mpint([1]).Mpint(modulus)).ShouldBeFalse();
        Parses(new SshWriter().String("ssh-rsa").Mpint([1, 0, 0]).Mpint(modulus)).ShouldBeFalse();
        Parses(new SshWriter().String("ssh-rsa").Mpint([1, 0, 0, 0, 0, 0, 0, 0, 1]).Mpint(modulus)).ShouldBeFalse();
        Parses(new SshWriter().String("ssh-rsa").Mpint([1, 0, 1]).Mpint(new byte[3000].Select(_ => (byte)0xff).ToArray())).ShouldBeFalse();
        Parses(new SshWriter().String("ssh-rsa").Mpint([1, 0, 1]).Mpint(modulus).Byte(0)).ShouldBeFalse();
    }

    [Theory]
    [InlineData("ssh-dss")]
    [InlineData("ssh-ed448")]
    [InlineData("ecdsa-sha2-nistp224")]
    [InlineData("")]
    public void A_key_of_another_kind_is_no_key(string type) => Parses(new SshWriter().String(type).String(new byte[32])).ShouldBeFalse();

    [Fact]
    public void A_public_line_whose_name_differs_from_the_key_is_refused()
    {
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        var base64 = Convert.ToBase64String(key.PublicKey.Blob.Span);
        SshPublicKey.TryParse("ssh-ed25519 " + base64, out _).ShouldBeTrue();
        SshPublicKey.TryParse("ssh-ed25519\t" + base64 + " someone@somewhere with words", out _).ShouldBeTrue();
        SshPublicKey.TryParse("ssh-rsa " + base64, out _).ShouldBeFalse();
        SshPublicKey.TryParse(base64, out _).ShouldBeFalse();
        SshPublicKey.TryParse("", out _).ShouldBeFalse();
        SshPublicKey.TryParse("ssh-ed25519 !!!!", out _).ShouldBeFalse();
    }

    [Fact]
    public void A_point_off_the_curve_verifies_nothing()
    {
        var point = new byte[65];
        point.AsSpan().Fill(7);
        point[0] = 4;
        SshPublicKey.TryParse(new SshWriter().String("ecdsa-sha2-nistp256").String("nistp256").String(point).Written.Span, out var key).ShouldBeTrue();
        var signature = new SshWriter().String("ecdsa-sha2-nistp256").String(new SshWriter().Mpint([1]).Mpint([1]).Written.Span);
        key.Verify("ecdsa-sha2-nistp256", "data"u8, signature.Written.Span).ShouldBeFalse();
    }

    [Fact]
    public void A_signature_under_another_name_than_announced_is_refused()
    {
        using var key = SshPrivateKey.Generate(SshKeyKind.Rsa3072);
        var signature = key.Sign("rsa-sha2-256", "data"u8);
        key.PublicKey.Verify("rsa-sha2-512", "data"u8, signature).ShouldBeFalse();
        key.PublicKey.Verify("ssh-rsa", "data"u8, signature).ShouldBeFalse();
        key.PublicKey.Verify("rsa-sha2-256", "data"u8, signature).ShouldBeTrue();
    }

    [Fact]
    public void A_signature_that_is_too_long_cut_or_has_something_behind_it_is_refused()
    {
        using var rsa = SshPrivateKey.Generate(SshKeyKind.Rsa3072);
        using var ed = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        foreach (var (key, algorithm) in new[] { (rsa, "rsa-sha2-256"), (ed, "ssh-ed25519") })
        {
            var signature = key.Sign(algorithm, "data"u8);
            var reader = new SshReader(signature);
            reader.TryReadString(out _).ShouldBeTrue();
            reader.TryReadString(out var value).ShouldBeTrue();
            var proper = value.ToArray();
            Verifies(key, algorithm, proper).ShouldBeTrue();
            Verifies(key, algorithm, [0, .. proper]).ShouldBeFalse();
            Verifies(key, algorithm, proper[..^1]).ShouldBeFalse();
            Verifies(key, algorithm, []).ShouldBeFalse();
            key.PublicKey.Verify(algorithm, "data"u8, [.. signature, 0]).ShouldBeFalse();
            key.PublicKey.Verify(algorithm, "data"u8, signature.AsSpan(0, 3)).ShouldBeFalse();
            key.PublicKey.Verify(algorithm, "data"u8, []).ShouldBeFalse();
        }

        using var curve = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var q = curve.ExportParameters(includePrivateParameters: false).Q;
        SshPublicKey.TryParse(new SshWriter().String("ecdsa-sha2-nistp256").String("nistp256").String([4, .. q.X!, .. q.Y!]).Written.Span, out var point).ShouldBeTrue();
        var both = curve.SignData("data"u8.ToArray(), HashAlgorithmName.SHA256);
        var (r, s) = (both[..32], both[32..]);
        Signed(new SshWriter().Mpint(r).Mpint(s)).ShouldBeTrue();
        Signed(new SshWriter().Mpint(r).Mpint(s).Byte(0)).ShouldBeFalse();
        Signed(new SshWriter().Mpint(r)).ShouldBeFalse();
        Signed(new SshWriter().Mpint([1, .. r]).Mpint(s)).ShouldBeFalse();
        Signed(new SshWriter().Mpint(r).Mpint([1, .. s])).ShouldBeFalse();
        Signed(new SshWriter().Mpint([]).Mpint([])).ShouldBeFalse();

        bool Signed(SshWriter numbers) => point.Verify("ecdsa-sha2-nistp256", "data"u8, new SshWriter().String("ecdsa-sha2-nistp256").String(numbers.Written.Span).Written.Span);
    }

    [Fact]
    public void Two_keys_are_one_if_their_bytes_are()
    {
        using var one = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        using var other = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        SshPublicKey.TryParse(one.PublicKey.Blob.Span, out var again).ShouldBeTrue();
        again.Equals((object)one.PublicKey).ShouldBeTrue();
        again.GetHashCode().ShouldBe(one.PublicKey.GetHashCode());
        again.Equals((object)other.PublicKey).ShouldBeFalse();
        again.Equals((object)"ssh-ed25519").ShouldBeFalse();
        again.Equals(null).ShouldBeFalse();
        SshPublicKey.TryParse(new byte[5000], out _).ShouldBeFalse();
        SshPublicKey.TryParse(new string('x', 20_000), out _).ShouldBeFalse();
    }

    [Fact]
    public void Of_a_file_of_keys_the_lines_with_nothing_in_front_count_and_a_comment_has_no_line_in_it()
    {
        using var one = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        using var other = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        SshPublicKey.ReadLines($"# keys\r\n\r\n  {one.PublicKey} somebody\r\nno-pty {other.PublicKey}\n").ShouldBe([one.PublicKey]);
        SshPublicKey.ReadLines($"{one.PublicKey} a comment\r{other.PublicKey}\n").ShouldBe([one.PublicKey]);
        SshPublicKey.ReadLines($"{other.PublicKey}\n{one.PublicKey}").ShouldBe([other.PublicKey, one.PublicKey]);
    }

    [Fact]
    public void A_secret_does_not_show_itself_and_is_gone_after_its_disposal()
    {
        var secret = Secret.FromText("hunter2");
        secret.ToString().ShouldBe("[secret]");
        var memory = secret.Expose();
        Encoding.UTF8.GetString(memory).ShouldBe("hunter2");
        secret.Dispose();
        secret.Expose().Length.ShouldBe(0);
        memory.ToArray().ShouldAllBe(value => value == 0);
    }

    [Fact]
    public void What_was_written_secretly_and_agreed_on_is_zero_after_its_disposal()
    {
        var writer = new Crypto.PinnedWriter(100);
        var written = writer.String("hunter2"u8).Mpint([1, 2, 3]).Written;
        writer.Dispose();
        written.ToArray().ShouldAllBe(value => value == 0);

        using var one = new Crypto.X25519Agreement();
        using var two = new Crypto.X25519Agreement();
        var shared = one.Agree(two.Public);
        var memory = shared.Expose();
        memory.ToArray().ShouldContain(value => value != 0);
        shared.Dispose();
        memory.ToArray().ShouldAllBe(value => value == 0);
    }

    private static bool Verifies(SshPrivateKey key, string algorithm, byte[] value) =>
        key.PublicKey.Verify(algorithm, "data"u8, new SshWriter().String(algorithm).String(value).Written.Span);

    private static bool Parses(SshWriter writer) => SshPublicKey.TryParse(writer.Written.Span, out _);

    private static async Task<string> SshKeygen(TemporaryFolder folder, string kind, string bits)
    {
        string[] size = bits.Length == 0 ? [] : ["-b", bits];
        var made = await Command.RunAsync("ssh-keygen", ["-q", "-t", kind, .. size, "-N", "", "-C", "test", "-f", folder["key"]], Cancellation);
        made.ExitCode.ShouldBe(0, made.Error);
        return folder["key"];
    }
}
