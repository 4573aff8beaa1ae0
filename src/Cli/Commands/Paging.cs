using System.CommandLine;
using System.Globalization;
using Countersign.Cli.Shown;

namespace Countersign.Cli.Commands;

/// <summary>The options of a list: how many, and from where on. One call of the API is one page, so that <c>--json</c> is exactly its answer.</summary>
internal sealed class Paging
{
    private const int Most = 1000;

    public Option<int> Limit { get; } = new("--limit")
    {
        Description = $"How many to show, 1 to {Most}.",
        HelpName = "N",
        DefaultValueFactory = _ => 100,
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit is >= 1 and <= Most) return limit;
            result.AddError($"--limit is a number from 1 to {Most}, and not \"{text}\".");
            return default;
        },
    };

    public Option<string?> Cursor { get; } = new("--cursor") { Description = "Go on where the page before ended: its \"next\".", HelpName = "NEXT" };

    /// <summary>For the end of a query that has parameters already, or that starts with <c>?</c>.</summary>
    public string Query(ParseResult parsed)
    {
        var limit = parsed.GetValue(Limit).ToString(CultureInfo.InvariantCulture);
        return parsed.GetValue(Cursor) is { } cursor ? $"limit={limit}&cursor={Uri.EscapeDataString(cursor)}" : $"limit={limit}";
    }

    /// <summary>Says when the page is not the end.</summary>
    public static void NoteMore(Output output, string? next)
    {
        if (!string.IsNullOrEmpty(next)) output.Note($"There are more: add --cursor {next}, or raise --limit.");
    }
}
