using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Countersign.Ssh;

namespace Countersign.Server.Features.Vault;

/// <summary>
/// Files that only the server's own user may read, such as keys: made whole and durable or not at all, and refused when somebody else
/// could have read them.
/// </summary>
internal static class PrivateFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private const UnixFileMode Others =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute |
        UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    /// <summary>The file's content, or null when there is no such file.</summary>
    /// <exception cref="KeyFileException">It can be reached by other users, is empty, or is longer than <paramref name="most"/> bytes.</exception>
    public static Secret? Read(string path, int most)
    {
        try
        {
            using var handle = File.OpenHandle(path);
            // The mode of what was opened, not of what the path names by then.
            if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(handle) & Others) != 0)
            {
                throw new KeyFileException(
                    $"{path} can be read or changed by other users of this machine. Replace what it protects, or, if you are sure, run: chmod 600 '{path}'");
            }

            var length = RandomAccess.GetLength(handle);
            if (length is 0 || length > most)
                throw new KeyFileException($"{path} is {length} bytes long, which no file of this kind is. Restore it from a backup.");
            var content = GC.AllocateUninitializedArray<byte>((int)length, pinned: true);
            try
            {
                var read = 0;
                while (read < content.Length)
                {
                    var got = RandomAccess.Read(handle, content.AsSpan(read), read);
                    if (got == 0) throw new KeyFileException($"{path} became shorter while it was read.");
                    read += got;
                }

                return new(content);
            }
            finally
            {
                CryptographicOperations.ZeroMemory(content);
            }
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    /// <summary>False when the file is there already: it is never replaced. Once true is returned, the file survives a loss of power.</summary>
    public static bool TryCreate(string path, ReadOnlySpan<byte> content)
    {
        var draft = $"{path}.{RandomNumberGenerator.GetHexString(16, lowercase: true)}.new";
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0 };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerOnly;
            using (var stream = new FileStream(draft, options))
            {
                stream.Write(content);
                stream.Flush(flushToDisk: true);
            }

            // Without overwriting, this is link(2) and unlink(2): of two processes that start at once, one wins.
            File.Move(draft, path, overwrite: false);
            FlushFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
            return true;
        }
        catch (IOException) when (File.Exists(path))
        {
            return false;
        }
        finally
        {
            File.Delete(draft);
        }
    }

    /// <summary>A new name is durable only once its folder is (fsync(2), notes); the base class library can't open folders.</summary>
    private static void FlushFolder(string folder)
    {
        if (OperatingSystem.IsWindows()) return;
        var descriptor = Native.Open(folder, 0);
        if (descriptor < 0) throw new IOException($"{folder} can't be opened: error {Marshal.GetLastPInvokeError()}.");
        try
        {
            if (Native.FSync(descriptor) != 0) throw new IOException($"{folder} can't be made durable: error {Marshal.GetLastPInvokeError()}.");
        }
        finally
        {
            _ = Native.Close(descriptor);
        }
    }

    private static class Native
    {
        [DllImport("libc", EntryPoint = "open", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

        [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int FSync(int descriptor);

        [DllImport("libc", EntryPoint = "close", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int Close(int descriptor);
    }
}

/// <summary>A key file that the server must not start with. The message is for whoever runs the server and holds nothing of the file's content.</summary>
public sealed class KeyFileException : Exception
{
    public KeyFileException()
    {
    }

    public KeyFileException(string message)
        : base(message)
    {
    }

    public KeyFileException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
