using System.CommandLine;
using Countersign.Cli.Api;
using Countersign.Cli.Shown;

namespace Countersign.Cli.Commands;

/// <summary>Why somebody gets in, or does not: the engine's own reasons.</summary>
internal static class ExplainCommand
{
    public static Command Create(CommonOptions common)
    {
        var person = new Argument<string>("PERSON") { Description = "The person's login." };
        var device = new Argument<string>("DEVICE") { Description = "The device's name." };
        var permission = new Argument<string?>("PERMISSION") { Description = "Such as SendFiles. Otherwise: Terminal.", Arity = ArgumentArity.ZeroOrOne };
        var account = new Option<string?>("--account") { Description = "The account at the device, otherwise its default.", HelpName = "ACCOUNT" };
        var command = new DocumentedCommand(
            "explain",
            "Tells whether somebody gets in to a device, and why. Exit code 0 means that there is an answer, not that it is yes.",
            "countersign explain anna web1",
            "countersign explain anna web1 Terminal --account root",
            "countersign explain anna web1 --json | jq -r .decision")
        {
            person,
            device,
            permission,
            account,
        };
        command.SetAction((parsed, cancellation) =>
        {
            var path = $"explain?person={Escaped(parsed.GetRequiredValue(person))}&device={Escaped(parsed.GetRequiredValue(device))}"
                + Optional("permission", parsed.GetValue(permission)) + Optional("account", parsed.GetValue(account));
            return RunAsync(common, parsed, path, $"{parsed.GetRequiredValue(person)} on {parsed.GetRequiredValue(device)}", cancellation);
        });
        return command;
    }

    private static async Task<int> RunAsync(CommonOptions common, ParseResult parsed, string path, string about, CancellationToken cancellation)
    {
        var output = common.OutputFor(parsed);
        if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
        using var client = api;
        if (!(await client.GetAsync(path, ApiJson.Default.Explanation, cancellation)).TryGet(out var reply, out failure)) return output.Fail(failure);
        if (output.IsJson)
        {
            output.Json(reply.Json);
            return ExitCode.Ok;
        }

        var explanation = reply.Value;
        var reason = explanation.Decision != "denied" || explanation.Reason is null or "none" ? "" : $" ({Output.Words(explanation.Reason)})";
        var until = explanation.Until is { } end ? $" until {output.Time(end)}" : "";
        output.Line($"{about}: {Output.Words(explanation.Decision)}{reason}{until}");
        foreach (var line in explanation.Lines ?? [])
            output.Line($"  - {line.Text}");
        foreach (var change in explanation.Change ?? []) output.Line($"  To turn the answer: {change}");
        if (explanation.Permissions is { Count: > 0 } permissions) output.Line($"  Permissions: {string.Join(", ", permissions)}");
        return ExitCode.Ok;
    }

    public static string Optional(string name, string? value) => value is null ? "" : $"&{name}={Escaped(value)}";

    private static string Escaped(string value) => Uri.EscapeDataString(value);
}
