using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Countersign.Audit;

/// <summary>
/// What a server signs about an organization's log: at this time it had this many records with this root. Kept where the server can't reach it, it
/// holds the server to its word.
/// </summary>
public sealed class Checkpoint
{
    public required Guid Organization { get; init; }

    /// <summary>How many records.</summary>
    public required long Size { get; init; }

    public required byte[] Root { get; init; }

    public required DateTimeOffset At { get; init; }

    /// <summary>The public key that signs: a SubjectPublicKeyInfo (RFC 5480) on P-256.</summary>
    public required byte[] Key { get; init; }

    /// <summary>ECDSA with SHA-256, r and s in 32 bytes each.</summary>
    public required byte[] Signature { get; init; }

    /// <summary>Whether the key that it names has signed it. Whose key that is, it can't say itself.</summary>
    public bool IsGenuine()
    {
        if (Size < 0 || Root.Length != MerkleTree.HashLength) return false;
        try
        {
            using var key = ECDsa.Create();
            key.ImportSubjectPublicKeyInfo(Key, out var read);
            return read == Key.Length && key.KeySize == 256 && key.VerifyData(ToBeSigned(Organization, Size, Root, At), Signature, HashAlgorithmName.SHA256);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    internal static byte[] ToBeSigned(Guid organization, long size, ReadOnlySpan<byte> root, DateTimeOffset at)
    {
        var name = "countersign.audit.checkpoint.v1\n"u8;
        var bytes = new byte[name.Length + 16 + 8 + 8 + root.Length];
        name.CopyTo(bytes);
        var rest = bytes.AsSpan(name.Length);
        organization.TryWriteBytes(rest, bigEndian: true, out _);
        BinaryPrimitives.WriteInt64BigEndian(rest[16..], size);
        BinaryPrimitives.WriteInt64BigEndian(rest[24..], at.UtcTicks);
        root.CopyTo(rest[32..]);
        return bytes;
    }
}

/// <summary>The private key that checkpoints are signed with. P-256 and not Ed25519, because the platform has it: the verifier needs nothing else.</summary>
public sealed class CheckpointKey : IDisposable
{
    private readonly ECDsa _key;
    private readonly byte[] _public;

    private CheckpointKey(ECDsa key)
    {
        _key = key;
        _public = key.ExportSubjectPublicKeyInfo();
    }

    public static CheckpointKey Generate() => new(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <exception cref="CryptographicException">It is not such a key.</exception>
    public static CheckpointKey Import(ReadOnlySpan<byte> pkcs8)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportPkcs8PrivateKey(pkcs8, out var read);
            return read == pkcs8.Length && key.KeySize == 256 ? new(key) : throw new CryptographicException("the key is not one on P-256");
        }
        catch (CryptographicException)
        {
            key.Dispose();
            throw;
        }
    }

    /// <summary>PKCS #8. Secret: the caller clears it.</summary>
    public byte[] Export() => _key.ExportPkcs8PrivateKey();

    public Checkpoint Sign(Guid organization, long size, byte[] root, DateTimeOffset at) => new()
    {
        Organization = organization,
        Size = size,
        Root = root,
        At = at,
        Key = _public,
        Signature = _key.SignData(Checkpoint.ToBeSigned(organization, size, root, at), HashAlgorithmName.SHA256),
    };

    public void Dispose() => _key.Dispose();
}
