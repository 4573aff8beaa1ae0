using System.CommandLine;
using Countersign.Cli.Api;
using Countersign.Cli.Shown;

namespace Countersign.Cli.Commands;

internal static class TechnicianFirstPasswordCommand
{
    public static Command Create(CommonOptions common)
    {
        var who = TechniciansCommand.Who();
        var fromInput = new Option<bool>("--password-stdin") { Description = "Reads it from the first line of the standard input." };
        var command = new DocumentedCommand(
            "first-password",
            "Sets another first password for a technician who was added with one and has never signed in: theirs may be over. They have to change it when they sign in. Once they have, it is \"reset-password\".",
            "countersign technicians first-password eve",
            "pass show eve | countersign technicians first-password eve --password-stdin")
        {
            who, fromInput,
        };
        command.SetAction((parsed, cancellation) => RunAsync(common, parsed, parsed.GetRequiredValue(who), parsed.GetValue(fromInput), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(CommonOptions common, ParseResult parsed, string who, bool fromInput, CancellationToken cancellation)
    {
        var output = common.OutputFor(parsed);
        if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
        using var client = api;
        if (!(await NamedThings.PersonAsync(client, who, cancellation)).TryGet(out var id, out failure)) return output.Fail(failure);
        if (!TypedPassword.Read(common.Around, fromInput, $"First password of {CleanText.Line(who)}: ").TryGet(out var typed, out failure)) return output.Fail(failure);
        using var password = typed;
        var wanted = new FirstPassword { Password = password.ExposeText() };
        var answer = await client.PostAsync($"technicians/{id}/password/first", wanted, ApiJson.Default.FirstPassword, ApiJson.Default.FirstPasswordSet, cancellation);
        if (!answer.TryGet(out var reply, out failure)) return output.Fail(failure);
        if (output.IsJson) output.Json(reply.Json);
        else output.Line($"{who} has another first password, good until {output.Time(reply.Value.Until)} for choosing their own. Tell it to them yourself.");
        return ExitCode.Ok;
    }
}
