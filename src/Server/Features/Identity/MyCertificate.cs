using Countersign.Server.Platform;
using Countersign.Ssh;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.Identity;

/// <param name="Key">A line as in a <c>.pub</c> file.</param>
internal sealed record CertificateRequest(string Key);

/// <param name="Certificate">A line as in a <c>-cert.pub</c> file.</param>
internal sealed record CertificateMade(string Certificate, string Serial, DateTimeOffset Expires);

/// <summary>A certificate for the SSH front door, for whoever has signed in with a program.</summary>
internal static class MyCertificate
{
    private const int LongestLine = 8192;

    public static async Task<Results<Ok<CertificateMade>, ProblemHttpResult>> IssueAsync(
        CertificateRequest request, Caller caller, DoorCertificates certificates, CancellationToken cancellation)
    {
        if (request.Key.Length > LongestLine || !SshPublicKey.TryParse(request.Key, out var key))
            return Problems.Invalid("key", "This is not the line of a public key of a kind that is used.");
        return await certificates.IssueAsync(caller, key, cancellation) is { } certificate
            ? TypedResults.Ok(new CertificateMade(certificate.ToString(), $"{certificate.Serial}", certificate.ValidBefore))
            : Problems.Forbidden("Only a program that somebody has signed in with gets certificates: no browser, and no token that was made for a program.");
    }
}
