using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Countersign.Ssh.Sftp;

/// <summary>An open directory being listed.</summary>
internal sealed unsafe partial class PosixDirectory : SafeHandleZeroOrMinusOneIsInvalid
{
    private PosixDirectory(nint stream)
        : base(ownsHandle: true) => SetHandle(stream);

    /// <summary>The stream's own descriptor: valid as long as the directory is open, which the single thread of a session sees to.</summary>
    public int Descriptor => dirfd(handle);

    public static int Open(ReadOnlySpan<byte> path, out PosixDirectory? directory)
    {
        directory = null;
        var error = PosixFiles.Open(path, PosixFiles.ReadOnly | PosixFiles.DirectoryOnly, 0, out var file);
        if (error != 0) return error;
        using (file)
        {
            var stream = fdopendir(file!);
            if (stream == 0) return Marshal.GetLastPInvokeError();
            // The stream closes the descriptor from here on.
            file!.SetHandleAsInvalid();
            directory = new(stream);
            return 0;
        }
    }

    /// <summary>The next entry's name with its final zero; empty at the end. Valid until the next call.</summary>
    public int Next(out ReadOnlySpan<byte> name)
    {
        name = default;
        var entry = readdir(handle);
        // SetLastError clears the number before the call: without an entry, zero is the end.
        if (entry is null) return Marshal.GetLastPInvokeError();
        // struct dirent of 64-bit glibc: d_ino 8, d_off 8, d_reclen 2, d_type 1, then the name.
        var text = entry + 19;
        name = new(text, MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text).Length + 1);
        return 0;
    }

    protected override bool ReleaseHandle() => closedir(handle) == 0;

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint fdopendir(SafeHandle file);

    [LibraryImport("libc", SetLastError = true)]
    private static partial byte* readdir(nint stream);

    [LibraryImport("libc")]
    private static partial int dirfd(nint stream);

    [LibraryImport("libc")]
    private static partial int closedir(nint stream);
}

/// <summary>Keeps a handle open while its number is used in a call that takes a plain one.</summary>
internal ref struct DescriptorLease
{
    private readonly SafeHandle _file;
    private bool _held;

    public DescriptorLease(SafeHandle file)
    {
        _file = file;
        file.DangerousAddRef(ref _held);
        Descriptor = (int)file.DangerousGetHandle();
    }

    public int Descriptor { get; }

    public void Dispose()
    {
        if (!_held) return;
        _held = false;
        _file.DangerousRelease();
    }
}
