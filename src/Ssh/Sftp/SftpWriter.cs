using System.Buffers.Binary;
using System.Text;

namespace Countersign.Ssh.Sftp;

/// <summary>
/// Builds one message at a time in a buffer that is kept: <see cref="Begin(SftpType, uint)"/>, the fields in their order, then <see cref="End"/>.
/// Serves both directions. Not for several threads.
/// </summary>
public sealed class SftpWriter
{
    private byte[] _buffer = new byte[512];
    private int _length;

    /// <summary>Bytes of the message so far, its length field included.</summary>
    public int Length => _length;

    /// <summary>Starts SSH_FXP_INIT or SSH_FXP_VERSION, which have a version where others have a request's id.</summary>
    public SftpWriter BeginVersion(SftpType type, uint version) => Begin(type, version);

    public SftpWriter Begin(SftpType type, uint id)
    {
        _length = 0;
        Take(4);
        Take(1)[0] = (byte)type;
        return UInt32(id);
    }

    public SftpWriter UInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(Take(4), value);
        return this;
    }

    public SftpWriter UInt64(ulong value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(Take(8), value);
        return this;
    }

    public SftpWriter String(ReadOnlySpan<byte> value)
    {
        UInt32((uint)value.Length);
        value.CopyTo(Take(value.Length));
        return this;
    }

    public SftpWriter String(string value) => String(Encoding.UTF8.GetBytes(value));

    public SftpWriter Attributes(in SftpAttributes value)
    {
        value.Write(this);
        return this;
    }

    /// <summary>The whole message with its length; valid until the next one begins.</summary>
    public ReadOnlySpan<byte> End()
    {
        BinaryPrimitives.WriteUInt32BigEndian(_buffer, (uint)(_length - 4));
        return _buffer.AsSpan(0, _length);
    }

    /// <summary>SSH_FXP_STATUS (section 7), whole.</summary>
    public ReadOnlySpan<byte> Status(uint id, SftpStatus status, string sentence) =>
        Begin(SftpType.Status, id).UInt32((uint)status).String(sentence).String("en"u8).End();

    /// <summary>Overwrites a number written before, whose place was <see cref="Length"/> at the time.</summary>
    internal void Patch(int at, uint value) => BinaryPrimitives.WriteUInt32BigEndian(_buffer.AsSpan(at, 4), value);

    private Span<byte> Take(int count)
    {
        if (_buffer.Length - _length < count) Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _length + count));
        var span = _buffer.AsSpan(_length, count);
        _length += count;
        return span;
    }
}
