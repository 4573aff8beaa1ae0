using System.Buffers;
using System.Security.Cryptography;
using Countersign.Ssh.Crypto;

namespace Countersign.Ssh.Transport;

/// <summary>
/// The receiving half: one contiguous buffer, in which every complete packet is decrypted in place and handed out as a span. The buffer is rented
/// when there is data and given back when it is empty, so that an idle connection holds none. Used by the receive loop only.
/// </summary>
internal sealed class PacketInput(Stream stream) : IDisposable
{
    /// <summary>RFC 4253 section 6.1: what everybody must be able to take. Nobody needs more before they have authenticated.</summary>
    public const int MaxPacketAtFirst = 35_000;

    /// <summary>Once authenticated; larger than any window a channel of ours gives for one message.</summary>
    public const int MaxPacketAuthenticated = 256 * 1024;

    private const int LargeBuffer = 256 * 1024;
    private const int MinPadding = 4;

    private byte[] _buffer = [];
    private int _start;
    private int _end;
    private bool _isPinned;
    private int _length = -1;
    private int _needed;
    private uint _sequence;
    private PacketOpener _opener = PacketOpener.None;
    private volatile int _maxPacket = MaxPacketAtFirst;

    /// <summary>The sequence number of the packet that was read last.</summary>
    public uint LastSequence => unchecked(_sequence - 1);

    public long BytesSinceKeys { get; private set; }

    public long PacketsSinceKeys { get; private set; }

    public bool IsEmpty => _start == _end;

    /// <summary>Nobody has authenticated.</summary>
    public bool IsAtFirst => _maxPacket == MaxPacketAtFirst;

    /// <summary>Raises the limit, and takes buffers from the pool from now on: passwords come before. May be called from another thread.</summary>
    public void Authenticated() => _maxPacket = MaxPacketAuthenticated;

    /// <summary>The next packet's payload, valid until the next call of anything here. False: more bytes are needed.</summary>
    /// <exception cref="SshConnectionException">Not a packet, too long, or not the peer's.</exception>
    public bool TryRead(out ReadOnlySpan<byte> payload)
    {
        payload = default;
        var available = _end - _start;
        if (_length < 0)
        {
            _needed = _opener.Head;
            if (available < _needed) return false;
            _length = CheckLength(_opener.Length(_sequence, _buffer.AsSpan(_start, _opener.Head)));
        }

        var total = 4 + _length + _opener.Tag;
        _needed = total;
        if (available < total) return false;
        var packet = _buffer.AsSpan(_start, total);
        if (!_opener.Open(_sequence, packet)) throw new SshConnectionException(SshDisconnectReason.MacError, "a packet failed its integrity check");
        int padding = packet[4];
        if (padding < MinPadding || padding + 2 > _length) throw new SshConnectionException(SshDisconnectReason.ProtocolError, $"a packet of {_length} bytes has {padding} bytes of padding");
        payload = packet.Slice(5, _length - padding - 1);
        _start += total;
        _length = -1;
        unchecked
        {
            _sequence++;
        }

        BytesSinceKeys += total;
        PacketsSinceKeys++;
        return true;
    }

    /// <summary>A line that ends in LF, without it and without a CR before it (RFC 4253 section 4.2). Before the first packet only.</summary>
    /// <exception cref="SshConnectionException">The line is longer than <paramref name="most"/> with its end.</exception>
    public bool TryReadLine(int most, out ReadOnlySpan<byte> line)
    {
        line = default;
        var there = _buffer.AsSpan(_start, _end - _start);
        var end = there.IndexOf((byte)'\n');
        if (end >= most || (end < 0 && there.Length >= most)) throw new SshConnectionException(SshDisconnectReason.ProtocolError, $"a line of more than {most} bytes before the key exchange");
        _needed = there.Length + 1;
        if (end < 0) return false;
        _start += end + 1;
        line = there[..end];
        if (line.EndsWith("\r"u8)) line = line[..^1];
        return true;
    }

    /// <summary>Waits for more bytes. False: the peer has sent its last.</summary>
    public async ValueTask<bool> FillAsync(CancellationToken cancellation)
    {
        if (_start == _end)
        {
            Release();

            // Nothing is held while nothing comes: a read of zero bytes completes when there is something to read.
            _ = await stream.ReadAsync(Memory<byte>.Empty, cancellation);
        }

        Prepare();
        var read = await stream.ReadAsync(_buffer.AsMemory(_end), cancellation);
        _end += read;
        return read > 0;
    }

    /// <summary>The peer's next packets come under new keys.</summary>
    public void TakeKeys(PacketOpener opener, bool resetSequence)
    {
        _opener.Dispose();
        _opener = opener;
        BytesSinceKeys = 0;
        PacketsSinceKeys = 0;
        if (resetSequence) _sequence = 0;
    }

    public void Dispose()
    {
        _opener.Dispose();
        _opener = PacketOpener.None;
        Release();
    }

    private int CheckLength(uint length)
    {
        if (length > (uint)_maxPacket) throw new SshConnectionException(SshDisconnectReason.ProtocolError, $"a packet of {length} bytes; at most {_maxPacket} are accepted here");
        var covered = _opener.LengthIsApart ? length : length + 4;
        if (length < MinPadding + 2 || covered < _opener.Block || covered % _opener.Block != 0) throw new SshConnectionException(SshDisconnectReason.ProtocolError, $"a packet of {length} bytes is malformed");
        return (int)length;
    }

    /// <summary>Makes room for what the packet begun still needs, and for as much more as the buffer is large.</summary>
    private void Prepare()
    {
        var there = _end - _start;
        var size = Math.Max(_needed, IsAtFirst ? PinnedBuffers.Size : LargeBuffer);
        if (_buffer.Length < size)
        {
            // Before authentication there may be passwords in it: of a pinned buffer the collector leaves no copies behind.
            var isPinned = IsAtFirst;
            var larger = !isPinned ? ArrayPool<byte>.Shared.Rent(size) : size == PinnedBuffers.Size ? PinnedBuffers.Shared.Take() : GC.AllocateUninitializedArray<byte>(size, pinned: true);
            _buffer.AsSpan(_start, there).CopyTo(larger);
            Release();
            _buffer = larger;
            _isPinned = isPinned;
        }
        else if (_start > 0)
        {
            _buffer.AsSpan(_start, there).CopyTo(_buffer);
        }

        _start = 0;
        _end = there;
    }

    private void Release()
    {
        if (_isPinned && _buffer.Length == PinnedBuffers.Size) PinnedBuffers.Shared.GiveBack(_buffer);
        else if (_isPinned) CryptographicOperations.ZeroMemory(_buffer);
        else if (_buffer.Length > 0) ArrayPool<byte>.Shared.Return(_buffer);

        _buffer = [];
        _isPinned = false;
        _start = 0;
        _end = 0;
    }
}
