using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using Countersign.Ssh;
using Countersign.Ssh.Crypto;

namespace Countersign.Fuzz.Targets;

/// <summary>
/// Private keys in OpenSSH's text form. None is in the corpus, since none may be in the tree: each follows from its kind's name, so it is nobody's, and the
/// same in every run. A step says which one, and by its seed what is changed: the text, the form in it, or the private section, with the lengths around it
/// mended.
/// </summary>
internal sealed class PrivateKeyTarget : Target
{
    public const byte Text = 1;
    public const byte Outside = 2;
    public const byte Inside = 3;

    private const string Header = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
    private const string Footer = "\n-----END OPENSSH PRIVATE KEY-----\n";

    /// <summary>What a key is, and how it is written down.</summary>
    public static readonly string[] Kinds = ["ed25519", "rsa", "nistp256", "nistp384", "nistp521", "encrypted", "two", "bare"];

    private readonly Dictionary<string, Form> _forms = [];
    private readonly Mutator _mutator;

    public PrivateKeyTarget() => _mutator = new(Words);

    public override string Name => "private-keys";

    public override IReadOnlyList<byte[]> Words { get; } =
    [
        .. Targets.Words.Ssh,
        .. new[] { "openssh-key-v1\0", "bcrypt", "aes256-ctr", "aes256-cbc", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com", Header, Footer, "-----BEGIN RSA PRIVATE KEY-----", "Proc-Type: 4,ENCRYPTED", "\u0001\u0002\u0003\u0004\u0005\u0006\u0007" }.Select(Encoding.ASCII.GetBytes),
        [0, 0, 0, 4, 1, 2, 3, 4], [1], [0], new byte[512], [.. Enumerable.Repeat((byte)0xFF, 512)],
    ];

    /// <summary>Numbers of a private key are checked by arithmetic of their size.</summary>
    public override long MostAllocated => 16 * 1024 * 1024;

    public override ValueTask PlayAsync(IReadOnlyList<Step> steps, Chance chance)
    {
        foreach (var step in steps.Take(4))
        {
            Read(step.Kind == StepKind.Proof && step.Bytes.Length > 0 ? Compose(step.Bytes) : step.Bytes);
        }

        return ValueTask.CompletedTask;
    }

    private static void Read(byte[] bytes)
    {
        using var text = new Secret(bytes);
        try
        {
            using var key = SshPrivateKey.Parse(text);
            Require(IsWellFormed(bytes, key.PublicKey), "what was read is not of the form");
            var algorithm = SignatureAlgorithms.ForKey(key.PublicKey.Type)[0];
            Require(key.PublicKey.Verify(algorithm, "data"u8, key.Sign(algorithm, "data"u8)), "a key that was read does not sign");
            using var written = key.Export("again");
            using var again = SshPrivateKey.Parse(written);
            Require(again.PublicKey.Equals(key.PublicKey), "a key is not read as it is written");
        }
        catch (FormatException refused)
        {
            // What is announced. The message shows nothing of the text.
            Require(refused.Message.Length < 120 && !refused.Message.Any(char.IsControl), "a refusal says too much");
        }
    }

    /// <summary>OpenSSH's PROTOCOL.key, once more, for one key without a passphrase.</summary>
    private static bool IsWellFormed(byte[] bytes, SshPublicKey key)
    {
        var text = Encoding.Latin1.GetString(bytes);
        var from = text.IndexOf(Header.Trim(), StringComparison.Ordinal) + Header.Trim().Length;
        var binary = Convert.FromBase64String(text[from..text.IndexOf(Footer.Trim(), StringComparison.Ordinal)]);
        if (!binary.AsSpan().StartsWith("openssh-key-v1\0"u8)) return false;
        var reader = new SshReader(binary.AsSpan(15));
        if (!Is(ref reader, "none") || !Is(ref reader, "none") || !Is(ref reader, "") || !reader.TryReadUInt32(out var count) || count != 1) return false;
        if (!reader.TryReadString(out var blob) || !blob.SequenceEqual(key.Blob.Span) || !reader.TryReadString(out var section) || !reader.IsAtEnd) return false;
        var inner = new SshReader(section);
        if (!inner.TryReadUInt32(out var one) || !inner.TryReadUInt32(out var other) || one != other || !Is(ref inner, key.Type)) return false;
        for (var fields = key.Type == "ssh-ed25519" ? 2 : key.Type == "ssh-rsa" ? 6 : 3; fields > 0; fields--)
        {
            if (!inner.TryReadString(out _)) return false;
        }

        if (!inner.TryReadString(out _)) return false;
        for (byte expected = 1; inner.TryReadByte(out var pad); expected++)
        {
            if (pad != expected) return false;
        }

        return true;
    }

    private static bool Is(ref SshReader reader, string expected) => reader.TryReadText(out var text, 64) && text == expected;

    /// <summary>A key as it is written, or as it is written and then changed.</summary>
    private byte[] Compose(byte[] step)
    {
        var kind = Kinds[(step[0] >> 2) % Kinds.Length];
        if (!_forms.TryGetValue(kind, out var form)) _forms[kind] = form = Form.Of(kind);
        if (step.Length < 9) return Wrap(form.Whole(form.Section));
        var chance = new Chance(System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(step.AsSpan(1)));
        var times = 1 + chance.Below(3);
        return (step[0] & 3) switch
        {
            Text => _mutator.Change(Wrap(form.Whole(form.Section)), chance, times),
            Outside => Wrap(_mutator.Change(form.Whole(form.Section), chance, times)),
            _ => Wrap(form.Whole(_mutator.Change(form.Section, chance, times))),
        };
    }

    private static byte[] Wrap(byte[] binary) => Encoding.ASCII.GetBytes(Header + Convert.ToBase64String(binary, Base64FormattingOptions.InsertLineBreaks) + Footer);

    /// <param name="Section">The private section.</param>
    private sealed record Form(string Cipher, string Kdf, byte[] Options, uint Count, byte[] Public, byte[] Section)
    {
        public static Form Of(string kind)
        {
            var (blob, fields) = kind switch
            {
                "rsa" => Rsa(),
                "nistp256" or "nistp384" or "nistp521" => Ecdsa(kind),
                _ => Ed25519(kind),
            };
            var section = new SshWriter().UInt32(1234).UInt32(1234).Raw(fields).String(kind == "bare" ? "" : "somebody@example.org");
            for (byte pad = 1; section.Written.Length % 8 != 0; pad++) section.Byte(pad);
            var inside = section.Written.ToArray();
            return kind switch
            {
                "encrypted" => new("aes256-ctr", "bcrypt", new SshWriter().String("0123456789abcdef").UInt32(uint.MaxValue).Written.ToArray(), 1, blob, inside),
                "two" => new("none", "none", [], 2, [.. blob, .. new SshWriter().String(blob).Written.Span], inside),
                _ => new("none", "none", [], 1, blob, inside),
            };
        }

        public byte[] Whole(byte[] section) =>
            new SshWriter().Raw("openssh-key-v1\0"u8).String(Cipher).String(Kdf).String(Options).UInt32(Count).String(Public).String(section).Written.ToArray();

        private static (byte[] Blob, byte[] Fields) Ed25519(string name)
        {
            using var key = Ed25519Key.FromSeed(SHA256.HashData(Encoding.ASCII.GetBytes(name)));
            var seed = new byte[32];
            var point = new byte[32];
            Ed25519Key.CopySeed(key, seed);
            Ed25519Key.CopyPublic(key, point);
            return (
                new SshWriter().String("ssh-ed25519").String(point).Written.ToArray(),
                new SshWriter().String("ssh-ed25519").String(point).String([.. seed, .. point]).Written.ToArray());
        }

        private static (byte[] Blob, byte[] Fields) Ecdsa(string name)
        {
            if (!EcdsaCurve.TryGet(name, out var curve)) throw new ArgumentException($"there is no curve {name}");
            var d = new byte[curve.FieldLength];

            // Below the order of each of the curves.
            SHA256.HashData(Encoding.ASCII.GetBytes(name))[1..].CopyTo(d.AsSpan(^31));
            using var key = ECDsa.Create(new ECParameters { Curve = ECCurve.CreateFromValue(curve.Oid), D = d });
            var q = key.ExportParameters(includePrivateParameters: false).Q;
            byte[] point = [4, .. q.X!, .. q.Y!];
            return (
                new SshWriter().String(curve.KeyType).String(name).String(point).Written.ToArray(),
                new SshWriter().String(curve.KeyType).String(name).String(point).Mpint(d).Written.ToArray());
        }

        private static (byte[] Blob, byte[] Fields) Rsa()
        {
            var e = new BigInteger(65537);
            var (p, q) = (Prime("p"), Prime("q"));
            var d = Inverse(e, (p - 1) * (q - 1));
            return (
                new SshWriter().String("ssh-rsa").Mpint(Bytes(e)).Mpint(Bytes(p * q)).Written.ToArray(),
                new SshWriter().String("ssh-rsa").Mpint(Bytes(p * q)).Mpint(Bytes(e)).Mpint(Bytes(d)).Mpint(Bytes(Inverse(q, p))).Mpint(Bytes(p)).Mpint(Bytes(q)).Written.ToArray());
        }

        /// <summary>1,024 bits, the uppermost two of them set, so that two make 2,048. Fermat's test is enough for what nobody relies on.</summary>
        private static BigInteger Prime(string name)
        {
            var bytes = new byte[128];
            for (var part = 0; part < 4; part++) SHA256.HashData(Encoding.ASCII.GetBytes($"{name}{part}")).CopyTo(bytes, 32 * part);
            bytes[0] |= 0xC0;
            bytes[^1] |= 1;
            var candidate = new BigInteger(bytes, isUnsigned: true, isBigEndian: true);
            while (candidate % 3 == 0 || candidate % 5 == 0 || candidate % 7 == 0 || candidate % 65537 == 1 || !BigInteger.ModPow(2, candidate - 1, candidate).IsOne) candidate += 2;
            return candidate;
        }

        private static BigInteger Inverse(BigInteger number, BigInteger modulus)
        {
            var (before, now) = (modulus, number % modulus);
            var (a, b) = (BigInteger.Zero, BigInteger.One);
            while (now > 1)
            {
                var times = before / now;
                (before, now) = (now, before - (times * now));
                (a, b) = (b, a - (times * b));
            }

            return b.Sign < 0 ? b + modulus : b;
        }

        private static byte[] Bytes(BigInteger number) => number.ToByteArray(isUnsigned: true, isBigEndian: true);
    }
}
