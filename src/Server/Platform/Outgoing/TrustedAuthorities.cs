using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Countersign.Server.Features.Vault;

namespace Countersign.Server.Platform;

/// <summary>Authorities of the operator's own, which the certificate of one server elsewhere is held to in place of those that this machine trusts.</summary>
internal sealed class TrustedAuthorities
{
    /// <summary>Of a certificate that is meant for a server (RFC 5280 section 4.2.1.12); one that says nothing of what it is for is good for that, too.</summary>
    private static readonly Oid _serverAuthentication = new("1.3.6.1.5.5.7.3.1");

    private readonly X509Certificate2Collection _authorities = [];

    /// <param name="file">Certificates, as PEM.</param>
    /// <exception cref="KeyFileException">There are none in it that could be read.</exception>
    public TrustedAuthorities(string file)
    {
        try
        {
            _authorities.ImportFromPemFile(file);
        }
        catch (CryptographicException unreadable)
        {
            throw new KeyFileException($"{file} holds no certificates that could be read.", unreadable);
        }

        if (_authorities.Count == 0) throw new KeyFileException($"{file} holds no certificates that could be read.");
    }

    /// <summary>Our authorities in place of the machine's; the name in the certificate has to be the host's as ever.</summary>
    public bool Accepts(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (certificate is null || (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) != SslPolicyErrors.None) return false;
        using var held = new X509Chain();
        held.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        held.ChainPolicy.CustomTrustStore.AddRange(_authorities);
        held.ChainPolicy.ApplicationPolicy.Add(_serverAuthentication);
        held.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        if (chain is not null) held.ChainPolicy.ExtraStore.AddRange(chain.ChainPolicy.ExtraStore);
        using var own = new X509Certificate2(certificate);
        return held.Build(own);
    }
}
