using System.CommandLine;
using Countersign.Cli.Api;
using Countersign.Cli.Shown;
using Countersign.Ssh;

namespace Countersign.Cli.Commands;

/// <summary>The caller's own second factor.</summary>
internal static class TwoFactorCommand
{
    public static Command Create(CommonOptions common)
    {
        var status = new DocumentedCommand("status", "Shows whether you sign in with a second factor.", "countersign two-factor status");
        status.SetAction((parsed, cancellation) => ShowAsync(common, parsed, cancellation));
        var enable = new DocumentedCommand("enable", "Sets up an authenticator app as your second factor, and shows recovery codes.", "countersign two-factor enable");
        enable.SetAction((parsed, cancellation) => WithPasswordAsync(common, parsed, EnableAsync, cancellation));
        var disable = new DocumentedCommand("disable", "Takes your authenticator app away. Asks for the password and a code, which is left empty where you have a passkey and have just signed in.", "countersign two-factor disable");
        disable.SetAction((parsed, cancellation) => WithPasswordAsync(common, parsed, DisableAsync, cancellation));
        var codes = new DocumentedCommand("codes", "Replaces all of your recovery codes. Asks for the password and a code, which is left empty where you have a passkey and have just signed in.", "countersign two-factor codes");
        codes.SetAction((parsed, cancellation) => WithPasswordAsync(common, parsed, RenewAsync, cancellation));
        return new DocumentedCommand("two-factor", "Your second factor: an authenticator app, and recovery codes.", "countersign two-factor enable") { status, enable, disable, codes };
    }

    private static async Task<int> ShowAsync(CommonOptions common, ParseResult parsed, CancellationToken cancellation)
    {
        var output = common.OutputFor(parsed);
        if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
        using var client = api;
        if (!(await client.GetAsync("me/two-factor", ApiJson.Default.TwoFactor, cancellation)).TryGet(out var reply, out failure)) return output.Fail(failure);
        if (output.IsJson) output.Json(reply.Json);
        else if (reply.Value.Enabled == true) output.Line($"On: {Ways(output, reply.Value)}, {reply.Value.RecoveryCodesLeft} recovery codes left.");
        else output.Line(reply.Value.Required == true ? "Off, and required here: countersign login sets it up." : "Off. Set it up: countersign two-factor enable");
        return ExitCode.Ok;
    }

    private static string Ways(Output output, TwoFactor shown)
    {
        var app = shown.Since is null ? null : $"an app since {output.Time(shown.Since)}";
        var passkeys = shown.Passkeys switch { null or 0 => null, 1 => "a passkey", var count => $"{count} passkeys" };
        return string.Join(", ", ((string?[])[app, passkeys]).OfType<string>());
    }

    private static async Task<int> WithPasswordAsync(
        CommonOptions common, ParseResult parsed, Func<Turn, CancellationToken, Task<Answer<string>>> act, CancellationToken cancellation)
    {
        var (output, around) = (common.OutputFor(parsed), common.Around);
        if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
        using var client = api;
        if (!OwnPassword.Ask(around).TryGet(out var asked, out failure)) return output.Fail(failure);
        using var password = asked;
        if (!(await act(new(client, password, output, around), cancellation)).TryGet(out var json, out failure)) return output.Fail(failure);
        if (output.IsJson) output.Json(json);
        return ExitCode.Ok;
    }

    private static async Task<Answer<string>> EnableAsync(Turn turn, CancellationToken cancellation)
    {
        var answer = await TwoFactorSetup.RunAsync(turn.Api, turn.Password, turn.Output, turn.Around, cancellation);
        if (answer.TryGet(out _, out _) && !turn.Output.IsJson) turn.Output.Line("From now on you sign in with a code, too. Your other sign-ins have ended.");
        return answer;
    }

    private static async Task<Answer<string>> DisableAsync(Turn turn, CancellationToken cancellation)
    {
        using var code = turn.AskCode();
        var answer = await turn.Api.PostAsync("me/two-factor/disable", turn.Proof(code), ApiJson.Default.Proof, cancellation);
        if (answer.TryGet(out _, out _) && !turn.Output.IsJson) turn.Output.Line("From now on you sign in with one factor.");
        return answer;
    }

    private static async Task<Answer<string>> RenewAsync(Turn turn, CancellationToken cancellation)
    {
        using var code = turn.AskCode();
        var answer = await turn.Api.PostAsync("me/two-factor/codes", turn.Proof(code), ApiJson.Default.Proof, ApiJson.Default.RecoveryCodes, cancellation);
        if (!answer.TryGet(out var reply, out var failure)) return failure;
        TwoFactorSetup.ShowRecoveryCodes(reply.Value, turn.Output);
        return reply.Json;
    }

    /// <summary>What a change of the second factor goes with.</summary>
    private sealed class Turn(ApiClient api, Secret password, Output output, Surroundings around)
    {
        public ApiClient Api => api;

        public Secret Password => password;

        public Output Output => output;

        public Surroundings Around => around;

        /// <summary>Empty: whether it may be is the server's to say. The caller disposes it.</summary>
        public Secret? AskCode() => around.AskSecret("Code: ");

        public Proof Proof(Secret? code) => new() { Password = password.ExposeText(), Code = code is { Length: > 0 } ? code.ExposeText() : null };
    }
}
