using Countersign.Agent.Processes;
using Countersign.Ssh;

namespace Countersign.Agent.Serving;

/// <summary>How a client is told that its program has ended (RFC 4254 section 6.10).</summary>
internal static class ExitRequests
{
    public static void SendExitStatus(this SshChannel channel, uint code) => channel.SendRequest(SessionRequests.ExitStatus, new ExitStatusRequest(code).Encode());

    public static void SendExit(this SshChannel channel, ExitStatus status)
    {
        if (status.Signal == 0) channel.SendExitStatus((uint)status.Code);
        else channel.SendRequest(SessionRequests.ExitSignal, new ExitSignalRequest(Signals.Name(status.Signal), status.CoreDumped, "").Encode());
    }
}
