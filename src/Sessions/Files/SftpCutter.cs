using System.Buffers;
using System.Buffers.Binary;
using Countersign.Sessions.Relay;
using Countersign.Ssh.Sftp;

namespace Countersign.Sessions.Files;

internal enum SftpPiece
{
    /// <summary>All of the input was taken, and it was not enough.</summary>
    None = 0,

    /// <summary>A whole message.</summary>
    Message,

    /// <summary>A message that carries content, up to the content. If it carries none, it is whole.</summary>
    Head,

    /// <summary>Some of the content that the last head announced.</summary>
    Content,
}

/// <summary>
/// Cuts a stream of SFTP into messages. Content (of SSH_FXP_WRITE and SSH_FXP_DATA) is given as it comes and is never gathered; of other messages
/// at most <see cref="SftpLimits.Packet"/> bytes are, checked before anything is rented. What lies whole in the input is not copied.
/// </summary>
/// <param name="carrier">The type that carries content in this direction.</param>
internal sealed class SftpCutter(SftpType carrier) : IDisposable
{
    private const int LengthField = 4;

    /// <summary>Length, type, id, and the length of a string: of the handle, or of the content.</summary>
    private const int Start = LengthField + 1 + 4 + 4;

    private byte[]? _held;
    private int _heldLength;
    private int _contentLeft;

    /// <summary>What the last call gave lies in the input; else it was gathered, and is valid until the next call.</summary>
    public bool IsInPlace { get; private set; }

    /// <summary>How much content is still to come for the last head.</summary>
    public int ContentLeft => _contentLeft;

    /// <summary>True in the middle of a message.</summary>
    public bool IsInside => _heldLength > 0 || _contentLeft > 0;

    /// <param name="input">What is taken, is taken from its front.</param>
    /// <param name="bytes">A message or head with its length field.</param>
    /// <exception cref="NotUnderstoodException">A length is not allowed, or does not fit what is inside.</exception>
    public SftpPiece Next(ref ReadOnlySpan<byte> input, out ReadOnlySpan<byte> bytes)
    {
        IsInPlace = true;
        if (_contentLeft > 0)
        {
            bytes = input[..Math.Min(_contentLeft, input.Length)];
            input = input[bytes.Length..];
            _contentLeft -= bytes.Length;
            return bytes.IsEmpty ? SftpPiece.None : SftpPiece.Content;
        }

        if (_heldLength == 0)
        {
            if (_held is not null) Return();
            var wanted = Wanted(input, out var isHead);
            if (input.Length >= wanted)
            {
                bytes = input[..wanted];
                input = input[wanted..];
                return Found(bytes, isHead);
            }
        }

        return Gather(ref input, out bytes);
    }

    public void Dispose()
    {
        if (_held is not null) Return();
        _heldLength = 0;
    }

    private SftpPiece Gather(ref ReadOnlySpan<byte> input, out ReadOnlySpan<byte> bytes)
    {
        IsInPlace = false;
        while (true)
        {
            var wanted = Wanted(_held.AsSpan(0, _heldLength), out var isHead);
            if (_heldLength >= wanted)
            {
                bytes = _held.AsSpan(0, wanted);
                _heldLength = 0;
                return Found(bytes, isHead);
            }

            bytes = default;
            if (input.IsEmpty) return SftpPiece.None;
            Reserve(wanted);
            var taken = Math.Min(wanted - _heldLength, input.Length);
            input[..taken].CopyTo(_held.AsSpan(_heldLength));
            input = input[taken..];
            _heldLength += taken;
        }
    }

    /// <summary>How many bytes are needed next, by what is there: never less than what a whole message or head has.</summary>
    private int Wanted(ReadOnlySpan<byte> there, out bool isHead)
    {
        isHead = false;
        if (there.Length < LengthField + 1) return LengthField + 1;
        var length = BinaryPrimitives.ReadUInt32BigEndian(there);
        if (length is < 5 or > SftpLimits.Packet) throw new NotUnderstoodException($"it announced a message of {length} bytes; 5 to {SftpLimits.Packet} are allowed");
        if ((SftpType)there[LengthField] != carrier) return LengthField + (int)length;
        isHead = true;
        if (there.Length < Start) return Start;
        if (carrier == SftpType.Data) return Start;
        var handle = BinaryPrimitives.ReadUInt32BigEndian(there[(Start - 4)..]);
        if (handle > SftpLimits.Handle) throw new NotUnderstoodException($"it named a handle of {handle} bytes; {SftpLimits.Handle} are allowed");
        return Start + (int)handle + 8 + 4;
    }

    private SftpPiece Found(ReadOnlySpan<byte> bytes, bool isHead)
    {
        if (!isHead) return SftpPiece.Message;
        var length = BinaryPrimitives.ReadUInt32BigEndian(bytes);
        var content = BinaryPrimitives.ReadUInt32BigEndian(bytes[^4..]);
        if (length != (uint)(bytes.Length - LengthField) + (ulong)content) throw new NotUnderstoodException("a message's length is not that of what is in it");
        _contentLeft = (int)content;
        return SftpPiece.Head;
    }

    private void Reserve(int wanted)
    {
        if (_held?.Length >= wanted) return;
        var larger = ArrayPool<byte>.Shared.Rent(wanted);
        _held.AsSpan(0, _heldLength).CopyTo(larger);
        if (_held is not null) ArrayPool<byte>.Shared.Return(_held);
        _held = larger;
    }

    private void Return()
    {
        ArrayPool<byte>.Shared.Return(_held!);
        _held = null;
    }
}
