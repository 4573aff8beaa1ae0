namespace Countersign.Ssh.Sftp;

/// <summary>A client's path as the system takes it: made absolute, ending in zero. Symbolic links and <c>..</c> are left to the system.</summary>
internal sealed class SftpPath(byte[] start)
{
    private readonly byte[] _bytes = new byte[PosixFiles.PathMax];
    private int _length;

    /// <summary>With the final zero.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _length + 1);

    /// <summary>Without the final zero.</summary>
    public ReadOnlySpan<byte> Text => _bytes.AsSpan(0, _length);

    /// <summary>Takes a path, relative ones from the start directory, an empty one for it (section 6.2). Returns 0 or the error's number.</summary>
    public int Set(ReadOnlySpan<byte> path)
    {
        _length = 0;
        _bytes[0] = 0;
        if (path.Contains((byte)0)) return Errno.Invalid;
        var isAbsolute = !path.IsEmpty && path[0] == (byte)'/';
        var length = (isAbsolute ? 0 : start.Length + 1) + path.Length;
        if (length >= _bytes.Length) return Errno.NameTooLong;
        if (!isAbsolute)
        {
            Append(start);
            Append("/"u8);
        }

        Append(path);
        _bytes[_length] = 0;
        return 0;
    }

    /// <summary>
    /// Takes the canonical form of the path instead. The last part need not exist, because clients ask for the canonical name of what they are
    /// about to create.
    /// </summary>
    public int Canonicalize()
    {
        Span<byte> result = stackalloc byte[PosixFiles.PathMax];
        var error = PosixFiles.RealPath(Bytes, result, out var length);
        if (error == 0) return Set(result[..length]);
        if (error != Errno.NoEntry) return error;

        var text = Text.TrimEnd((byte)'/');
        var slash = text.LastIndexOf((byte)'/');
        var last = text[(slash + 1)..].ToArray();
        if (slash < 0 || last is [] or [(byte)'.'] or [(byte)'.', (byte)'.']) return error;
        Truncate(slash == 0 ? 1 : slash);
        error = PosixFiles.RealPath(Bytes, result, out length);
        if (error != 0) return error;
        if (length > 1) result[length++] = (byte)'/';
        return length + last.Length > result.Length ? Errno.NameTooLong : Set([.. result[..length], .. last]);
    }

    private void Append(ReadOnlySpan<byte> text)
    {
        text.CopyTo(_bytes.AsSpan(_length));
        _length += text.Length;
    }

    private void Truncate(int length)
    {
        _length = length;
        _bytes[length] = 0;
    }
}
