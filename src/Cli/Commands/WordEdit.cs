using System.CommandLine;

namespace Countersign.Cli.Commands;

/// <summary>A list of words, edited by an option for those that come and one for those that go.</summary>
/// <param name="noun">What each of them is.</param>
/// <param name="same">Which words are the same one.</param>
internal sealed class WordEdit(string noun, string add, string addDescription, string remove, string removeDescription, StringComparer same)
{
    public Option<string[]> Added { get; } = new(add) { Description = addDescription, HelpName = noun.ToUpperInvariant() };

    public Option<string[]> Removed { get; } = new(remove) { Description = removeDescription, HelpName = noun.ToUpperInvariant() };

    public bool IsGiven(ParseResult parsed) => Come(parsed).Length + Go(parsed).Length > 0;

    /// <summary>Null: none.</summary>
    public Failure? Contradiction(ParseResult parsed) =>
        Come(parsed).Intersect(Go(parsed), same).FirstOrDefault() is { } both ? new(ExitCode.Usage, $"The {noun} {both} can't both come and go: {add} and {remove}.") : null;

    /// <param name="owner">Whose list it is.</param>
    /// <param name="words">As it is.</param>
    /// <returns>As it is to be. What is to go and is not there may be misspelt, and is refused.</returns>
    public Answer<IReadOnlyList<string>> Of(string? owner, IReadOnlyList<string> words, ParseResult parsed)
    {
        if (Go(parsed).Except(words, same).FirstOrDefault() is { } missing) return new Failure(ExitCode.Usage, $"{owner} has no {noun} {missing}.");
        return words.Except(Go(parsed), same).Concat(Come(parsed)).Distinct(same).ToList();
    }

    private string[] Come(ParseResult parsed) => parsed.GetValue(Added) ?? [];

    private string[] Go(ParseResult parsed) => parsed.GetValue(Removed) ?? [];
}
