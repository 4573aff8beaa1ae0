using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Security.Cryptography;
using Countersign.Ssh.Crypto;

namespace Countersign.Ssh;

/// <summary>What a certificate's key is for. The numbers are the wire's.</summary>
public enum SshCertificateKind
{
    User = 1,
    Host = 2,
}

/// <summary>Whether a certificate is good for one use. The default is a refusal.</summary>
public enum SshCertificateVerdict
{
    WrongKind = 0,
    NotForThisName,
    NotYetValid,
    Expired,

    /// <summary>A critical option that is not known here, or can't be kept: whoever signed it wants it refused then.</summary>
    CriticalOption,
    WrongAddress,
    Good,
}

/// <summary>
/// A key with a name, signed by an authority (OpenSSH's PROTOCOL.certkeys). Whoever holds one of these knows that the authority's signature has been
/// verified; whether the authority is trusted is for them to say. Only kinds and sizes of keys that this library uses are read, never SHA-1, and an
/// authority is a plain key: there are no chains.
/// </summary>
public sealed class SshCertificate
{
    internal const string TypeSuffix = "-cert-v01@openssh.com";
    internal const int MaxBlob = 16 * 1024;
    internal const int MaxPrincipals = 256;
    internal const int MaxName = 256;
    internal const int MaxKeyId = 1024;
    private const int MaxNonce = 64;
    private const int MaxList = 8192;
    private const int MaxReserved = 1024;

    private readonly byte[] _blob;
    private readonly ulong _validAfter;
    private readonly ulong _validBefore;

    private SshCertificate(byte[] blob, SshPublicKey key, SshPublicKey authority, Fields fields)
    {
        _blob = blob;
        Key = key;
        Authority = authority;
        Kind = (SshCertificateKind)fields.Kind;
        Serial = fields.Serial;
        KeyId = fields.KeyId;
        Principals = fields.Principals;
        CriticalOptions = fields.CriticalOptions;
        Extensions = fields.Extensions;
        _validAfter = fields.ValidAfter;
        _validBefore = fields.ValidBefore;
    }

    /// <summary>The key format's name, like <c>ssh-ed25519-cert-v01@openssh.com</c>.</summary>
    public string Type => Key.Type + TypeSuffix;

    public ReadOnlyMemory<byte> Blob => _blob;

    /// <summary>The key that is certified.</summary>
    public SshPublicKey Key { get; }

    /// <summary>The key that signed.</summary>
    public SshPublicKey Authority { get; }

    public SshCertificateKind Kind { get; }

    public ulong Serial { get; }

    /// <summary>The authority's words about whose it is: for the log, at most 1,024 bytes, as sent.</summary>
    public string KeyId { get; }

    /// <summary>The users or hosts it is for. None means nobody: it is not read as anybody.</summary>
    public IReadOnlyList<string> Principals { get; }

    /// <summary>The first second in which it is valid.</summary>
    public DateTimeOffset ValidAfter => Moment(_validAfter);

    /// <summary>The first second in which it is not valid any more.</summary>
    public DateTimeOffset ValidBefore => Moment(_validBefore);

    public IReadOnlyList<SshCertificateOption> CriticalOptions { get; }

    /// <summary>What the authority lets the holder do, like <c>permit-pty</c>: for the application to keep to.</summary>
    public IReadOnlyList<SshCertificateOption> Extensions { get; }

    /// <summary>Reads a certificate and verifies its signature. False: it is not one, is of a kind that is not used, or the authority did not sign it.</summary>
    public static bool TryParse(ReadOnlySpan<byte> blob, [NotNullWhen(true)] out SshCertificate? certificate)
    {
        certificate = null;
        if (blob.Length > MaxBlob) return false;
        var reader = new SshReader(blob);
        if (!reader.TryReadText(out var type, 64) || !type.EndsWith(TypeSuffix, StringComparison.Ordinal) || !reader.TryReadString(out _, MaxNonce)) return false;
        var keyType = type[..^TypeSuffix.Length];
        var keyAt = blob.Length - reader.Rest.Length;
        if (!SshPublicKey.TryReadFields(keyType, ref reader)) return false;
        var keyFields = blob[keyAt..^reader.Rest.Length];
        if (!SshPublicKey.TryParse(new SshWriter().String(keyType).Raw(keyFields).Written.Span, out var key)) return false;
        if (!Fields.TryRead(ref reader, out var fields) || !reader.TryReadString(out _, MaxReserved) || !reader.TryReadString(out var authorityBlob)) return false;
        var signed = blob[..^reader.Rest.Length];
        if (!reader.TryReadString(out var signature) || !reader.IsAtEnd || !SshPublicKey.TryParse(authorityBlob, out var authority) || !IsSigned(authority, signed, signature)) return false;
        certificate = new SshCertificate(blob.ToArray(), key, authority, fields);
        return true;
    }

    /// <summary>Reads <c>type base64 [comment]</c>, the line of a <c>-cert.pub</c> file.</summary>
    public static bool TryParse(string line, [NotNullWhen(true)] out SshCertificate? certificate)
    {
        certificate = null;
        if (line is null || line.Length > 2 * MaxBlob) return false;
        var parts = line.Split([' ', '\t'], 3, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (parts.Length < 2 || !Base64.IsValid(parts[1]) || !TryParse(Convert.FromBase64String(parts[1]), out var read) || read.Type != parts[0]) return false;
        certificate = read;
        return true;
    }

    /// <summary>Makes and signs one.</summary>
    /// <param name="authority">Signs; RSA with SHA-512.</param>
    /// <exception cref="ArgumentException">The terms are not such as a server would accept: no principal, one too long, an empty time.</exception>
    public static SshCertificate Issue(SshPrivateKey authority, SshPublicKey key, SshCertificateTerms terms)
    {
        terms.Check();
        var keyFields = new SshReader(key.Blob.Span);
        if (!keyFields.TryReadString(out _)) throw new ArgumentException("not a key", nameof(key));
        var principals = new SshWriter();
        foreach (var principal in terms.Principals) principals.String(principal);
        var body = new SshWriter().String(key.Type + TypeSuffix).String(RandomNumberGenerator.GetBytes(32)).Raw(keyFields.Rest)
            .UInt64(terms.Serial).UInt32((uint)terms.Kind).String(terms.KeyId).String(principals.Written.Span)
            .UInt64((ulong)terms.ValidAfter.ToUnixTimeSeconds()).UInt64((ulong)terms.ValidBefore.ToUnixTimeSeconds())
            .String(SshCertificateOption.Encode(terms.CriticalOptions)).String(SshCertificateOption.Encode(terms.Extensions))
            .String("").String(authority.PublicKey.Blob.Span);
        var signature = authority.Sign(SignatureAlgorithms.ForKey(authority.PublicKey.Type)[0], body.Written.Span);
        return TryParse(body.String(signature).Written.Span, out var certificate) ? certificate : throw new ArgumentException("the certificate would be too large, or two options have one name", nameof(terms));
    }

    /// <summary>
    /// Whether it is good for this use at this moment. All but the one question of whether the <see cref="Authority"/> is trusted. Of critical options
    /// only <c>source-address</c> is kept; a certificate with <c>force-command</c>, <c>verify-required</c> or any other is refused, because nobody
    /// here would keep to it. Names are compared exactly: there are no patterns.
    /// </summary>
    /// <param name="principal">The name of the user or host.</param>
    /// <param name="source">Where the holder connects from; null: not known, and then no certificate that is bound to an address is good.</param>
    public SshCertificateVerdict Judge(SshCertificateKind kind, string principal, DateTimeOffset now, IPAddress? source)
    {
        if (Kind != kind) return SshCertificateVerdict.WrongKind;
        if (!Principals.Contains(principal, StringComparer.Ordinal)) return SshCertificateVerdict.NotForThisName;
        var seconds = now.ToUnixTimeSeconds();
        if (seconds < 0 || (ulong)seconds < _validAfter) return SshCertificateVerdict.NotYetValid;
        if ((ulong)seconds >= _validBefore) return SshCertificateVerdict.Expired;
        foreach (var option in CriticalOptions)
        {
            if (kind != SshCertificateKind.User || option.Name != SshCertificateOption.SourceAddress) return SshCertificateVerdict.CriticalOption;
            if (!SourceAddresses.Allow(option, source)) return SshCertificateVerdict.WrongAddress;
        }

        return SshCertificateVerdict.Good;
    }

    /// <summary><c>type base64</c>.</summary>
    public override string ToString() => $"{Type} {Convert.ToBase64String(_blob)}";

    private static bool IsSigned(SshPublicKey authority, ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature)
    {
        // The signature says its algorithm itself: one of the key's own, so an RSA key may not have used SHA-1.
        var reader = new SshReader(signature);
        return reader.TryReadText(out var algorithm, 64) && authority.Verify(algorithm, signed, signature);
    }

    private static DateTimeOffset Moment(ulong seconds) =>
        seconds >= (ulong)DateTimeOffset.MaxValue.ToUnixTimeSeconds() ? DateTimeOffset.MaxValue : DateTimeOffset.FromUnixTimeSeconds((long)seconds);

    private sealed record Fields(ulong Serial, uint Kind, string KeyId, string[] Principals, ulong ValidAfter, ulong ValidBefore)
    {
        public required IReadOnlyList<SshCertificateOption> CriticalOptions { get; init; }

        public required IReadOnlyList<SshCertificateOption> Extensions { get; init; }

        public static bool TryRead(ref SshReader reader, [NotNullWhen(true)] out Fields? fields)
        {
            fields = null;
            if (!reader.TryReadUInt64(out var serial) || !reader.TryReadUInt32(out var kind) || kind is not ((uint)SshCertificateKind.User or (uint)SshCertificateKind.Host)) return false;
            if (!reader.TryReadText(out var keyId, MaxKeyId) || !reader.TryReadString(out var names, MaxList) || !TryReadNames(names, out var principals)) return false;
            if (!reader.TryReadUInt64(out var after) || !reader.TryReadUInt64(out var before)) return false;
            if (!reader.TryReadString(out var critical, MaxList) || !SshCertificateOption.TryReadAll(critical, out var criticalOptions)) return false;
            if (!reader.TryReadString(out var more, MaxList) || !SshCertificateOption.TryReadAll(more, out var extensions)) return false;
            fields = new Fields(serial, kind, keyId, principals, after, before) { CriticalOptions = criticalOptions, Extensions = extensions };
            return true;
        }

        private static bool TryReadNames(ReadOnlySpan<byte> list, out string[] principals)
        {
            var names = new List<string>();
            var reader = new SshReader(list);
            principals = [];
            while (!reader.IsAtEnd)
            {
                if (names.Count == MaxPrincipals || !reader.TryReadText(out var name, MaxName) || name.Length == 0) return false;
                names.Add(name);
            }

            principals = [.. names];
            return true;
        }
    }
}
