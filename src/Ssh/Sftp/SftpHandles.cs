using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Countersign.Ssh.Sftp;

/// <summary>
/// The open files and directories of one session. A handle is eight bytes: a place in the table and how often that place has been used, so that
/// a handle which was closed never means something opened later. Handles are no secret: they mean nothing outside their session.
/// </summary>
internal sealed class SftpHandles(int most) : IDisposable
{
    private readonly List<Slot> _slots = [];
    private readonly Stack<int> _free = [];

    public const int Length = 8;

    public bool IsFull => _free.Count == 0 && _slots.Count >= most;

    /// <summary>Takes ownership. The caller has seen that the table is not full.</summary>
    public void Add(SafeHandle open, Span<byte> handle)
    {
        if (!_free.TryPop(out var place))
        {
            place = _slots.Count;
            _slots.Add(default);
        }

        var use = _slots[place].Use + 1;
        _slots[place] = new(open, use);
        BinaryPrimitives.WriteUInt32BigEndian(handle, (uint)place);
        BinaryPrimitives.WriteUInt32BigEndian(handle[4..], use);
    }

    /// <summary>What is open under the handle, if it is of the kind asked for.</summary>
    public bool TryGet<T>(ReadOnlySpan<byte> handle, [NotNullWhen(true)] out T? open)
        where T : SafeHandle
    {
        open = TryPlace(handle, out var place) ? _slots[place].Open as T : null;
        return open is not null;
    }

    public bool TryClose(ReadOnlySpan<byte> handle)
    {
        if (!TryPlace(handle, out var place)) return false;
        _slots[place].Open!.Dispose();
        _slots[place] = _slots[place] with { Open = null };
        _free.Push(place);
        return true;
    }

    public void Dispose()
    {
        foreach (var slot in _slots) slot.Open?.Dispose();
        _slots.Clear();
        _free.Clear();
    }

    private bool TryPlace(ReadOnlySpan<byte> handle, out int place)
    {
        place = 0;
        if (handle.Length != Length) return false;
        var number = BinaryPrimitives.ReadUInt32BigEndian(handle);
        if (number >= (uint)_slots.Count) return false;
        place = (int)number;
        return _slots[place].Open is not null && _slots[place].Use == BinaryPrimitives.ReadUInt32BigEndian(handle[4..]);
    }

    private readonly record struct Slot(SafeHandle? Open, uint Use);
}
