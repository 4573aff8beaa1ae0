using Countersign.Sessions.Relay;
using Countersign.Ssh;

namespace Countersign.Sessions.Tests;

public sealed class TunnelTargetTests
{
    [Theory]
    [InlineData("db.example.org", 5432u, "db.example.org:5432")]
    [InlineData("::1", 22u, "[::1]:22")]
    public void A_host_and_port_are_passed_on_without_the_client_s_own_side(string host, uint port, string text)
    {
        var extra = new SshWriter().String(host).UInt32(port).String("10.1.2.3").UInt32(4711).Written;
        TunnelTarget.TryParse("direct-tcpip", extra.Span, out var target).ShouldBeTrue();
        target!.Text.ShouldBe(text);
        target.Extra.ToArray().ShouldBe(new SshWriter().String(host).UInt32(port).String("127.0.0.1").UInt32(0).Written.ToArray());
    }

    [Fact]
    public void A_socket_is_passed_on()
    {
        TunnelTarget.TryParse("direct-streamlocal@openssh.com", new SshWriter().String("/run/s").String("x").UInt32(1).Written.Span, out var target).ShouldBeTrue();
        target!.Text.ShouldBe("/run/s");
    }

    [Fact]
    public void What_can_t_be_read_or_written_down_is_none()
    {
        foreach (var (host, port) in new[] { ("", 22u), ("a\u001b[2J", 22u), ("a\n", 22u), (new string('a', 254), 22u), ("a", 0u), ("a", 65536u) })
            TunnelTarget.TryParse("direct-tcpip", new SshWriter().String(host).UInt32(port).String("").UInt32(0).Written.Span, out _).ShouldBeFalse();
        var whole = new SshWriter().String("a").UInt32(22).String("b").UInt32(1).Written.ToArray();
        for (var length = 0; length < whole.Length; length++) TunnelTarget.TryParse("direct-tcpip", whole.AsSpan(0, length), out _).ShouldBeFalse();
        TunnelTarget.TryParse("direct-tcpip", [.. whole, 0], out _).ShouldBeFalse();
        TunnelTarget.TryParse("direct-streamlocal@openssh.com", new SshWriter().String(new string('a', 108)).String("").UInt32(0).Written.Span, out _).ShouldBeFalse();
        TunnelTarget.TryParse("forwarded-tcpip", whole, out _).ShouldBeFalse();
    }
}
