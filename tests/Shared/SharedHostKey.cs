using System.Text;
using Countersign.Server.Features.Vault;
using Countersign.Ssh;

namespace Countersign.Tests;

/// <summary>Made once for all servers of a run: an RSA key costs more time than all the rest of a start.</summary>
internal static class SharedHostKey
{
    private static readonly Lazy<string> _rsa = new(() =>
    {
        using var key = SshPrivateKey.Generate(SshKeyKind.Rsa3072);
        using var text = key.Export();
        return Encoding.UTF8.GetString(text.Expose());
    });

    /// <summary>Before a server is started on the directory for the first time; it makes its other keys itself.</summary>
    public static void PutInto(string dataDirectory)
    {
        Directory.CreateDirectory(dataDirectory);
        PrivateFile.TryCreate(Path.Combine(dataDirectory, "ssh_host_rsa_key"), Encoding.UTF8.GetBytes(_rsa.Value)).ShouldBeTrue();
    }
}
