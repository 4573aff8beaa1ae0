namespace Countersign.Ssh.Sftp;

/// <summary>Message types of SFTP version 3 (draft-ietf-secsh-filexfer-02 section 3).</summary>
public enum SftpType : byte
{
    None = 0,
    Init = 1,
    Version = 2,
    Open = 3,
    Close = 4,
    Read = 5,
    Write = 6,
    LStat = 7,
    FStat = 8,
    SetStat = 9,
    FSetStat = 10,
    OpenDirectory = 11,
    ReadDirectory = 12,
    Remove = 13,
    MakeDirectory = 14,
    RemoveDirectory = 15,
    RealPath = 16,
    Stat = 17,
    Rename = 18,
    ReadLink = 19,
    SymbolicLink = 20,
    Status = 101,
    Handle = 102,
    Data = 103,
    Name = 104,
    Attributes = 105,
    Extended = 200,
    ExtendedReply = 201,
}

/// <summary>Status codes of version 3 (section 7).</summary>
public enum SftpStatus : uint
{
    Ok = 0,
    EndOfFile = 1,
    NoSuchFile = 2,
    PermissionDenied = 3,
    Failure = 4,
    BadMessage = 5,
    NoConnection = 6,
    ConnectionLost = 7,
    Unsupported = 8,
}

/// <summary>How a file is opened (section 6.3).</summary>
[Flags]
public enum SftpOpenFlags : uint
{
    None = 0,
    Read = 0x01,
    Write = 0x02,
    Append = 0x04,
    Create = 0x08,
    Truncate = 0x10,
    Exclusive = 0x20,
}

/// <summary>The extensions whose requests are understood; their names end in <c>@openssh.com</c> (OpenSSH's PROTOCOL file, section 4).</summary>
public enum SftpExtension
{
    None = 0,

    /// <summary>An extension that is not known here: its data was not looked at.</summary>
    Unknown,

    /// <summary>Rename that replaces the new name, as POSIX does it.</summary>
    PosixRename,
    HardLink,
    FSync,
    StatVfs,
    FStatVfs,
    Limits,

    /// <summary>Attributes of a path, not following a symbolic link.</summary>
    LSetStat,

    /// <summary>Copies between two open files of the server (draft-ietf-secsh-filexfer-extensions-00 section 7).</summary>
    CopyData,

    /// <summary>As SSH_FXP_REALPATH, with <c>~</c>.</summary>
    ExpandPath,

    /// <summary>A user's home directory.</summary>
    HomeDirectory,

    /// <summary>Names of numbered users and groups.</summary>
    UsersGroups,
}

/// <summary>Bounds on what is read and sent.</summary>
public static class SftpLimits
{
    /// <summary>The longest message, without its length field.</summary>
    public const int Packet = 256 * 1024;

    /// <summary>The most payload in one read or write: a packet less room for everything else in it.</summary>
    public const int Payload = Packet - 1024;

    /// <summary>The longest handle (section 6.3).</summary>
    public const int Handle = 256;

    public const uint Version = 3;
}

/// <summary>The peer sent what can't be answered within the protocol: the stream can't go on.</summary>
public sealed class SftpProtocolException(string message) : Exception(message);
