using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Countersign.Agent.Processes;

/// <summary>
/// The agent's end of a pipe or terminal, non-blocking. One reader and one writer at a time. Closing it ends whatever waits: reading sees the end,
/// writing a closed other side.
/// </summary>
internal sealed class PolledFile : IDisposable
{
    private readonly SafeFileHandle _handle;
    private readonly ReadinessLoop _loop;
    private readonly Readiness _readable = new();
    private readonly Readiness _writable = new();
    private readonly ulong _key;
    private int _closed;

    /// <summary>Takes ownership of the descriptor.</summary>
    public PolledFile(int descriptor, ReadinessLoop loop)
    {
        _handle = new(descriptor, ownsHandle: true);
        _loop = loop;
        var flags = Libc.Check(Libc.fcntl(descriptor, Libc.GetFlags, 0), "fcntl");
        Libc.Check(Libc.fcntl(descriptor, Libc.SetFlags, flags | Libc.NonBlocking), "fcntl");
        _key = loop.Add(_handle, _readable, _writable);
    }

    public SafeHandle Handle => _handle;

    /// <summary>Completes when <see cref="TryRead"/> is worth trying, and sometimes for nothing.</summary>
    public Task WaitReadableAsync() => _readable.WaitAsync();

    /// <summary>Ends a wait for reading though nothing may have come.</summary>
    public void WakeReader() => _readable.Set();

    /// <summary>False: there is nothing yet. Zero bytes: the end.</summary>
    /// <exception cref="IOException">The system can't read from it.</exception>
    public unsafe bool TryRead(Span<byte> target, out int count)
    {
        count = 0;
        fixed (byte* data = target)
        {
            while (Volatile.Read(ref _closed) == 0)
            {
                nint read;
                try
                {
                    read = Libc.read(_handle, data, (nuint)target.Length);
                }
                catch (ObjectDisposedException)
                {
                    return true;
                }

                if (read >= 0)
                {
                    count = (int)read;
                    return true;
                }

                switch (Marshal.GetLastPInvokeError())
                {
                    case Libc.Interrupted: continue;
                    case Libc.Again: return false;
                    // How Linux says on the master that the last slave has been closed.
                    case Libc.IoError: return true;
                    default: throw Libc.Failure("read");
                }
            }
        }

        return true;
    }

    /// <summary>Writes everything, waiting as long as it takes. False: the other side does not read any more, or this one was closed.</summary>
    /// <exception cref="IOException">The system can't write to it.</exception>
    public async Task<bool> WriteAsync(ReadOnlyMemory<byte> data)
    {
        while (data.Length > 0)
        {
            switch (TryWrite(data.Span, out var count))
            {
                case WriteOutcome.Written: data = data[count..]; break;
                case WriteOutcome.Full: await _writable.WaitAsync().ConfigureAwait(false); break;
                default: return false;
            }
        }

        return true;
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _closed, 1) != 0) return;
        _loop.Remove(_handle, _key);
        _handle.Dispose();
        _readable.Set();
        _writable.Set();
    }

    private enum WriteOutcome
    {
        Closed,
        Full,
        Written,
    }

    private unsafe WriteOutcome TryWrite(ReadOnlySpan<byte> source, out int count)
    {
        count = 0;
        fixed (byte* data = source)
        {
            while (Volatile.Read(ref _closed) == 0)
            {
                nint written;
                try
                {
                    written = Libc.write(_handle, data, (nuint)source.Length);
                }
                catch (ObjectDisposedException)
                {
                    return WriteOutcome.Closed;
                }

                if (written >= 0)
                {
                    count = (int)written;
                    return WriteOutcome.Written;
                }

                switch (Marshal.GetLastPInvokeError())
                {
                    case Libc.Interrupted: continue;
                    case Libc.Again: return WriteOutcome.Full;
                    case Libc.BrokenPipe or Libc.IoError: return WriteOutcome.Closed;
                    default: throw Libc.Failure("write");
                }
            }
        }

        return WriteOutcome.Closed;
    }
}
