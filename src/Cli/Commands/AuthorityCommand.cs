using System.CommandLine;
using Countersign.Cli.Api;
using Countersign.Cli.Shown;

namespace Countersign.Cli.Commands;

/// <summary>The organization's SSH certificate authorities: the one that devices trust, and the one of the front door, which nobody else has to trust.</summary>
internal static class AuthorityCommand
{
    public static Command Create(CommonOptions common) => new DocumentedCommand(
        "ca",
        "The certificate authorities: the one by which the server signs in at devices, and the one by which technicians sign in at the SSH front door.",
        "countersign ca show | tee /etc/ssh/countersign_ca.pub",
        "countersign ca rotate",
        "countersign ca rotate --front-door")
    {
        CreateShow(common),
        CreateRotate(common),
        CreateRemove(common),
    };

    private static DocumentedCommand CreateShow(CommonOptions common)
    {
        var command = new DocumentedCommand(
            "show",
            "Prints the public keys, for the file that TrustedUserCAKeys of a device's sshd_config names; those of the front door, which no device should trust, as fingerprints.",
            "countersign ca show",
            "countersign ca show --front-door",
            "countersign ca show --json");
        var door = FrontDoor(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var output = common.OutputFor(parsed);
            if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
            using var client = api;
            return (await client.GetAsync(PathOf(parsed, door), ApiJson.Default.Authorities, cancellation)).TryGet(out var reply, out failure) ? Show(output, reply) : output.Fail(failure);
        });
        return command;
    }

    private static DocumentedCommand CreateRotate(CommonOptions common)
    {
        var command = new DocumentedCommand(
            "rotate",
            "Makes a new key. The old one goes on being used where a device does not trust the new one, until it is removed; at the front door what it has signed counts until then.",
            "countersign ca rotate",
            "countersign ca rotate --front-door");
        var door = FrontDoor(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var output = common.OutputFor(parsed);
            if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
            using var client = api;
            if (!(await client.PostAsync($"{PathOf(parsed, door)}/rotate", new EmptyBody(), ApiJson.Default.EmptyBody, ApiJson.Default.Authorities, cancellation)).TryGet(out var reply, out failure)) return output.Fail(failure);
            var remove = $"countersign ca remove {(reply.Value.Keys is [.., { Id: { } old }] ? old : "ID")}";
            output.Note(parsed.GetValue(door)
                ? $"What the old key has signed counts until it is removed, which also ends the connections that were opened with it: {remove} --front-door"
                : $"Have every device trust both keys, then remove the old one: {remove}");
            return Show(output, reply);
        });
        return command;
    }

    private static DocumentedCommand CreateRemove(CommonOptions common)
    {
        var id = IdArgument.Create("ID", "The old key's ID, as \"countersign ca show --json\" has it.");
        var command = new DocumentedCommand(
            "remove",
            "Removes the old key. What trusts it alone does not let the server in any more; at the front door, certificates of it end, and so do their connections.",
            "countersign ca remove 0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d68",
            "countersign ca remove 0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d68 --front-door") { id };
        var door = FrontDoor(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var output = common.OutputFor(parsed);
            if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
            using var client = api;
            if (!(await client.DeleteAsync($"{PathOf(parsed, door)}/{parsed.GetValue(id)}", cancellation)).TryGet(out var json, out failure)) return output.Fail(failure);
            if (output.IsJson) output.Json(json);
            else output.Line($"Removed {parsed.GetValue(id)}.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static Option<bool> FrontDoor(Command command)
    {
        var option = new Option<bool>("--front-door") { Description = "The authority of the certificates by which technicians sign in at the SSH front door." };
        command.Add(option);
        return option;
    }

    private static string PathOf(ParseResult parsed, Option<bool> door) => parsed.GetValue(door) ? "ssh/door-ca" : "ssh/ca";

    private static int Show(Output output, Reply<Authorities> reply)
    {
        if (output.IsJson) output.Json(reply.Json);
        else if (reply.Value.TrustedUserCAKeys is { } lines)
        {
            foreach (var line in lines.Split('\n', StringSplitOptions.RemoveEmptyEntries)) output.Line(line);
        }
        else
        {
            foreach (var key in reply.Value.Keys ?? []) output.Line($"{key.Id}  {key.Fingerprint}  {output.Time(key.Created)}{(key.First == true ? "  signs" : "")}");
        }

        return ExitCode.Ok;
    }
}
