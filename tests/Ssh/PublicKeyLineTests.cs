namespace Countersign.Ssh.Tests;

/// <summary>Lines of .pub and authorized_keys files that give no key.</summary>
public sealed class PublicKeyLineTests
{
    [Fact]
    public void A_line_that_is_too_long_or_names_another_type_gives_no_key()
    {
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        var line = key.PublicKey.ToString();
        SshPublicKey.TryParse($"{line} {new string('c', 1000)}", out var read).ShouldBeTrue();
        read.ShouldBe(key.PublicKey);
        SshPublicKey.TryParse($"{line} {new string('c', 1 << 20)}", out read).ShouldBeFalse();
        read.ShouldBeNull();
        SshPublicKey.TryParse(line.Replace("ssh-ed25519 ", "ssh-rsa ", StringComparison.Ordinal), out read).ShouldBeFalse();
        read.ShouldBeNull();
        SshPublicKey.TryParse("ssh-ed25519 AAAA", out read).ShouldBeFalse();
        SshPublicKey.TryParse("ssh-ed25519", out read).ShouldBeFalse();
        SshPublicKey.TryParse("ssh-ed25519 nothing-of-base64!", out read).ShouldBeFalse();
    }

    [Theory]
    [InlineData(0, 257, false)]
    [InlineData(3, 0, false)]
    [InlineData(3, 257, true)]
    public void An_RSA_key_has_both_of_its_numbers(int exponent, int modulus, bool isKey)
    {
        var number = new byte[modulus];
        if (modulus > 0) (number[1], number[^1]) = (0x80, 1);
        var blob = new SshWriter().String("ssh-rsa").String(exponent == 0 ? [] : new byte[] { (byte)exponent }).String(number);
        SshPublicKey.TryParse(blob.Written.Span, out _).ShouldBe(isKey);
    }
}
