namespace Countersign.Ssh.Sftp;

/// <summary>The names of extensions on the wire, and the version of each that is announced.</summary>
public static class SftpExtensionNames
{
    public static ReadOnlySpan<byte> PosixRename => "posix-rename@openssh.com"u8;

    public static ReadOnlySpan<byte> HardLink => "hardlink@openssh.com"u8;

    public static ReadOnlySpan<byte> FSync => "fsync@openssh.com"u8;

    public static ReadOnlySpan<byte> StatVfs => "statvfs@openssh.com"u8;

    public static ReadOnlySpan<byte> FStatVfs => "fstatvfs@openssh.com"u8;

    public static ReadOnlySpan<byte> Limits => "limits@openssh.com"u8;

    public static ReadOnlySpan<byte> LSetStat => "lsetstat@openssh.com"u8;

    public static ReadOnlySpan<byte> CopyData => "copy-data"u8;

    public static ReadOnlySpan<byte> ExpandPath => "expand-path@openssh.com"u8;

    public static ReadOnlySpan<byte> HomeDirectory => "home-directory"u8;

    public static ReadOnlySpan<byte> UsersGroups => "users-groups-by-id@openssh.com"u8;

    public static SftpExtension Find(ReadOnlySpan<byte> name)
    {
        if (name.SequenceEqual(PosixRename)) return SftpExtension.PosixRename;
        if (name.SequenceEqual(HardLink)) return SftpExtension.HardLink;
        if (name.SequenceEqual(FSync)) return SftpExtension.FSync;
        if (name.SequenceEqual(StatVfs)) return SftpExtension.StatVfs;
        if (name.SequenceEqual(FStatVfs)) return SftpExtension.FStatVfs;
        if (name.SequenceEqual(Limits)) return SftpExtension.Limits;
        if (name.SequenceEqual(LSetStat)) return SftpExtension.LSetStat;
        if (name.SequenceEqual(CopyData)) return SftpExtension.CopyData;
        if (name.SequenceEqual(ExpandPath)) return SftpExtension.ExpandPath;
        if (name.SequenceEqual(HomeDirectory)) return SftpExtension.HomeDirectory;
        if (name.SequenceEqual(UsersGroups)) return SftpExtension.UsersGroups;
        return SftpExtension.Unknown;
    }

    /// <summary>Writes what SSH_FXP_VERSION announces.</summary>
    public static void Announce(SftpWriter writer) => writer
        .String(PosixRename).String("1"u8)
        .String(StatVfs).String("2"u8)
        .String(FStatVfs).String("2"u8)
        .String(HardLink).String("1"u8)
        .String(FSync).String("1"u8)
        .String(Limits).String("1"u8);
}
