using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Text;

namespace Countersign.Ssh.Crypto;

/// <summary>The private half of a key of one kind: signs, and writes its fields of the openssh-key-v1 form.</summary>
internal abstract class PrivateHalf : IDisposable
{
    /// <summary>More than the fields of the largest key (RSA with 16,384 bits) take.</summary>
    protected const int MostBytes = 16384;

    /// <summary>The key's public blob (RFC 4253 section 6.6).</summary>
    public abstract byte[] PublicBlob();

    /// <summary>The signature proper, without the algorithm's name around it. Safe from several threads at once.</summary>
    public abstract byte[] Sign(string algorithm, ReadOnlySpan<byte> data);

    /// <summary>Writes what follows the type's name in the private section (PROTOCOL.key of OpenSSH).</summary>
    public abstract void WriteFields(PinnedWriter writer);

    public abstract void Dispose();

    /// <summary>A copy in pinned memory; whoever asks zeroes it.</summary>
    protected static byte[] Pinned(ReadOnlySpan<byte> bytes, int length)
    {
        var copy = GC.AllocateArray<byte>(length, pinned: true);
        bytes.CopyTo(copy.AsSpan(length - bytes.Length));
        return copy;
    }
}

internal sealed class Ed25519PrivateHalf(KeyHandle key) : PrivateHalf
{
    public override byte[] PublicBlob()
    {
        Span<byte> point = stackalloc byte[Ed25519Key.KeyLength];
        Ed25519Key.CopyPublic(key, point);
        return new SshWriter().String(SshPublicKey.Ed25519).String(point).Written.ToArray();
    }

    public override byte[] Sign(string algorithm, ReadOnlySpan<byte> data) => Ed25519Key.Sign(key, data);

    public override void WriteFields(PinnedWriter writer)
    {
        Span<byte> both = stackalloc byte[2 * Ed25519Key.KeyLength];
        Ed25519Key.CopySeed(key, both);
        Ed25519Key.CopyPublic(key, both[Ed25519Key.KeyLength..]);
        writer.String(both[Ed25519Key.KeyLength..]).String(both);
        CryptographicOperations.ZeroMemory(both);
    }

    public override void Dispose() => key.Dispose();
}

internal sealed class RsaPrivateHalf(RSA rsa) : PrivateHalf
{
    private readonly Lock _gate = new();

    /// <summary>From the fields of openssh-key-v1, all of them magnitudes; the two that the platform wants besides are computed in libcrypto's memory.</summary>
    /// <exception cref="CryptographicException">The numbers are no RSA key.</exception>
    public static RsaPrivateHalf Import(ReadOnlySpan<byte> n, ReadOnlySpan<byte> e, ReadOnlySpan<byte> d, ReadOnlySpan<byte> inverse, ReadOnlySpan<byte> p, ReadOnlySpan<byte> q)
    {
        // The platform takes a number without bytes for a mistake of its caller's, and not for a key that is none.
        if (n.IsEmpty || e.IsEmpty) throw new CryptographicException("not an RSA key");
        var half = (n.Length + 1) / 2;
        if (d.Length > n.Length || inverse.Length > half || p.Length > half || q.Length > half || p.IsEmpty || q.IsEmpty) throw new CryptographicException("not an RSA key");
        var parameters = new RSAParameters
        {
            Modulus = n.ToArray(),
            Exponent = e.ToArray(),
            D = Pinned(d, n.Length),
            InverseQ = Pinned(inverse, half),
            P = Pinned(p, half),
            Q = Pinned(q, half),
            DP = Reduce(d, p, half),
            DQ = Reduce(d, q, half),
        };
        var rsa = RSA.Create();
        try
        {
            rsa.ImportParameters(parameters);
            return new RsaPrivateHalf(rsa);
        }
        catch
        {
            rsa.Dispose();
            throw;
        }
        finally
        {
            foreach (var secret in new[] { parameters.D, parameters.InverseQ, parameters.P, parameters.Q, parameters.DP, parameters.DQ })
            {
                CryptographicOperations.ZeroMemory(secret);
            }
        }
    }

    public override byte[] PublicBlob()
    {
        var parameters = rsa.ExportParameters(includePrivateParameters: false);
        return new SshWriter().String(SshPublicKey.Rsa).Mpint(parameters.Exponent).Mpint(parameters.Modulus).Written.ToArray();
    }

    public override byte[] Sign(string algorithm, ReadOnlySpan<byte> data)
    {
        lock (_gate)
        {
            var signature = new byte[(rsa.KeySize + 7) / 8];
            rsa.SignData(data, signature, SignatureAlgorithms.Hash(algorithm), RSASignaturePadding.Pkcs1);
            return signature;
        }
    }

    public override void WriteFields(PinnedWriter writer)
    {
        // PKCS #1 and not ExportParameters: that one returns arrays that the collector may have copied before they could be zeroed.
        var der = Pinned([], MostBytes);
        try
        {
            if (!rsa.TryExportRSAPrivateKey(der, out var length)) throw new CryptographicException("the key is too large");
            AsnDecoder.ReadSequence(der.AsSpan(0, length), AsnEncodingRules.DER, out var start, out var content, out _);
            var rest = der.AsSpan(start, content);
            Next(ref rest);
            var n = Next(ref rest);
            var e = Next(ref rest);
            var d = Next(ref rest);
            var p = Next(ref rest);
            var q = Next(ref rest);
            Next(ref rest);
            Next(ref rest);
            writer.Mpint(n).Mpint(e).Mpint(d).Mpint(Next(ref rest)).Mpint(p).Mpint(q);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(der);
        }
    }

    public override void Dispose() => rsa.Dispose();

    private static ReadOnlySpan<byte> Next(ref Span<byte> rest)
    {
        var number = AsnDecoder.ReadIntegerBytes(rest, AsnEncodingRules.DER, out var consumed);
        rest = rest[consumed..];
        return number;
    }

    /// <summary>d mod (prime - 1).</summary>
    private static byte[] Reduce(ReadOnlySpan<byte> d, ReadOnlySpan<byte> prime, int length)
    {
        using var context = LibCrypto.Check(LibCrypto.BN_CTX_secure_new());
        using var number = Number(d);
        using var divisor = Number(prime);
        using var remainder = LibCrypto.Check(LibCrypto.BN_secure_new());
        LibCrypto.Check(LibCrypto.BN_sub_word(divisor, 1));
        LibCrypto.Check(LibCrypto.BN_div(0, remainder, number, divisor, context));
        var result = Pinned([], length);
        LibCrypto.Check(LibCrypto.BN_bn2binpad(remainder, result, length));
        return result;
    }

    private static NumberHandle Number(ReadOnlySpan<byte> magnitude)
    {
        var number = LibCrypto.Check(LibCrypto.BN_secure_new());
        LibCrypto.BN_set_flags(number, LibCrypto.ConstantTime);
        if (LibCrypto.BN_bin2bn(magnitude, magnitude.Length, number) == 0) throw new CryptographicException("libcrypto refused BN_bin2bn.");
        return number;
    }
}

internal sealed class EcdsaPrivateHalf(ECDsa ecdsa, EcdsaCurve curve) : PrivateHalf
{
    private readonly Lock _gate = new();

    /// <exception cref="CryptographicException">The numbers are no key on this curve.</exception>
    public static EcdsaPrivateHalf Import(EcdsaCurve curve, ReadOnlySpan<byte> point, ReadOnlySpan<byte> d)
    {
        if (d.Length > curve.FieldLength || point.Length != curve.PointLength) throw new CryptographicException("not an ECDSA key");
        var parameters = curve.Public(point);
        parameters.D = Pinned(d, curve.FieldLength);
        try
        {
            return new EcdsaPrivateHalf(ECDsa.Create(parameters), curve);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(parameters.D);
        }
    }

    public override byte[] PublicBlob() => new SshWriter().String(curve.KeyType).String(curve.Name).String(Point()).Written.ToArray();

    public override byte[] Sign(string algorithm, ReadOnlySpan<byte> data)
    {
        lock (_gate)
        {
            var both = ecdsa.SignData(data, curve.Hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
            return new SshWriter().Mpint(both.AsSpan(0, curve.FieldLength)).Mpint(both.AsSpan(curve.FieldLength)).Written.ToArray();
        }
    }

    public override void WriteFields(PinnedWriter writer)
    {
        var der = Pinned([], MostBytes);
        try
        {
            // RFC 5915: SEQUENCE { version INTEGER, privateKey OCTET STRING, … }
            if (!ecdsa.TryExportECPrivateKey(der, out var length)) throw new CryptographicException("the key is too large");
            AsnDecoder.ReadSequence(der.AsSpan(0, length), AsnEncodingRules.DER, out var start, out var content, out _);
            var rest = der.AsSpan(start, content);
            AsnDecoder.ReadIntegerBytes(rest, AsnEncodingRules.DER, out var version);
            if (!AsnDecoder.TryReadPrimitiveOctetString(rest[version..], AsnEncodingRules.DER, out var d, out _)) throw new CryptographicException("not an EC key");
            writer.String(Encoding.ASCII.GetBytes(curve.Name)).String(Point()).Mpint(d);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(der);
        }
    }

    public override void Dispose() => ecdsa.Dispose();

    private byte[] Point()
    {
        var q = ecdsa.ExportParameters(includePrivateParameters: false).Q;
        return [4, .. q.X!, .. q.Y!];
    }
}
