using Countersign.Access;
using Countersign.Sessions.Files;
using Countersign.Sessions.Journal;
using Countersign.Ssh.Sftp;

namespace Countersign.Sessions.Tests.Files;

/// <summary>An interpreter between two ends that are lists of messages.</summary>
internal sealed class SftpLab : IDisposable
{
    public static readonly PermissionSet All =
        PermissionSet.Of(Permission.FileManager, Permission.SendFiles, Permission.ReceiveFiles, Permission.ManageFiles);

    private readonly MemoryStream _toDevice = new();
    private readonly MemoryStream _toClient = new();
    private uint _id;

    public SftpLab()
    {
        Interpreter = new(new(bytes => _toDevice.Write(bytes), bytes => _toClient.Write(bytes), () => ClientIsBehind, () => JournalIsBehind), () => Held, Events.Add);
    }

    public SftpInterpreter Interpreter { get; }

    public PermissionSet Held { get; set; } = All;

    public bool ClientIsBehind { get; set; }

    public bool JournalIsBehind { get; set; }

    public List<JournalEvent> Events { get; } = [];

    public SftpWriter Writer { get; } = new();

    public byte[] BytesToDevice => _toDevice.ToArray();

    public byte[] BytesToClient => _toClient.ToArray();

    /// <summary>After SSH_FXP_INIT and SSH_FXP_VERSION; what was said is forgotten.</summary>
    public static SftpLab Started()
    {
        var lab = new SftpLab();
        lab.Client(lab.Writer.BeginVersion(SftpType.Init, 3).End());
        lab.Device(lab.Writer.BeginVersion(SftpType.Version, 3).End());
        lab.Forget();
        return lab;
    }

    public void Forget()
    {
        _toDevice.SetLength(0);
        _toClient.SetLength(0);
    }

    public SftpWriter Begin(SftpType type) => Writer.Begin(type, ++_id);

    public uint LastId => _id;

    public void Client(ReadOnlySpan<byte> bytes) => Interpreter.FromClient(bytes).ShouldBe(bytes.Length);

    public void Device(ReadOnlySpan<byte> bytes) => Interpreter.FromDevice(bytes);

    public uint Ask(SftpWriter message)
    {
        Client(message.End());
        return _id;
    }

    public void Answer(uint id, SftpStatus status) => Device(Writer.Status(id, status, ""));

    /// <summary>Opens at the device, which gives the name as the handle.</summary>
    public void Open(string path, SftpOpenFlags flags)
    {
        var id = Ask(Begin(SftpType.Open).String(path).UInt32((uint)flags).Attributes(default));
        Device(Writer.Begin(SftpType.Handle, id).String(path).End());
    }

    public void Close(string handle) => Answer(Ask(Begin(SftpType.Close).String(handle)), SftpStatus.Ok);

    public void Write(string handle, long offset, byte[] content) =>
        Answer(Ask(Begin(SftpType.Write).String(handle).UInt64((ulong)offset).String(content)), SftpStatus.Ok);

    /// <summary>Ids and statuses of what the client was told, in order; messages that are no status have null.</summary>
    public List<(uint Id, SftpStatus? Status)> Told()
    {
        var told = new List<(uint, SftpStatus?)>();
        foreach (var packet in Messages(BytesToClient))
        {
            SftpResponse.Parse(packet, out var response).ShouldBe(SftpParse.Complete);
            told.Add((response.Id, response.Type == SftpType.Status ? response.Status : null));
        }

        return told;
    }

    /// <summary>Types of what the device was asked, in order.</summary>
    public List<SftpType> Asked() => [.. Messages(BytesToDevice).Select(packet => (SftpType)packet[0])];

    public static List<byte[]> Messages(byte[] bytes)
    {
        using var framer = new SftpFramer();
        var messages = new List<byte[]>();
        ReadOnlySpan<byte> rest = bytes;
        while (framer.TryRead(ref rest, out var packet)) messages.Add(packet.ToArray());
        framer.IsInside.ShouldBeFalse();
        return messages;
    }

    public void Dispose()
    {
        Interpreter.Dispose();
        _toDevice.Dispose();
        _toClient.Dispose();
    }
}
