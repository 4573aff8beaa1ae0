using System.Diagnostics.CodeAnalysis;

namespace Countersign.Cli;

/// <summary>Why a command ends without doing what it was asked to.</summary>
/// <param name="ExitCode">One of <see cref="Cli.ExitCode"/>.</param>
/// <param name="Message">What is wrong. May hold the server's words: it is cleaned before it is shown.</param>
/// <param name="Advice">What to do about it.</param>
internal sealed record Failure(int ExitCode, string Message, string Advice = "")
{
    /// <summary>Each thing that is wrong, where there are several.</summary>
    public IReadOnlyList<string> Details { get; init; } = [];

    /// <summary>What the server said, word for word, where it was understood: for commands whose refusals are read by programs.</summary>
    public string? Json { get; init; }
}

/// <summary>A value, or why there is none. The default has neither and counts as failed.</summary>
internal readonly struct Answer<T>
    where T : notnull
{
    private static readonly Failure Nothing = new(ExitCode.Refused, "There is no answer.");

    private readonly T? _value;
    private readonly Failure? _failure;

    private Answer(T? value, Failure? failure)
    {
        _value = value;
        _failure = failure;
    }

    public bool TryGet([NotNullWhen(true)] out T? value, [NotNullWhen(false)] out Failure? failure)
    {
        value = _value;
        failure = _value is null ? _failure ?? Nothing : null;
        return failure is null;
    }

    public static implicit operator Answer<T>(T value) => new(value, null);

    public static implicit operator Answer<T>(Failure failure) => new(default, failure);
}
