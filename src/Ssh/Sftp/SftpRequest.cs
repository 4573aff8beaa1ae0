namespace Countersign.Ssh.Sftp;

/// <summary>How the reading of a message went.</summary>
public enum SftpParse
{
    /// <summary>Not even type and id could be read: it can't be answered.</summary>
    Unreadable = 0,

    /// <summary>Every field was read and nothing was left over.</summary>
    Complete,

    /// <summary>Type and id are there, and the rest does not fit the type.</summary>
    Malformed,

    /// <summary>Type and id are there; the type is not one of this direction.</summary>
    UnknownType,
}

/// <summary>
/// A client's message (draft-ietf-secsh-filexfer-02 section 6), read without copying: spans point into the packet. Members that the type does not
/// have are empty. Paths and handles are bytes, as the client sent them; nothing about them has been checked but their lengths.
/// </summary>
public ref struct SftpRequest
{
    public SftpType Type { get; private set; }

    /// <summary>Zero for SSH_FXP_INIT, which has none.</summary>
    public uint Id { get; private set; }

    /// <summary>The client's version, in SSH_FXP_INIT.</summary>
    public uint Version { get; private set; }

    public SftpExtension Extension { get; private set; }

    /// <summary>The extension's name in SSH_FXP_EXTENDED.</summary>
    public ReadOnlySpan<byte> ExtensionName { get; private set; }

    /// <summary>The path acted on: for renames and hard links the old name, for a symbolic link the name that the link gets.</summary>
    public ReadOnlySpan<byte> Path { get; private set; }

    /// <summary>The new name of renames and hard links.</summary>
    public ReadOnlySpan<byte> NewPath { get; private set; }

    /// <summary>What a symbolic link shall contain; not resolved by anybody.</summary>
    public ReadOnlySpan<byte> LinkTarget { get; private set; }

    public ReadOnlySpan<byte> Handle { get; private set; }

    /// <summary>The file that a copy writes to.</summary>
    public ReadOnlySpan<byte> TargetHandle { get; private set; }

    public SftpOpenFlags Flags { get; private set; }

    public SftpAttributes Attributes { get; private set; }

    public ulong Offset { get; private set; }

    /// <summary>How many bytes SSH_FXP_READ asks for: any number, not bounded here. Of users-groups-by-id, how many names it asks for.</summary>
    public uint Length { get; private set; }

    /// <summary>The payload of SSH_FXP_WRITE.</summary>
    public ReadOnlySpan<byte> Data { get; private set; }

    /// <param name="packet">Type and content, as <see cref="SftpFramer"/> gives them.</param>
    public static SftpParse Parse(ReadOnlySpan<byte> packet, out SftpRequest request)
    {
        var read = default(SftpRequest);
        var outcome = read.ReadMessage(packet);
        request = read;
        return outcome;
    }

    private SftpParse ReadMessage(ReadOnlySpan<byte> packet)
    {
        var reader = new SshReader(packet);
        if (!reader.TryReadByte(out var type) || !reader.TryReadUInt32(out var number)) return SftpParse.Unreadable;
        Type = (SftpType)type;
        if (Type == SftpType.Init)
        {
            Version = number;
            return TrySkipPairs(ref reader) ? SftpParse.Complete : SftpParse.Malformed;
        }

        Id = number;
        if (!IsRequest(Type)) return SftpParse.UnknownType;
        return TryReadFields(ref reader) && (reader.IsAtEnd || Extension == SftpExtension.Unknown) ? SftpParse.Complete : SftpParse.Malformed;
    }

    private static bool IsRequest(SftpType type) => type is (>= SftpType.Open and <= SftpType.SymbolicLink) or SftpType.Extended;

    // SSH_FXP_INIT carries pairs of extension name and data up to its end (section 4).
    private static bool TrySkipPairs(ref SshReader reader)
    {
        while (!reader.IsAtEnd)
        {
            if (!reader.TryReadString(out _) || !reader.TryReadString(out _)) return false;
        }

        return true;
    }

    private bool TryReadFields(ref SshReader reader) => Type switch
    {
        SftpType.Open => TryReadPath(ref reader) && TryReadFlags(ref reader) && TryReadAttributes(ref reader),
        SftpType.Close or SftpType.FStat or SftpType.ReadDirectory => TryReadHandle(ref reader),
        SftpType.Read => TryReadHandle(ref reader) && TryReadOffset(ref reader) && TryReadLength(ref reader),
        SftpType.Write => TryReadHandle(ref reader) && TryReadOffset(ref reader) && TryReadData(ref reader),
        SftpType.SetStat or SftpType.MakeDirectory => TryReadPath(ref reader) && TryReadAttributes(ref reader),
        SftpType.FSetStat => TryReadHandle(ref reader) && TryReadAttributes(ref reader),
        SftpType.Rename => TryReadPath(ref reader) && TryReadNewPath(ref reader),
        // OpenSSH sends the link's content before its name, against the draft (OpenSSH's PROTOCOL, 4.1), and every client has followed it.
        SftpType.SymbolicLink => TryReadLinkTarget(ref reader) && TryReadPath(ref reader),
        SftpType.Extended => TryReadExtended(ref reader),
        _ => TryReadPath(ref reader),
    };

    private bool TryReadExtended(ref SshReader reader)
    {
        if (!reader.TryReadString(out var name)) return false;
        ExtensionName = name;
        Extension = SftpExtensionNames.Find(name);
        return Extension switch
        {
            SftpExtension.PosixRename or SftpExtension.HardLink => TryReadPath(ref reader) && TryReadNewPath(ref reader),
            SftpExtension.FSync or SftpExtension.FStatVfs => TryReadHandle(ref reader),
            SftpExtension.StatVfs or SftpExtension.ExpandPath or SftpExtension.HomeDirectory => TryReadPath(ref reader),
            SftpExtension.LSetStat => TryReadPath(ref reader) && TryReadAttributes(ref reader),
            SftpExtension.CopyData => TryReadCopy(ref reader),
            SftpExtension.UsersGroups => TryReadIds(ref reader),
            _ => true,
        };
    }

    /// <summary>Numbers of users, then of groups, four bytes each (OpenSSH's PROTOCOL, 4.11).</summary>
    private bool TryReadIds(ref SshReader reader)
    {
        if (!reader.TryReadString(out var users) || !reader.TryReadString(out var groups) || users.Length % 4 != 0 || groups.Length % 4 != 0) return false;
        Length = (uint)((users.Length + groups.Length) / 4);
        return true;
    }

    private bool TryReadCopy(ref SshReader reader)
    {
        if (!TryReadHandle(ref reader) || !TryReadOffset(ref reader) || !reader.TryReadUInt64(out _)) return false;
        if (!reader.TryReadString(out var target, SftpLimits.Handle) || !reader.TryReadUInt64(out _)) return false;
        TargetHandle = target;
        return true;
    }

    private bool TryReadPath(ref SshReader reader)
    {
        var there = reader.TryReadString(out var value);
        Path = value;
        return there;
    }

    private bool TryReadNewPath(ref SshReader reader)
    {
        var there = reader.TryReadString(out var value);
        NewPath = value;
        return there;
    }

    private bool TryReadLinkTarget(ref SshReader reader)
    {
        var there = reader.TryReadString(out var value);
        LinkTarget = value;
        return there;
    }

    private bool TryReadHandle(ref SshReader reader)
    {
        var there = reader.TryReadString(out var value, SftpLimits.Handle);
        Handle = value;
        return there;
    }

    private bool TryReadFlags(ref SshReader reader)
    {
        var there = reader.TryReadUInt32(out var value);
        Flags = (SftpOpenFlags)value;
        return there;
    }

    private bool TryReadAttributes(ref SshReader reader)
    {
        var there = SftpAttributes.TryRead(ref reader, out var value);
        Attributes = value;
        return there;
    }

    private bool TryReadOffset(ref SshReader reader)
    {
        var there = reader.TryReadUInt64(out var value);
        Offset = value;
        return there;
    }

    private bool TryReadLength(ref SshReader reader)
    {
        var there = reader.TryReadUInt32(out var value);
        Length = value;
        return there;
    }

    private bool TryReadData(ref SshReader reader)
    {
        var there = reader.TryReadString(out var value);
        Data = value;
        return there;
    }
}
