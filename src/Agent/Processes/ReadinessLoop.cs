using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Countersign.Agent.Processes;

/// <summary>
/// One thread that waits for every pipe, terminal and process of the agent (epoll, edge-triggered). .NET waits asynchronously for sockets only;
/// for these it would hold a thread each. The owner disposes it after everything registered.
/// </summary>
internal sealed unsafe class ReadinessLoop : IDisposable
{
    private const int EventsAtOnce = 64;

    // struct epoll_event is packed on x86-64 alone.
    private static readonly int DataOffset = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;
    private static readonly int EventSize = DataOffset + 8;

    private readonly SafeFileHandle _poll = new(Libc.Check(Libc.epoll_create1(Libc.CloseOnExec), "epoll_create1"), ownsHandle: true);
    private readonly SafeFileHandle _stop = new(Libc.Check(Libc.eventfd(0, Libc.CloseOnExec | Libc.NonBlocking), "eventfd"), ownsHandle: true);
    private readonly ConcurrentDictionary<ulong, Registration> _registrations = new();
    private readonly Thread _thread;
    private ulong _lastKey;

    public ReadinessLoop()
    {
        Control(Libc.EpollAdd, _stop, 0, Libc.EpollIn);
        _thread = new Thread(Run) { IsBackground = true, Name = "readiness" };
        _thread.Start();
    }

    /// <summary>Watches a non-blocking descriptor until the registration is removed.</summary>
    public ulong Add(SafeHandle descriptor, Readiness readable, Readiness? writable)
    {
        var key = Interlocked.Increment(ref _lastKey);
        _registrations[key] = new(readable, writable);
        Control(Libc.EpollAdd, descriptor, key, Libc.EpollIn | Libc.EpollOut | Libc.EpollEdge);
        return key;
    }

    public void Remove(SafeHandle descriptor, ulong key)
    {
        if (_registrations.TryRemove(key, out _)) Control(Libc.EpollDelete, descriptor, key, 0);
    }

    public void Dispose()
    {
        var one = stackalloc byte[8];
        one[0] = 1;
        if (Libc.write(_stop, one, 8) < 0) throw Libc.Failure("write");
        _thread.Join();
        _stop.Dispose();
        _poll.Dispose();
    }

    private void Run()
    {
        var events = stackalloc byte[EventSize * EventsAtOnce];
        while (true)
        {
            var count = Libc.epoll_wait(_poll, events, EventsAtOnce, -1);
            if (count < 0 && Marshal.GetLastPInvokeError() != Libc.Interrupted) throw Libc.Failure("epoll_wait");
            for (var i = 0; i < count; i++)
            {
                var one = new ReadOnlySpan<byte>(events + (i * EventSize), EventSize);
                var key = BinaryPrimitives.ReadUInt64LittleEndian(one[DataOffset..]);
                if (key == 0) return;
                if (!_registrations.TryGetValue(key, out var registration)) continue;
                // Errors and hang-ups are found out by trying: they make both sides ready.
                var what = BinaryPrimitives.ReadUInt32LittleEndian(one);
                if (what != Libc.EpollOut) registration.Readable.Set();
                if (what != Libc.EpollIn) registration.Writable?.Set();
            }
        }
    }

    private void Control(int operation, SafeHandle descriptor, ulong key, uint events)
    {
        var registration = stackalloc byte[EventSize];
        var span = new Span<byte>(registration, EventSize);
        BinaryPrimitives.WriteUInt32LittleEndian(span, events);
        BinaryPrimitives.WriteUInt64LittleEndian(span[DataOffset..], key);
        Libc.Check(Libc.epoll_ctl(_poll, operation, descriptor, registration), "epoll_ctl");
    }

    private readonly record struct Registration(Readiness Readable, Readiness? Writable);
}
