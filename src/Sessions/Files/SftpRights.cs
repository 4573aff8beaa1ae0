using Countersign.Access;
using Countersign.Sessions.Journal;
using Countersign.Ssh.Sftp;

namespace Countersign.Sessions.Files;

/// <summary>Which permissions an operation of SFTP needs. The table is in docs/files.md; the session itself lives on at least one of the file permissions.</summary>
internal static class SftpRights
{
    private const SftpOpenFlags Writing = SftpOpenFlags.Write | SftpOpenFlags.Append | SftpOpenFlags.Create | SftpOpenFlags.Truncate | SftpOpenFlags.Exclusive;

    private const SftpOpenFlags Known = SftpOpenFlags.Read | Writing;

    /// <summary>Together they open nothing that was there; each alone does.</summary>
    private const SftpOpenFlags MadeAnew = SftpOpenFlags.Create | SftpOpenFlags.Exclusive;

    /// <summary>Octal 777: who may read, write and search; and all bits that a mode has.</summary>
    private const uint PlainMode = 0x1FF, ModeBits = 0xFFF;

    private static readonly PermissionSet Browse = PermissionSet.Of(Permission.FileManager);
    private static readonly PermissionSet Send = PermissionSet.Of(Permission.SendFiles);
    private static readonly PermissionSet Receive = PermissionSet.Of(Permission.ReceiveFiles);
    private static readonly PermissionSet Manage = PermissionSet.Of(Permission.FileManager, Permission.ManageFiles);

    /// <summary>All of what the request needs. Nothing: whoever has the session may.</summary>
    /// <param name="own">Whether it is about what this session uploads: the handle, or the path that it opened.</param>
    public static PermissionSet Needs(in SftpRequest request, UploadKind own) => request.Type switch
    {
        SftpType.Open => ToOpen(request.Flags) | (IsGentle(request.Attributes) ? PermissionSet.None : Manage),
        SftpType.Read => Receive,
        SftpType.Write => Send,

        // What a client looks at before it gets or puts a file that it was told the name of.
        SftpType.RealPath or SftpType.Stat or SftpType.LStat or SftpType.FStat or SftpType.Close => PermissionSet.None,
        SftpType.OpenDirectory or SftpType.ReadDirectory or SftpType.ReadLink => Browse,
        SftpType.SetStat => Finishes(request, own) && request.Attributes.Size is null ? Send : Manage,
        SftpType.FSetStat => Finishes(request, own) ? Send : Manage,
        SftpType.Rename => DropsPart(request, own) ? Send : Manage,
        SftpType.Extended => ToExtend(request, own),
        _ => Manage,
    };

    /// <summary>Flags that version 3 does not have can't be held to anything.</summary>
    public static bool IsKnown(SftpOpenFlags flags) => (flags & ~Known) == 0;

    /// <summary>
    /// It says what the file is opened for. Without reading and writing OpenSSH's server opens for reading, whatever the other flags are; and a file that is
    /// opened for reading alone is emptied by Linux all the same. Exclusive is about what is made (draft-ietf-secsh-filexfer-02 section 6.3): without creating, it
    /// means nothing there, and what is there is opened as it is.
    /// </summary>
    public static bool IsClear(SftpOpenFlags flags) =>
        (Writes(flags) || (Reads(flags) && (flags & SftpOpenFlags.Truncate) == 0)) && ((flags & SftpOpenFlags.Exclusive) == 0 || (flags & SftpOpenFlags.Create) != 0);

    public static bool Reads(SftpOpenFlags flags) => (flags & SftpOpenFlags.Read) != 0;

    public static bool Writes(SftpOpenFlags flags) => (flags & SftpOpenFlags.Write) != 0;

    public static FileAction ActionOf(in SftpRequest request) => request.Type switch
    {
        SftpType.Open => FileAction.Open,
        SftpType.Read => FileAction.Read,
        SftpType.Write => FileAction.Write,
        SftpType.OpenDirectory or SftpType.ReadDirectory => FileAction.List,
        SftpType.RealPath => FileAction.Resolve,
        SftpType.ReadLink => FileAction.ReadLink,
        SftpType.SetStat or SftpType.FSetStat => FileAction.SetAttributes,
        SftpType.Remove => FileAction.Remove,
        SftpType.MakeDirectory => FileAction.MakeDirectory,
        SftpType.RemoveDirectory => FileAction.RemoveDirectory,
        SftpType.Rename => FileAction.Rename,
        SftpType.SymbolicLink => FileAction.SymbolicLink,
        SftpType.Extended => ActionOf(request.Extension),
        _ => FileAction.Look,
    };

    private static FileAction ActionOf(SftpExtension extension) => extension switch
    {
        SftpExtension.PosixRename => FileAction.Rename,
        SftpExtension.HardLink => FileAction.HardLink,
        SftpExtension.FSync => FileAction.Sync,
        SftpExtension.StatVfs or SftpExtension.FStatVfs => FileAction.Space,
        SftpExtension.LSetStat => FileAction.SetAttributes,
        SftpExtension.CopyData => FileAction.Copy,
        SftpExtension.ExpandPath or SftpExtension.HomeDirectory => FileAction.Resolve,
        SftpExtension.UsersGroups => FileAction.Names,
        _ => FileAction.Look,
    };

    private static PermissionSet ToOpen(SftpOpenFlags flags) =>
        (Reads(flags) ? Receive : PermissionSet.None) | ((flags & Writing) != 0 ? Send : PermissionSet.None);

    private static PermissionSet ToExtend(in SftpRequest request, UploadKind own) => request.Extension switch
    {
        SftpExtension.PosixRename => DropsPart(request, own) ? Send : Manage,
        SftpExtension.FSync => Send,
        SftpExtension.StatVfs or SftpExtension.FStatVfs or SftpExtension.UsersGroups => Browse,
        SftpExtension.Limits or SftpExtension.ExpandPath or SftpExtension.HomeDirectory => PermissionSet.None,
        SftpExtension.LSetStat => Finishes(request, own) && request.Attributes.Size is null ? Send : Manage,

        // Content is read and written, though it never passes here: whoever has lost the right to either copies no more.
        SftpExtension.CopyData => Manage | Receive | Send,
        _ => Manage,
    };

    /// <summary>
    /// Size and times of what is uploaded. A mode only of what held nothing before: that could have been had by uploading the file so, whereas another's content
    /// would be opened to others by it.
    /// </summary>
    private static bool Finishes(in SftpRequest request, UploadKind own) =>
        IsGentle(request.Attributes) && (request.Attributes.Permissions is null ? own != UploadKind.None : own == UploadKind.FromNothing);

    /// <summary>The kind of upload that a file opened so is.</summary>
    public static UploadKind KindOf(SftpOpenFlags flags) =>
        !Writes(flags) ? UploadKind.None
        : (flags & SftpOpenFlags.Truncate) != 0 || (flags & MadeAnew) == MadeAnew ? UploadKind.FromNothing
        : UploadKind.Opened;

    /// <summary>What a file that is opened so for writing holds then.</summary>
    public static FileStart StartOf(SftpOpenFlags flags) =>
        (flags & MadeAnew) == MadeAnew ? FileStart.New
        : (flags & SftpOpenFlags.Truncate) != 0 ? FileStart.Emptied
        : (flags & SftpOpenFlags.Create) != 0 ? FileStart.AsItWasOrNew
        : FileStart.AsItWas;

    /// <summary>Size, times, and a mode without set-user, set-group and sticky.</summary>
    private static bool IsGentle(in SftpAttributes attributes) =>
        attributes.Owner is null && !attributes.HadExtended && ((attributes.Permissions ?? 0) & ModeBits & ~PlainMode) == 0;

    /// <summary>
    /// What a client does that uploads under another name first, in place of uploading over the name itself. Who has only opened what was there has uploaded
    /// nothing: that would be renaming another's file.
    /// </summary>
    private static bool DropsPart(in SftpRequest request, UploadKind own) =>
        own is UploadKind.Onto or UploadKind.FromNothing && request.Path.EndsWith(".filepart"u8) && request.Path[..^9].SequenceEqual(request.NewPath);
}

/// <summary>What a file that this session has opened is to it.</summary>
internal enum UploadKind
{
    /// <summary>Not opened to write, or by nobody here.</summary>
    None,

    /// <summary>Opened to write, as it was, and nothing of this session's has been stored in it.</summary>
    Opened,

    /// <summary>Written to, and it may hold what was there before.</summary>
    Onto,

    /// <summary>Made, or emptied, by its opening: all that is in it is of this session.</summary>
    FromNothing,
}
