namespace Countersign.Sessions.Relay;

/// <summary>Takes bytes; they are gone after the call.</summary>
internal delegate void Outlet(ReadOnlySpan<byte> bytes);

/// <summary>Where what was read goes on to.</summary>
/// <param name="ClientIsBehind">The technician has much to read before more should be said.</param>
/// <param name="JournalIsBehind">The disk has much to take before more should be done: what is not asked yet waits.</param>
internal sealed record Outlets(Outlet ToDevice, Outlet ToClient, Func<bool> ClientIsBehind, Func<bool> JournalIsBehind);

/// <summary>Reads one protocol as it passes, both ways, and decides what goes on, what is answered, what is written down. One call at a time.</summary>
internal abstract class Interpreter : IDisposable
{
    /// <returns>How many bytes it took from the front; the rest is to wait until something has changed.</returns>
    /// <exception cref="NotUnderstoodException">It is not the protocol.</exception>
    public abstract int FromClient(ReadOnlySpan<byte> data);

    /// <exception cref="NotUnderstoodException">It is not the protocol.</exception>
    public abstract void FromDevice(ReadOnlySpan<byte> data);

    /// <summary>Nothing more will come: what is under way is written down as it stands, and everything is given back.</summary>
    public abstract void Dispose();
}

/// <summary>One of the ends does not speak the protocol that the session is for. The message says which, and how; it ends the session.</summary>
internal sealed class NotUnderstoodException(string message) : Exception(message);

/// <summary>Bytes of one piece that go on: what lies side by side goes on together, as few packets as it came in.</summary>
internal ref struct Passing(ReadOnlySpan<byte> piece, Outlet outlet)
{
    private readonly ReadOnlySpan<byte> _piece = piece;
    private int _start;
    private int _end;

    /// <summary>Bytes of the piece.</summary>
    public void Pass(int start, int end)
    {
        if (start != _end) Flush();
        if (_start == _end) _start = start;
        _end = end;
    }

    /// <summary>Bytes from elsewhere.</summary>
    public void Pass(scoped ReadOnlySpan<byte> bytes)
    {
        Flush();
        outlet(bytes);
    }

    public void Flush()
    {
        if (_end > _start) outlet(_piece[_start.._end]);
        _start = _end;
    }
}
