using System.Buffers.Binary;
using Countersign.Access;
using Countersign.Sessions.Journal;
using Countersign.Sessions.Relay;
using Countersign.Ssh.Sftp;

namespace Countersign.Sessions.Files;

/// <summary>
/// Holds SFTP version 3 (draft-ietf-secsh-filexfer-02) to what may be done at the moment that it is asked for. What may not be done is answered here,
/// in the order of the requests; the device never hears of it. Answers are held to what was asked.
/// </summary>
internal sealed partial class SftpInterpreter : Interpreter
{
    /// <summary>Requests under way at once. More wait, unread.</summary>
    public const int MostUnderWay = 1024;

    /// <summary>Characters of the texts that will be written down when what is under way is answered. With more, what comes waits, unread.</summary>
    public const int MostText = 256 * 1024;

    /// <summary>A server's extension has a version, one or two digits.</summary>
    private const int LongestExtensionData = 16;

    private readonly Outlets _outlets;
    private readonly Func<PermissionSet> _held;
    private readonly Action<JournalEvent> _note;
    private readonly RefusedFiles _refused;
    private readonly SftpCutter _fromClient = new(SftpType.Write);
    private readonly SftpCutter _fromDevice = new(SftpType.Data);
    private readonly SftpWriter _writer = new();
    private readonly OpenFiles _files = new();
    private readonly OwnUploads _own = new();
    private readonly Queue<SftpAsked> _order = [];
    private readonly Dictionary<uint, SftpAsked> _underWay = [];
    private SftpAsked? _init;
    private int _text;

    /// <summary>What the content that comes now belongs to; null: a request that was refused, or an answer that is withheld.</summary>
    private SftpAsked? _writing;
    private long _writeAt;
    private SftpAsked? _reading;
    private long _readAt;

    /// <param name="held">The permissions at this moment.</param>
    /// <param name="note">Takes what is to be written down.</param>
    public SftpInterpreter(Outlets outlets, Func<PermissionSet> held, Action<JournalEvent> note)
    {
        _outlets = outlets;
        _held = held;
        _refused = new(note);

        // What was refused before something else stands before it.
        _note = one =>
        {
            _refused.Flush();
            note(one);
        };
    }

    public override int FromClient(ReadOnlySpan<byte> data)
    {
        var rest = data;
        var passing = new Passing(data, _outlets.ToDevice);
        try
        {
            while (_fromClient.IsInside || !IsFull)
            {
                var start = data.Length - rest.Length;
                var piece = _fromClient.Next(ref rest, out var bytes);
                if (piece == SftpPiece.None) break;
                var passes = piece switch
                {
                    SftpPiece.Content => OnWritten(bytes),
                    _ => OnRequest(bytes, ref passing),
                };
                if (!passes) continue;
                if (_fromClient.IsInPlace) passing.Pass(start, data.Length - rest.Length);
                else passing.Pass(bytes);
            }
        }
        finally
        {
            // Also before what is not understood: it was let through, and is written down.
            passing.Flush();
        }

        return data.Length - rest.Length;
    }

    public override void FromDevice(ReadOnlySpan<byte> data)
    {
        var rest = data;
        var passing = new Passing(data, _outlets.ToClient);
        try
        {
            while (true)
            {
                var start = data.Length - rest.Length;
                var piece = _fromDevice.Next(ref rest, out var bytes);
                if (piece == SftpPiece.None) break;
                var passes = piece switch
                {
                    SftpPiece.Content => OnRead(bytes),
                    SftpPiece.Head => OnDataHead(bytes, ref passing),
                    _ => OnAnswer(bytes, ref passing),
                };
                if (passes && _fromDevice.IsInPlace) passing.Pass(start, data.Length - rest.Length);
                else if (passes) passing.Pass(bytes);
                if (_fromDevice.ContentLeft == 0 && _reading is not null) Answered(_reading);
                if (_fromDevice.ContentLeft == 0) _reading = null;
                TellRefused(ref passing);
            }
        }
        finally
        {
            passing.Flush();
        }
    }

    public override void Dispose()
    {
        _refused.Flush();
        foreach (var asked in _order)
        {
            if (asked is { IsAnswered: false, Refusal: null, IsContent: false }) WriteDown(asked, FileOutcome.Interrupted);
            asked.File?.Cut(_note);
        }

        foreach (var file in _files.All) file.Cut(_note);
        _order.Clear();
        _fromClient.Dispose();
        _fromDevice.Dispose();
    }

    private bool IsFull => _order.Count >= MostUnderWay || _text >= MostText || _outlets.ClientIsBehind() || _outlets.JournalIsBehind();

    private bool OnWritten(ReadOnlySpan<byte> bytes)
    {
        if (_writing is null) return false;
        _writing.File!.Write(_writeAt, bytes);
        _writeAt += bytes.Length;
        return true;
    }

    private bool OnRead(ReadOnlySpan<byte> bytes)
    {
        if (_reading is null) return false;
        _reading.File!.Read(_readAt, bytes);
        _readAt += bytes.Length;
        return true;
    }

    private bool OnDataHead(scoped ReadOnlySpan<byte> head, ref Passing passing)
    {
        var asked = Find(BinaryPrimitives.ReadUInt32BigEndian(head[5..]), SftpType.Data);
        if (_fromDevice.ContentLeft > asked.Length) throw Broken("the device sent more than it was asked for");
        if (Lacks(asked.Needs)) return Withhold(asked, ref passing);
        _reading = asked;
        _readAt = asked.Offset;
        return true;
    }

    /// <summary>Whether it goes to the client as it is.</summary>
    private bool OnAnswer(scoped ReadOnlySpan<byte> message, ref Passing passing)
    {
        var packet = message[4..];
        var type = (SftpType)packet[0];
        if (type == SftpType.Version) return OnVersion(packet, ref passing);
        var asked = Find(BinaryPrimitives.ReadUInt32BigEndian(packet[1..]), type);
        if (SftpAsked.Tells(type) && Lacks(asked.Needs)) return Withhold(asked, ref passing);
        switch (type)
        {
            case SftpType.Status:
                var status = Parse(packet);
                OnStatus(asked, status.Status);
                Answered(asked);
                return PassesAsItIs(status, packet.Length) || !Pass(Anew(status), ref passing);
            case SftpType.Handle:
                OnHandle(asked, Parse(packet).Handle);
                break;
            case SftpType.ExtendedReply when asked.Extension == SftpExtension.Limits:
                Answered(asked);
                return !Pass(Clamp(asked.Id, Parse(packet).Data), ref passing);
            default:
                var told = Parse(packet);
                var isWhole = PassesAsItIs(asked, told);
                var anew = isWhole ? default : Anew(asked, told);
                WriteDown(asked, FileOutcome.Ok, Told(asked, told));
                Answered(asked);
                return isWhole || !Pass(anew, ref passing);
        }

        Answered(asked);
        return true;
    }

    /// <summary>The permission went while the device worked on it: what it tells goes no further, as if it had been asked now.</summary>
    private bool Withhold(SftpAsked asked, ref Passing passing)
    {
        if (asked.Type == SftpType.Read) asked.File!.ReadFailed(FileOutcome.PermissionDenied);
        _refused.Add(asked.Action, asked.Path ?? asked.File?.Path ?? "", asked.Needs);
        Answered(asked);
        passing.Pass(_writer.Status(asked.Id, SftpStatus.PermissionDenied, Missing(asked.Needs)));
        return false;
    }

    private SftpAsked Find(uint id, SftpType answer)
    {
        if (!_underWay.TryGetValue(id, out var asked)) throw Broken("the device answered what it was not asked");
        if (!asked.Takes(answer)) throw Broken("the device's answer is of another kind than what it was asked");
        return asked;
    }

    private static SftpResponse Parse(ReadOnlySpan<byte> packet) =>
        SftpResponse.Parse(packet, out var response) == SftpParse.Complete ? response : throw Broken("an answer of the device can't be read");

    private bool OnVersion(scoped ReadOnlySpan<byte> packet, ref Passing passing)
    {
        if (_init is not { IsAnswered: false }) throw Broken("the device answered what it was not asked");
        var version = Parse(packet);
        if (version.Version != SftpLimits.Version) throw Broken($"the device speaks version {version.Version} of SFTP, and {SftpLimits.Version} is spoken here");
        _writer.BeginVersion(SftpType.Version, SftpLimits.Version);
        var extensions = version.Extensions;
        var said = new HashSet<SftpExtension> { SftpExtension.Unknown };
        while (extensions.MoveNext())
        {
            if (extensions.CurrentData.Length <= LongestExtensionData && said.Add(SftpExtensionNames.Find(extensions.Current)))
                _writer.String(extensions.Current).String(extensions.CurrentData);
        }

        _init.IsAnswered = true;
        passing.Pass(_writer.End());
        return false;
    }

    private void OnStatus(SftpAsked asked, SftpStatus status)
    {
        var outcome = FileNames.Outcome(status);
        if (asked.Type is SftpType.Open or SftpType.OpenDirectory)
        {
            // The client has nothing to go on with, whatever the device means by it.
            if (status == SftpStatus.Ok) throw Broken("the device opened a file and gave no handle");
            _files.GiveBackPlace(asked.Path!);
        }

        switch (asked.Type)
        {
            case SftpType.Read when status != SftpStatus.EndOfFile:
                asked.File!.ReadFailed(outcome == FileOutcome.Ok ? FileOutcome.Failed : outcome);
                return;
            case SftpType.Write when status != SftpStatus.Ok:
                asked.File!.WriteFailed(outcome == FileOutcome.Ok ? FileOutcome.Failed : outcome);
                return;
            case SftpType.Write when asked.Length > 0:
                asked.File!.Stored();
                return;
            default:
                if (!asked.IsOvertaken && (status == SftpStatus.Ok ? asked.Uploads : asked.Renames) is { } upload) _own.Add(upload);
                WriteDown(asked, outcome);
                return;
        }
    }

    private void OnHandle(SftpAsked asked, ReadOnlySpan<byte> handle)
    {
        var file = new OpenFile(asked.Path!, asked.Flags, asked.Type == SftpType.OpenDirectory, asked.Uploads);
        if (!_files.TryAdd(handle, file)) throw Broken("the device gave a handle that is open already");
        if (asked.Uploads is { } upload && !asked.IsOvertaken) _own.Add(upload);
        if (asked.Type == SftpType.OpenDirectory) WriteDown(asked, FileOutcome.Ok);
        if (Made(asked) is { } made) _note(new FileActed(FileAction.Open, asked.Path!, null, made, FileOutcome.Ok));
    }

    /// <summary>What opening may have made that nothing else tells: of a file that is written to, the writing tells, but not what attributes it was to have. Null: nothing.</summary>
    private static string? Made(SftpAsked asked)
    {
        if ((asked.Flags & SftpOpenFlags.Create) == 0) return null;
        return SftpRights.Writes(asked.Flags) ? asked.Changes : Opening(asked);
    }

    /// <summary>All that an opening was to do besides. Null: nothing.</summary>
    private static string? Opening(SftpAsked asked)
    {
        var does = SftpRights.StartOf(asked.Flags) switch
        {
            FileStart.New => "made",
            FileStart.Emptied => "emptied",
            FileStart.AsItWasOrNew => "made, unless it was there",
            _ => null,
        };
        return does is null || asked.Changes is null ? does : $"{does}: {asked.Changes}";
    }

    /// <summary>Writes an operation down that is one by itself; content is written down when its file is closed.</summary>
    /// <param name="told">What the device answered with, where that is a name; null: it is not.</param>
    private void WriteDown(SftpAsked asked, FileOutcome outcome, string? told = null)
    {
        if (asked.Type == SftpType.Close)
        {
            if (asked.File!.Close(outcome, _note)) _files.GiveBackPlace(asked.File.Path);
        }
        else if (asked.Path is { } path)
        {
            // One that came to nothing, or was cut: no file's event tells what it was to do.
            _note(new FileActed(asked.Action, path, told ?? asked.To, asked.Type == SftpType.Open ? Opening(asked) : asked.Changes, outcome));
        }
    }

    private void Answered(SftpAsked asked)
    {
        asked.IsAnswered = true;
        _underWay.Remove(asked.Id);
        _text -= asked.Text;
        if (asked.IsContent && asked.File!.Finish(_note)) _files.GiveBackPlace(asked.File.Path);
    }

    /// <summary>Refusals whose turn has come: all that was asked before them has been answered.</summary>
    private void TellRefused(ref Passing passing)
    {
        while (_order.TryPeek(out var first))
        {
            if (first.Refusal is var (status, sentence)) passing.Pass(_writer.Status(first.Id, status, sentence));
            else if (!first.IsAnswered) return;
            _order.Dequeue();
        }
    }

    private static NotUnderstoodException Broken(string message) => new(message);
}
