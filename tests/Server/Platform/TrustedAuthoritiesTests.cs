using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Countersign.Server.Platform;

namespace Countersign.Server.Tests.Platform;

public sealed class TrustedAuthoritiesTests : IDisposable
{
    private const string ForServers = "1.3.6.1.5.5.7.3.1";
    private const string ForClients = "1.3.6.1.5.5.7.3.2";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("countersign-authorities");
    private readonly DateTimeOffset _now = TimeProvider.System.GetUtcNow();

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData(true, ForServers)]
    [InlineData(true, ForClients, ForServers)]
    [InlineData(true)]
    [InlineData(false, ForClients)]
    [InlineData(false, "1.3.6.1.5.5.7.3.3")]
    public void Only_what_an_authority_has_certified_for_a_server_is_one(bool accepted, params string[] purposes)
    {
        using var authority = Authority("ours");
        using var certificate = Issue(authority, purposes);
        Trusting(authority).Accepts(this, certificate, null, SslPolicyErrors.RemoteCertificateChainErrors).ShouldBe(accepted);
    }

    [Fact]
    public void Another_authority_and_another_name_are_refused()
    {
        using var ours = Authority("ours");
        using var theirs = Authority("theirs");
        using var certificate = Issue(theirs, ForServers);
        Trusting(ours).Accepts(this, certificate, null, SslPolicyErrors.RemoteCertificateChainErrors).ShouldBeFalse();
        Trusting(theirs).Accepts(this, certificate, null, SslPolicyErrors.RemoteCertificateChainErrors).ShouldBeTrue();
        Trusting(theirs).Accepts(this, certificate, null, SslPolicyErrors.RemoteCertificateNameMismatch).ShouldBeFalse();
        Trusting(theirs).Accepts(this, null, null, SslPolicyErrors.RemoteCertificateNotAvailable).ShouldBeFalse();
    }

    private TrustedAuthorities Trusting(X509Certificate2 authority)
    {
        var file = Path.Combine(_folder.FullName, "authorities.pem");
        File.WriteAllText(file, authority.ExportCertificatePem());
        return new(file);
    }

    private X509Certificate2 Authority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(_now.AddDays(-1), _now.AddDays(1));
    }

    private X509Certificate2 Issue(X509Certificate2 authority, params string[] purposes)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=server.test", key, HashAlgorithmName.SHA256);
        if (purposes.Length > 0) request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([.. purposes.Select(purpose => new Oid(purpose))], critical: false));
        return request.Create(authority, _now.AddHours(-1), _now.AddHours(1), [1]);
    }
}
