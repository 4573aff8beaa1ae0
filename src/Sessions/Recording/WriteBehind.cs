using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Countersign.Sessions.Recording;

/// <summary>
/// Sends a large file on to the disk while it is written, and lets the system forget what is there. Nobody reads it soon; left alone it would push
/// everything else out of the system's memory, and taking ever new memory for it costs several times what writing over the same does. On Linux only;
/// it is advice, so that nothing depends on whether it is followed.
/// </summary>
internal sealed partial class WriteBehind(SafeFileHandle file)
{
    /// <summary>Goes to the disk together. Files that stay smaller are left to the system.</summary>
    private const long Window = 2 * 1024 * 1024;

    /// <summary>So many windows are given the time to get there before they are forgotten.</summary>
    private const int Behind = 4;

    private const uint StartWriting = 2;
    private const int NotNeeded = 4;

    private long _windows;

    /// <summary>The file has so many bytes now.</summary>
    public void Wrote(long size)
    {
        if (!OperatingSystem.IsLinux()) return;
        for (; (_windows + 1) * Window <= size; _windows++)
        {
            _ = sync_file_range(file, _windows * Window, Window, StartWriting);
            if (_windows >= Behind) _ = posix_fadvise(file, (_windows - Behind) * Window, Window, NotNeeded);
        }
    }

    [LibraryImport("libc")]
    private static partial int sync_file_range(SafeFileHandle file, long offset, long length, uint flags);

    [LibraryImport("libc")]
    private static partial int posix_fadvise(SafeFileHandle file, long offset, long length, int advice);
}
