using System.CommandLine;
using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

/// <summary>Public keys of others.</summary>
internal static class TechnicianKeyCommands
{
    public static Command CreateList(CommonOptions common)
    {
        var who = TechniciansCommand.Who();
        var paging = new Paging();
        var list = KeysListCommand.Listing("They have no key here.");
        var command = new DocumentedCommand("keys", "Lists the public keys that somebody signs in with.", "countersign technicians keys eve") { who, paging.Limit, paging.Cursor };
        command.SetAction((parsed, cancellation) => list.RunAsync(
            common,
            parsed,
            async (client, stop) => (await NamedThings.PersonAsync(client, parsed.GetRequiredValue(who), stop)).TryGet(out var id, out var failure) ? $"technicians/{id}/keys?{paging.Query(parsed)}" : failure,
            cancellation));
        return command;
    }

    public static Command CreateAdd(CommonOptions common)
    {
        var who = TechniciansCommand.Who();
        var file = new Argument<string>("FILE") { Description = "The public key's file (the one that ends with .pub), or - for the standard input." };
        var label = new Option<string?>("--label") { Description = "What to call it; otherwise the comment in the file, otherwise its name.", HelpName = "TEXT" };
        var command = new DocumentedCommand(
            "add-key",
            "Registers a public key that somebody signs in with. They are told by mail.",
            "countersign technicians add-key eve ./eve.pub",
            "countersign technicians add-key eve ./eve.pub --label laptop")
        {
            who, file, label,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            if (!(await PublicKeyFile.ReadAsync(common.Around, parsed.GetRequiredValue(file), parsed.GetValue(label), cancellation)).TryGet(out var key, out var failure)) return common.OutputFor(parsed).Fail(failure);
            return await Acting.WithPersonAsync(
                common,
                parsed,
                parsed.GetRequiredValue(who),
                (client, id, stop) => client.PostAsync($"technicians/{id}/keys", key, ApiJson.Default.NewKey, stop),
                $"Added {key.Label} to the keys of {parsed.GetRequiredValue(who)}.",
                cancellation);
        });
        return command;
    }

    public static Command CreateRemove(CommonOptions common)
    {
        var who = TechniciansCommand.Who();
        var key = IdArgument.Create("ID", "The key's ID, as \"countersign technicians keys\" shows it.");
        var command = new DocumentedCommand(
            "remove-key",
            "Removes a public key of somebody's. Connections that it opened end, and they are told by mail.",
            "countersign technicians remove-key eve 0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d68")
        {
            who, key,
        };
        command.SetAction((parsed, cancellation) => Acting.WithPersonAsync(
            common,
            parsed,
            parsed.GetRequiredValue(who),
            (client, id, stop) => client.DeleteAsync($"technicians/{id}/keys/{parsed.GetValue(key)}", stop),
            $"Removed {parsed.GetValue(key)} of {parsed.GetRequiredValue(who)}.",
            cancellation));
        return command;
    }
}
