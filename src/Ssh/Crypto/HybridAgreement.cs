using System.Security.Cryptography;
using Countersign.Ssh.Transport;

namespace Countersign.Ssh.Crypto;

/// <summary>
/// mlkem768x25519-sha256 (draft-ietf-sshm-mlkem-hybrid-kex): ML-KEM-768 for the day when X25519 is broken, X25519 for the day when ML-KEM is. The
/// client's value is an encapsulation key and a point, the server's a ciphertext and a point. Only where the platform has ML-KEM.
/// </summary>
internal sealed class MlKemX25519Agreement : KeyAgreement
{
    private const int EncapsulationKeyLength = 1184;
    private const int CiphertextLength = 1088;
    private const int PointLength = 32;
    private const int SecretLength = 32;

    private readonly X25519Agreement _classical = new();
    private readonly MLKem? _kem;
    private byte[] _public = [];

    public MlKemX25519Agreement(Side side)
    {
        if (side == Side.Server) return;
        _kem = MLKem.GenerateKey(MLKemAlgorithm.MLKem768);
        _public = [.. _kem.ExportEncapsulationKey(), .. _classical.Public];
    }

    /// <summary>A server's is known once the client's has come.</summary>
    public override byte[] Public => _public;

    public override SecretForm Form => SecretForm.Text;

    public override Secret Agree(ReadOnlySpan<byte> peer)
    {
        var first = _kem is null ? EncapsulationKeyLength : CiphertextLength;
        if (peer.Length != first + PointLength) throw new CryptographicException($"a value has {first + PointLength} bytes here");
        using var lattice = new Secret(SecretLength);
        if (_kem is null)
        {
            using var theirs = MLKem.ImportEncapsulationKey(MLKemAlgorithm.MLKem768, peer[..first].ToArray());
            var ciphertext = new byte[CiphertextLength];
            theirs.Encapsulate(ciphertext, lattice.Writable());
            _public = [.. ciphertext, .. _classical.Public];
        }
        else
        {
            _kem.Decapsulate(peer[..first], lattice.Writable());
        }

        using var curve = _classical.Agree(peer[first..]);
        return Combine(lattice, curve);
    }

    public override void Dispose()
    {
        _classical.Dispose();
        _kem?.Dispose();
    }

    /// <summary>SHA-256 over both secrets, the lattice's first: whoever lacks one of them knows nothing of the result.</summary>
    internal static Secret Combine(Secret lattice, Secret curve)
    {
        using var both = new PinnedWriter(lattice.Length + curve.Length);
        both.Raw(lattice.Expose()).Raw(curve.Expose());
        var combined = new Secret(SHA256.HashSizeInBytes);
        SHA256.HashData(both.Written, combined.Writable());
        return combined;
    }
}
