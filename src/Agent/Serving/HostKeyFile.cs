using System.Security.Cryptography;
using Countersign.Ssh;

namespace Countersign.Agent.Serving;

/// <summary>The agent's host key, kept in a file for its owner only, made when it is not there.</summary>
internal static class HostKeyFile
{
    private const long SizeMost = 64 * 1024;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>The caller disposes the key.</summary>
    /// <exception cref="IOException">The file can't be made, is open to others, or is far too large.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read or made.</exception>
    /// <exception cref="FormatException">It holds no private key.</exception>
    public static SshPrivateKey ReadOrMake(string path)
    {
        if (!File.Exists(path)) Make(path);
        using var file = File.Open(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        if ((File.GetUnixFileMode(file.SafeFileHandle) & ~(OwnerOnly | UnixFileMode.UserExecute)) != 0)
        {
            throw new IOException($"{path} can be read by others than its owner (chmod 600)");
        }

        if (file.Length > SizeMost) throw new IOException($"{path} is too large for a key");
        var bytes = new byte[file.Length];
        try
        {
            file.ReadExactly(bytes);
            using var text = new Secret(bytes);
            return SshPrivateKey.Parse(text);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    // Written beside and moved into place, so that a crash leaves a whole key or none. A key that came meanwhile is kept and used.
    private static void Make(string path)
    {
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        using var text = key.Export("countersign-agent");
        var beside = $"{path}.{Guid.NewGuid():N}";
        using (var file = new FileStream(beside, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
        {
            file.Write(text.Expose());
            file.Flush(flushToDisk: true);
        }

        try
        {
            File.Move(beside, path, overwrite: false);
        }
        catch (IOException) when (File.Exists(path))
        {
            File.Delete(beside);
        }
    }
}
