using System.CommandLine;
using Countersign.Cli.Api;
using Countersign.Ssh;

namespace Countersign.Cli.Commands;

/// <summary>The caller's own password, and another one in its place. Neither is ever on the command line.</summary>
internal static class PasswordCommand
{
    public static Command Create(CommonOptions common)
    {
        var fromInput = new Option<bool>("--password-stdin") { Description = "Reads the password that you have from the first line of the standard input, and the new one from the second." };
        var command = new DocumentedCommand(
            "password",
            "Changes your password: asks for the one that you have, and twice for the new one, without showing them. Where else you are signed in ends, and so do your API tokens and what the old password opened by SSH.",
            "countersign password",
            "pass show countersign-old-and-new | countersign password --password-stdin")
        {
            fromInput,
        };
        command.SetAction((parsed, cancellation) => RunAsync(common, parsed, parsed.GetValue(fromInput), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(CommonOptions common, ParseResult parsed, bool fromInput, CancellationToken cancellation)
    {
        var (output, around) = (common.OutputFor(parsed), common.Around);
        if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
        using var client = api;
        if (!TypedPassword.Read(around, fromInput, "Your password until now: ").TryGet(out var current, out failure)) return output.Fail(failure);
        using var old = current;
        if (!(fromInput ? SecondLine(around) : TypedPassword.Choose(around)).TryGet(out var chosen, out failure)) return output.Fail(failure);
        using var fresh = chosen;
        var change = new PasswordChange { Current = old.ExposeText(), New = fresh.ExposeText() };
        if (!(await client.PostAsync("me/password", change, ApiJson.Default.PasswordChange, cancellation)).TryGet(out var json, out failure)) return output.Fail(failure);
        if (output.IsJson) output.Json(json);
        else output.Line("Your password is changed. You are signed in here still, and nowhere else.");
        return ExitCode.Ok;
    }

    private static Answer<Secret> SecondLine(Surroundings around) => around.Input.ReadLine() is { Length: > 0 } line
        ? Secret.FromText(line)
        : new Failure(ExitCode.Usage, "The standard input has no second line.", "Write the password that you have on the first line and the new one on the second.");
}
