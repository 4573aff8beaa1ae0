using Countersign.Access;
using Countersign.Sessions.Journal;
using Countersign.Ssh.Sftp;

namespace Countersign.Sessions.Files;

/// <summary>A request under way: passed on and not yet answered, or refused and waiting for its turn to be told.</summary>
internal sealed class SftpAsked
{
    public required uint Id { get; init; }

    public required SftpType Type { get; init; }

    public SftpExtension Extension { get; init; }

    public SftpOpenFlags Flags { get; init; }

    /// <summary>What it needs, also when the answer comes.</summary>
    public PermissionSet Needs { get; init; }

    /// <summary>What it is about, where it is written down by itself.</summary>
    public string? Path { get; init; }

    public string? To { get; init; }

    public string? Changes { get; init; }

    public FileAction Action { get; init; }

    /// <summary>How long the texts are that may be written down of it when it is answered.</summary>
    public int Text => Type is SftpType.OpenDirectory or SftpType.Close or SftpType.Write || (Type == SftpType.Open && Changes is null) ? 0 : (Path ?? File?.Path ?? "").Length + (To?.Length ?? 0);

    /// <summary>It moves a file's content: the file is at its end when this has been answered.</summary>
    public bool IsContent => Type is SftpType.Read or SftpType.Write && File is not null;

    /// <summary>What becomes the session's own upload if it succeeds.</summary>
    public OwnUpload? Uploads { get; init; }

    /// <summary>What is its own upload again if it fails.</summary>
    public OwnUpload? Renames { get; init; }

    /// <summary>Something was asked for behind it by which another file may have the path when this is answered: then nothing becomes the session's own by it.</summary>
    public bool IsOvertaken { get; set; }

    public OpenFile? File { get; init; }

    public long Offset { get; init; }

    public uint Length { get; init; }

    /// <summary>Refused with this; the device has not heard of it.</summary>
    public (SftpStatus Status, string Sentence)? Refusal { get; init; }

    public bool IsAnswered { get; set; }

    /// <summary>Whether an answer of the type fits (draft-ietf-secsh-filexfer-02 section 7); a status always does, except that opening does not just succeed.</summary>
    public bool Takes(SftpType answer) => answer == SftpType.Status || answer == (Type == SftpType.Extended ? Expected(Extension) : Expected(Type));

    /// <summary>Whether such an answer shows something of the device's files: names, content, where a link leads. A handle opens nothing by itself.</summary>
    public static bool Tells(SftpType answer) => answer is SftpType.Data or SftpType.Name or SftpType.Attributes or SftpType.ExtendedReply;

    private static SftpType Expected(SftpType type) => type switch
    {
        SftpType.Init => SftpType.Version,
        SftpType.Open or SftpType.OpenDirectory => SftpType.Handle,
        SftpType.Read => SftpType.Data,
        SftpType.ReadDirectory or SftpType.RealPath or SftpType.ReadLink => SftpType.Name,
        SftpType.Stat or SftpType.LStat or SftpType.FStat => SftpType.Attributes,
        _ => SftpType.Status,
    };

    private static SftpType Expected(SftpExtension extension) => extension switch
    {
        SftpExtension.StatVfs or SftpExtension.FStatVfs or SftpExtension.Limits or SftpExtension.UsersGroups => SftpType.ExtendedReply,
        SftpExtension.ExpandPath or SftpExtension.HomeDirectory => SftpType.Name,
        _ => SftpType.Status,
    };
}
