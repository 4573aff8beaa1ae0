using System.Globalization;
using Countersign.Access;
using Countersign.Sessions.Journal;
using Countersign.Sessions.Relay;
using Countersign.Ssh.Sftp;

namespace Countersign.Sessions.Files;

/// <summary>The client's side: what is asked, and whether it may be.</summary>
internal sealed partial class SftpInterpreter
{
    /// <summary>Beyond this no file has bytes, and sums of it with a length would not fit.</summary>
    private const ulong MostOffset = long.MaxValue - uint.MaxValue;

    /// <summary>Whether it goes to the device as it is.</summary>
    /// <param name="message">With its length; of a write the head alone.</param>
    private bool OnRequest(scoped ReadOnlySpan<byte> message, ref Passing passing)
    {
        _writing = null;
        var packet = message[4..];
        if ((SftpType)packet[0] == SftpType.Write) return OnWrite(packet);
        var parsed = SftpRequest.Parse(packet, out var request);
        if (parsed == SftpParse.Unreadable) throw Broken("the client sent a message without an id");
        if (request.Type == SftpType.Init || _init is null)
        {
            Initialize(parsed, request);
            passing.Pass(_writer.BeginVersion(SftpType.Init, SftpLimits.Version).End());
            return false;
        }

        if (_underWay.ContainsKey(request.Id)) throw Broken("the client used an id twice at once");
        return parsed switch
        {
            SftpParse.Complete => OnRequest(request),
            SftpParse.UnknownType => Refuse(request.Id, SftpStatus.Unsupported, "This request is not known to Countersign."),
            _ => Refuse(request.Id, SftpStatus.BadMessage, "The request can't be read."),
        };
    }

    private bool OnRequest(in SftpRequest request)
    {
        if (request is { Type: SftpType.Extended, Extension: SftpExtension.Unknown })
            return Refuse(request.Id, SftpStatus.Unsupported, "This extension is not known to Countersign.");
        if (!IsPath(request.Path) || !IsPath(request.NewPath) || !IsPath(request.LinkTarget))
            return Refuse(request.Id, SftpStatus.BadMessage, $"A path has at most {FileNames.LongestPath} bytes, none of them zero.");
        if (request.Type == SftpType.Open && !SftpRights.IsKnown(request.Flags))
            return Refuse(request.Id, SftpStatus.BadMessage, "Version 3 of SFTP has no such flags.");
        if (request.Type == SftpType.Open && !SftpRights.IsClear(request.Flags))
            return Refuse(request.Id, SftpStatus.BadMessage, "A file is opened for reading, writing or both, emptied where it is opened for writing, and exclusively where it is made.");
        if (request.Offset > MostOffset) return Refuse(request.Id, SftpStatus.BadMessage, "No file is that long.");

        OpenFile? file = null;
        if (HasHandle(request) && !_files.TryGet(request.Handle, out file)) return Refuse(request.Id, SftpStatus.Failure, "This handle is not open.");
        OpenFile? target = null;
        if (request.Extension == SftpExtension.CopyData && !_files.TryGet(request.TargetHandle, out target))
            return Refuse(request.Id, SftpStatus.Failure, "This handle is not open.");

        var needs = SftpRights.Needs(request, file is null ? _own.Of(request.Path)?.Kind ?? UploadKind.None : file.Upload);
        if (Lacks(needs)) return Refuse(request, file, needs);
        if (request.Type == SftpType.Read && !file!.IsForReading) return Refuse(request.Id, SftpStatus.Failure, "This handle is not open for reading.");
        if (request.Type == SftpType.ReadDirectory && !file!.IsDirectory) return Refuse(request.Id, SftpStatus.Failure, "This handle is no directory's.");
        if (request.Type is SftpType.Open or SftpType.OpenDirectory && !_files.TryTakePlace(FileNames.Text(request.Path)))
            return Refuse(request.Id, SftpStatus.Failure, $"Too many files are open: {OpenFiles.Most} is the most, fewer with long names.");
        Ask(request, file, target, needs);
        return true;
    }

    private bool OnWrite(ReadOnlySpan<byte> packet)
    {
        var reader = new Ssh.SshReader(packet[1..]);
        reader.TryReadUInt32(out var id);
        reader.TryReadString(out var handle);
        reader.TryReadUInt64(out var offset);
        if (_init is null) throw Broken("SSH_FXP_INIT comes first");
        if (_underWay.ContainsKey(id)) throw Broken("the client used an id twice at once");
        if (offset > MostOffset) return Refuse(id, SftpStatus.BadMessage, "No file is that long.");
        if (!_files.TryGet(handle, out var file)) return Refuse(id, SftpStatus.Failure, "This handle is not open.");
        var needs = PermissionSet.Of(Permission.SendFiles);
        if (Lacks(needs))
        {
            // What is there of the file is not what was to be sent.
            file.WriteFailed(FileOutcome.PermissionDenied);
            return Refuse(id, FileAction.Write, file.Path, needs);
        }

        if (!file.IsForWriting) return Refuse(id, SftpStatus.Failure, "This handle is not open for writing.");
        _writing = new() { Id = id, Type = SftpType.Write, File = file, Length = (uint)_fromClient.ContentLeft };
        _writeAt = (long)offset;
        Add(_writing);
        return true;
    }

    /// <summary>The client's version goes on as the one that is spoken here, without what it says of extensions.</summary>
    private void Initialize(SftpParse parsed, in SftpRequest request)
    {
        if (_init is not null || request.Type != SftpType.Init || parsed != SftpParse.Complete) throw Broken("SSH_FXP_INIT comes first, and once");
        if (request.Version < SftpLimits.Version) throw Broken($"the client speaks version {request.Version} of SFTP, and {SftpLimits.Version} is spoken here");
        _init = new() { Id = 0, Type = SftpType.Init };
        _order.Enqueue(_init);
    }

    private void Ask(in SftpRequest request, OpenFile? file, OpenFile? target, PermissionSet needs)
    {
        var isContent = request.Type is SftpType.Read or SftpType.ReadDirectory;
        var isByHandle = file is not null && request.Type != SftpType.FSetStat && request.Extension is not (SftpExtension.CopyData or SftpExtension.FStatVfs or SftpExtension.FSync);
        var isNamed = !isContent && !isByHandle && request.Extension != SftpExtension.Limits;
        if (request.Type == SftpType.Close) _files.Remove(request.Handle);
        var asked = new SftpAsked
        {
            Id = request.Id,
            Type = request.Type,
            Extension = request.Extension,
            Flags = request.Flags,
            Action = SftpRights.ActionOf(request),
            Needs = needs,
            Path = isNamed ? file?.Path ?? FileNames.Text(request.Path) : null,
            To = target?.Path ?? To(request),
            Changes = HasChanges(request) ? Changes(request.Attributes) : null,
            Uploads = Uploads(request),
            Renames = IsRename(request) ? _own.Of(request.Path) : null,
            File = file,
            Offset = (long)request.Offset,
            Length = request.Length,
        };

        // Whoever may manage files needs no upload of their own, and by which names a path can be had is not known here: of a link, for one, or of its folder.
        if (needs.Contains(Permission.ManageFiles)) Forget(_ => true);
        else if (IsRename(request)) ForgetPaths(request.Path.ToArray(), request.NewPath.ToArray());
        Add(asked);
    }

    private void ForgetPaths(byte[] path, byte[] other) => Forget(upload => upload.Is(path) || upload.Is(other));

    /// <summary>As soon as the device is asked, and not once it has answered: what is asked for meanwhile finds them forgotten.</summary>
    private void Forget(Predicate<OwnUpload> which)
    {
        _own.Forget(which);
        foreach (var asked in _underWay.Values)
        {
            if ((asked.Uploads is { } upload && which(upload)) || (asked.Renames is { } renamed && which(renamed))) asked.IsOvertaken = true;
        }
    }

    private void Add(SftpAsked asked)
    {
        _order.Enqueue(asked);
        _underWay.Add(asked.Id, asked);
        _text += asked.Text;
        if (asked.IsContent) asked.File!.Begin();
    }

    private OwnUpload? Uploads(in SftpRequest request)
    {
        if (request.Type == SftpType.Open) return SftpRights.KindOf(request.Flags) is var opened and not UploadKind.None ? new(request.Path.ToArray(), opened) : null;
        return IsRename(request) ? _own.Of(request.Path)?.At(request.NewPath) : null;
    }

    private static bool IsRename(in SftpRequest request) => request.Type == SftpType.Rename || request.Extension == SftpExtension.PosixRename;

    private bool Lacks(PermissionSet needs) => !_held().Covers(needs);

    private bool Refuse(in SftpRequest request, OpenFile? file, PermissionSet needs)
    {
        if (request.Type == SftpType.Read) file?.ReadFailed(FileOutcome.PermissionDenied);
        return Refuse(request.Id, SftpRights.ActionOf(request), file?.Path ?? FileNames.Text(request.Path), needs);
    }

    private bool Refuse(uint id, FileAction action, string path, PermissionSet needs)
    {
        _refused.Add(action, path, needs);
        return Refuse(id, SftpStatus.PermissionDenied, Missing(needs));
    }

    /// <summary>Answers in the place of the device, now or when its turn has come.</summary>
    private bool Refuse(uint id, SftpStatus status, string sentence)
    {
        if (_order.Count == 0) _outlets.ToClient(_writer.Status(id, status, sentence));
        else _order.Enqueue(new() { Id = id, Type = SftpType.None, Refusal = (status, sentence) });
        return false;
    }

    private static string Missing(PermissionSet needs) => $"This needs {FileNames.Labels(needs)}, which you don't have here.";

    private static bool HasHandle(in SftpRequest request) =>
        request.Type is SftpType.Close or SftpType.Read or SftpType.FStat or SftpType.FSetStat or SftpType.ReadDirectory ||
        request.Extension is SftpExtension.FSync or SftpExtension.FStatVfs or SftpExtension.CopyData;

    private static bool IsPath(ReadOnlySpan<byte> path) => path.Length <= FileNames.LongestPath && !path.Contains((byte)0);

    private static string? To(in SftpRequest request) => request.Type switch
    {
        SftpType.SymbolicLink => FileNames.Text(request.LinkTarget),
        SftpType.Rename => FileNames.Text(request.NewPath),
        _ => request.Extension is SftpExtension.PosixRename or SftpExtension.HardLink ? FileNames.Text(request.NewPath) : null,
    };

    /// <summary>Attributes are set: of what is there, or of what is made, where any are given.</summary>
    private static bool HasChanges(in SftpRequest request) => request.Type switch
    {
        SftpType.SetStat or SftpType.FSetStat => true,
        SftpType.MakeDirectory => HasAny(request.Attributes),
        SftpType.Open => (request.Flags & SftpOpenFlags.Create) != 0 && HasAny(request.Attributes),
        _ => request.Extension == SftpExtension.LSetStat,
    };

    private static bool HasAny(in SftpAttributes attributes) => attributes != default;

    private static string Changes(in SftpAttributes attributes)
    {
        var changes = new List<string>(4);
        if (attributes.Size is { } size) changes.Add(string.Create(CultureInfo.InvariantCulture, $"size {size}"));
        if (attributes.Permissions is { } mode) changes.Add($"mode {Convert.ToString(mode & 0xFFF, 8)}");
        if (attributes.Owner is { } owner) changes.Add(string.Create(CultureInfo.InvariantCulture, $"owner {owner.User}:{owner.Group}"));
        if (attributes.Times is not null) changes.Add("times");
        if (attributes.HadExtended) changes.Add("extended attributes");
        return string.Join(", ", changes);
    }
}
