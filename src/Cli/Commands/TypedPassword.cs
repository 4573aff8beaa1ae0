using Countersign.Ssh;

namespace Countersign.Cli.Commands;

/// <summary>A password that is given to somebody or something: typed, or the first line of the standard input.</summary>
internal static class TypedPassword
{
    /// <summary>The caller disposes it.</summary>
    public static Answer<Secret> Read(Surroundings around, bool fromInput, string prompt)
    {
        if (fromInput)
        {
            return around.Input.ReadLine() is { Length: > 0 } line
                ? Secret.FromText(line)
                : new Failure(ExitCode.Usage, "The standard input has no first line.", "Write the password there.");
        }

        if (!around.CanAsk) return new Failure(ExitCode.Usage, "Nobody can be asked for the password here.", "Run it on a terminal, or with --password-stdin.");
        return around.AskSecret(prompt) is { Length: > 0 } secret ? secret : new Failure(ExitCode.Usage, "No password was given.");
    }
}
