using System.Runtime.InteropServices;
using Countersign.Ssh;
using Microsoft.Win32.SafeHandles;

namespace Countersign.Agent.Processes;

/// <summary>How a process ended: with a code, or by a signal.</summary>
internal readonly record struct ExitStatus(int Code, int Signal, bool CoreDumped);

/// <summary>
/// A process that the agent started, its process group, and the agent's ends of its standard streams. It is waited for and its number kept until
/// <see cref="ReapAsync"/> or <see cref="KillAsync"/>, so that a signal to the group can't hit a stranger. The maker ends it with one of these two.
/// </summary>
internal sealed class ChildProcess
{
    private const int Exited = 1, Dumped = 3;

    /// <summary>How long a process may take to put its things in order after SIGHUP.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private readonly ReadinessLoop _loop;
    private readonly TaskCompletionSource<ExitStatus> _exit = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly int _process;
    private readonly Task _watching;

    private ChildProcess(ReadinessLoop loop, int process, SafeHandle descriptor, PolledFile input, PolledFile output, PolledFile? error)
    {
        _loop = loop;
        _process = process;
        Input = input;
        Output = output;
        Error = error;
        _watching = WatchAsync(descriptor);
    }

    public int Id => _process;

    public PolledFile Input { get; }

    /// <summary>On a terminal the same as <see cref="Input"/>, and all there is.</summary>
    public PolledFile Output { get; }

    public PolledFile? Error { get; }

    public bool IsOnTerminal => ReferenceEquals(Input, Output);

    public Task<ExitStatus> Exit => _exit.Task;

    /// <exception cref="IOException">It could not be started; nothing is left behind.</exception>
    public static ChildProcess StartWithPipes(Launch launch, ReadinessLoop loop)
    {
        using var input = new Pipe();
        using var output = new Pipe();
        using var error = new Pipe();
        var process = Spawn.WithDescriptors(launch, input.ReadEnd, output.WriteEnd, error.WriteEnd);
        var descriptor = OpenDescriptor(process);
        return new(loop, process, descriptor, new(input.TakeWriteEnd(), loop), new(output.TakeReadEnd(), loop), new(error.TakeReadEnd(), loop));
    }

    /// <exception cref="IOException">It could not be started; nothing is left behind.</exception>
    public static unsafe ChildProcess StartOnTerminal(Launch launch, WindowSize size, IReadOnlyList<TerminalMode> modes, ReadinessLoop loop)
    {
        var master = new PolledFile(Libc.Check(Libc.posix_openpt(Libc.ReadWrite | Libc.NoControllingTerminal | Libc.CloseOnExec), "posix_openpt"), loop);
        try
        {
            Libc.Check(Libc.grantpt(master.Handle), "grantpt");
            Libc.Check(Libc.unlockpt(master.Handle), "unlockpt");
            var path = new byte[128];
            fixed (byte* name = path) Libc.CheckError(Libc.ptsname_r(master.Handle, name, (nuint)path.Length), "ptsname_r");
            Libc.Termios settings;
            Libc.Check(Libc.tcgetattr(master.Handle, &settings), "tcgetattr");
            TerminalModes.Apply(modes, ref settings);
            Libc.Check(Libc.tcsetattr(master.Handle, 0, &settings), "tcsetattr");
            SetSize(master, size);
            var process = Spawn.OnTerminal(launch, path);
            return new(loop, process, OpenDescriptor(process), master, master, null);
        }
        catch (IOException)
        {
            master.Dispose();
            throw;
        }
    }

    /// <summary>Tells the programs on the terminal a new size; does nothing without a terminal or once it is gone.</summary>
    public void Resize(WindowSize size)
    {
        if (!IsOnTerminal) return;
        try
        {
            SetSize(Output, size);
        }
        catch (ObjectDisposedException)
        {
            // The terminal ended while the request was on its way.
        }
    }

    /// <summary>Signals the process group; does nothing once the process has ended.</summary>
    public void Signal(int signal)
    {
        if (!_exit.Task.IsCompleted) SignalGroup(signal);
    }

    /// <summary>After an orderly end: closes the streams and lets go. What the process left running in the background goes on.</summary>
    public async Task ReapAsync()
    {
        await _exit.Task.ConfigureAwait(false);
        await CloseAsync().ConfigureAwait(false);
    }

    /// <summary>Ends the process group whatever it does: SIGHUP with a time to obey, then SIGKILL. Completes when the process is gone.</summary>
    public async Task KillAsync(TimeProvider time)
    {
        SignalGroup(Signals.HangUp);
        // A stopped process does not see its SIGHUP before it goes on.
        SignalGroup(Signals.Continue);
        CloseStreams();
        await Task.WhenAny(_exit.Task, Task.Delay(Grace, time)).ConfigureAwait(false);
        SignalGroup(Signals.Kill);
        await _exit.Task.ConfigureAwait(false);
        await CloseAsync().ConfigureAwait(false);
    }

    private static unsafe void SetSize(PolledFile terminal, WindowSize size)
    {
        var system = new Libc.WindowSize { Columns = Clip(size.Columns), Rows = Clip(size.Rows), Width = Clip(size.Width), Height = Clip(size.Height) };
        Libc.Check(Libc.ioctl(terminal.Handle, Libc.SetWindowSize, &system), "TIOCSWINSZ");
    }

    // More than 65,535 can't be told to Linux.
    private static ushort Clip(uint value) => (ushort)Math.Min(value, ushort.MaxValue);

    // The number can't have gone to another group: the process is not reaped before the last call of this.
    private void SignalGroup(int signal) => Libc.kill(-_process, signal);

    private async Task CloseAsync()
    {
        CloseStreams();
        await _watching.ConfigureAwait(false);
        Reap();
    }

    private void CloseStreams()
    {
        Input.Dispose();
        Output.Dispose();
        Error?.Dispose();
    }

    /// <summary>A descriptor that becomes readable when the process ends. A process that can't be watched is not left running.</summary>
    private static unsafe SafeFileHandle OpenDescriptor(int process)
    {
        var descriptor = (int)Libc.syscall(Libc.SyscallPidfdOpen, process, 0);
        if (descriptor >= 0) return new(descriptor, ownsHandle: true);
        var failure = Libc.Failure("pidfd_open");
        Libc.kill(-process, Signals.Kill);
        Libc.ChildInfo info = default;
        Libc.waitid(Libc.WaitForProcess, process, &info, Libc.WaitExited);
        throw failure;
    }

    private async Task WatchAsync(SafeHandle descriptor)
    {
        using var owned = descriptor;
        var ended = new Readiness();
        var key = _loop.Add(descriptor, ended, null);
        ExitStatus status;
        while (!TryPeek(out status)) await ended.WaitAsync().ConfigureAwait(false);
        _loop.Remove(descriptor, key);
        _exit.SetResult(status);
        // Whoever reads a terminal waits differently from now on.
        Output.WakeReader();
    }

    /// <summary>Looks at the end of the process and leaves it to be reaped.</summary>
    private unsafe bool TryPeek(out ExitStatus status)
    {
        Libc.ChildInfo info = default;
        if (Libc.waitid(Libc.WaitForProcess, _process, &info, Libc.WaitExited | Libc.WaitNoHang | Libc.WaitLeave) < 0)
        {
            // Where the agent was started with SIGCHLD ignored, the system keeps no status.
            status = new(255, 0, false);
            return Marshal.GetLastPInvokeError() == Libc.NoChild;
        }

        status = info.Code == Exited ? new(info.Status, 0, false) : new(0, info.Status, info.Code == Dumped);
        return info.Process != 0;
    }

    private unsafe void Reap()
    {
        Libc.ChildInfo info = default;
        Libc.waitid(Libc.WaitForProcess, _process, &info, Libc.WaitExited | Libc.WaitNoHang);
    }

    /// <summary>Both ends of a pipe; what has not been taken is closed.</summary>
    private sealed class Pipe : IDisposable
    {
        private SafeFileHandle? _read;
        private SafeFileHandle? _write;

        public unsafe Pipe()
        {
            var both = stackalloc int[2];
            Libc.Check(Libc.pipe2(both, Libc.CloseOnExec), "pipe2");
            _read = new(both[0], ownsHandle: true);
            _write = new(both[1], ownsHandle: true);
        }

        public int ReadEnd => (int)_read!.DangerousGetHandle();

        public int WriteEnd => (int)_write!.DangerousGetHandle();

        public int TakeReadEnd() => Take(ref _read);

        public int TakeWriteEnd() => Take(ref _write);

        public void Dispose()
        {
            _read?.Dispose();
            _write?.Dispose();
        }

        private static int Take(ref SafeFileHandle? end)
        {
            var descriptor = (int)end!.DangerousGetHandle();
            end.SetHandleAsInvalid();
            end = null;
            return descriptor;
        }
    }
}
