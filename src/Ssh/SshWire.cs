using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace Countersign.Ssh;

/// <summary>Reads the data types of RFC 4251 section 5 from untrusted bytes: every method says whether the bytes sufficed.</summary>
public ref struct SshReader(ReadOnlySpan<byte> data)
{
    private ReadOnlySpan<byte> _rest = data;

    public readonly ReadOnlySpan<byte> Rest => _rest;

    public readonly bool IsAtEnd => _rest.IsEmpty;

    public bool TryReadByte(out byte value)
    {
        value = 0;
        if (_rest.IsEmpty) return false;
        value = _rest[0];
        _rest = _rest[1..];
        return true;
    }

    /// <summary>Any value but 0 is true.</summary>
    public bool TryReadBoolean(out bool value)
    {
        var there = TryReadByte(out var number);
        value = number != 0;
        return there;
    }

    public bool TryReadUInt32(out uint value)
    {
        if (!BinaryPrimitives.TryReadUInt32BigEndian(_rest, out value)) return false;
        _rest = _rest[4..];
        return true;
    }

    public bool TryReadUInt64(out ulong value)
    {
        if (!BinaryPrimitives.TryReadUInt64BigEndian(_rest, out value)) return false;
        _rest = _rest[8..];
        return true;
    }

    /// <summary>A length and so many bytes; false if it is longer than <paramref name="most"/> or than what is there.</summary>
    public bool TryReadString(out ReadOnlySpan<byte> value, int most = int.MaxValue)
    {
        value = default;
        var before = _rest;
        if (!TryReadUInt32(out var length) || length > (uint)most || length > (uint)_rest.Length)
        {
            _rest = before;
            return false;
        }

        value = _rest[..(int)length];
        _rest = _rest[(int)length..];
        return true;
    }

    /// <summary>As <see cref="TryReadString"/>, as text: false, too, if it is not UTF-8. Control characters are left in.</summary>
    public bool TryReadText(out string value, int most)
    {
        value = "";
        var before = _rest;
        if (!TryReadString(out var bytes, most)) return false;
        if (!Utf8.IsValid(bytes))
        {
            _rest = before;
            return false;
        }

        value = Encoding.UTF8.GetString(bytes);
        return true;
    }

    /// <summary>A multiple precision integer that is not negative, as big-endian magnitude without leading zeros; at most <paramref name="most"/> bytes of it.</summary>
    public bool TryReadMpint(out ReadOnlySpan<byte> magnitude, int most)
    {
        magnitude = default;
        var before = _rest;
        if (!TryReadString(out var bytes) || (!bytes.IsEmpty && bytes[0] >= 0x80))
        {
            _rest = before;
            return false;
        }

        magnitude = bytes.TrimStart((byte)0);
        if (magnitude.Length <= most) return true;
        _rest = before;
        return false;
    }
}

/// <summary>Writes the data types of RFC 4251 section 5.</summary>
public sealed class SshWriter
{
    private readonly ArrayBufferWriter<byte> _buffer = new();

    public ReadOnlyMemory<byte> Written => _buffer.WrittenMemory;

    public SshWriter Byte(byte value)
    {
        _buffer.GetSpan(1)[0] = value;
        _buffer.Advance(1);
        return this;
    }

    public SshWriter Boolean(bool value) => Byte(value ? (byte)1 : (byte)0);

    public SshWriter UInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_buffer.GetSpan(4), value);
        _buffer.Advance(4);
        return this;
    }

    public SshWriter UInt64(ulong value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(_buffer.GetSpan(8), value);
        _buffer.Advance(8);
        return this;
    }

    public SshWriter String(ReadOnlySpan<byte> value)
    {
        UInt32((uint)value.Length);
        value.CopyTo(_buffer.GetSpan(value.Length));
        _buffer.Advance(value.Length);
        return this;
    }

    public SshWriter String(string value) => String(Encoding.UTF8.GetBytes(value));

    /// <summary>A multiple precision integer from a big-endian magnitude, with or without leading zeros.</summary>
    public SshWriter Mpint(ReadOnlySpan<byte> magnitude)
    {
        magnitude = magnitude.TrimStart((byte)0);
        if (magnitude.IsEmpty || magnitude[0] < 0x80) return String(magnitude);
        return UInt32((uint)magnitude.Length + 1).Byte(0).Raw(magnitude);
    }

    public SshWriter Raw(ReadOnlySpan<byte> value)
    {
        value.CopyTo(_buffer.GetSpan(value.Length));
        _buffer.Advance(value.Length);
        return this;
    }
}
