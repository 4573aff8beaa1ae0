using Countersign.Ssh;

namespace Countersign.Fuzz.Targets.Connections;

/// <summary>What a server does with its connections, and does at random; it takes note of what may never be.</summary>
internal sealed class Application(Chance chance, Credentials credentials) : SshServerHandler
{
    private readonly List<Program> _programs = [];
    private readonly List<TaskCompletionSource<SshChannelAnswer>> _later = [];
    private readonly bool _wantsTwo = chance.OneIn(4);
    private string? _first;
    private bool _isIn;

    public override IReadOnlyList<string> AuthenticationMethods { get; } = ["publickey", "password", "keyboard-interactive"];

    /// <summary>The first thing that was wrong.</summary>
    public string? Finding { get; private set; }

    public override async ValueTask<SshAuthResult> AuthenticateAsync(SshAuthAttempt attempt, CancellationToken cancellation)
    {
        if (_isIn) Find("somebody who is in is asked who they are");
        switch (attempt)
        {
            case SshAuthAttempt.KeyQuery query:
                return Credentials.Is(query.Offered) ? SshAuthResult.Success : SshAuthResult.Failure;
            case SshAuthAttempt.CertificateQuery query:
                return Credentials.IsAuthority(query.Offered.Authority) ? SshAuthResult.Success : SshAuthResult.Failure;
            case SshAuthAttempt.Password password:
                return Judge(password, Credentials.Is(password.Value));
            case SshAuthAttempt.Key key:
                return Judge(key, Credentials.Is(key.Value));
            case SshAuthAttempt.Certificate certificate:
                return Judge(certificate, Credentials.IsAuthority(certificate.Value.Authority));
            case SshAuthAttempt.Interactive interactive:
                var answers = await interactive.PromptAsync("", "", [new("Word: ", Echo: false)], cancellation);
                return Judge(interactive, Credentials.Is(answers[0]));
            default:
                return SshAuthResult.Failure;
        }
    }

    public override void OnAuthenticated(SshServerConnection connection, string user)
    {
        if (!credentials.IsShown || user != Credentials.User) Find("somebody is in who has shown nothing that lets in");
        _isIn = true;
    }

    public override SshChannelAnswer OnChannelOpen(SshServerConnection connection, string type, ReadOnlySpan<byte> extra)
    {
        if (!_isIn) Find("a channel before authentication");
        foreach (var coming in _later.ToArray())
        {
            if (chance.OneIn(2)) Settle(coming);
        }

        switch (type)
        {
            case "session":
                return Accept();
            case "direct-tcpip" when TcpIpOpen.TryParse(extra, out _):
            case "direct-streamlocal@openssh.com" when StreamLocalOpen.TryParse(extra, out _):
                var coming = new TaskCompletionSource<SshChannelAnswer>();
                _later.Add(coming);
                return new SshChannelAnswer.Later(coming.Task);
            default:
                return new SshChannelAnswer.Refuse(3, "no");
        }
    }

    public override SshGlobalAnswer OnGlobalRequest(SshServerConnection connection, string name, ReadOnlySpan<byte> payload)
    {
        if (!_isIn) Find("a request before authentication");
        return name == Forwardings.TcpIpForward && TcpIpForwardRequest.TryParse(payload, out _) ? new SshGlobalAnswer.Grant(TcpIpForwardRequest.BoundPort(7)) : new SshGlobalAnswer.Refuse();
    }

    /// <summary>The connection is over.</summary>
    public void End()
    {
        foreach (var coming in _later.ToArray()) Settle(coming);
        foreach (var program in _programs)
        {
            if (program.Closes != 1) Find($"a channel was closed {program.Closes} times");
        }
    }

    public void Find(string what) => Finding ??= what;

    private SshAuthResult Judge(SshAuthAttempt attempt, bool isRight)
    {
        if (!isRight || attempt.User != Credentials.User) return SshAuthResult.Failure;
        var kind = attempt.GetType().Name;
        if (!_wantsTwo || (_first is not null && _first != kind)) return SshAuthResult.Success;
        _first = kind;
        return SshAuthResult.Partial;
    }

    private SshChannelAnswer.Accept Accept()
    {
        var window = (uint)(chance.OneIn(4) ? 0 : 1 + chance.Below(100_000));
        var program = new Program(this, chance, window);
        _programs.Add(program);
        return new(program, window);
    }

    private void Settle(TaskCompletionSource<SshChannelAnswer> coming)
    {
        _later.Remove(coming);
        coming.TrySetResult(chance.OneIn(3) ? new SshChannelAnswer.Refuse(2, "no") : Accept());
    }
}

/// <summary>What runs in a channel. It answers, echoes, grants and closes at random, and keeps to the rules itself.</summary>
internal sealed class Program(Application application, Chance chance, long granted) : SshChannelHandler
{
    private readonly Queue<SshChannelRequest> _unanswered = [];
    private long _received;
    private long _granted = granted;
    private bool _eof;

    public int Closes { get; private set; }

    public override void OnData(SshChannel channel, uint type, ReadOnlySpan<byte> data)
    {
        if (Closes > 0) application.Find("data after the end of a channel");
        if (_eof && type == 0) application.Find("data after the end of file");
        _received += data.Length;
        if (_received > _granted) application.Find("more data than was granted");
        if (chance.OneIn(2)) channel.SendExtendedData(type, data[..(int)Math.Min(data.Length, channel.SendWindow)]);
        if (!chance.OneIn(2)) return;
        _granted += data.Length;
        channel.GrantWindow((uint)data.Length);
    }

    public override void OnWindowAdjust(SshChannel channel, uint bytes)
    {
        if (chance.OneIn(2)) channel.SendData(new byte[Math.Min(channel.SendWindow, 1 + chance.Below(5000))]);
    }

    public override void OnEof(SshChannel channel)
    {
        if (_eof) application.Find("a second end of file");
        _eof = true;
        if (chance.OneIn(2)) channel.SendEof();
    }

    public override void OnRequest(SshChannel channel, SshChannelRequest request)
    {
        if (Closes > 0) application.Find("a request after the end of a channel");
        if (request.Name.Length > 64) application.Find("a long name of a request");
        _unanswered.Enqueue(request);
        while (chance.OneIn(2) && _unanswered.TryDequeue(out var next)) next.Reply(chance.OneIn(2) ? SshReply.Success : SshReply.Failure);
        if (chance.OneIn(12)) channel.SendRequest("exit-status", [0, 0, 0, 1]);
        if (chance.OneIn(12)) channel.Close();
    }

    public override void OnClosed(SshChannel channel) => Closes++;
}
