namespace Countersign.Ssh.Sftp;

/// <summary>
/// A server's message (draft-ietf-secsh-filexfer-02 section 7), read without copying: spans point into the packet. Members that the type does not
/// have are empty. Texts and names are untrusted bytes.
/// </summary>
public ref struct SftpResponse
{
    public SftpType Type { get; private set; }

    /// <summary>The request answered; zero for SSH_FXP_VERSION.</summary>
    public uint Id { get; private set; }

    public uint Version { get; private set; }

    public SftpStatus Status { get; private set; }

    /// <summary>The sentence of SSH_FXP_STATUS; some servers leave it out.</summary>
    public ReadOnlySpan<byte> Sentence { get; private set; }

    public ReadOnlySpan<byte> Handle { get; private set; }

    /// <summary>The payload of SSH_FXP_DATA, or whatever SSH_FXP_EXTENDED_REPLY holds.</summary>
    public ReadOnlySpan<byte> Data { get; private set; }

    public SftpAttributes Attributes { get; private set; }

    /// <summary>The entries of SSH_FXP_NAME; they have been checked to be readable.</summary>
    public SftpNames Names { get; private set; }

    /// <summary>The extensions of SSH_FXP_VERSION.</summary>
    public SftpPairs Extensions { get; private set; }

    /// <param name="packet">Type and content, as <see cref="SftpFramer"/> gives them.</param>
    public static SftpParse Parse(ReadOnlySpan<byte> packet, out SftpResponse response)
    {
        var read = default(SftpResponse);
        var outcome = read.ReadMessage(packet);
        response = read;
        return outcome;
    }

    private SftpParse ReadMessage(ReadOnlySpan<byte> packet)
    {
        var reader = new SshReader(packet);
        if (!reader.TryReadByte(out var type) || !reader.TryReadUInt32(out var number)) return SftpParse.Unreadable;
        Type = (SftpType)type;
        if (Type == SftpType.Version)
        {
            Version = number;
            Extensions = new(reader.Rest);
            return Extensions.AreReadable ? SftpParse.Complete : SftpParse.Malformed;
        }

        Id = number;
        return Type switch
        {
            SftpType.Status => Outcome(TryReadStatus(ref reader)),
            SftpType.Handle => Outcome(TryReadHandle(ref reader) && reader.IsAtEnd),
            SftpType.Data => Outcome(TryReadData(ref reader) && reader.IsAtEnd),
            SftpType.Name => Outcome(TryReadNames(ref reader)),
            SftpType.Attributes => Outcome(TryReadAttributes(ref reader) && reader.IsAtEnd),
            SftpType.ExtendedReply => Outcome(TakeRest(ref reader)),
            _ => SftpParse.UnknownType,
        };
    }

    private static SftpParse Outcome(bool read) => read ? SftpParse.Complete : SftpParse.Malformed;

    private bool TryReadStatus(ref SshReader reader)
    {
        if (!reader.TryReadUInt32(out var status)) return false;
        Status = (SftpStatus)status;
        // Servers that speak version 2 end here.
        if (reader.IsAtEnd) return true;
        if (!reader.TryReadString(out var sentence)) return false;
        Sentence = sentence;
        return reader.IsAtEnd || (reader.TryReadString(out _) && reader.IsAtEnd);
    }

    private bool TryReadHandle(ref SshReader reader)
    {
        var there = reader.TryReadString(out var value, SftpLimits.Handle);
        Handle = value;
        return there;
    }

    private bool TryReadData(ref SshReader reader)
    {
        var there = reader.TryReadString(out var value);
        Data = value;
        return there;
    }

    private bool TryReadNames(ref SshReader reader)
    {
        if (!reader.TryReadUInt32(out var count)) return false;
        Names = new(reader.Rest, count);
        return Names.AreReadable;
    }

    private bool TryReadAttributes(ref SshReader reader)
    {
        var there = SftpAttributes.TryRead(ref reader, out var value);
        Attributes = value;
        return there;
    }

    private bool TakeRest(ref SshReader reader)
    {
        Data = reader.Rest;
        return true;
    }
}

/// <summary>One entry of SSH_FXP_NAME: a file name, the line that <c>ls -l</c> would show, and attributes.</summary>
public readonly ref struct SftpName(ReadOnlySpan<byte> fileName, ReadOnlySpan<byte> longName, SftpAttributes attributes)
{
    public ReadOnlySpan<byte> FileName { get; } = fileName;

    public ReadOnlySpan<byte> LongName { get; } = longName;

    public SftpAttributes Attributes { get; } = attributes;
}

/// <summary>Walks the entries of SSH_FXP_NAME with <c>foreach</c>.</summary>
public ref struct SftpNames(ReadOnlySpan<byte> entries, uint count)
{
    private SshReader _reader = new(entries);
    private uint _left = count;

    public SftpName Current { get; private set; }

    /// <summary>How many entries are left.</summary>
    public readonly uint Count => _left;

    internal readonly bool AreReadable
    {
        get
        {
            var copy = this;
            while (copy.MoveNext())
            {
            }

            return copy._left == 0 && copy._reader.IsAtEnd;
        }
    }

    public readonly SftpNames GetEnumerator() => this;

    public bool MoveNext()
    {
        if (_left == 0) return false;
        if (!_reader.TryReadString(out var name) || !_reader.TryReadString(out var longName) || !SftpAttributes.TryRead(ref _reader, out var attributes)) return false;
        Current = new(name, longName, attributes);
        _left--;
        return true;
    }
}

/// <summary>Walks pairs of name and data with <c>foreach</c>.</summary>
public ref struct SftpPairs(ReadOnlySpan<byte> pairs)
{
    private SshReader _reader = new(pairs);

    /// <summary>The current pair's name.</summary>
    public ReadOnlySpan<byte> Current { get; private set; }

    /// <summary>The current pair's data.</summary>
    public ReadOnlySpan<byte> CurrentData { get; private set; }

    internal readonly bool AreReadable
    {
        get
        {
            var copy = this;
            while (!copy._reader.IsAtEnd)
            {
                if (!copy.MoveNext()) return false;
            }

            return true;
        }
    }

    public readonly SftpPairs GetEnumerator() => this;

    public bool MoveNext()
    {
        if (!_reader.TryReadString(out var name) || !_reader.TryReadString(out var data)) return false;
        Current = name;
        CurrentData = data;
        return true;
    }
}
