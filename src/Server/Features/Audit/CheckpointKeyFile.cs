using System.Security.Cryptography;
using Countersign.Audit;
using Countersign.Server.Features.Vault;

namespace Countersign.Server.Features.Audit;

/// <summary>The key that checkpoints are signed with: made at the first run, then always the same.</summary>
internal static class CheckpointKeyFile
{
    public const string FileName = "audit.key";

    /// <exception cref="KeyFileException">Other users can read the file, or it holds no key.</exception>
    public static CheckpointKey Open(string dataDirectory)
    {
        var path = Path.Combine(dataDirectory, FileName);
        using var content = PrivateFile.Read(path, most: 4096) ?? Create(path);
        try
        {
            return CheckpointKey.Import(content.Expose());
        }
        catch (CryptographicException problem)
        {
            throw new KeyFileException($"{path} holds no key for checkpoints. Restore it from a backup.", problem);
        }
    }

    private static Ssh.Secret Create(string path)
    {
        using var key = CheckpointKey.Generate();
        var content = key.Export();
        _ = PrivateFile.TryCreate(path, content);
        CryptographicOperations.ZeroMemory(content);
        return PrivateFile.Read(path, most: 4096) ?? throw new KeyFileException($"{path} can't be created.");
    }
}
