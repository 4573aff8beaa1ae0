using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Countersign.Ssh.Crypto;

/// <summary>As <see cref="SshWriter"/>, for secrets: pinned, of a fixed size, zeroed when disposed.</summary>
internal sealed class PinnedWriter(int capacity) : IDisposable
{
    private readonly byte[] _buffer = GC.AllocateArray<byte>(capacity, pinned: true);
    private int _length;

    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    public PinnedWriter Raw(ReadOnlySpan<byte> value)
    {
        value.CopyTo(_buffer.AsSpan(_length));
        _length += value.Length;
        return this;
    }

    public PinnedWriter UInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_buffer.AsSpan(_length), value);
        _length += 4;
        return this;
    }

    public PinnedWriter String(ReadOnlySpan<byte> value) => UInt32((uint)value.Length).Raw(value);

    public PinnedWriter Mpint(ReadOnlySpan<byte> magnitude)
    {
        magnitude = magnitude.TrimStart((byte)0);
        if (magnitude.IsEmpty || magnitude[0] < 0x80) return String(magnitude);
        return UInt32((uint)magnitude.Length + 1).Raw([0]).Raw(magnitude);
    }

    public void Dispose() => CryptographicOperations.ZeroMemory(_buffer);
}
