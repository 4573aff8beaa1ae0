using System.Buffers;

namespace Countersign.Sessions.Relay;

/// <summary>
/// The understood part of a relay: both ends' receive loops hand what they have to one <see cref="Interpreter"/>, one after the other. What the
/// technician sends and the interpreter does not want yet waits here; it was sent on credit, which is not renewed meanwhile.
/// </summary>
/// <param name="toDevice">What comes from the technician.</param>
internal sealed class Understanding(Flow toDevice)
{
    private readonly Lock _gate = new();
    private readonly Queue<Kept> _waiting = [];
    private Kept? _last;
    private Interpreter? _interpreter;
    private Action<string>? _broken;
    private bool _begun;
    private bool _eof;
    private bool _over;

    /// <param name="broken">Called, once and outside of any lock, when one of the ends does not speak the protocol: with one sentence.</param>
    public void Set(Interpreter interpreter, Action<string> broken)
    {
        lock (_gate)
        {
            _interpreter = interpreter;
            _broken = broken;
        }
    }

    /// <summary>Both ends are there.</summary>
    public void Begin() => Run(() =>
    {
        _begun = true;
        TakeWaiting();
    });

    public void OnRoom()
    {
        lock (_gate)
        {
            if (_over || !_begun || _waiting.Count == 0) return;
        }

        Run(TakeWaiting);
    }

    public void FromClient(ReadOnlySpan<byte> data)
    {
        toDevice.Arrive(data.Length);
        string? broken = null;
        lock (_gate)
        {
            if (_over) return;
            try
            {
                if (_begun && _waiting.Count == 0) data = data[_interpreter!.FromClient(data)..];
                Keep(data);
                toDevice.IsPaused = _waiting.Count > 0;
            }
            catch (NotUnderstoodException fault)
            {
                broken = Break(fault);
            }
        }

        toDevice.Settle();
        if (broken is not null) _broken!(broken);
    }

    public void ClientEof() => Run(() =>
    {
        _eof = true;
        if (_waiting.Count == 0) toDevice.OnEof();
    });

    public void FromDevice(Flow toClient, ReadOnlySpan<byte> data)
    {
        toClient.Arrive(data.Length);
        string? broken = null;
        lock (_gate)
        {
            if (_over) return;
            try
            {
                _interpreter!.FromDevice(data);
                if (_begun) TakeWaiting();
            }
            catch (NotUnderstoodException fault)
            {
                broken = Break(fault);
            }
        }

        toClient.Settle();
        toDevice.Settle();
        if (broken is not null) _broken!(broken);
    }

    /// <summary>Nothing is read any more.</summary>
    public void End()
    {
        lock (_gate)
        {
            _over = true;
            while (_waiting.TryDequeue(out var kept)) kept.Return();
            _interpreter?.Dispose();
            _interpreter = null;
        }
    }

    private void Run(Action action)
    {
        string? broken = null;
        lock (_gate)
        {
            if (_over) return;
            try
            {
                action();
            }
            catch (NotUnderstoodException fault)
            {
                broken = Break(fault);
            }
        }

        toDevice.Settle();
        if (broken is not null) _broken!(broken);
    }

    /// <summary>Pieces of a byte each, as many as there is credit, must not cost more than their bytes: what follows fills the last one's room.</summary>
    private void Keep(ReadOnlySpan<byte> data)
    {
        if (_last is { } last && _waiting.Count > 0) data = data[last.Fill(data)..];
        if (data.IsEmpty) return;
        _waiting.Enqueue(_last = new(data));
    }

    private void TakeWaiting()
    {
        while (_waiting.TryPeek(out var first))
        {
            first.Take(_interpreter!.FromClient(first.Rest));
            if (!first.Rest.IsEmpty) return;
            _waiting.Dequeue();
            first.Return();
        }

        toDevice.IsPaused = false;
        if (_eof) toDevice.OnEof();
    }

    private string Break(NotUnderstoodException fault)
    {
        _over = true;
        return fault.Message;
    }

    /// <summary>What waits; its start moves on with what was taken of it.</summary>
    private sealed class Kept
    {
        private const int Least = 16 * 1024;

        private readonly byte[] _rented;
        private int _length;
        private int _start;

        public Kept(ReadOnlySpan<byte> data)
        {
            _rented = ArrayPool<byte>.Shared.Rent(Math.Max(data.Length, Least));
            Fill(data);
        }

        /// <returns>How much of it there was room for.</returns>
        public int Fill(ReadOnlySpan<byte> data)
        {
            var fits = data[..Math.Min(data.Length, _rented.Length - _length)];
            fits.CopyTo(_rented.AsSpan(_length));
            _length += fits.Length;
            return fits.Length;
        }

        public ReadOnlySpan<byte> Rest => _rented.AsSpan(_start, _length - _start);

        public void Take(int bytes) => _start += bytes;

        public void Return() => ArrayPool<byte>.Shared.Return(_rented);
    }
}
