using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Countersign.Ssh.Sftp;

/// <summary>
/// The file calls of Linux that .NET has no API for, or only one that takes file names as text: names here are bytes ending in zero, so that a
/// name in any encoding can be served. Each call returns 0 or the error's number.
/// </summary>
internal static unsafe partial class PosixFiles
{
    public const int PathMax = 4096;

    public const int ReadOnly = 0, WriteOnly = 1, ReadWrite = 2;
    public const int Create = 0x40, Exclusive = 0x80, NoControllingTerminal = 0x100, Truncate = 0x200, Append = 0x400, NonBlocking = 0x800;
    public const int DirectoryOnly = 0x10000, CloseOnExec = 0x80000;

    public const int TypeMask = 0xF000, TypeRegular = 0x8000, TypeDirectory = 0x4000, TypeLink = 0xA000, TypeBlock = 0x6000, TypeCharacter = 0x2000;
    public const int TypeFifo = 0x1000, TypeSocket = 0xC000;

    private const int AtWorkingDirectory = -100, AtNoFollow = 0x100, AtEmptyPath = 0x1000;
    private const uint StatxBasic = 0x7FF, RenameNoReplace = 1;

    /// <summary>What <c>statx</c> tells, as far as it is used.</summary>
    public readonly record struct Metadata(uint Mode, uint Links, uint User, uint Group, ulong Size, long Accessed, long Modified)
    {
        public bool IsDirectory => (Mode & TypeMask) == TypeDirectory;
    }

    /// <summary><c>struct statvfs</c> of 64-bit glibc, without its spare numbers.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 112)]
    public struct FileSystem
    {
        public ulong BlockSize, FragmentSize, Blocks, BlocksFree, BlocksAvailable, Files, FilesFree, FilesAvailable, Id, Flags, LongestName;
    }

    public static int Open(ReadOnlySpan<byte> path, int flags, uint mode, out SafeFileHandle? file)
    {
        file = null;
        int descriptor;
        fixed (byte* name = path)
        {
            while ((descriptor = open(name, flags | CloseOnExec | NoControllingTerminal | NonBlocking, mode)) < 0)
            {
                if (Marshal.GetLastPInvokeError() != Errno.Interrupted) return Marshal.GetLastPInvokeError();
            }
        }

        file = new SafeFileHandle(descriptor, ownsHandle: true);
        return 0;
    }

    public static int Stat(ReadOnlySpan<byte> path, out Metadata metadata) => Stat(AtWorkingDirectory, path, 0, out metadata);

    public static int LStat(ReadOnlySpan<byte> path, out Metadata metadata) => Stat(AtWorkingDirectory, path, AtNoFollow, out metadata);

    public static int FStat(SafeHandle file, out Metadata metadata)
    {
        using var lease = new DescriptorLease(file);
        return Stat(lease.Descriptor, "\0"u8, AtEmptyPath, out metadata);
    }

    public static int LStatIn(PosixDirectory directory, ReadOnlySpan<byte> name, out Metadata metadata) =>
        Stat(directory.Descriptor, name, AtNoFollow, out metadata);

    /// <summary>Reads at an offset; fewer bytes than asked for are no error, none is the end of the file.</summary>
    public static int Read(SafeHandle file, Span<byte> target, ulong offset, out int count)
    {
        count = 0;
        if (offset > long.MaxValue) return Errno.Invalid;
        fixed (byte* data = target)
        {
            nint read;
            while ((read = pread(file, data, (nuint)target.Length, (long)offset)) < 0)
            {
                if (Marshal.GetLastPInvokeError() != Errno.Interrupted) return Marshal.GetLastPInvokeError();
            }

            count = (int)read;
            return 0;
        }
    }

    /// <summary>Writes everything at an offset, or at the end of a file opened for appending.</summary>
    public static int Write(SafeHandle file, ReadOnlySpan<byte> source, ulong offset)
    {
        if (offset > (ulong)long.MaxValue - (ulong)source.Length) return Errno.FileTooLarge;
        fixed (byte* data = source)
        {
            for (var written = 0; written < source.Length;)
            {
                var count = pwrite(file, data + written, (nuint)(source.Length - written), (long)offset + written);
                if (count < 0 && Marshal.GetLastPInvokeError() != Errno.Interrupted) return Marshal.GetLastPInvokeError();

                // Nothing taken and nothing said: a device file. Asking again would not end.
                if (count == 0) return Errno.IoError;
                if (count > 0) written += (int)count;
            }
        }

        return 0;
    }

    public static int Sync(SafeHandle file) => Result(fsync(file));

    public static int SetLength(ReadOnlySpan<byte> path, ulong length)
    {
        if (length > long.MaxValue) return Errno.FileTooLarge;
        fixed (byte* name = path) return Result(truncate(name, (long)length));
    }

    public static int SetLength(SafeHandle file, ulong length) => length > long.MaxValue ? Errno.FileTooLarge : Result(ftruncate(file, (long)length));

    public static int SetMode(ReadOnlySpan<byte> path, uint mode)
    {
        fixed (byte* name = path) return Result(chmod(name, mode));
    }

    public static int SetMode(SafeHandle file, uint mode) => Result(fchmod(file, mode));

    public static int SetOwner(ReadOnlySpan<byte> path, SftpOwner owner)
    {
        fixed (byte* name = path) return Result(chown(name, owner.User, owner.Group));
    }

    public static int SetOwner(SafeHandle file, SftpOwner owner) => Result(fchown(file, owner.User, owner.Group));

    public static int SetTimes(ReadOnlySpan<byte> path, SftpTimes times)
    {
        var both = stackalloc long[] { times.Accessed, 0, times.Modified, 0 };
        fixed (byte* name = path) return Result(utimensat(AtWorkingDirectory, name, both, 0));
    }

    public static int SetTimes(SafeHandle file, SftpTimes times)
    {
        var both = stackalloc long[] { times.Accessed, 0, times.Modified, 0 };
        return Result(futimens(file, both));
    }

    public static int MakeDirectory(ReadOnlySpan<byte> path, uint mode)
    {
        fixed (byte* name = path) return Result(mkdir(name, mode));
    }

    public static int RemoveDirectory(ReadOnlySpan<byte> path)
    {
        fixed (byte* name = path) return Result(rmdir(name));
    }

    public static int Remove(ReadOnlySpan<byte> path)
    {
        fixed (byte* name = path) return Result(unlink(name));
    }

    /// <summary>Renames, and replaces what has the new name.</summary>
    public static int RenameOver(ReadOnlySpan<byte> path, ReadOnlySpan<byte> newPath)
    {
        fixed (byte* from = path, to = newPath) return Result(rename(from, to));
    }

    /// <summary>Renames, and fails if there is something of the new name; atomic where the file system can do it.</summary>
    public static int RenameNew(ReadOnlySpan<byte> path, ReadOnlySpan<byte> newPath)
    {
        int error;
        fixed (byte* from = path, to = newPath) error = Result(renameat2(AtWorkingDirectory, from, AtWorkingDirectory, to, RenameNoReplace));
        if (error is not (Errno.Invalid or Errno.NotImplemented)) return error;

        // The file system does not know RENAME_NOREPLACE. A hard link never replaces anything; directories can't have one.
        error = LStat(path, out var metadata);
        if (error != 0) return error;
        if (!metadata.IsDirectory)
        {
            error = Link(path, newPath);
            return error != 0 ? error : Remove(path);
        }

        error = LStat(newPath, out _);
        return error switch
        {
            0 => Errno.Exists,
            Errno.NoEntry => RenameOver(path, newPath),
            _ => error,
        };
    }

    public static int Link(ReadOnlySpan<byte> path, ReadOnlySpan<byte> newPath)
    {
        fixed (byte* from = path, to = newPath) return Result(linkat(AtWorkingDirectory, from, AtWorkingDirectory, to, 0));
    }

    public static int SymbolicLink(ReadOnlySpan<byte> target, ReadOnlySpan<byte> path)
    {
        fixed (byte* content = target, name = path) return Result(symlink(content, name));
    }

    public static int ReadLink(ReadOnlySpan<byte> path, Span<byte> target, out int length)
    {
        length = 0;
        fixed (byte* name = path, content = target)
        {
            var count = readlink(name, content, (nuint)target.Length);
            if (count < 0) return Marshal.GetLastPInvokeError();
            length = (int)count;
            return 0;
        }
    }

    /// <summary>The canonical form of a path that exists.</summary>
    /// <param name="target">At least <see cref="PathMax"/> bytes.</param>
    public static int RealPath(ReadOnlySpan<byte> path, Span<byte> target, out int length)
    {
        length = 0;
        ArgumentOutOfRangeException.ThrowIfLessThan(target.Length, PathMax);
        fixed (byte* name = path, content = target)
        {
            if (realpath(name, content) is null) return Marshal.GetLastPInvokeError();
            length = target.IndexOf((byte)0);
            return 0;
        }
    }

    public static int StatVfs(ReadOnlySpan<byte> path, out FileSystem system)
    {
        fixed (byte* name = path)
        fixed (FileSystem* result = &system)
            return Result(statvfs(name, result));
    }

    public static int StatVfs(SafeHandle file, out FileSystem system)
    {
        fixed (FileSystem* result = &system) return Result(fstatvfs(file, result));
    }

    /// <summary>The account's name, or null where the system knows none.</summary>
    public static string? UserName(uint user) => NameOf(user, &getpwuid_r);

    public static string? GroupName(uint group) => NameOf(group, &getgrgid_r);

    private static string? NameOf(uint id, delegate*<uint, byte*, byte*, nuint, byte**, int> lookUp)
    {
        // struct passwd and struct group both begin with the pointer to the name, and are smaller than 64 bytes.
        var entry = stackalloc byte[64];
        // A group with thousands of members does not fit; its number is shown instead.
        const int Size = 16 * 1024;
        var text = stackalloc byte[Size];
        byte* found = null;
        return lookUp(id, entry, text, Size, &found) == 0 && found is not null ? Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(*(byte**)found)) : null;
    }

    private static int Stat(int directory, ReadOnlySpan<byte> path, int flags, out Metadata metadata)
    {
        metadata = default;
        Statx raw;
        fixed (byte* name = path)
        {
            if (statx(directory, name, flags, StatxBasic, &raw) < 0) return Marshal.GetLastPInvokeError();
        }

        metadata = new(raw.Mode, raw.Links, raw.User, raw.Group, raw.Size, raw.Accessed, raw.Modified);
        return 0;
    }

    private static int Result(int returned) => returned < 0 ? Marshal.GetLastPInvokeError() : 0;

    /// <summary><c>struct statx</c> of the kernel: the same on every architecture.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Statx
    {
        [FieldOffset(16)] public uint Links;
        [FieldOffset(20)] public uint User;
        [FieldOffset(24)] public uint Group;
        [FieldOffset(28)] public ushort Mode;
        [FieldOffset(40)] public ulong Size;
        [FieldOffset(64)] public long Accessed;
        [FieldOffset(112)] public long Modified;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int open(byte* path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int statx(int directory, byte* path, int flags, uint mask, Statx* result);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint pread(SafeHandle file, byte* data, nuint count, long offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint pwrite(SafeHandle file, byte* data, nuint count, long offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(SafeHandle file);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int truncate(byte* path, long length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ftruncate(SafeHandle file, long length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int chmod(byte* path, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fchmod(SafeHandle file, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int chown(byte* path, uint user, uint group);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fchown(SafeHandle file, uint user, uint group);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int utimensat(int directory, byte* path, long* times, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int futimens(SafeHandle file, long* times);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int mkdir(byte* path, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int rmdir(byte* path);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int unlink(byte* path);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int rename(byte* path, byte* newPath);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int renameat2(int directory, byte* path, int newDirectory, byte* newPath, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int linkat(int directory, byte* path, int newDirectory, byte* newPath, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int symlink(byte* target, byte* path);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint readlink(byte* path, byte* target, nuint size);

    [LibraryImport("libc", SetLastError = true)]
    private static partial byte* realpath(byte* path, byte* target);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int statvfs(byte* path, FileSystem* result);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fstatvfs(SafeHandle file, FileSystem* result);

    [LibraryImport("libc")]
    private static partial int getpwuid_r(uint user, byte* entry, byte* text, nuint size, byte** found);

    [LibraryImport("libc")]
    private static partial int getgrgid_r(uint group, byte* entry, byte* text, nuint size, byte** found);
}
