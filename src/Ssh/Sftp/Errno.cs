using System.Runtime.InteropServices;

namespace Countersign.Ssh.Sftp;

/// <summary>The error numbers of Linux that mean something particular here, and what a client is told about each.</summary>
internal static class Errno
{
    public const int NotPermitted = 1, NoEntry = 2, Interrupted = 4, IoError = 5, NoSuchDevice = 6, Again = 11, AccessDenied = 13, Busy = 16, Exists = 17;
    public const int CrossDevice = 18, NotDirectory = 20, IsDirectory = 21, Invalid = 22, TooManyOnSystem = 23, TooManyOpen = 24, TextBusy = 26;
    public const int FileTooLarge = 27, NoSpace = 28, IllegalSeek = 29, ReadOnlyFileSystem = 30, TooManyLinks = 31, NameTooLong = 36, NotImplemented = 38;
    public const int NotEmpty = 39, Loop = 40, NotSupported = 95, QuotaExceeded = 122;

    public static SftpStatus Status(int error) => error switch
    {
        0 => SftpStatus.Ok,
        NoEntry or NotDirectory or Loop => SftpStatus.NoSuchFile,
        NotPermitted or AccessDenied or ReadOnlyFileSystem => SftpStatus.PermissionDenied,
        NotImplemented or NotSupported => SftpStatus.Unsupported,
        _ => SftpStatus.Failure,
    };

    public static string Sentence(int error) => error switch
    {
        0 => "Done.",
        NotPermitted => "This is not permitted.",
        NoEntry => "There is no such file or directory.",
        IoError => "The device reported an error.",
        AccessDenied => "Permission denied.",
        Busy => "It is in use.",
        Exists => "There is something of this name already.",
        CrossDevice => "Both names have to be on the same file system.",
        NotDirectory => "A part of the path is not a directory.",
        IsDirectory => "This is a directory.",
        Invalid => "The system does not accept these values.",
        TooManyOnSystem or TooManyOpen => "Too many files are open.",
        TextBusy => "The program is running.",
        FileTooLarge => "The file would become too large.",
        NoSpace => "There is no space left.",
        IllegalSeek => "It can't be read or written at an offset.",
        ReadOnlyFileSystem => "The file system is read-only.",
        TooManyLinks => "There are too many links.",
        NameTooLong => "The name is too long.",
        NotImplemented or NotSupported => "The system can't do this.",
        NotEmpty => "The directory is not empty.",
        Loop => "There are too many symbolic links in the path.",
        QuotaExceeded => "The quota is used up.",
        _ => $"The system answered: {Marshal.GetPInvokeErrorMessage(error)}.",
    };
}
