using System.CommandLine;
using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

/// <summary>Where the caller is signed in.</summary>
internal static class SignInsCommand
{
    public static Command Create(CommonOptions common) => new DocumentedCommand(
        "signins",
        "Where you are signed in: programs, browsers, SSH connections.",
        "countersign signins list",
        "countersign signins end --others")
    {
        CreateList(common),
        CreateEnd(common),
    };

    private static DocumentedCommand CreateList(CommonOptions common)
    {
        var paging = new Paging();
        var command = new DocumentedCommand("list", "Lists where you are signed in.", "countersign signins list", "countersign signins list --json") { paging.Limit, paging.Cursor };
        command.SetAction((parsed, cancellation) => ListAsync(common, parsed, paging, cancellation));
        return command;
    }

    private static DocumentedCommand CreateEnd(CommonOptions common)
    {
        var id = IdArgument.Create("ID", "The sign-in's ID, as \"countersign signins list\" shows it.");
        id.Arity = ArgumentArity.ZeroOrOne;
        var others = new Option<bool>("--others") { Description = "All but the one that this command uses." };
        var command = new DocumentedCommand(
            "end",
            "Ends a sign-in of yours, or all but this one. Connections through it are closed.",
            "countersign signins end 0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d68",
            "countersign signins end --others")
        {
            id,
            others,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(others) == (result.GetValue(id) != Guid.Empty)) result.AddError("Give the ID of one, or --others.");
        });
        command.SetAction((parsed, cancellation) => EndAsync(common, parsed, parsed.GetValue(others) ? null : parsed.GetValue(id), cancellation));
        return command;
    }

    private static async Task<int> ListAsync(CommonOptions common, ParseResult parsed, Paging paging, CancellationToken cancellation)
    {
        var output = common.OutputFor(parsed);
        if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
        using var client = api;
        if (!(await client.GetAsync($"me/sign-ins?{paging.Query(parsed)}", ApiJson.Default.SignInPage, cancellation)).TryGet(out var reply, out failure)) return output.Fail(failure);
        if (output.IsJson)
        {
            output.Json(reply.Json);
            return ExitCode.Ok;
        }

        output.Table(["ID", "KIND", "FACTORS", "FROM", "SINCE", "LAST SEEN", "CLIENT"], (reply.Value.Items ?? []).Select(item => new[]
        {
            item.Id ?? "",
            item.Current == true ? $"{item.Kind} (this)" : item.Kind ?? "",
            item.SignIn == "twoFactor" ? "2" : "1",
            item.Address ?? "",
            output.Time(item.Since),
            output.Time(item.LastSeen),
            item.Client ?? "",
        }));
        Paging.NoteMore(output, reply.Value.Next);
        return ExitCode.Ok;
    }

    private static async Task<int> EndAsync(CommonOptions common, ParseResult parsed, Guid? id, CancellationToken cancellation)
    {
        var output = common.OutputFor(parsed);
        if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
        using var client = api;
        var path = id is { } one ? $"me/sign-ins/{one}" : "me/sign-ins";
        if (!(await client.DeleteAsync(path, cancellation)).TryGet(out var json, out failure)) return output.Fail(failure);
        if (output.IsJson) output.Json(json);
        else output.Line(id is null ? "You are signed in here only." : $"Ended {id}.");
        return ExitCode.Ok;
    }
}
