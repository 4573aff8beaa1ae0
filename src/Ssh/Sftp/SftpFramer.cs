using System.Buffers;
using System.Buffers.Binary;

namespace Countersign.Ssh.Sftp;

/// <summary>
/// Cuts a byte stream, fed in pieces of any size, into messages. A message that lies whole in a piece is not copied; one that spans pieces is
/// gathered in a rented buffer, which is given back as soon as the message has been read. The length is checked before anything is rented.
/// </summary>
public sealed class SftpFramer : IDisposable
{
    private const int HeaderLength = 4;

    private readonly byte[] _header = new byte[HeaderLength];
    private int _headerFilled;
    private byte[]? _packet;
    private int _packetLength;
    private int _packetFilled;

    /// <summary>True in the middle of a message: the stream must not end here.</summary>
    public bool IsInside => _headerFilled > 0;

    /// <summary>Takes bytes from the front of <paramref name="input"/>.</summary>
    /// <param name="packet">Type and content, without the length; valid until the next call and as long as the input is.</param>
    /// <returns>False when all of the input has been taken without completing a message.</returns>
    /// <exception cref="SftpProtocolException">The length is zero or above <see cref="SftpLimits.Packet"/>.</exception>
    public bool TryRead(ref ReadOnlySpan<byte> input, out ReadOnlySpan<byte> packet)
    {
        if (_packet is not null && _packetFilled == _packetLength) Release();
        packet = default;
        if (_headerFilled < HeaderLength)
        {
            if (_headerFilled == 0 && TryReadWhole(ref input, out packet)) return true;
            Fill(_header, ref _headerFilled, HeaderLength, ref input);
            if (_headerFilled < HeaderLength) return false;
            _packetLength = CheckedLength(_header);
            _packetFilled = 0;
            _packet = ArrayPool<byte>.Shared.Rent(_packetLength);
        }

        Fill(_packet, ref _packetFilled, _packetLength, ref input);
        if (_packetFilled < _packetLength) return false;
        packet = _packet.AsSpan(0, _packetLength);
        _headerFilled = 0;
        return true;
    }

    public void Dispose() => Release();

    private static bool TryReadWhole(ref ReadOnlySpan<byte> input, out ReadOnlySpan<byte> packet)
    {
        packet = default;
        if (input.Length < HeaderLength) return false;
        var length = CheckedLength(input);
        if (input.Length - HeaderLength < length) return false;
        packet = input.Slice(HeaderLength, length);
        input = input[(HeaderLength + length)..];
        return true;
    }

    private static int CheckedLength(ReadOnlySpan<byte> header)
    {
        var length = BinaryPrimitives.ReadUInt32BigEndian(header);
        return length is 0 or > SftpLimits.Packet
            ? throw new SftpProtocolException($"a message of {length} bytes was announced; 1 to {SftpLimits.Packet} are allowed")
            : (int)length;
    }

    private static void Fill(Span<byte> target, ref int filled, int length, ref ReadOnlySpan<byte> input)
    {
        var count = Math.Min(length - filled, input.Length);
        input[..count].CopyTo(target[filled..]);
        input = input[count..];
        filled += count;
    }

    private void Release()
    {
        if (_packet is not null) ArrayPool<byte>.Shared.Return(_packet);
        _packet = null;
        _packetLength = _packetFilled = 0;
    }
}
