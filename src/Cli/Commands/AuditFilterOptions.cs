using System.CommandLine;
using System.Globalization;

namespace Countersign.Cli.Commands;

/// <summary>Which records of the log are meant; all that is given counts.</summary>
internal sealed class AuditFilterOptions
{
    private readonly Option<Guid?> _person = Id("--person", "By or about this person.");
    private readonly Option<Guid?> _device = Id("--device", "About this device.");
    private readonly Option<string?> _kind = new("--kind") { Description = "Of this kind, such as session.began, or all that begin with it, such as session.", HelpName = "KIND" };
    private readonly Option<string?> _outcome = new("--outcome") { Description = "done, refused or failed.", HelpName = "OUTCOME" };
    private readonly Option<DateTimeOffset?> _from = new("--from") { Description = "Not earlier, such as 2026-11-21T12:00Z.", HelpName = "TIME" };
    private readonly Option<DateTimeOffset?> _to = new("--to") { Description = "Earlier than this.", HelpName = "TIME" };

    public AuditFilterOptions() => _outcome.AcceptOnlyFromAmong("done", "refused", "failed");

    public IEnumerable<Option> All => [_person, _device, _kind, _outcome, _from, _to];

    public static Option<Guid?> Id(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "ID",
        CustomParser = result =>
        {
            if (Guid.TryParseExact(result.Tokens[0].Value, "D", out var id)) return id;
            result.AddError($"\"{result.Tokens[0].Value}\" is not an ID.");
            return null;
        },
    };

    /// <summary>For a query that has parameters already: each with an ampersand in front.</summary>
    public string Query(ParseResult parsed)
    {
        var given = new (string Name, string? Value)[]
        {
            ("person", parsed.GetValue(_person)?.ToString()),
            ("device", parsed.GetValue(_device)?.ToString()),
            ("kind", parsed.GetValue(_kind)),
            ("outcome", parsed.GetValue(_outcome)),
            ("from", parsed.GetValue(_from)?.ToString("O", CultureInfo.InvariantCulture)),
            ("to", parsed.GetValue(_to)?.ToString("O", CultureInfo.InvariantCulture)),
        };
        return string.Concat(given.Where(one => one.Value is not null).Select(one => $"&{one.Name}={Uri.EscapeDataString(one.Value!)}"));
    }
}
