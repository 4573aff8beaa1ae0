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

        return Ask(around, prompt);
    }

    /// <summary>One that somebody chooses for themselves, typed twice: what was mistyped would let nobody in. The caller disposes it.</summary>
    public static Answer<Secret> Choose(Surroundings around)
    {
        if (!Ask(around, "New password: ").TryGet(out var chosen, out var failure)) return failure;
        using var again = around.AskSecret("Once more: ");
        if (again is not null && again.Expose().SequenceEqual(chosen.Expose())) return chosen;
        chosen.Dispose();
        return new Failure(ExitCode.Usage, "The two are not the same.", "Nothing has changed; try again.");
    }

    private static Answer<Secret> Ask(Surroundings around, string prompt)
    {
        if (!around.CanAsk) return new Failure(ExitCode.Usage, "Nobody can be asked for the password here.", "Run it on a terminal, or with --password-stdin.");
        return around.AskSecret(prompt) is { Length: > 0 } secret ? secret : new Failure(ExitCode.Usage, "No password was given.");
    }
}
