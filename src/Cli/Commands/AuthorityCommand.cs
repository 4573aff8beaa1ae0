using System.CommandLine;
using Countersign.Cli.Api;
using Countersign.Cli.Shown;

namespace Countersign.Cli.Commands;

/// <summary>The organization's SSH certificate authority, which devices trust.</summary>
internal static class AuthorityCommand
{
    public static Command Create(CommonOptions common) => new DocumentedCommand(
        "ca",
        "The certificate authority by which the server signs in at devices.",
        "countersign ca show | tee /etc/ssh/countersign_ca.pub",
        "countersign ca rotate")
    {
        CreateShow(common),
        CreateRotate(common),
        CreateRemove(common),
    };

    private static DocumentedCommand CreateShow(CommonOptions common)
    {
        var command = new DocumentedCommand(
            "show",
            "Prints the public keys, for the file that TrustedUserCAKeys of a device's sshd_config names.",
            "countersign ca show",
            "countersign ca show --json");
        command.SetAction(async (parsed, cancellation) =>
        {
            var output = common.OutputFor(parsed);
            if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
            using var client = api;
            return (await client.GetAsync("ssh/ca", ApiJson.Default.Authorities, cancellation)).TryGet(out var reply, out failure) ? Show(output, reply) : output.Fail(failure);
        });
        return command;
    }

    private static DocumentedCommand CreateRotate(CommonOptions common)
    {
        var command = new DocumentedCommand(
            "rotate",
            "Makes a new key. The old one goes on being used where a device does not trust the new one, until it is removed.",
            "countersign ca rotate");
        command.SetAction(async (parsed, cancellation) =>
        {
            var output = common.OutputFor(parsed);
            if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
            using var client = api;
            if (!(await client.PostAsync("ssh/ca/rotate", new EmptyBody(), ApiJson.Default.EmptyBody, ApiJson.Default.Authorities, cancellation)).TryGet(out var reply, out failure)) return output.Fail(failure);
            output.Note($"Have every device trust both keys, then remove the old one: countersign ca remove {(reply.Value.Keys is [.., { Id: { } old }] ? old : "ID")}");
            return Show(output, reply);
        });
        return command;
    }

    private static DocumentedCommand CreateRemove(CommonOptions common)
    {
        var id = IdArgument.Create("ID", "The old key's ID, as \"countersign ca show --json\" has it.");
        var command = new DocumentedCommand("remove", "Removes the old key. What trusts it alone does not let the server in any more.", "countersign ca remove 0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d68") { id };
        command.SetAction(async (parsed, cancellation) =>
        {
            var output = common.OutputFor(parsed);
            if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
            using var client = api;
            if (!(await client.DeleteAsync($"ssh/ca/{parsed.GetValue(id)}", cancellation)).TryGet(out var json, out failure)) return output.Fail(failure);
            if (output.IsJson) output.Json(json);
            else output.Line($"Removed {parsed.GetValue(id)}.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static int Show(Output output, Reply<Authorities> reply)
    {
        if (output.IsJson) output.Json(reply.Json);
        else
        {
            foreach (var line in (reply.Value.TrustedUserCAKeys ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries)) output.Line(line);
        }

        return ExitCode.Ok;
    }
}
