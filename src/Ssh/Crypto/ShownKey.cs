using System.Diagnostics.CodeAnalysis;

namespace Countersign.Ssh.Crypto;

/// <summary>A key as the other end shows it to sign with: as it is, or in a certificate.</summary>
internal sealed record ShownKey(SshPublicKey Key, SshCertificate? Certificate)
{
    public ReadOnlyMemory<byte> Blob => Certificate?.Blob ?? Key.Blob;

    /// <summary>Reads what comes with an algorithm's name. False: not a key or certificate that signs with it.</summary>
    public static bool TryRead(string algorithm, ReadOnlySpan<byte> blob, [NotNullWhen(true)] out ShownKey? shown)
    {
        shown = null;
        if (SignatureAlgorithms.IsForCertificate(algorithm))
        {
            if (SshCertificate.TryParse(blob, out var certificate)) shown = new ShownKey(certificate.Key, certificate);
        }
        else if (SshPublicKey.TryParse(blob, out var key))
        {
            shown = new ShownKey(key, null);
        }

        if (shown is not null && SignatureAlgorithms.ForKey(shown.Key.Type).Contains(SignatureAlgorithms.Plain(algorithm))) return true;
        shown = null;
        return false;
    }

    /// <summary>A certificate's key signs as it would without one: the signature names the plain algorithm.</summary>
    public bool Verify(string algorithm, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature) => Key.Verify(SignatureAlgorithms.Plain(algorithm), data, signature);
}

/// <summary>A host key of ours as it is shown: as it is, or in a certificate.</summary>
internal readonly record struct HostIdentity(SshPrivateKey Key, ReadOnlyMemory<byte> Blob);
