namespace Countersign.Server.Platform.Persistence;

/// <summary>
/// A data directory is one process's: two would number the audit log twice, and each would decide by policy that the other has changed. Held by the system for as
/// long as the process lives, however it ends.
/// </summary>
internal sealed class DataLock : IDisposable
{
    private readonly FileStream _file;

    private DataLock(FileStream file) => _file = file;

    /// <exception cref="IOException">Another process has it, or the directory can't be written.</exception>
    public static DataLock Take(string directory)
    {
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var path = Path.Combine(directory, "lock");
        try
        {
            return new(new FileStream(path, options));
        }
        catch (IOException error) when (File.Exists(path))
        {
            throw new IOException($"Another server runs on {directory}. Stop it first, or give this one another directory with --data.", error);
        }
    }

    public void Dispose() => _file.Dispose();
}
