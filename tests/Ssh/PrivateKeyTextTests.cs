using System.Text;

namespace Countersign.Ssh.Tests;

/// <summary>Private keys that are cut or changed. Made here, because none may be in the tree.</summary>
public sealed class PrivateKeyTextTests
{
    private const string Header = "-----BEGIN OPENSSH PRIVATE KEY-----";
    private const string Footer = "-----END OPENSSH PRIVATE KEY-----";

    [Theory]
    [InlineData(SshKeyKind.Ed25519)]
    [InlineData(SshKeyKind.Rsa3072)]
    public void Every_cut_of_it_is_refused_with_the_named_error(SshKeyKind kind)
    {
        RefusesEveryCut(Binary(kind));
    }

    private static void RefusesEveryCut(byte[] binary)
    {
        for (var length = 0; length < binary.Length; length++)
        {
            using var text = Text(binary.AsSpan(0, length));
            Should.Throw<FormatException>(() => SshPrivateKey.Parse(text).Dispose(), $"{length} bytes");
        }
    }

    [Theory]
    [InlineData(SshKeyKind.Ed25519)]
    [InlineData(SshKeyKind.Rsa3072)]
    public void Whatever_byte_of_it_is_changed_it_is_refused_with_the_named_error_or_still_signs(SshKeyKind kind)
    {
        RefusesOrSignsEveryChange(Binary(kind));
    }

    private static void RefusesOrSignsEveryChange(byte[] binary)
    {
        for (var at = 0; at < binary.Length; at++)
        {
            var changed = binary.ToArray();
            changed[at] ^= 0x81;
            using var text = Text(changed);
            try
            {
                using var key = SshPrivateKey.Parse(text);
                var algorithm = Crypto.SignatureAlgorithms.ForKey(key.PublicKey.Type)[0];
                key.PublicKey.Verify(algorithm, "data"u8, key.Sign(algorithm, "data"u8)).ShouldBeTrue($"at {at}");
            }
            catch (FormatException refused)
            {
                refused.Message.ShouldNotBeEmpty();
            }
        }
    }

    [Fact]
    public void Rounds_by_the_billion_cost_nothing()
    {
        var options = new SshWriter().String("0123456789abcdef").UInt32(uint.MaxValue);
        var binary = Outer("aes256-ctr", "bcrypt", options.Written.Span, 1, new SshWriter().String("x").String(new byte[64]));
        Refusal(binary).ShouldContain("passphrase");
        Refusal(Outer("none", "bcrypt", options.Written.Span, 1, new SshWriter())).ShouldContain("passphrase");
        Refusal(Outer("aes256-gcm@openssh.com", "none", [], uint.MaxValue, new SshWriter())).ShouldContain("passphrase");
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(2u)]
    [InlineData(uint.MaxValue)]
    public void One_key_is_in_a_text_and_no_other_number(uint count) => Refusal(Outer("none", "none", [], count, new SshWriter().String("x").String("y"))).ShouldContain("exactly one");

    [Fact]
    public void What_stands_behind_the_key_is_a_comment_and_padding_that_counts_up()
    {
        var (blob, fields) = Ed25519();
        Parses(blob, Section(fields, "comment", [1, 2, 3])).ShouldBeTrue();
        Parses(blob, Section(fields, "", [])).ShouldBeTrue();
        Parses(blob, Section(fields, "", [.. Enumerable.Range(1, 64).Select(number => (byte)number)])).ShouldBeTrue();
        Parses(blob, Section(fields, "", [.. Enumerable.Range(1, 65).Select(number => (byte)number)])).ShouldBeFalse();
        Parses(blob, Section(fields, "", [1, 3])).ShouldBeFalse();
        Parses(blob, Section(fields, "", [0])).ShouldBeFalse();
        Parses(blob, Section(fields, new string('c', 8193), [])).ShouldBeFalse();
        Parses(blob, [.. Section(fields, "", [])[..^4]]).ShouldBeFalse();
        Parses(blob, Section(fields, "", []), behind: 1).ShouldBeFalse();
        Parses(blob, Section(fields, "", []), options: 1).ShouldBeFalse();
    }

    [Fact]
    public void Numbers_that_differ_where_they_should_be_the_same_are_no_key()
    {
        var (blob, fields) = Ed25519();
        var (other, otherFields) = Ed25519();
        Parses(other, Section(fields, "", [])).ShouldBeFalse();
        Refusal(Whole(other, Section(fields, "", []))).ShouldContain("don't belong together");
        byte[] mixed = [.. fields[..(4 + 32)], .. otherFields[(4 + 32)..]];
        Refusal(Whole(blob, Section(mixed, "", []))).ShouldContain("don't belong together");
        byte[] half = [.. fields[..^32], .. otherFields[^32..]];
        Refusal(Whole(blob, Section(half, "", []))).ShouldContain("don't belong together");
        var section = Section(fields, "", []);
        section[0] ^= 1;
        Parses(blob, section).ShouldBeFalse();
    }

    [Theory]
    [InlineData("ssh-dss")]
    [InlineData("ecdsa-sha2-nistp192")]
    [InlineData("sk-ssh-ed25519@openssh.com")]
    public void A_key_of_another_kind_is_named_as_that(string type) =>
        Refusal(Whole(new SshWriter().String(type).Written.ToArray(), new SshWriter().UInt32(1).UInt32(1).String(type).Written.ToArray())).ShouldContain("kind");

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void An_RSA_key_that_lacks_one_of_its_numbers_is_none(int lacking)
    {
        var section = new SshWriter().UInt32(7).UInt32(7).String("ssh-rsa");
        for (var number = 0; number < 6; number++) section.Mpint(number == lacking ? [] : [.. Enumerable.Repeat((byte)0x7F, number is 0 or 2 ? 256 : number == 1 ? 3 : 128)]);
        Refusal(Whole(new SshWriter().String("ssh-rsa").Written.ToArray(), section.String("").Written.ToArray())).ShouldContain("numbers are wrong");
    }

    [Theory]
    [InlineData("256")]
    [InlineData("384")]
    [InlineData("521")]
    public async Task Each_cut_and_each_changed_byte_of_a_key_on_a_curve_is_refused_or_still_signs(string bits)
    {
        using var folder = new TemporaryFolder();
        (await Command.RunAsync("ssh-keygen", ["-q", "-t", "ecdsa", "-b", bits, "-N", "", "-f", folder["key"]], TestContext.Current.CancellationToken)).ExitCode.ShouldBe(0);
        using var text = new Secret(await File.ReadAllBytesAsync(folder["key"], TestContext.Current.CancellationToken));
        var binary = Decode(text.ExposeText());
        RefusesEveryCut(binary);
        RefusesOrSignsEveryChange(binary);
    }

    [Fact]
    public void What_is_no_base64_or_too_long_or_without_its_lines_is_refused()
    {
        foreach (var text in new[] { "", Header, Footer, Footer + Header, $"{Header}\n!\n{Footer}", $"{Header}{Footer}", $"{Header}\n{new string('A', 65537)}\n{Footer}" })
        {
            using var secret = Secret.FromText(text);
            Should.Throw<FormatException>(() => SshPrivateKey.Parse(secret), text.Length > 100 ? "long" : text);
        }
    }

    private static string Refusal(byte[] binary)
    {
        using var text = Text(binary);
        return Should.Throw<FormatException>(() => SshPrivateKey.Parse(text)).Message;
    }

    private static bool Parses(byte[] blob, byte[] section, int behind = 0, int options = 0)
    {
        using var text = Text([.. Outer("none", "none", new byte[options], 1, new SshWriter().String(blob).String(section)), .. new byte[behind]]);
        try
        {
            SshPrivateKey.Parse(text).Dispose();
            return true;
        }
        catch (FormatException)
        {
            return false;
        }
    }

    private static byte[] Whole(byte[] blob, byte[] section) => Outer("none", "none", [], 1, new SshWriter().String(blob).String(section));

    private static byte[] Outer(string cipher, string kdf, ReadOnlySpan<byte> options, uint count, SshWriter rest) =>
        new SshWriter().Raw("openssh-key-v1\0"u8).String(cipher).String(kdf).String(options).UInt32(count).Raw(rest.Written.Span).Written.ToArray();

    private static byte[] Section(byte[] fields, string comment, byte[] padding) =>
        new SshWriter().UInt32(7).UInt32(7).String("ssh-ed25519").Raw(fields).String(comment).Raw(padding).Written.ToArray();

    /// <summary>The public blob, and the fields of the private section: the point, and the seed with the point.</summary>
    private static (byte[] Blob, byte[] Fields) Ed25519()
    {
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        using var text = key.Export();
        var blob = key.PublicKey.Blob.ToArray();
        var binary = Decode(text.ExposeText());
        var at = binary.AsSpan().LastIndexOf("ssh-ed25519"u8) + 11;
        return (blob, binary[at..(at + 4 + 32 + 4 + 64)]);
    }

    private static byte[] Decode(string text) =>
        Convert.FromBase64String(text.Replace(Header, "", StringComparison.Ordinal).Replace(Footer, "", StringComparison.Ordinal).ReplaceLineEndings(""));

    private static byte[] Binary(SshKeyKind kind)
    {
        using var key = SshPrivateKey.Generate(kind);
        using var text = key.Export();
        return Decode(text.ExposeText());
    }

    private static Secret Text(ReadOnlySpan<byte> binary) => new(Encoding.ASCII.GetBytes($"{Header}\n{Convert.ToBase64String(binary)}\n{Footer}\n"));
}
