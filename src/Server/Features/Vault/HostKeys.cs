using Countersign.Ssh;

namespace Countersign.Server.Features.Vault;

/// <summary>The SSH front door's own keys: made at the first run, then always the same, so that clients recognize the gateway.</summary>
public sealed class HostKeys : IDisposable
{
    private HostKeys(IReadOnlyList<SshPrivateKey> keys) => Keys = keys;

    /// <summary>The preferred one first.</summary>
    public IReadOnlyList<SshPrivateKey> Keys { get; }

    /// <exception cref="KeyFileException">Other users can read a key's file, or it holds no key.</exception>
    public static HostKeys Open(string dataDirectory)
    {
        var opened = new List<SshPrivateKey>(2);
        try
        {
            opened.Add(OpenOne(Path.Combine(dataDirectory, "ssh_host_ed25519_key"), SshKeyKind.Ed25519));
            opened.Add(OpenOne(Path.Combine(dataDirectory, "ssh_host_rsa_key"), SshKeyKind.Rsa3072));
            return new(opened);
        }
        catch (KeyFileException)
        {
            foreach (var key in opened) key.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (var key in Keys) key.Dispose();
    }

    private static SshPrivateKey OpenOne(string path, SshKeyKind kind)
    {
        using var text = PrivateFile.Read(path, most: 16_384) ?? Create(path, kind);
        try
        {
            return SshPrivateKey.Parse(text);
        }
        catch (FormatException problem)
        {
            throw new KeyFileException(
                $"{path} holds no SSH private key ({problem.Message}). Restore it from a backup; with another key clients would warn of an attack.", problem);
        }
    }

    private static Secret Create(string path, SshKeyKind kind)
    {
        using var key = SshPrivateKey.Generate(kind);
        using var text = key.Export("countersign");
        _ = PrivateFile.TryCreate(path, text.Expose());
        return PrivateFile.Read(path, most: 16_384) ?? throw new KeyFileException($"{path} can't be created.");
    }
}
