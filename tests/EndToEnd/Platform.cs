using System.Runtime.CompilerServices;
using System.Runtime.Versioning;
using Countersign.Server.Platform;

// The clients and servers that these tests drive are Debian's.
[assembly: SupportedOSPlatform("linux")]

namespace Countersign.EndToEnd;

internal static class Platform
{
    /// <summary>The servers here run in the tests' own process, and are to wait for sockets as the program does.</summary>
    [ModuleInitializer]
    public static void Set() => SocketThreads.GoOnInline();
}
