namespace Countersign.Server.Platform;

/// <summary>
/// Where code goes on that has waited for a socket: on the thread that was told by the system, and not on one of the pool that has to be woken for it. A relay waits for
/// a socket for every key that is typed. See docs/decisions/0018-sockets-go-on-where-they-are-told.md.
/// </summary>
internal static class SocketThreads
{
    /// <summary>The runtime's switch, which it reads with the process's first socket. It is handed down to programs that this one starts.</summary>
    public const string Variable = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    /// <summary>Before the first socket; unless whoever started the process has chosen.</summary>
    public static void GoOnInline()
    {
        if (Environment.GetEnvironmentVariable(Variable) is null) Environment.SetEnvironmentVariable(Variable, "1");
    }
}
