using Countersign.Agent.Processes;
using Countersign.Ssh;

namespace Countersign.Agent.Serving;

/// <summary>How a client is told that its program has ended (RFC 4254 section 6.10).</summary>
internal static class ExitRequests
{
    public static void SendExitStatus(this SshChannel channel, uint code) =>
        channel.SendRequest("exit-status", new SshWriter().UInt32(code).Written.Span);

    public static void SendExit(this SshChannel channel, ExitStatus status)
    {
        if (status.Signal == 0) channel.SendExitStatus((uint)status.Code);
        else channel.SendRequest("exit-signal", new SshWriter().String(Signals.Name(status.Signal)).Boolean(status.CoreDumped).String("").String("").Written.Span);
    }
}
