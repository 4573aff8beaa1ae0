using Countersign.Cli.Api;
using Countersign.Cli.Saved;
using Countersign.Ssh;

namespace Countersign.Cli.Gate;

/// <summary>
/// The key by which OpenSSH signs in at the gateway, and the server's certificate for it: two files beside the saved logins, made at <c>login</c>, renewed
/// while the login lasts, gone with <c>logout</c>.
/// </summary>
internal sealed class DoorIdentity(LoginStore store, TimeProvider time)
{
    private const int LargestFile = 64 * 1024;

    /// <summary>With less left it is renewed before it is used.</summary>
    private static readonly TimeSpan Enough = TimeSpan.FromMinutes(5);

    /// <summary>The private key's file; the certificate's is beside it.</summary>
    public string PathFor(ServerAddress address) =>
        store.PathOf($"id-{string.Concat(address.ToString().Select(character => char.IsAsciiLetterOrDigit(character) || character == '.' ? character : '-'))}");

    public static string CertificateOf(string key) => key + "-cert.pub";

    /// <summary>The private key's file with a certificate that lasts a while; null: the token is none that gets one.</summary>
    public async Task<Answer<string>?> EnsureAsync(ApiClient client, string? person, CancellationToken cancellation)
    {
        var file = PathFor(client.Address);
        return await IsGoodAsync(file, person, cancellation) ? file : await RenewAsync(client, cancellation);
    }

    /// <summary>A new key with a new certificate; null: the token is none that gets one.</summary>
    public async Task<Answer<string>?> RenewAsync(ApiClient client, CancellationToken cancellation)
    {
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        var request = new CertificateRequest(key.PublicKey.ToString());
        var answer = await client.PostAsync("me/certificate", request, ApiJson.Default.CertificateRequest, ApiJson.Default.CertificateMade, cancellation);
        if (!answer.TryGet(out var reply, out var failure))
        {
            if (failure.ExitCode is ExitCode.Refused or ExitCode.NotFound) return null;
            return failure;
        }

        if (reply.Value.Certificate is not { } line || !SshCertificate.TryParse(line, out var certificate) || !certificate.Key.Equals(key.PublicKey))
            return new Failure(ExitCode.Refused, $"The answer of {client.Address} holds no certificate for the key.", "Ask whoever runs the server.");
        using var text = key.Export("countersign");
        var file = PathFor(client.Address);
        if (!(await OwnFile.WriteAsync(file, text.ExposeText(), cancellation)).TryGet(out _, out failure)) return failure;
        return (await OwnFile.WriteAsync(CertificateOf(file), $"{certificate}\n", cancellation)).TryGet(out _, out failure) ? file : failure;
    }

    public void Forget(ServerAddress address)
    {
        var file = PathFor(address);
        try
        {
            File.Delete(file);
            File.Delete(CertificateOf(file));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It is worth nothing any more: the sign-in that it stands for has ended.
        }
    }

    /// <summary>Whether both files belong together, to this person, and for a while yet. What can't be read is made anew.</summary>
    private async Task<bool> IsGoodAsync(string file, string? person, CancellationToken cancellation)
    {
        try
        {
            if (person is null || !IsFile(file) || !IsFile(CertificateOf(file))) return false;
            if (!SshCertificate.TryParse(await File.ReadAllTextAsync(CertificateOf(file), cancellation), out var certificate)) return false;
            using var text = Secret.FromText(await File.ReadAllTextAsync(file, cancellation));
            using var key = SshPrivateKey.Parse(text);
            return certificate.Key.Equals(key.PublicKey) && certificate.Principals.Contains(person) && certificate.ValidBefore - time.GetUtcNow() > Enough;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or FormatException)
        {
            return false;
        }
    }

    private static bool IsFile(string file) =>
        new FileInfo(file) is { Exists: true, Length: <= LargestFile }
        && (OperatingSystem.IsWindows() || (File.GetUnixFileMode(file) & ~(UnixFileMode.UserRead | UnixFileMode.UserWrite)) == 0);
}
