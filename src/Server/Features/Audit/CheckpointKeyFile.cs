using System.Security.Cryptography;
using Countersign.Audit;
using Countersign.Server.Features.Vault;

namespace Countersign.Server.Features.Audit;

/// <summary>The key that checkpoints are signed with: made at the first run, then always the same.</summary>
internal static class CheckpointKeyFile
{
    public const string FileName = "audit.key";

    /// <exception cref="KeyFileException">Other users can read the file, it holds no key, or it is gone though something was signed.</exception>
    public static CheckpointKey Open(string dataDirectory)
    {
        var path = Path.Combine(dataDirectory, FileName);

        // A new key in its place would sign what no kept checkpoint fits.
        if (!File.Exists(path) && File.Exists(Path.Combine(dataDirectory, CheckpointFile.FileName)))
            throw new KeyFileException($"{path} is missing, and checkpoints were signed with it: {CheckpointFile.FileName} is there. Restore the key from a backup.");
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
