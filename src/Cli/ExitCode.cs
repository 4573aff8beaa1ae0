namespace Countersign.Cli;

/// <summary>What scripts rely on: these numbers don't change. docs/cli.md tells them.</summary>
public static class ExitCode
{
    public const int Ok = 0;

    /// <summary>The server refused, or it or this command failed.</summary>
    public const int Refused = 1;

    /// <summary>The command line is wrong.</summary>
    public const int Usage = 2;

    /// <summary>There is no token for the server, or it is not valid any more.</summary>
    public const int NotSignedIn = 3;

    /// <summary>It is not there, or not for the caller to know of.</summary>
    public const int NotFound = 4;

    /// <summary>No connection to the server, or no answer in time.</summary>
    public const int Unreachable = 5;

    /// <summary>Ctrl+C, in a command that puts the terminal in order before it ends.</summary>
    public const int Interrupted = 130;
}
