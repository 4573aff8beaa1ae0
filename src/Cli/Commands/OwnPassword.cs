using Countersign.Ssh;

namespace Countersign.Cli.Commands;

/// <summary>The caller's own password, for what a token alone is not enough for.</summary>
internal static class OwnPassword
{
    /// <summary>Asks for it on the terminal. The caller disposes it.</summary>
    public static Answer<Secret> Ask(Surroundings around) =>
        !around.CanAsk ? new Failure(ExitCode.Usage, "Nobody can be asked for the password here.", "Run it on a terminal.")
        : around.AskSecret("Password: ") is { Length: > 0 } password ? password
        : new Failure(ExitCode.Usage, "No password was given.");
}
