using System.Buffers;

namespace Countersign.Sessions.Recording;

/// <summary>
/// A frame while it is made: its events gather behind the room for its header, and are sealed where they lie. The memory is rented, so that a writer
/// with nothing to write holds none, and one with much makes no garbage.
/// </summary>
internal sealed class FrameBuffer : IDisposable
{
    private const int AtFirst = 4 * 1024;
    private const int Full = 128 * 1024;
    private const int Around = RecordingFormat.FrameHeaderLength + RecordingFormat.TagLength;

    private byte[] _rented = ArrayPool<byte>.Shared.Rent(AtFirst);

    /// <summary>Bytes of events.</summary>
    public int Length { get; private set; }

    public void Add(RecordingEventKind kind, long microseconds, ReadOnlySpan<byte> data)
    {
        MakeRoom(data.Length + RecordingFormat.MostEventHead);
        Length += RecordingFormat.WriteEvent(_rented.AsSpan(RecordingFormat.FrameHeaderLength + Length), kind, microseconds, data);
    }

    /// <summary>Seals it; nothing can be added after that.</summary>
    /// <returns>The whole frame, valid until this is disposed.</returns>
    public ReadOnlyMemory<byte> Seal(RecordingFormat.RecordingKeys keys, uint sequence, ReadOnlySpan<byte> chain)
    {
        var frame = _rented.AsMemory(0, Around + Length);
        keys.SealInPlace(frame.Span, sequence, chain);
        return frame;
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_rented);
        _rented = [];
    }

    /// <summary>A frame of typing stays small; any other is soon as large as it gets.</summary>
    private void MakeRoom(int more)
    {
        var needed = Around + Length + more;
        if (needed <= _rented.Length) return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, Full));
        _rented.AsSpan(0, RecordingFormat.FrameHeaderLength + Length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_rented);
        _rented = larger;
    }
}
