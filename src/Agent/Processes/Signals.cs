namespace Countersign.Agent.Processes;

/// <summary>Signals by the names that SSH has for them (RFC 4254 section 6.10), with their numbers on Linux.</summary>
internal static class Signals
{
    public const int HangUp = 1, Kill = 9, Continue = 18;

    private static readonly (string Name, int Number)[] Known =
    [
        ("HUP", HangUp), ("INT", 2), ("QUIT", 3), ("ILL", 4), ("ABRT", 6), ("FPE", 8), ("KILL", Kill), ("USR1", 10), ("SEGV", 11), ("USR2", 12),
        ("PIPE", 13), ("ALRM", 14), ("TERM", 15),
    ];

    public static bool TryParse(string name, out int number)
    {
        number = Known.FirstOrDefault(signal => signal.Name == name).Number;
        return number != 0;
    }

    /// <summary>Signals that the standard has no name for are told as OpenSSH tells them.</summary>
    public static string Name(int number) => Known.FirstOrDefault(signal => signal.Number == number).Name ?? "SIG@openssh.com";
}
