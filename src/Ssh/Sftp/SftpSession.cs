using System.Buffers;
using System.IO.Pipelines;
using System.Text;

namespace Countersign.Ssh.Sftp;

/// <summary>One client's open files, and the answer to each of its messages. Not for several threads.</summary>
internal sealed partial class SftpSession : IDisposable
{
    private readonly PipeWriter _output;
    private readonly SftpServerOptions _options;
    private readonly SftpHandles _handles;
    private readonly SftpLongName _longName;
    private readonly SftpWriter _writer = new();
    private readonly SftpPath _path;
    private readonly SftpPath _newPath;
    private bool _initialized;

    public SftpSession(SftpServerOptions options, PipeWriter output)
    {
        _output = output;
        _options = options;
        _handles = new(options.MaxHandles);
        _longName = new(options.Time);
        var start = Encoding.UTF8.GetBytes(options.StartDirectory);
        _path = new(start);
        _newPath = new(start);
    }

    private delegate int PathCall(ReadOnlySpan<byte> path);

    private delegate int TwoPathsCall(ReadOnlySpan<byte> path, ReadOnlySpan<byte> newPath);

    private delegate int StatCall(ReadOnlySpan<byte> path, out PosixFiles.Metadata metadata);

    public void Dispose() => _handles.Dispose();

    /// <summary>Carries out one message and writes its answer; nothing is flushed.</summary>
    /// <exception cref="SftpProtocolException">It can't be answered.</exception>
    public void Answer(ReadOnlySpan<byte> packet)
    {
        var outcome = SftpRequest.Parse(packet, out var request);
        if (outcome == SftpParse.Unreadable) throw new SftpProtocolException("a message has no id");
        if (request.Type == SftpType.Init || !_initialized)
        {
            Initialize(outcome, request);
            return;
        }

        switch (outcome)
        {
            case SftpParse.Complete: Perform(request); break;
            case SftpParse.UnknownType: Status(request.Id, SftpStatus.Unsupported, "This request is not known here."); break;
            default: Status(request.Id, SftpStatus.BadMessage, "The request can't be read."); break;
        }
    }

    private void Initialize(SftpParse outcome, in SftpRequest request)
    {
        if (_initialized || request.Type != SftpType.Init || outcome != SftpParse.Complete) throw new SftpProtocolException("SSH_FXP_INIT comes first, and once");
        if (request.Version < SftpLimits.Version) throw new SftpProtocolException($"version {request.Version} of SFTP is not spoken here");
        _initialized = true;
        _writer.BeginVersion(SftpType.Version, SftpLimits.Version);
        SftpExtensionNames.Announce(_writer);
        Send();
    }

    private void Perform(in SftpRequest request)
    {
        switch (request.Type)
        {
            case SftpType.Open: Open(request); break;
            case SftpType.Close: Close(request); break;
            case SftpType.Read: Read(request); break;
            case SftpType.Write: Write(request); break;
            case SftpType.LStat: Stat(request, PosixFiles.LStat); break;
            case SftpType.Stat: Stat(request, PosixFiles.Stat); break;
            case SftpType.FStat: FStat(request); break;
            case SftpType.SetStat: SetStat(request); break;
            case SftpType.FSetStat: FSetStat(request); break;
            case SftpType.OpenDirectory: OpenDirectory(request); break;
            case SftpType.ReadDirectory: ReadDirectory(request); break;
            case SftpType.MakeDirectory: MakeDirectory(request); break;
            case SftpType.Remove: OnPath(request, PosixFiles.Remove); break;
            case SftpType.RemoveDirectory: OnPath(request, PosixFiles.RemoveDirectory); break;
            case SftpType.Rename: OnTwoPaths(request, PosixFiles.RenameNew); break;
            case SftpType.RealPath: RealPath(request); break;
            case SftpType.ReadLink: ReadLink(request); break;
            case SftpType.SymbolicLink: SymbolicLink(request); break;
            default: Extended(request); break;
        }
    }

    private void Extended(in SftpRequest request)
    {
        switch (request.Extension)
        {
            case SftpExtension.PosixRename: OnTwoPaths(request, PosixFiles.RenameOver); break;
            case SftpExtension.HardLink: OnTwoPaths(request, PosixFiles.Link); break;
            case SftpExtension.FSync: FSync(request); break;
            case SftpExtension.StatVfs: StatVfs(request); break;
            case SftpExtension.FStatVfs: FStatVfs(request); break;
            case SftpExtension.Limits: Limits(request); break;
            default: Status(request.Id, SftpStatus.Unsupported, "This extension is not known here."); break;
        }
    }

    private void OnPath(in SftpRequest request, PathCall call)
    {
        var error = _path.Set(request.Path);
        Result(request.Id, error != 0 ? error : call(_path.Bytes));
    }

    private void OnTwoPaths(in SftpRequest request, TwoPathsCall call)
    {
        var error = _path.Set(request.Path);
        if (error == 0) error = _newPath.Set(request.NewPath);
        Result(request.Id, error != 0 ? error : call(_path.Bytes, _newPath.Bytes));
    }

    private void Limits(in SftpRequest request)
    {
        _writer.Begin(SftpType.ExtendedReply, request.Id)
            .UInt64(SftpLimits.Packet).UInt64(SftpLimits.Payload).UInt64(SftpLimits.Payload).UInt64((ulong)_options.MaxHandles);
        Send();
    }

    private void SendAttributes(uint id, in PosixFiles.Metadata metadata)
    {
        _writer.Begin(SftpType.Attributes, id).Attributes(ToAttributes(metadata));
        Send();
    }

    /// <summary>The answer to a call of the system: 0 or its error's number.</summary>
    private void Result(uint id, int error) => Status(id, Errno.Status(error), Errno.Sentence(error));

    private void NotOpen(uint id) => Status(id, SftpStatus.Failure, "This handle is not open.");

    private void Status(uint id, SftpStatus status, string sentence) => _output.Write(_writer.Status(id, status, sentence));

    private void Send() => _output.Write(_writer.End());

    private static SftpAttributes ToAttributes(in PosixFiles.Metadata metadata) => new()
    {
        Size = metadata.Size,
        Owner = new(metadata.User, metadata.Group),
        Permissions = metadata.Mode,
        Times = new(Seconds(metadata.Accessed), Seconds(metadata.Modified)),
    };

    private static uint Seconds(long time) => (uint)Math.Clamp(time, 0, uint.MaxValue);
}
