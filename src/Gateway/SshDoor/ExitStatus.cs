namespace Countersign.Gateway.SshDoor;

/// <summary>What <c>ssh</c> exits with when the gateway, and not the program at the device, ends a session: the numbers of sysexits.h.</summary>
internal static class ExitStatus
{
    /// <summary>EX_USAGE: no device was named.</summary>
    public const int Usage = 64;

    /// <summary>EX_UNAVAILABLE: the device can't be reached, or the connection to it was lost.</summary>
    public const int Unreachable = 69;

    /// <summary>EX_SOFTWARE.</summary>
    public const int Internal = 70;

    /// <summary>What a shell shows for a program that Ctrl-C ended: 128 + SIGINT.</summary>
    public const int Interrupted = 130;

    /// <summary>EX_NOPERM: not allowed, or not any more.</summary>
    public const int Refused = 77;
}
