using System.CommandLine;
using Countersign.Cli.Gate;

namespace Countersign.Cli.Commands;

/// <summary>The system's own <c>ssh</c> and <c>sftp</c>, told where the server is and how to know it. No shell stands between.</summary>
internal static class ConnectCommands
{
    public static Command CreateSsh(CommonOptions common)
    {
        var words = new Argument<string[]>("COMMAND") { Description = "What to run there instead of a shell, after --.", Arity = ArgumentArity.ZeroOrMore };
        return Create(common, "ssh", words, "Opens a shell at a device, or runs a command there, with the system's ssh.", "countersign ssh web1", "countersign ssh web1 --account backup -- df -h");
    }

    public static Command CreateSftp(CommonOptions common) =>
        Create(common, "sftp", null, "Opens a device's files with the system's sftp.", "countersign sftp web1");

    private static DocumentedCommand Create(CommonOptions common, string program, Argument<string[]>? words, string description, params string[] examples)
    {
        var device = new Argument<string>("DEVICE") { Description = "The device's name." };
        var account = new Option<string?>("--account") { Description = "The account there; otherwise its default one.", HelpName = "NAME" };
        var command = new DocumentedCommand(program, description, examples) { device, account };
        if (words is not null) command.Add(words);
        command.SetAction((parsed, cancellation) => RunAsync(
            common, parsed, program, new(parsed.GetRequiredValue(device), parsed.GetValue(account), words is null ? [] : parsed.GetValue(words) ?? []), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(CommonOptions common, ParseResult parsed, string program, Target target, CancellationToken cancellation)
    {
        var output = common.OutputFor(parsed);
        if (!GateNames.IsDevice(target.Device)) return output.Fail(new(ExitCode.Usage, $"\"{target.Device}\" is not the name of a device.", "countersign devices lists them."));
        if (target.Account is not null && !GateNames.IsAccount(target.Account))
            return output.Fail(new(ExitCode.Usage, $"\"{target.Account}\" can't be named to {program}.", "Accounts with other characters: ssh LOGIN+DEVICE+ACCOUNT@HOST."));
        if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
        using var client = api;
        if (!(await SshGate.AskAsync(client, common, cancellation)).TryGet(out var gate, out failure)) return output.Fail(failure);
        var options = gate.Options(target.Device, target.Account).SelectMany(option => new[] { "-o", $"{option.Keyword}={option.Value}" });
        var ran = await common.Around.RunProgram(program, [.. options, "--", target.Device, .. target.Words]);
        return ran ?? output.Fail(new(ExitCode.Refused, $"{program} can't be started.", "Install OpenSSH's client."));
    }

    private sealed record Target(string Device, string? Account, IReadOnlyList<string> Words);
}
