using System.Buffers;
using Countersign.Ssh;

namespace Countersign.Sessions.Relay;

/// <summary>
/// One direction of a relay. Credit is handed end to end: the sender may send what the receiver has room for and the network has taken, so that a
/// slow reader stops the sender and memory stays bounded. What came before there was a receiver waits here, at most the window given at opening.
/// </summary>
internal sealed class Flow
{
    /// <summary>The most credit that a sender holds: what a receiver that stops can cost in memory. It begins with less, and doubles with what was used, so that who says little is promised little.</summary>
    public const int MostCredit = 2 * 1024 * 1024;

    /// <summary>With so much still queued for the receiver's network, no credit is handed on until the queue is empty.</summary>
    private const int Backlog = 512 * 1024;

    /// <summary>With so much that the technician has not read, nothing more is answered to them.</summary>
    public const int MostUnread = 64 * 1024;

    /// <summary>Credit is handed on in portions of at least this, unless the sender is about to run dry.</summary>
    private const int Portion = 64 * 1024;

    private readonly Lock _gate = new();
    private readonly Queue<Segment> _waiting = [];
    private readonly SshChannel _from;
    private readonly Action<int> _count;
    private SshChannel? _to;
    private CreditBudget? _budget;
    private volatile bool _isPaused;
    private long _credit;
    private long _most = CreditBudget.Least;
    private long _used;
    private long _waitingBytes;
    private bool _eof;
    private bool _eofSent;
    private bool _stopped;
    private Action? _atEnd;

    /// <param name="credit">What the sender was given when its channel was opened.</param>
    /// <param name="count">Told of every piece that arrives, in bytes.</param>
    public Flow(SshChannel from, long credit, Action<int> count)
    {
        _from = from;
        _credit = credit;
        _count = count;
    }

    /// <summary>Whether the sender is held up because a disk is behind; null: by none.</summary>
    public Func<bool>? IsHeldUp { get; set; }

    /// <summary>Whether nothing may pass any more, because what passes has to be written down and can't be: what comes and what waits goes nowhere; null: it never is.</summary>
    public Func<bool>? IsForbidden { get; set; }

    /// <summary>Given all that goes to the receiver, in its order, just before it goes; null: nobody looks.</summary>
    public Outlet? Going { get; set; }

    /// <summary>While it is, the sender is given no more credit: what it sent waits elsewhere.</summary>
    public bool IsPaused
    {
        set => _isPaused = value;
    }

    /// <summary>Bytes that the receiver has no room for yet.</summary>
    public long Waiting => Interlocked.Read(ref _waitingBytes);

    /// <summary>A piece that waits; what has been sent of it moves its start.</summary>
    private sealed class Segment(uint type, byte[] rented, int length)
    {
        public uint Type { get; } = type;

        public byte[] Rented { get; } = rented;

        public int Start { get; private set; }

        public int Length => length - Start;

        public ReadOnlySpan<byte> Take(int bytes)
        {
            var piece = Rented.AsSpan(Start, bytes);
            Start += bytes;
            return piece;
        }
    }

    public void SetReceiver(SshChannel to)
    {
        Action? atEnd;
        lock (_gate)
        {
            _to = to;
            if (!_stopped && !_eof)
            {
                _budget = to.Connection.Credit;
                _budget.Add(_credit);
            }

            atEnd = Drain();
            HandOnCredit();
        }

        atEnd?.Invoke();
    }

    public void OnData(uint type, ReadOnlySpan<byte> data)
    {
        _count(data.Length);
        lock (_gate)
        {
            Use(data.Length);
            if (IsOver) return;
            Pass(type, data);
            HandOnCredit();
        }
    }

    /// <summary>A piece has arrived that somebody reads before it is passed on, or is not: it used up credit. <see cref="Settle"/> comes when it has been read.</summary>
    public void Arrive(int bytes)
    {
        _count(bytes);
        lock (_gate) Use(bytes);
    }

    /// <summary>As long as there is no receiver: throws away what waits for it, and gives the credit back.</summary>
    /// <returns>Whether the byte that is looked for was in it.</returns>
    public bool Forget(byte looked)
    {
        lock (_gate)
        {
            if (_stopped || _to is not null || _waitingBytes == 0) return false;
            var bytes = _waitingBytes;
            var found = false;
            while (_waiting.TryDequeue(out var segment))
            {
                found |= segment.Take(segment.Length).Contains(looked);
                ArrayPool<byte>.Shared.Return(segment.Rented);
            }

            _waitingBytes = 0;
            _credit += bytes;
            _from.GrantWindow((uint)bytes);
            return found;
        }
    }

    /// <summary>Passes on what was read, or what is said in its place.</summary>
    public void Put(ReadOnlySpan<byte> data)
    {
        lock (_gate)
        {
            if (!IsOver && !data.IsEmpty) Pass(0, data);
        }
    }

    public void Settle()
    {
        lock (_gate)
        {
            if (!IsOver) HandOnCredit();
        }
    }

    /// <summary>Whether <see cref="Say"/> would pass a line on: nothing passes any more, or too much waits already, where it would not.</summary>
    public bool CanSay
    {
        get
        {
            lock (_gate) return !_stopped && !_eof && _waitingBytes < Portion;
        }
    }

    /// <summary>A line of the gateway's own, behind all that waits. It is nobody's credit: what of the sender's then finds no room waits here.</summary>
    public void Say(uint type, ReadOnlySpan<byte> line)
    {
        lock (_gate)
        {
            if (!IsOver && !_eof) Pass(type, line);
        }
    }

    /// <summary>The receiver has more room, or its network has taken everything.</summary>
    public void OnRoom()
    {
        Action? atEnd;
        lock (_gate)
        {
            if (IsOver) return;
            atEnd = Drain();
            HandOnCredit();
        }

        atEnd?.Invoke();
    }

    public void OnEof()
    {
        lock (_gate)
        {
            _eof = true;
            ForgoCredit();
            PassEof();
        }
    }

    /// <summary>Calls <paramref name="done"/>, once, when everything that came has been handed to the receiver; at once if the flow was stopped.</summary>
    public void WhenEmpty(Action done)
    {
        lock (_gate)
        {
            ForgoCredit();
            if (_waiting.Count > 0 && !_stopped)
            {
                _atEnd = done;
                return;
            }
        }

        done();
    }

    /// <summary>Nothing more passes; what waits is thrown away.</summary>
    public void Stop()
    {
        Action? atEnd;
        lock (_gate)
        {
            _stopped = true;
            ForgoCredit();
            while (_waiting.TryDequeue(out var segment)) ArrayPool<byte>.Shared.Return(segment.Rented);
            _waitingBytes = 0;
            atEnd = _atEnd;
            _atEnd = null;
        }

        atEnd?.Invoke();
    }

    private bool IsOver => _stopped || IsForbidden?.Invoke() == true;

    private void Use(int bytes)
    {
        _credit -= bytes;
        _budget?.Return(bytes);
        _used += bytes;
        if (_used < _most || _most == MostCredit) return;
        _most = Math.Min(2 * _most, MostCredit);
        _used = 0;
    }

    /// <summary>The sender sends nothing more: what it was promised is free for others.</summary>
    private void ForgoCredit()
    {
        _budget?.Return(_credit);
        _budget = null;
    }

    private void Pass(uint type, ReadOnlySpan<byte> data)
    {
        if (_to is { } to && _waiting.Count == 0 && to.SendWindow >= data.Length)
        {
            Send(to, type, data);
            return;
        }

        var rented = ArrayPool<byte>.Shared.Rent(data.Length);
        data.CopyTo(rented);
        _waiting.Enqueue(new(type, rented, data.Length));
        _waitingBytes += data.Length;
    }

    private void Send(SshChannel to, uint type, ReadOnlySpan<byte> data)
    {
        Going?.Invoke(data);
        if (type == 0) to.SendData(data);
        else to.SendExtendedData(type, data);
    }

    /// <returns>What is to be called now that everything has been handed to the receiver, outside of the lock; null: nothing.</returns>
    private Action? Drain()
    {
        if (_to is not { } to || IsOver) return null;
        while (_waiting.TryPeek(out var first))
        {
            var room = to.SendWindow;
            if (room <= 0) return null;
            var length = (int)Math.Min(room, first.Length);
            Send(to, first.Type, first.Take(length));
            _waitingBytes -= length;
            if (first.Length > 0) return null;
            _waiting.Dequeue();
            ArrayPool<byte>.Shared.Return(first.Rented);
        }

        PassEof();
        var atEnd = _atEnd;
        _atEnd = null;
        return atEnd;
    }

    private void PassEof()
    {
        // A flow that was stopped tells nothing any more, not even that: whoever stopped it has a last word of their own to say.
        if (!_eof || _eofSent || IsOver || _waiting.Count > 0 || _to is not { } to) return;
        _eofSent = true;
        to.SendEof();
    }

    private void HandOnCredit()
    {
        if (_to is not { } to || _budget is not { } budget || _isPaused || IsHeldUp?.Invoke() == true) return;

        // What waits may all be others': then nothing of ours tells when it is gone.
        if (to.Connection.PendingBytes > Backlog && to.TellWhenDrained()) return;
        var more = Math.Min(to.SendWindow - _waitingBytes, _most) - _credit;
        if (more <= 0 || more < Portion && _credit >= Portion / 2) return;
        more = budget.Take(more, _credit);
        if (more == 0) return;
        _credit += more;
        _from.GrantWindow((uint)more);
    }
}
