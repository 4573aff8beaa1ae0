using System.CommandLine;
using System.Globalization;
using Countersign.Cli.Api;
using Countersign.Cli.Shown;

namespace Countersign.Cli.Commands;

/// <summary>How policy came to be what it is, and the way back.</summary>
internal static class PolicyCommand
{
    public static Command Create(CommonOptions common) => new DocumentedCommand(
        "policy",
        "The changes of policy: who changed what, and how to undo it.",
        "countersign policy changes",
        "countersign policy undo 42")
    {
        CreateChanges(common),
        CreateUndo(common),
    };

    private static DocumentedCommand CreateChanges(CommonOptions common)
    {
        var paging = new Paging();
        var command = new DocumentedCommand(
            "changes",
            "Lists the changes of policy, the newest first. For master administrators and auditors.",
            "countersign policy changes --limit 20",
            "countersign policy changes --json | jq -r '.items[0].id'")
        {
            paging.Limit,
            paging.Cursor,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var output = common.OutputFor(parsed);
            if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
            using var client = api;
            if (!(await client.GetAsync($"changes?{paging.Query(parsed)}", ApiJson.Default.PolicyChangePage, cancellation)).TryGet(out var reply, out failure)) return output.Fail(failure);
            if (output.IsJson)
            {
                output.Json(reply.Json);
                return ExitCode.Ok;
            }

            output.Table(["CHANGE", "AT", "WHO", "WHAT"], (reply.Value.Items ?? []).Select(change => new[]
            {
                change.Id?.ToString(CultureInfo.InvariantCulture) ?? "",
                output.Time(change.At),
                change.Login ?? "",
                change.Summary ?? "",
            }));
            Paging.NoteMore(output, reply.Value.Next);
            return ExitCode.Ok;
        });
        return command;
    }

    private static DocumentedCommand CreateUndo(CommonOptions common)
    {
        var number = new Argument<long>("CHANGE")
        {
            Description = "Its number, as \"countersign policy changes\" shows it.",
            CustomParser = result =>
            {
                if (long.TryParse(result.Tokens[0].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value > 0) return value;
                result.AddError($"\"{result.Tokens[0].Value}\" is not the number of a change.");
                return default;
            },
        };
        var preview = new Option<bool>("--preview") { Description = "Only show what it would do." };
        var command = new DocumentedCommand(
            "undo",
            "Puts everything back as it was before a change, unless it was changed since. Undoing is a change, too, and can be undone.",
            "countersign policy undo 42 --preview",
            "countersign policy undo 42")
        {
            number,
            preview,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var output = common.OutputFor(parsed);
            if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
            using var client = api;
            var onlyShown = parsed.GetValue(preview);
            var path = string.Create(CultureInfo.InvariantCulture, $"changes/{parsed.GetValue(number)}/undo{(onlyShown ? "?preview=true" : "")}");
            if (!(await client.PostAsync(path, cancellation)).TryGet(out var json, out failure)) return output.Fail(failure);
            if (output.IsJson)
            {
                output.Json(json);
                return ExitCode.Ok;
            }

            var undone = System.Text.Json.JsonSerializer.Deserialize(json, ApiJson.Default.UndoneChange);
            output.Line(undone?.Summary ?? "");
            foreach (var row in undone?.Rows ?? []) output.Line($"  - {Output.Words(row.Fate)}: {Output.Words(row.Table)} {row.Id} {row.Part}".TrimEnd());
            foreach (var effect in undone?.Effects ?? []) Show(output, effect);
            foreach (var row in undone?.Left ?? []) output.Note($"Left as it is, since it was changed meanwhile: {Output.Words(row.Table)} {row.Id} {row.Part}".TrimEnd());
            if (undone?.Complete == false) output.Note("It means more than is told here.");
            if (onlyShown) output.Note("Nothing was changed.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static void Show(Output output, PreviewedEffect effect)
    {
        var where = effect.Section is null ? Some(effect.Devices, effect.DeviceCount) : $"the section {Output.Words(effect.Section)}";
        output.Line($"  {Some(effect.People, effect.PeopleCount)} on {where}:");
        foreach (var gained in effect.Gained ?? []) output.Line($"    + {string.Join(", ", gained.Permissions ?? [])} (accounts: {gained.Accounts})");
        foreach (var lost in effect.Lost ?? []) output.Line($"    - {string.Join(", ", lost.Permissions ?? [])} (accounts: {lost.Accounts})");
        foreach (var restriction in effect.Restrictions ?? []) output.Line($"    {Output.Words(restriction.Kind)}: {Or(restriction.Before)} -> {Or(restriction.After)}");
    }

    private static string Or(string? value) => string.IsNullOrEmpty(value) ? "none" : value;

    private static string Some(IReadOnlyList<string>? names, int? count)
    {
        const int Shown = 5;
        var shown = string.Join(", ", (names ?? []).Take(Shown));
        return count > Shown ? $"{shown} and {count - Shown} more" : shown;
    }
}
