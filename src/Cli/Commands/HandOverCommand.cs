using System.CommandLine;
using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

/// <summary>The owner makes somebody else the owner.</summary>
internal static class HandOverCommand
{
    public static Command Create(CommonOptions common)
    {
        var who = TechniciansCommand.Who();
        var command = new DocumentedCommand(
            "hand-over",
            "Makes somebody else the owner of your organization: they hold everything then, and you are a technician. Only they can hand it back. Asks for your password, and a code where you have a second factor; with a passkey none is needed within 10 minutes of signing in with both factors.",
            "countersign technicians hand-over eve")
        {
            who,
        };
        command.SetAction((parsed, cancellation) => RunAsync(common, parsed, parsed.GetRequiredValue(who), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(CommonOptions common, ParseResult parsed, string who, CancellationToken cancellation)
    {
        var (output, around) = (common.OutputFor(parsed), common.Around);
        if (!around.CanAsk) return output.Fail(new(ExitCode.Usage, "Nobody can be asked for the password here.", "Run it on a terminal."));
        if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
        using var client = api;
        if (!(await NamedThings.PersonAsync(client, who, cancellation)).TryGet(out var heir, out failure)) return output.Fail(failure);
        if (!(await client.GetAsync("me/two-factor", ApiJson.Default.TwoFactor, cancellation)).TryGet(out var factor, out failure)) return output.Fail(failure);
        if (around.AskSecret("Password: ") is not { Length: > 0 } asked) return output.Fail(new(ExitCode.Usage, "No password was given."));
        using var password = asked;
        using var code = factor.Value.Enabled == true ? around.AskSecret("Code: ") : null;
        var proof = new Proof { Password = password.ExposeText(), Code = code is { Length: > 0 } ? code.ExposeText() : null };
        if (!(await client.PostAsync($"technicians/{heir}/ownership", proof, ApiJson.Default.Proof, cancellation)).TryGet(out var json, out failure)) return output.Fail(failure);
        if (output.IsJson) output.Json(json);
        else output.Line($"{who} owns the organization from now on.");
        return ExitCode.Ok;
    }
}
