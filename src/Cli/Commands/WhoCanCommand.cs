using System.CommandLine;
using Countersign.Cli.Api;
using Countersign.Cli.Shown;

namespace Countersign.Cli.Commands;

/// <summary>The other way round: not what somebody reaches, but who reaches a device.</summary>
internal static class WhoCanCommand
{
    public static Command Create(CommonOptions common)
    {
        var device = new Argument<string>("DEVICE") { Description = "The device's name." };
        var permission = new Argument<string?>("PERMISSION") { Description = "Such as SendFiles. Otherwise: Terminal.", Arity = ArgumentArity.ZeroOrOne };
        var account = new Option<string?>("--account") { Description = "The account at the device, otherwise its default.", HelpName = "ACCOUNT" };
        var paging = new Paging();
        var command = new DocumentedCommand(
            "who-can",
            "Lists who gets in to a device, needs an approval for it, or may ask; of the people that you may see.",
            "countersign who-can web1",
            "countersign who-can db1 SendFiles --account postgres",
            "countersign who-can web1 --json | jq -r '.items[] | select(.state == \"allowed\") | .login'")
        {
            device,
            permission,
            account,
            paging.Limit,
            paging.Cursor,
        };
        command.SetAction((parsed, cancellation) =>
        {
            var name = parsed.GetRequiredValue(device);
            var path = $"who-can?device={Uri.EscapeDataString(name)}{ExplainCommand.Optional("permission", parsed.GetValue(permission))}"
                + $"{ExplainCommand.Optional("account", parsed.GetValue(account))}&{paging.Query(parsed)}";
            return RunAsync(common, parsed, path, name, cancellation);
        });
        return command;
    }

    private static async Task<int> RunAsync(CommonOptions common, ParseResult parsed, string path, string device, CancellationToken cancellation)
    {
        var output = common.OutputFor(parsed);
        if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
        using var client = api;
        if (!(await client.GetAsync(path, ApiJson.Default.WhoCanPage, cancellation)).TryGet(out var reply, out failure)) return output.Fail(failure);
        if (output.IsJson)
        {
            output.Json(reply.Json);
            return ExitCode.Ok;
        }

        if (reply.Value.Items is not { Count: > 0 } people)
        {
            output.Note($"Nobody that you may see gets in to {device} this way.");
            return ExitCode.Ok;
        }

        output.Table(["LOGIN", "STATE", "UNTIL", "NAME"], people.Select(person => new[]
        {
            person.Login ?? "",
            Output.Words(person.State),
            output.Time(person.Until),
            person.Name ?? "",
        }));
        Paging.NoteMore(output, reply.Value.Next);
        return ExitCode.Ok;
    }
}
