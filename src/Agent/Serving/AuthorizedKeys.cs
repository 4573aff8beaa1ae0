using Countersign.Ssh;

namespace Countersign.Agent.Serving;

/// <summary>
/// A file of public keys, one a line, as OpenSSH has it. Read at each login, so that removing a line works at once. Lines with options restrict a
/// key in ways that are not known here: they allow nothing.
/// </summary>
internal sealed class AuthorizedKeys(string path)
{
    private const long SizeMost = 1024 * 1024;
    private const UnixFileMode WritableByOthers = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    /// <summary>True if the file has the key. False, too, if the file can't be read or could have been written by others.</summary>
    public bool Allows(SshPublicKey key)
    {
        try
        {
            return Read().Contains(key);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <exception cref="IOException">The file is too large or could have been written by others.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public IReadOnlyList<SshPublicKey> Read()
    {
        using var file = File.Open(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        if ((File.GetUnixFileMode(file.SafeFileHandle) & WritableByOthers) != 0) throw new IOException($"{path} can be written by others than its owner (chmod go-w)");
        if (file.Length > SizeMost) throw new IOException($"{path} is larger than {SizeMost} bytes");
        using var reader = new StreamReader(file);
        return SshPublicKey.ReadLines(reader.ReadToEnd());
    }
}
