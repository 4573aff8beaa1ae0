using System.Text;
using Countersign.Sessions;

namespace Countersign.Gateway.SshDoor.Picking;

/// <summary>
/// Turns the bytes of a terminal into keys: UTF-8, control characters and the sequences of ECMA-48 and of xterm's application mode. The bytes may come
/// cut anywhere. What is not known is swallowed whole and nothing of it is typed. Holds four bytes at most.
/// </summary>
internal sealed class KeyReader
{
    /// <summary>No key's sequence is longer; what is, is no sequence.</summary>
    private const int LongestSequence = 16;

    private const byte EscapeByte = 0x1b;

    private readonly byte[] _partial = new byte[4];
    private int _partialLength;
    private State _state;
    private int _parameter;
    private bool _parameterOver;
    private int _sequenceLength;

    private enum State : byte
    {
        Ground,
        Escape,
        Control,
        Application,
    }

    /// <summary>An escape has come and nothing behind it: the key, or the beginning of a sequence. Time decides: see <see cref="Settle"/>.</summary>
    public bool IsUndecided => _state == State.Escape;

    /// <summary>The next bytes, and the keys that they make complete.</summary>
    public void Read(ReadOnlySpan<byte> bytes, List<PickerKey> keys)
    {
        foreach (var next in bytes)
        {
            // An escape with something else behind it was the key itself, and what is behind it another one.
            if (_state == State.Escape && next is not ((byte)'[' or (byte)'O')) Settle(keys);
            if (Read(next) is { } key) keys.Add(key);
        }
    }

    /// <summary>Nothing more has come: an escape that stands alone was the key.</summary>
    public void Settle(List<PickerKey> keys)
    {
        if (_state != State.Escape) return;
        _state = State.Ground;
        keys.Add(new(PickerKeyKind.Escape));
    }

    private PickerKey? Read(byte next)
    {
        switch (_state)
        {
            case State.Escape when next == (byte)'[':
                (_state, _parameter, _parameterOver, _sequenceLength) = (State.Control, 0, false, 0);
                return null;
            case State.Escape:
                _state = State.Application;
                return null;
            case State.Application when next is >= 0x20 and < 0x7f:
                _state = State.Ground;
                return next == (byte)'M' ? new(PickerKeyKind.Enter) : Cursor(next);
            case State.Control when next is >= 0x20 and < 0x7f:
                return ReadControl(next);
            default:
                // A key in the middle of a sequence ends that: Ctrl-C is never lost.
                _state = State.Ground;
                return ReadGround(next);
        }
    }

    private PickerKey? ReadGround(byte next)
    {
        if (next < 0x20 || next == 0x7f)
        {
            _partialLength = 0;
            return ReadSpecial(next);
        }

        if (next < 0x80 || next >= 0xc0) _partialLength = 0;
        if (_partialLength == _partial.Length) return null;
        _partial[_partialLength++] = next;
        var status = Rune.DecodeFromUtf8(_partial.AsSpan(0, _partialLength), out var character, out _);
        if (status == System.Buffers.OperationStatus.NeedMoreData) return null;
        _partialLength = 0;
        return status == System.Buffers.OperationStatus.Done && PlainLine.Holds(character) ? new(PickerKeyKind.Character, character) : null;
    }

    private PickerKey? ReadSpecial(byte next)
    {
        switch (next)
        {
            case 3 or 4:
                return new(PickerKeyKind.Leave);
            case (byte)'\r' or (byte)'\n':
                return new(PickerKeyKind.Enter);
            case 8 or 0x7f:
                return new(PickerKeyKind.Backspace);
            case 12:
                return new(PickerKeyKind.Redraw);
            case 14:
                return new(PickerKeyKind.Down);
            case 16:
                return new(PickerKeyKind.Up);
            case 21:
                return new(PickerKeyKind.ClearSearch);
            case EscapeByte:
                _state = State.Escape;
                return null;
            default:
                return null;
        }
    }

    /// <summary>ECMA-48 section 5.4: parameter and intermediate bytes, then one final byte. The first parameter is the key's number.</summary>
    private PickerKey? ReadControl(byte next)
    {
        if (next < 0x40)
        {
            if (++_sequenceLength <= LongestSequence) Count(next);
            return null;
        }

        _state = State.Ground;
        if (_sequenceLength > LongestSequence) return null;
        return next == (byte)'~' ? Numbered(_parameter) : Cursor(next);
    }

    /// <summary>The first parameter ends at the first byte that is no digit.</summary>
    private void Count(byte next)
    {
        if (next is < (byte)'0' or > (byte)'9') _parameterOver = true;
        else if (!_parameterOver && _parameter < 1000) _parameter = _parameter * 10 + (next - '0');
    }

    private static PickerKey? Cursor(byte final) => final switch
    {
        (byte)'A' => new(PickerKeyKind.Up),
        (byte)'B' => new(PickerKeyKind.Down),
        (byte)'H' => new(PickerKeyKind.Home),
        (byte)'F' => new(PickerKeyKind.End),
        _ => null,
    };

    private static PickerKey? Numbered(int number) => number switch
    {
        1 or 7 => new(PickerKeyKind.Home),
        4 or 8 => new(PickerKeyKind.End),
        5 => new(PickerKeyKind.PageUp),
        6 => new(PickerKeyKind.PageDown),
        _ => null,
    };
}
