namespace Countersign.Ssh.Tests;

public sealed class SessionRequestTests
{
    [Fact]
    public void Every_request_is_read_back_as_it_was_built_and_no_cut_of_it_is()
    {
        var pty = new PtyRequest("xterm-256color", new WindowSize(80, 24, 640, 480), [new TerminalMode(3, 127), new TerminalMode(53, 1)]);
        PtyRequest.TryParse(pty.Encode(), out var read).ShouldBeTrue();
        (read.Term, read.Size).ShouldBe((pty.Term, pty.Size));
        read.Modes.ShouldBe(pty.Modes);
        EveryCutFails(pty.Encode(), cut => PtyRequest.TryParse(cut, out _));

        Check(new WindowSize(1, 2, 3, 4), size => size.Encode(), bytes => (WindowSize.TryParse(bytes, out var value), value));
        Check(new EnvironmentRequest("LANG", "C.UTF-8"), r => r.Encode(), bytes => (EnvironmentRequest.TryParse(bytes, out var value), value));
        Check(new ExecRequest("ls -l"), r => r.Encode(), bytes => (ExecRequest.TryParse(bytes, out var value), value));
        Check(new SubsystemRequest("sftp"), r => r.Encode(), bytes => (SubsystemRequest.TryParse(bytes, out var value), value));
        Check(new SignalRequest("TERM"), r => r.Encode(), bytes => (SignalRequest.TryParse(bytes, out var value), value));
        Check(new BreakRequest(500), r => r.Encode(), bytes => (BreakRequest.TryParse(bytes, out var value), value));
        Check(new ExitStatusRequest(255), r => r.Encode(), bytes => (ExitStatusRequest.TryParse(bytes, out var value), value));
        Check(new ExitSignalRequest("SEGV", true, "core"), r => r.Encode(), bytes => (ExitSignalRequest.TryParse(bytes, out var value), value));
    }

    [Theory]
    [InlineData(32_000, true)]
    [InlineData(32_001, false)]
    public void A_command_has_its_bound(int length, bool good) => ExecRequest.TryParse(new ExecRequest(new string('x', length)).Encode(), out _).ShouldBe(good);

    [Theory]
    [InlineData(64, 128, true)]
    [InlineData(65, 128, false)]
    [InlineData(64, 129, false)]
    public void A_terminal_has_its_bounds(int term, int modes, bool good)
    {
        var request = new PtyRequest(new string('x', term), default, [.. Enumerable.Range(0, modes).Select(i => new TerminalMode(1, (uint)i))]);
        PtyRequest.TryParse(request.Encode(), out _).ShouldBe(good);
    }

    [Fact]
    public void Terminal_modes_are_read_up_to_the_first_whose_form_is_not_known()
    {
        var payload = new SshWriter().String("vt100").UInt32(80).UInt32(24).UInt32(0).UInt32(0).String([1, 0, 0, 0, 3, 160, 1, 2]).Written.Span;
        PtyRequest.TryParse(payload, out var request).ShouldBeTrue();
        request.Modes.ShouldBe([new TerminalMode(1, 3)]);

        payload = new SshWriter().String("vt100").UInt32(80).UInt32(24).UInt32(0).UInt32(0).String([1, 0, 0]).Written.Span;
        PtyRequest.TryParse(payload, out _).ShouldBeFalse();
    }

    private static void Check<T>(T value, Func<T, byte[]> encode, Func<byte[], (bool, T?)> parse)
    {
        var bytes = encode(value);
        parse(bytes).ShouldBe((true, value));
        EveryCutFails(bytes, cut => parse(cut).Item1);
        parse([.. bytes, 0]).Item1.ShouldBeFalse();
    }

    private static void EveryCutFails(byte[] bytes, Func<byte[], bool> parse)
    {
        for (var length = 0; length < bytes.Length; length++) parse(bytes[..length]).ShouldBeFalse();
    }
}
