using System.Runtime.InteropServices;

namespace Countersign.Agent.Processes;

/// <summary>The calls of glibc that start, watch and end processes and that work terminals (64-bit Linux).</summary>
internal static unsafe partial class Libc
{
    public const int ReadWrite = 2, NoControllingTerminal = 0x100, NonBlocking = 0x800, CloseOnExec = 0x80000;
    public const int GetFlags = 3, SetFlags = 4;
    public const int Interrupted = 4, IoError = 5, NoChild = 10, Again = 11, BrokenPipe = 32;
    public const short SpawnSignalDefaults = 0x04, SpawnSignalMask = 0x08, SpawnNewSession = 0x80;
    public const nuint SetWindowSize = 0x5414;
    public const int WaitForProcess = 1, WaitExited = 4, WaitNoHang = 1, WaitLeave = 0x01000000;
    public const int EpollAdd = 1, EpollDelete = 2;
    public const uint EpollIn = 0x1, EpollOut = 0x4, EpollEdge = 0x80000000;

    // The same number on every architecture (Linux 5.3); glibc has a function for it only since 2.36.
    public const nint SyscallPidfdOpen = 434;

    // posix_spawn_file_actions_t has 80 bytes, posix_spawnattr_t 336, sigset_t 128: all opaque, and given more room than they need.
    public const int FileActionsSize = 256, AttributesSize = 512, SignalSetSize = 256;

    public static IOException Failure(string call) => new($"{call}: {Marshal.GetLastPInvokeErrorMessage()}", Marshal.GetLastPInvokeError());

    /// <exception cref="IOException">The call returned a negative number; the error is what it left in errno.</exception>
    public static int Check(int returned, string call) => returned >= 0 ? returned : throw Failure(call);

    /// <exception cref="IOException">The call returned an error's number, as the calls of posix_spawn do.</exception>
    public static void CheckError(int error, string call)
    {
        if (error != 0) throw new IOException($"{call}: {Marshal.GetPInvokeErrorMessage(error)}", error);
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct WindowSize
    {
        public ushort Rows, Columns, Width, Height;
    }

    /// <summary><c>struct termios</c> of glibc.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Termios
    {
        public uint Input, Output, Control, Local;
        public byte Line;
        public fixed byte Characters[32];
        public uint InputSpeed, OutputSpeed;
    }

    /// <summary><c>siginfo_t</c> as <c>waitid</c> fills it.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 128)]
    public struct ChildInfo
    {
        [FieldOffset(8)] public int Code;
        [FieldOffset(16)] public int Process;
        [FieldOffset(24)] public int Status;
    }

    /// <summary><c>struct passwd</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Account
    {
        public byte* Name;
        public byte* Password;
        public uint User, Group;
        public byte* Comment;
        public byte* Home;
        public byte* Shell;
    }

    [LibraryImport("libc", SetLastError = true)]
    public static partial int pipe2(int* both, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int fcntl(int descriptor, int command, int argument);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint read(SafeHandle descriptor, byte* data, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint write(SafeHandle descriptor, byte* data, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int posix_openpt(int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int grantpt(SafeHandle master);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int unlockpt(SafeHandle master);

    [LibraryImport("libc")]
    public static partial int ptsname_r(SafeHandle master, byte* name, nuint size);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int ioctl(SafeHandle descriptor, nuint request, WindowSize* size);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int tcgetattr(SafeHandle descriptor, Termios* settings);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int tcsetattr(SafeHandle descriptor, int when, Termios* settings);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int kill(int process, int signal);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int waitid(int kind, int process, ChildInfo* info, int options);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint syscall(nint number, nint first, nint second);

    [LibraryImport("libc")]
    public static partial int posix_spawn(int* process, byte* path, void* actions, void* attributes, byte** arguments, byte** environment);

    [LibraryImport("libc")]
    public static partial int posix_spawn_file_actions_init(void* actions);

    [LibraryImport("libc")]
    public static partial int posix_spawn_file_actions_destroy(void* actions);

    [LibraryImport("libc")]
    public static partial int posix_spawn_file_actions_addopen(void* actions, int descriptor, byte* path, int flags, uint mode);

    [LibraryImport("libc")]
    public static partial int posix_spawn_file_actions_adddup2(void* actions, int descriptor, int newDescriptor);

    [LibraryImport("libc")]
    public static partial int posix_spawn_file_actions_addchdir_np(void* actions, byte* path);

    [LibraryImport("libc")]
    public static partial int posix_spawn_file_actions_addclosefrom_np(void* actions, int from);

    [LibraryImport("libc")]
    public static partial int posix_spawnattr_init(void* attributes);

    [LibraryImport("libc")]
    public static partial int posix_spawnattr_destroy(void* attributes);

    [LibraryImport("libc")]
    public static partial int posix_spawnattr_setflags(void* attributes, short flags);

    [LibraryImport("libc")]
    public static partial int posix_spawnattr_setsigdefault(void* attributes, void* set);

    [LibraryImport("libc")]
    public static partial int posix_spawnattr_setsigmask(void* attributes, void* set);

    [LibraryImport("libc")]
    public static partial int sigfillset(void* set);

    [LibraryImport("libc")]
    public static partial int sigemptyset(void* set);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int epoll_create1(int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int epoll_ctl(SafeHandle poll, int operation, SafeHandle descriptor, byte* registration);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int epoll_wait(SafeHandle poll, byte* events, int most, int timeout);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int eventfd(uint start, int flags);

    [LibraryImport("libc")]
    public static partial uint geteuid();

    [LibraryImport("libc")]
    public static partial int getpwuid_r(uint user, Account* account, byte* text, nuint size, Account** found);
}
