using System.Text;
using Countersign.Access;
using Countersign.Sessions.Journal;
using Countersign.Ssh.Sftp;

namespace Countersign.Sessions.Files;

/// <summary>Names of files and permissions as they are written down and told.</summary>
internal static class FileNames
{
    /// <summary>PATH_MAX of Linux, less the final zero; a longer path is refused.</summary>
    public const int LongestPath = 4095;

    /// <summary>A name is any bytes: those that are not UTF-8 are written down as U+FFFD. At most <see cref="LongestPath"/> of them.</summary>
    public static string Text(ReadOnlySpan<byte> path) => Encoding.UTF8.GetString(path[..Math.Min(path.Length, LongestPath)]);

    public static string Labels(PermissionSet permissions) => string.Join(" and ", permissions.Select(permission => PermissionCatalogue.Get(permission).Label));

    public static FileOutcome Outcome(SftpStatus status) => status switch
    {
        SftpStatus.Ok or SftpStatus.EndOfFile => FileOutcome.Ok,
        SftpStatus.NoSuchFile => FileOutcome.NoSuchFile,
        SftpStatus.PermissionDenied => FileOutcome.PermissionDenied,
        SftpStatus.Unsupported => FileOutcome.Unsupported,
        _ => FileOutcome.Failed,
    };
}
