using System.Buffers.Binary;
using Countersign.Ssh;
using Countersign.Ssh.Transport;

namespace Countersign.Fuzz.Targets.Connections;

/// <summary>Our server, and a client that says anything.</summary>
internal sealed class ServerTarget(string name) : Target
{
    private static readonly SshPrivateKey HostKey = SshPrivateKey.Generate(SshKeyKind.Ed25519);
    private readonly Mutator _mutator = new(Targets.Words.Ssh);

    public override string Name => name;

    public override IReadOnlyList<byte[]> Words => Targets.Words.Ssh;

    /// <summary>Once authenticated a connection rents buffers of 256 KiB; each key exchange has its own.</summary>
    public override long MostAllocated => 32 * 1024 * 1024;

    public override async ValueTask PlayAsync(IReadOnlyList<Step> steps, Chance chance)
    {
        var credentials = new Credentials();
        var application = new Application(chance, credentials);
        var books = new ServerBooks(application);
        var far = new FarEnd(Side.Client, steps, chance, null)
        {
            Prove = credentials.Prove,
            Change = (message, how) => _mutator.Change(message, how, 1 + how.Below(2)),
            Says = (message, kind) =>
            {
                credentials.Note(message);
                books.Said(message, kind);
            },
            Heard = books.Heard,
            IsAnswered = () => books.IsAnswered,
        };
        var options = new SshServerOptions { HostKeys = [HostKey], Time = StillTime.Instance, MaxChannels = 8, KeepAlive = TimeSpan.Zero };
        var outcome = await SshServerConnection.RunAsync(far, options, application, CancellationToken.None);
        application.End();
        Require(outcome.Error?.StartsWith("internal error", StringComparison.Ordinal) != true, $"the server's fault: {outcome.Error}");
        Require(application.Finding is null, application.Finding ?? "");
    }
}

/// <summary>Counts what both ends have said, from the outside: bounds that hold whatever was said.</summary>
internal sealed class ServerBooks(Application application)
{
    private int _asked;
    private int _answered;
    private int _crooked;
    private bool _isIn;
    private int _opens;
    private int _openAnswers;
    private int _requests;
    private int _replies;
    private long _offered;
    private long _data;

    /// <summary>Each request to authenticate has one answer.</summary>
    public bool IsAnswered => _isIn || _answered >= _asked;

    public void Said(byte[] message, StepKind kind)
    {
        if (kind == StepKind.Crooked) _crooked++;
        switch (message[0])
        {
            case SshMessage.UserAuthRequest or SshMessage.UserAuthInfoResponse when !_isIn:
                _asked++;
                break;
            case SshMessage.ChannelOpen:
                _opens++;
                _offered += Numbers(message);
                break;
            case SshMessage.ChannelWindowAdjust:
                _offered += Numbers(message);
                break;
            case SshMessage.ChannelRequest:
                _requests++;
                break;
        }
    }

    public void Heard(byte[] message)
    {
        switch (message[0])
        {
            case SshMessage.UserAuthFailure or SshMessage.UserAuthSuccess or SshMessage.UserAuthMethod:
                if (_isIn) application.Find("an answer to authentication after its success");
                if (++_answered > _asked + _crooked) application.Find("more answers to authentication than requests");
                _isIn |= message[0] == SshMessage.UserAuthSuccess;
                break;
            case SshMessage.ChannelOpenConfirmation or SshMessage.ChannelOpenFailure:
                if (!_isIn) application.Find("a channel's answer before authentication");
                if (++_openAnswers > _opens + _crooked) application.Find("more answers to openings than openings");
                break;
            case SshMessage.ChannelSuccess or SshMessage.ChannelFailure:
                if (++_replies > _requests + _crooked) application.Find("more replies than requests");
                break;
            case SshMessage.ChannelData or SshMessage.ChannelExtendedData:
                _data += message.Length - (message[0] == SshMessage.ChannelData ? 9 : 13);
                if (_data > _offered && _crooked == 0) application.Find("more data than windows were offered");
                if (message.Length > 13 + 32768) application.Find("more data in one message than anybody has to take");
                break;
        }
    }

    /// <summary>No window is larger than all numbers that the message can hold.</summary>
    private static long Numbers(byte[] message)
    {
        var most = 0L;
        for (var at = 1; at + 4 <= message.Length; at++) most = Math.Max(most, BinaryPrimitives.ReadUInt32BigEndian(message.AsSpan(at)));
        return most;
    }
}
