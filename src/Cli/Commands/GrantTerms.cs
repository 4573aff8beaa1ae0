using System.CommandLine;
using Countersign.Cli.Api;
using Countersign.Cli.Shown;

namespace Countersign.Cli.Commands;

/// <summary>With which accounts and when a grant holds: as options, and in words. What is null is not spoken of.</summary>
internal sealed record GrantTerms(GrantAccounts? Accounts, GrantWindow? Window)
{
    public static string Text(GrantAccounts? accounts) => accounts?.Rule switch
    {
        "named" => string.Join(", ", accounts.Names ?? []),
        var rule => Output.Words(rule),
    };

    public static string Text(GrantWindow? window, Output output)
    {
        var parts = new List<string>();
        if (window?.From is { } from) parts.Add($"from {output.Time(from)}");
        if (window?.To is { } to) parts.Add($"to {output.Time(to)}");
        var limits = string.Join(' ', parts);
        return string.Join("; ", new[] { limits, window?.Hours ?? "" }.Where(part => part.Length > 0)) is { Length: > 0 } text ? text : "always";
    }
}

internal sealed class GrantTermOptions
{
    private const string None = "none";
    private const string Always = "always";

    private readonly TimeProvider _time;
    private readonly Option<string[]> _account = new("--account") { Description = "With this account in place of the devices' default one. Repeatable.", HelpName = "ACCOUNT" };
    private readonly Option<string[]> _added = new("--add-account") { Description = "With this account, too; in place of the default one, or of any. Repeatable.", HelpName = "ACCOUNT" };
    private readonly Option<string[]> _removed = new("--remove-account") { Description = "Not with this account any more. Repeatable.", HelpName = "ACCOUNT" };
    private readonly Option<bool> _any = new("--any-account") { Description = "With every account of the devices." };
    private readonly Option<bool> _default = new("--default-account") { Description = "With the devices' default account only." };
    private readonly Option<string?> _from = new("--from") { Description = $"When it begins. {InstantText.Help}", HelpName = "TIME" };
    private readonly Option<string?> _to = new("--to") { Description = "When it ends; this instant is not included.", HelpName = "TIME" };
    private readonly Option<string?> _hours = new("--hours") { Description = "Hours of the week in a zone, such as \"Europe/Berlin; Mon-Fri 08:00-18:00; Sat 10:00-14:00\".", HelpName = "HOURS" };

    public GrantTermOptions(CommonOptions common) => _time = common.Around.Time;

    public void ForAddition(Command command)
    {
        foreach (var option in (Option[])[_account, _any, _from, _to, _hours]) command.Add(option);
        command.AtMostOneOf(_account, _any);
        CheckTimes(command, none: false);
    }

    /// <returns>All that it has added.</returns>
    public Option[] ForEdit(Command command)
    {
        Option[] options = [_added, _removed, _any, _default, _from, _to, _hours];
        foreach (var option in options) command.Add(option);
        foreach (var limit in (Option[])[_from, _to]) limit.Description += $" {None}: there is no such limit.";
        _hours.Description += $" {Always}: at all hours.";
        command.AtMostOneOf(_added, _any, _default);
        command.AtMostOneOf(_removed, _any, _default);
        CheckTimes(command, none: true);
        return options;
    }

    /// <param name="now">What holds until now; null: there is nothing yet.</param>
    public Answer<GrantTerms> Read(ParseResult parsed, Grant? now)
    {
        var (from, to, hours) = (parsed.GetValue(_from), parsed.GetValue(_to), parsed.GetValue(_hours));
        var window = from is null && to is null && hours is null
            ? null
            : new GrantWindow(Instant(from, now?.Window?.From), Instant(to, now?.Window?.To), hours == Always ? "" : hours ?? now?.Window?.Hours ?? "");
        if (parsed.GetValue(_any)) return new GrantTerms(new("any", null), window);
        if (parsed.GetValue(_default)) return new GrantTerms(new("default", null), window);
        string[] added = [.. parsed.GetValue(_account) ?? [], .. parsed.GetValue(_added) ?? []];
        var removed = parsed.GetValue(_removed) ?? [];
        if (added.Length + removed.Length == 0) return new GrantTerms(null, window);
        var names = (now?.Accounts is { Rule: "named", Names: { } named } ? named : []).Union(added).Except(removed).ToList();
        return names.Count > 0
            ? new GrantTerms(new("named", names), window)
            : new Failure(ExitCode.Usage, "No account would be named any more.", "Say which with --add-account, or --default-account, or --any-account.");
    }

    /// <summary>A text has been checked before.</summary>
    private DateTimeOffset? Instant(string? text, DateTimeOffset? now)
    {
        if (text is null) return now;
        return InstantText.TryRead(text == None ? null : text, _time, out var instant) ? instant : null;
    }

    private void CheckTimes(Command command, bool none) => command.Validators.Add(result =>
    {
        foreach (var option in (Option<string?>[])[_from, _to])
        {
            if (result.GetValue(option) is not { } text || (none && text == None) || InstantText.TryRead(text, _time, out _)) continue;
            result.AddError($"\"{text}\" is no time for {option.Name}. {InstantText.Help}");
        }
    });
}
