using System.Text;
using Countersign.Fuzz.Targets;
using Countersign.Fuzz.Targets.Connections;
using Countersign.Ssh;
using Countersign.Ssh.Sftp;
using Countersign.Ssh.Transport;

namespace Countersign.Fuzz.Capture;

/// <summary>Conversations that no client at hand has: what is rare, and what is forbidden.</summary>
internal static class WrittenCorpus
{
    private static readonly Step Exchange = new(StepKind.Exchange, []);

    private static readonly Step Service = Client(new SshWriter().Byte(SshMessage.ServiceRequest).String("ssh-userauth"));

    private static readonly string[] Commands =
    [
        "scp -t x", "scp -f -- -x", "scp -v -r -p -d -t ~/a", "scp -rpt '/a b/c'", "scp -f ~", "scp -t \"a\\\"b\"", "scp -f a\\ b", "scp -t 'it'\\''s'", "scp -f /var/log/*.log", "rsync --server -logDtpre.iLsfxCIvu . dir/",
        "rsync --server --sender -vlogDtpre.iLsfxCIvu --numeric-ids . a 'b c' ~/d", "rsync --server -e.LsfxCIvu --delete --max-delete=3 --partial . /srv", "rsync --server -te.L --bwlimit=100K --timeout=30 . x", "rsync --server -se.L . x", "sftp-server", "",
    ];

    public static IEnumerable<(string Target, string Name, IReadOnlyList<Step> Steps)> All()
    {
        foreach (var (name, steps) in Authentications()) yield return ("auth-server", name, steps);
        yield return ("auth-client", "written-interactive", [.. Start(SshMessage.UserAuthRequest), Accepted(), Methods("keyboard-interactive"), Prompts(0), Prompts(1), Server(new SshWriter().Byte(SshMessage.UserAuthBanner).String("hello").String("")), Success()]);
        yield return ("auth-client", "written-password", [.. Start(SshMessage.UserAuthRequest), ExtInfo(), Accepted(), Methods("publickey,password"), Methods("password"), Success()]);
        yield return ("auth-client", "written-change", [.. Start(SshMessage.UserAuthRequest), Accepted(), Methods("password"), Server(new SshWriter().Byte(SshMessage.UserAuthMethod).String("change it").String(""))]);
        yield return ("channels-server", "written-forward", [.. SignedIn(), .. Forwards(), .. Globals()]);
        yield return ("channels-server", "written-many", [.. SignedIn(), .. Enumerable.Range(0, 6).Select(number => Open((uint)number, 100_000)), .. Enumerable.Range(0, 6).SelectMany(number => Talk((uint)number)), Exchange, .. Enumerable.Range(0, 6).Select(number => Message(SshMessage.ChannelClose, (uint)number))]);
        yield return ("channels-client", "written-talk", [.. Start(SshMessage.UserAuthRequest), Accepted(), Success(), Wait(SshMessage.ChannelOpen, SshMessage.UserAuthSuccess), Confirmed(), Wait(SshMessage.ChannelRequest, SshMessage.ChannelOpenConfirmation), Server(Number(SshMessage.ChannelSuccess)), .. ServerTalk()]);
        yield return ("channels-client", "written-refused", [.. Start(SshMessage.UserAuthRequest), Accepted(), Success(), Wait(SshMessage.ChannelOpen, SshMessage.UserAuthSuccess), Server(Number(SshMessage.ChannelOpenFailure).UInt32(1).String("no").String(""))]);
        yield return ("transport-server", "written-renewal", [Exchange, Service, new(StepKind.Proof, [Credentials.ByPassword]), Exchange, .. Transport(StepKind.Client), Exchange, .. Globals()]);
        yield return ("transport-server", "written-before", [new(StepKind.Raw, [.. "SSH-2.0-x\r\n"u8]), .. Transport(StepKind.Client), Exchange, ExtInfo() with { Kind = StepKind.Client }, Service]);
        yield return ("transport-client", "written-lines", [new(StepKind.Raw, [.. "hello\r\nSSH-1.99-x y\r\n"u8]), Exchange, .. Transport(StepKind.Server), Exchange]);
        foreach (var (number, command) in Commands.Index()) yield return ("file-commands", $"written-{number:d2}", [new(StepKind.Client, Encoding.UTF8.GetBytes(command))]);
        foreach (var (name, steps) in WrittenFiles.Sftp()) yield return ("sftp-relay", name, steps);
        foreach (var (name, steps) in WrittenFiles.Sftp()) yield return ("sftp-server", name, [.. steps.Where(step => step.Kind == StepKind.Client)]);
        foreach (var (name, steps) in WrittenFiles.Scp()) yield return ("scp-stream", name, steps);
        foreach (var (number, header) in Headers().Index()) yield return ("proxy-header", $"written-{number}", [new(StepKind.Raw, header)]);
        foreach (var (number, kind) in PrivateKeyTarget.Kinds.Index())
        {
            foreach (var layer in new[] { PrivateKeyTarget.Text, PrivateKeyTarget.Outside, PrivateKeyTarget.Inside }) yield return ("private-keys", $"written-{kind}-{layer}", [new(StepKind.Proof, [(byte)((number << 2) | layer), 0, 0, 0, 0, 0, 0, 0, (byte)number])]);
            yield return ("private-keys", $"written-{kind}", [new(StepKind.Proof, [(byte)(number << 2)])]);
        }

        foreach (var (number, file) in AuthorizedKeysTarget.Files().Index()) yield return ("authorized-keys", $"written-{number}", [new(StepKind.Raw, Encoding.UTF8.GetBytes(file))]);
        foreach (var (number, payload) in Payloads().Index()) yield return ("formats", $"written-{number:d2}", [new(StepKind.Raw, payload.Written.ToArray())]);
    }

    private static IEnumerable<(string Name, IReadOnlyList<Step> Steps)> Authentications()
    {
        var interactive = Request("keyboard-interactive").String("").String("");
        foreach (var how in new[] { Credentials.ByPassword, Credentials.ByKey, Credentials.ByCertificate })
        {
            yield return ($"written-{how}", [Exchange, Service, Client(Request("none")), new(StepKind.Proof, [how]), Open(0, 1000)]);
        }

        yield return ("written-4", [Exchange, Service, Client(interactive), new(StepKind.Proof, [Credentials.ByAnswer]), Open(0, 1000)]);
        yield return ("written-all", [Exchange, Service, new(StepKind.Proof, [Credentials.ByPassword]), Client(interactive), new(StepKind.Proof, [Credentials.ByAnswer]), new(StepKind.Proof, [Credentials.ByKey]), new(StepKind.Proof, [Credentials.ByCertificate])]);
        yield return ("written-wrong", [Exchange, Service, Client(Request("password").Boolean(false).String("wrong")), Client(Request("password").Boolean(true).String("a").String("b")), Client(Request("hostbased").String("")), Client(interactive), Client(new SshWriter().Byte(SshMessage.UserAuthInfoResponse).UInt32(1).String("x")), Client(new SshWriter().Byte(SshMessage.UserAuthSuccess)), Open(0, 1000)]);
        yield return ("written-global", [Exchange, ExtInfo() with { Kind = StepKind.Client }, Client(new SshWriter().Byte(SshMessage.GlobalRequest).String("keepalive@openssh.com").Boolean(true)), Service, Client(interactive), Client(Request("none")), new(StepKind.Proof, [Credentials.ByKey])]);
    }

    private static IEnumerable<Step> SignedIn() => [Exchange, Service, new(StepKind.Proof, [Credentials.ByPassword])];

    private static IEnumerable<Step> Start(byte first) => [Exchange, Wait(first, 0)];

    private static IEnumerable<Step> Forwards() =>
    [
        Client(new SshWriter().Byte(SshMessage.ChannelOpen).String("direct-tcpip").UInt32(0).UInt32(1000).UInt32(32768).Raw(new TcpIpOpen("localhost", 80, "127.0.0.1", 1).Encode())),
        Client(new SshWriter().Byte(SshMessage.ChannelOpen).String("direct-streamlocal@openssh.com").UInt32(1).UInt32(1000).UInt32(32768).Raw(new StreamLocalOpen("/run/x").Encode())),
        Open(2, 1000), Open(3, 0), .. Talk(0), .. Talk(1),
    ];

    private static IEnumerable<Step> Globals() =>
    [
        Client(new SshWriter().Byte(SshMessage.GlobalRequest).String("tcpip-forward").Boolean(true).Raw(new TcpIpForwardRequest("", 0).Encode())),
        Client(new SshWriter().Byte(SshMessage.GlobalRequest).String("hostkeys-prove-00@openssh.com").Boolean(true).String("x")),
        Client(new SshWriter().Byte(SshMessage.GlobalRequest).String("no-more-sessions@openssh.com").Boolean(false)),
        Client(new SshWriter().Byte(SshMessage.Ping).String("x")), Open(9, 1000),
    ];

    private static IEnumerable<Step> Talk(uint id) =>
    [
        Client(new SshWriter().Byte(SshMessage.ChannelRequest).UInt32(id).String("exec").Boolean(true).String("cat")),
        Client(new SshWriter().Byte(SshMessage.ChannelData).UInt32(id).String("hello")),
        Client(new SshWriter().Byte(SshMessage.ChannelExtendedData).UInt32(id).UInt32(1).String("error")),
        Client(new SshWriter().Byte(SshMessage.ChannelWindowAdjust).UInt32(id).UInt32(5000)),
        Message(SshMessage.ChannelEof, id), Message(SshMessage.ChannelClose, id),
    ];

    private static IEnumerable<Step> ServerTalk() =>
    [
        Server(Number(SshMessage.ChannelWindowAdjust).UInt32(100)), Server(Number(SshMessage.ChannelData).String("hello")), Server(Number(SshMessage.ChannelExtendedData).UInt32(1).String("error")),
        Server(Number(SshMessage.ChannelRequest).String("exit-signal").Boolean(false).Raw(new ExitSignalRequest("TERM", false, "x").Encode())), Server(Number(SshMessage.ChannelEof)), Server(Number(SshMessage.ChannelClose)),
        Server(new SshWriter().Byte(SshMessage.ChannelOpen).String("forwarded-tcpip").UInt32(0).UInt32(1000).UInt32(32768)), Server(new SshWriter().Byte(SshMessage.GlobalRequest).String("hostkeys-00@openssh.com").Boolean(true).String("x")),
    ];

    private static IEnumerable<Step> Transport(StepKind kind) =>
    [
        new(kind, [SshMessage.Ignore, 0, 0, 0, 1, 65]), new(kind, [SshMessage.Debug, 1, 0, 0, 0, 1, 65, 0, 0, 0, 0]), new(kind, [SshMessage.Unimplemented, 0, 0, 0, 3]), new(kind, [200, 1]),
        new(kind, [SshMessage.NewKeys]), new(kind, [.. KexInit.Create(new AlgorithmOffer { HostKeys = ["ssh-ed25519"] }, kind == StepKind.Client ? Side.Client : Side.Server).Payload]),
        new(kind, [.. new SshWriter().Byte(SshMessage.Disconnect).UInt32(11).String("bye").String("").Written.Span]),
    ];

    private static IEnumerable<byte[]> Headers()
    {
        byte[] signature = [.. "\r\n\r\n\0\r\nQUIT\n"u8];
        yield return [.. signature, 0x21, 0x11, 0, 12, 10, 0, 0, 1, 10, 0, 0, 2, 0, 1, 0, 22, .. "SSH-2.0-x\r\n"u8];
        yield return [.. signature, 0x21, 0x21, 0, 36, .. new byte[10], 0xFF, 0xFF, 10, 0, 0, 1, .. new byte[20], 1, 2];
        yield return [.. signature, 0x21, 0x21, 0, 43, 0x20, 1, .. new byte[34], 3, 0, 4, 1, 2, 3, 4, 9];
        yield return [.. signature, 0x20, 0, 0, 0, 1];
        yield return [.. signature, 0x21, 0, 0, 3, 1, 2, 3];
    }

    private static IEnumerable<SshWriter> Payloads() =>
    [
        new SshWriter().Raw(new PtyRequest("xterm", new WindowSize(80, 24, 0, 0), [new TerminalMode(1, 3)]).Encode()), new SshWriter().Raw(new WindowSize(1, 2, 3, 4).Encode()), new SshWriter().Raw(new EnvironmentRequest("A", "b").Encode()),
        new SshWriter().Raw(new SignalRequest("TERM").Encode()), new SshWriter().Raw(new BreakRequest(500).Encode()), new SshWriter().Raw(new ExitStatusRequest(3).Encode()), new SshWriter().Raw(new ExitSignalRequest("KILL", true, "x").Encode()),
        new SshWriter().Raw(new TcpIpOpen("localhost", 80, "127.0.0.1", 1).Encode()), new SshWriter().Raw(new StreamLocalOpen("/run/x").Encode()), new SshWriter().Raw(new TcpIpForwardRequest("::", 0).Encode()),
        new SshWriter().Raw(ExtensionInfo.OfServer.AsSpan(1)), new SshWriter().Raw(ExtensionInfo.OfClient.AsSpan(1)),
    ];

    private static Step Open(uint id, uint window) => Client(new SshWriter().Byte(SshMessage.ChannelOpen).String("session").UInt32(id).UInt32(window).UInt32(32768));

    private static Step Message(byte number, uint id) => Client(new SshWriter().Byte(number).UInt32(id));

    private static SshWriter Number(byte number) => new SshWriter().Byte(number).UInt32(0);

    private static SshWriter Request(string method) => new SshWriter().Byte(SshMessage.UserAuthRequest).String(Credentials.User).String("ssh-connection").String(method);

    private static Step Accepted() => Server(new SshWriter().Byte(SshMessage.ServiceAccept).String("ssh-userauth"));

    private static Step Methods(string names) => Server(new SshWriter().Byte(SshMessage.UserAuthFailure).String(names).Boolean(false));

    private static Step Prompts(uint count)
    {
        var prompts = new SshWriter().Byte(SshMessage.UserAuthMethod).String("").String("").String("").UInt32(count);
        return Server(count == 0 ? prompts : prompts.String("Word: ").Boolean(false));
    }

    private static Step ExtInfo() => Server(new SshWriter().Raw(ExtensionInfo.OfServer));

    private static Step Confirmed() => Server(new SshWriter().Byte(SshMessage.ChannelOpenConfirmation).UInt32(0).UInt32(0).UInt32(500).UInt32(32768));

    private static Step Success() => Server(new SshWriter().Byte(SshMessage.UserAuthSuccess));

    private static Step Wait(byte forWhat, byte after) => new(StepKind.Wait, [forWhat, after]);

    private static Step Client(SshWriter message) => new(StepKind.Client, message.Written.ToArray());

    private static Step Server(SshWriter message) => new(StepKind.Server, message.Written.ToArray());
}

/// <summary>The same for protocols of files.</summary>
internal static class WrittenFiles
{
    private static readonly string[] TwoPaths = ["posix-rename@openssh.com", "hardlink@openssh.com"];

    private static readonly string[] OnePath = ["statvfs@openssh.com", "expand-path@openssh.com", "home-directory"];

    public static IEnumerable<(string Name, IReadOnlyList<Step> Steps)> Sftp()
    {
        var writer = new SftpWriter();
        Step Client(SftpWriter message) => new(StepKind.Client, message.End().ToArray());
        Step Server(SftpWriter message) => new(StepKind.Server, message.End().ToArray());
        Step Status(uint id, SftpStatus status) => new(StepKind.Server, writer.Status(id, status, "word").ToArray());
        var names = new SftpAttributes { Permissions = 420, Size = 3, Times = new(1, 2) };
        Step[] begun = [Client(writer.BeginVersion(SftpType.Init, 3)), Server(writer.BeginVersion(SftpType.Version, 3).String("fsync@openssh.com").String("1").String("limits@openssh.com").String("1").String("other").String("1"))];
        Step[] opened = [.. begun, Client(writer.Begin(SftpType.Open, 1).String("a").UInt32(0x1B).Attributes(names)), Server(writer.Begin(SftpType.Handle, 1).String("\0\0\0\0\0\0\0\0"u8))];
        Step[] directory = [.. begun, Client(writer.Begin(SftpType.OpenDirectory, 1).String("dir")), Server(writer.Begin(SftpType.Handle, 1).String("\0\0\0\0\0\0\0\0"u8))];
        yield return ("written-content",
        [
            .. opened, Client(writer.Begin(SftpType.Write, 2).String("\0\0\0\0\0\0\0\0"u8).UInt64(0).String(new byte[100])), Status(2, SftpStatus.Ok), Client(writer.Begin(SftpType.Read, 3).String("\0\0\0\0\0\0\0\0"u8).UInt64(0).UInt32(60)),
            Server(writer.Begin(SftpType.Data, 3).String(new byte[60])), Client(writer.Begin(SftpType.FStat, 4).String("\0\0\0\0\0\0\0\0"u8)), Server(writer.Begin(SftpType.Attributes, 4).Attributes(names)),
            Client(writer.Begin(SftpType.FSetStat, 5).String("\0\0\0\0\0\0\0\0"u8).Attributes(names)), Status(5, SftpStatus.Ok), Client(writer.Begin(SftpType.Extended, 6).String("fsync@openssh.com").String("\0\0\0\0\0\0\0\0"u8)), Status(6, SftpStatus.Ok),
            Client(writer.Begin(SftpType.Extended, 7).String("fstatvfs@openssh.com").String("\0\0\0\0\0\0\0\0"u8)), Server(writer.Begin(SftpType.ExtendedReply, 7).String(new byte[84])), Client(writer.Begin(SftpType.Close, 8).String("\0\0\0\0\0\0\0\0"u8)), Status(8, SftpStatus.Ok),
        ]);
        yield return ("written-names",
        [
            .. directory, Client(writer.Begin(SftpType.ReadDirectory, 2).String("\0\0\0\0\0\0\0\0"u8)), Server(writer.Begin(SftpType.Name, 2).UInt32(2).String("a").String("-rw a").Attributes(names).String("b").String("b").Attributes(default)),
            new(StepKind.Permissions, [4]), Client(writer.Begin(SftpType.ReadDirectory, 3).String("\0\0\0\0\0\0\0\0"u8)), Status(3, SftpStatus.EndOfFile), Client(writer.Begin(SftpType.Close, 4).String("\0\0\0\0\0\0\0\0"u8)), Status(4, SftpStatus.Ok),
        ]);
        yield return ("written-paths",
        [
            .. begun, .. new[] { SftpType.LStat, SftpType.Stat, SftpType.Remove, SftpType.RemoveDirectory, SftpType.RealPath, SftpType.ReadLink }.Select((type, number) => Client(writer.Begin(type, (uint)number).String("link"))),
            Client(writer.Begin(SftpType.MakeDirectory, 10).String("d").Attributes(names)), Client(writer.Begin(SftpType.SetStat, 11).String("a").Attributes(names)), Client(writer.Begin(SftpType.Rename, 12).String("a").String("b")),
            Client(writer.Begin(SftpType.SymbolicLink, 13).String("b").String("l")), Status(0, SftpStatus.NoSuchFile), Status(12, SftpStatus.Ok), Server(writer.Begin(SftpType.Name, 4).UInt32(1).String("/x").String("/x").Attributes(default)), Server(writer.Begin(SftpType.Attributes, 1).Attributes(names)),
        ]);
        yield return ("written-extensions",
        [
            .. begun, .. TwoPaths.Select((name, number) => Client(writer.Begin(SftpType.Extended, (uint)number).String(name).String("a").String("b"))),
            .. OnePath.Select((name, number) => Client(writer.Begin(SftpType.Extended, 10 + (uint)number).String(name).String("a"))),
            Client(writer.Begin(SftpType.Extended, 20).String("limits@openssh.com")), Server(writer.Begin(SftpType.ExtendedReply, 20).UInt64(1 << 20).UInt64(0).UInt64(1 << 20).UInt64(7)), Client(writer.Begin(SftpType.Extended, 21).String("lsetstat@openssh.com").String("a").Attributes(names)),
            Client(writer.Begin(SftpType.Extended, 22).String("users-groups-by-id@openssh.com").String(new byte[4]).String(new byte[4])), Client(writer.Begin(SftpType.Extended, 23).String("copy-data").String("h").UInt64(0).UInt64(9).String("h").UInt64(0)), Client(writer.Begin(SftpType.Extended, 24).String("other").String("x")),
            new(StepKind.Permissions, [0]), Server(writer.Begin(SftpType.ExtendedReply, 10).String(new byte[84])), Server(writer.Begin(SftpType.Name, 11).UInt32(1).String("/x").String("/x").Attributes(default)), Status(0, SftpStatus.Ok), Status(21, SftpStatus.Ok),
        ]);
    }

    public static IEnumerable<(string Name, IReadOnlyList<Step> Steps)> Scp()
    {
        Step Raw(string text) => new(StepKind.Raw, Encoding.UTF8.GetBytes(text));
        Step Client(string text) => new(StepKind.Client, Encoding.UTF8.GetBytes(text));
        Step Server(string text) => new(StepKind.Server, Encoding.UTF8.GetBytes(text));
        yield return ("written-to", [Raw("scp -p -t x"), Server("\0"), Client("T1 0 2 0\n"), Server("\0"), Client("C0644 5 a b\n"), Server("\0"), Client("hello\0"), Server("\0"), Client("C0600 0 c\n"), Server("\0"), Client("\0"), Server("\u0001no space\n")]);
        yield return ("written-tree-to", [Raw("scp -r -d -t x"), Server("\0"), Client("D0755 0 d\n"), Server("\0"), Client("C0644 1 e\n"), Server("\0"), Client("x\0"), Server("\0"), Client("E\n"), Server("\0"), Client("\u0002enough\n")]);
        yield return ("written-from", [Raw("scp -r -f x"), Client("\0"), Server("D0755 0 d\n"), Client("\0"), Server("C0644 5 a\n"), Client("\0"), Server("hello\0"), Client("\0"), Server("\u0001cannot read\n"), Server("E\n"), Client("\0")]);
    }
}
