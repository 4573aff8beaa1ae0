using System.Buffers;
using System.Buffers.Binary;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using Countersign.Ssh.Crypto;

namespace Countersign.Ssh.Transport;

/// <summary>
/// The sending half. Any thread may send: the packet is encrypted into the output at once, under a lock, in the order of the calls, and whoever
/// flushes next writes it out. Nobody ever waits here; what is queued is bounded by the peer's windows, and in the end by a hard limit.
/// </summary>
internal sealed class PacketOutput(Stream stream, IPacketOutputOwner owner)
{
    /// <summary>All that may wait for the network. The windows that a peer gives are its own affair, up to here.</summary>
    public const long MaxPending = 32 * 1024 * 1024;

    /// <summary>What may wait of messages that no window bounds: replies to a peer that asks and does not read.</summary>
    public const long MaxPendingControl = 1024 * 1024;

    /// <summary>Writers that wait by <see cref="WhenRoom"/> are let in again below this.</summary>
    public const long Comfortable = 1024 * 1024;

    private const int ChunkSize = 256 * 1024;

    private readonly Lock _gate = new();
    private readonly Queue<Chunk> _chunks = new();
    private readonly Queue<Held> _held = new();
    private readonly byte[] _noise = new byte[256];
    private List<SshChannel> _sentOn = [];
    private List<SshChannel> _told = [];
    private int _noiseUsed = 256;
    private Chunk? _last;
    private PacketSealer _sealer = PacketSealer.None;
    private TaskCompletionSource? _room;
    private TaskCompletionSource? _empty;
    private uint _sequence;
    private long _pending;
    private long _pendingControl;
    private long _bytesSinceKeys;
    private long _packetsSinceKeys;
    private bool _holding;
    private bool _flushing;
    private bool _closed;
    private bool _overflow;

    public long Pending => Interlocked.Read(ref _pending);

    public long BytesSinceKeys => Interlocked.Read(ref _bytesSinceKeys);

    public long PacketsSinceKeys => Interlocked.Read(ref _packetsSinceKeys);

    /// <summary>Bytes outside the packets, before the first of them.</summary>
    public void SendRaw(ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            if (_closed) return;
            bytes.CopyTo(Take(bytes.Length, PacketUse.Transport));
        }
    }

    /// <summary>Queues one message; <see cref="Flush"/> sends it. During a key exchange all but the exchange's own messages are held (RFC 4253 section 7.1).</summary>
    public void Send(PacketUse use, ReadOnlySpan<byte> head, ReadOnlySpan<byte> body, SshChannel? channel = null)
    {
        lock (_gate)
        {
            if (_closed) return;
            if (channel is { IsWaitingForDrain: false })
            {
                channel.IsWaitingForDrain = true;
                _sentOn.Add(channel);
            }

            if (_holding && use != PacketUse.Transport)
            {
                // Pinned, and zeroed once it is sent: it may be a password.
                var message = GC.AllocateUninitializedArray<byte>(head.Length + body.Length, pinned: use == PacketUse.Control);
                head.CopyTo(message);
                body.CopyTo(message.AsSpan(head.Length));
                _held.Enqueue(new Held(message, use));
                Count(head.Length + body.Length, use);
                return;
            }

            Append(use, head, body);
        }
    }

    /// <summary>The channel is told once nothing waits for the network. False: nothing does.</summary>
    public bool TellWhenDrained(SshChannel channel)
    {
        lock (_gate)
        {
            if (_closed || _pending == 0) return false;
            if (channel.IsWaitingForDrain) return true;
            channel.IsWaitingForDrain = true;
            _sentOn.Add(channel);
            return true;
        }
    }

    /// <summary>The last message; nothing is sent after it.</summary>
    public void SendLast(ReadOnlySpan<byte> message)
    {
        lock (_gate)
        {
            if (_closed) return;
            Append(PacketUse.Transport, message, []);
            _closed = true;
        }
    }

    /// <summary>Nothing is sent any more, not even what waits.</summary>
    public void Abandon()
    {
        lock (_gate)
        {
            _closed = true;
            if (_flushing) return;
            Clear();
        }
    }

    /// <summary>Sends our SSH_MSG_KEXINIT and holds what follows until <see cref="TakeKeys"/>.</summary>
    public void BeginExchange(ReadOnlySpan<byte> kexInit)
    {
        lock (_gate)
        {
            if (_closed) return;
            Append(PacketUse.Transport, kexInit, []);
            _holding = true;
        }
    }

    /// <summary>Sends SSH_MSG_NEWKEYS, goes over to the new keys, sends what was held.</summary>
    /// <param name="first">The message that has to be the first under the new keys, or nothing.</param>
    public void TakeKeys(PacketSealer sealer, bool resetSequence, ReadOnlySpan<byte> first)
    {
        lock (_gate)
        {
            if (_closed)
            {
                sealer.Dispose();
                return;
            }

            Append(PacketUse.Transport, [SshMessage.NewKeys], []);
            _sealer.Dispose();
            _sealer = sealer;
            _bytesSinceKeys = 0;
            _packetsSinceKeys = 0;
            if (resetSequence) _sequence = 0;
            if (!first.IsEmpty) Append(PacketUse.Transport, first, []);
            _holding = false;
            while (_held.TryDequeue(out var held))
            {
                Uncount(held.Message.Length, held.Use);
                Append(held.Use, held.Message, []);
                CryptographicOperations.ZeroMemory(held.Message);
            }
        }
    }

    /// <summary>Writes out what is queued, at the end of the batch that this thread is in, else now as far as the network takes it at once.</summary>
    public void Flush()
    {
        if (FlushBatch.Current is { } batch) batch.Add(this);
        else StartFlush(DrainedCalls.Elsewhere);
    }

    public void FlushInBatch() => StartFlush(DrainedCalls.Here);

    /// <summary>Completes once less than <see cref="Comfortable"/> waits for the network, or the connection is over.</summary>
    public Task WhenRoom()
    {
        lock (_gate)
        {
            if (_pending < Comfortable || _closed) return Task.CompletedTask;
            _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _room.Task;
        }
    }

    /// <summary>Completes once nothing waits for the network, or it takes nothing any more.</summary>
    public Task WhenEmpty()
    {
        lock (_gate)
        {
            if (_chunks.Count == 0 && !_flushing) return Task.CompletedTask;
            _empty ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _empty.Task;
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _closed = true;
            _sealer.Dispose();
            _sealer = PacketSealer.None;
            ForgetHeld();
        }
    }

    private void StartFlush(DrainedCalls calls)
    {
        bool overflow;
        lock (_gate)
        {
            overflow = _overflow && !_closed;
            if (!overflow && (_flushing || (_chunks.Count == 0 && _sentOn.Count == 0))) return;
            if (!overflow) _flushing = true;
        }

        if (overflow) owner.OnOutputOverflow();
        else _ = FlushAsync(calls);
    }

    private async Task FlushAsync(DrainedCalls calls)
    {
        try
        {
            while (true)
            {
                if (Next() is { } chunk)
                {
                    var write = stream.WriteAsync(chunk.Buffer.AsMemory(0, chunk.Length));
                    if (!write.IsCompleted) calls = DrainedCalls.Here;
                    await write;
                    Written(chunk);
                }
                else if (StopOrDrain())
                {
                    return;
                }
                else
                {
                    // A sender may hold locks of its own: what it has set in motion is not called back on its stack.
                    if (calls == DrainedCalls.Elsewhere) await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
                    calls = DrainedCalls.Here;
                    foreach (var channel in _told) channel.Drained();
                    _told.Clear();
                }
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or SocketException or WebSocketException or OperationCanceledException)
        {
            Fail();
            owner.OnOutputBroken(error);
        }
        catch (Exception error)
        {
            // From a handler, which is foreign code: its connection ends, and nothing else does.
            Fail();
            owner.OnHandlerFault(error);
        }
    }

    private Chunk? Next()
    {
        lock (_gate)
        {
            if (!_chunks.TryDequeue(out var chunk)) return null;
            if (_chunks.Count == 0) _last = null;
            return chunk;
        }
    }

    private void Written(Chunk chunk)
    {
        TaskCompletionSource? room = null;
        lock (_gate)
        {
            _pending -= chunk.Length;
            _pendingControl -= chunk.Control;
            if (_pending < Comfortable) (room, _room) = (_room, null);
        }

        ArrayPool<byte>.Shared.Return(chunk.Buffer);
        room?.TrySetResult();
    }

    /// <summary>True: there is nothing to do, and this flush is over. False: the channels in <see cref="_told"/> are to be told that all is gone.</summary>
    private bool StopOrDrain()
    {
        TaskCompletionSource? empty;
        lock (_gate)
        {
            if (_chunks.Count > 0) return false;
            if (_sentOn.Count > 0 && _held.Count == 0)
            {
                (_sentOn, _told) = (_told, _sentOn);
                foreach (var channel in _told) channel.IsWaitingForDrain = false;
                return false;
            }

            _flushing = false;
            (empty, _empty) = (_empty, null);
        }

        empty?.TrySetResult();
        return true;
    }

    private void Fail()
    {
        TaskCompletionSource? room;
        TaskCompletionSource? empty;
        lock (_gate)
        {
            _closed = true;
            _flushing = false;
            Clear();
            (room, _room) = (_room, null);
            (empty, _empty) = (_empty, null);
        }

        room?.TrySetResult();
        empty?.TrySetResult();
    }

    private void Clear()
    {
        while (_chunks.TryDequeue(out var chunk)) ArrayPool<byte>.Shared.Return(chunk.Buffer);
        ForgetHeld();
        _sentOn.Clear();
        _last = null;
        _pending = 0;
        _pendingControl = 0;
    }

    /// <summary>What is held is not sent any more, and zeroed all the same.</summary>
    private void ForgetHeld()
    {
        while (_held.TryDequeue(out var held)) CryptographicOperations.ZeroMemory(held.Message);
    }

    private void Append(PacketUse use, ReadOnlySpan<byte> head, ReadOnlySpan<byte> body)
    {
        var payload = head.Length + body.Length;
        var unpadded = (_sealer.LengthIsApart ? 1 : 5) + payload;
        var padding = _sealer.Block - (unpadded % _sealer.Block);
        if (padding < 4) padding += _sealer.Block;
        var length = 1 + payload + padding;
        var packet = Take(4 + length + _sealer.Tag, use);
        BinaryPrimitives.WriteUInt32BigEndian(packet, (uint)length);
        packet[4] = (byte)padding;
        head.CopyTo(packet[5..]);
        Noise(packet.Slice(5 + payload, padding));
        _sealer.Seal(_sequence, packet, 5 + head.Length, body);
        unchecked
        {
            _sequence++;
        }

        _bytesSinceKeys += packet.Length;
        _packetsSinceKeys++;
    }

    private Span<byte> Take(int length, PacketUse use)
    {
        if (_last is null || _last.Buffer.Length - _last.Length < length)
        {
            _last = new Chunk(ArrayPool<byte>.Shared.Rent(Math.Max(ChunkSize, length)));
            _chunks.Enqueue(_last);
        }

        var room = _last.Buffer.AsSpan(_last.Length, length);
        _last.Length += length;
        if (use == PacketUse.Control) _last.Control += length;
        Count(length, use);
        return room;
    }

    private void Count(int length, PacketUse use)
    {
        _pending += length;
        if (use == PacketUse.Control) _pendingControl += length;
        if (_pending > MaxPending || _pendingControl > MaxPendingControl) _overflow = true;
    }

    private void Uncount(int length, PacketUse use)
    {
        _pending -= length;
        if (use == PacketUse.Control) _pendingControl -= length;
    }

    /// <summary>Random padding (RFC 4253 section 6), from a store, since asking for a few bytes costs as much as for some hundred.</summary>
    private void Noise(Span<byte> padding)
    {
        if (_noise.Length - _noiseUsed < padding.Length)
        {
            RandomNumberGenerator.Fill(_noise);
            _noiseUsed = 0;
        }

        _noise.AsSpan(_noiseUsed, padding.Length).CopyTo(padding);
        _noiseUsed += padding.Length;
    }

    private enum DrainedCalls
    {
        Here,
        Elsewhere,
    }

    private readonly record struct Held(byte[] Message, PacketUse Use);

    private sealed class Chunk(byte[] buffer)
    {
        public byte[] Buffer { get; } = buffer;

        public int Length { get; set; }

        /// <summary>How many of the bytes are of messages that no window bounds.</summary>
        public int Control { get; set; }
    }
}

/// <summary>What kind of message is sent: decides whether a key exchange holds it, and what it counts for.</summary>
internal enum PacketUse
{
    /// <summary>Numbers 1 to 49: never held.</summary>
    Transport,

    /// <summary>Everything else but data.</summary>
    Control,

    /// <summary>Bounded by a channel's window.</summary>
    Data,
}

/// <summary>Told when sending cannot go on. Never called under a lock of the output.</summary>
internal interface IPacketOutputOwner
{
    /// <summary>The peer does not read what it makes us send.</summary>
    void OnOutputOverflow();

    void OnOutputBroken(Exception error);

    void OnHandlerFault(Exception error);
}
