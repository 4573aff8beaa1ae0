using System.CommandLine;

namespace Countersign.Cli.Commands;

/// <summary>The tokens that others have made for programs, and the end of them.</summary>
internal static class TechnicianTokenCommands
{
    public static Command CreateList(CommonOptions common)
    {
        var who = TechniciansCommand.Who();
        var paging = new Paging();
        var list = TokensCommand.Listing("They have made no token.");
        var command = new DocumentedCommand("tokens", "Lists the tokens that somebody has made for programs.", "countersign technicians tokens eve") { who, paging.Limit, paging.Cursor };
        command.SetAction((parsed, cancellation) => list.RunAsync(
            common,
            parsed,
            async (client, stop) => (await NamedThings.PersonAsync(client, parsed.GetRequiredValue(who), stop)).TryGet(out var id, out var failure) ? $"technicians/{id}/tokens?{paging.Query(parsed)}" : failure,
            cancellation));
        return command;
    }

    public static Command CreateRemove(CommonOptions common)
    {
        var who = TechniciansCommand.Who();
        var token = IdArgument.Create("ID", "The token's ID, as \"countersign technicians tokens\" shows it.");
        var command = new DocumentedCommand(
            "remove-token",
            "Removes a token of somebody else's, and those that were made with it. They are told by mail, where that can be.",
            "countersign technicians remove-token eve 0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d68")
        {
            who, token,
        };
        command.SetAction((parsed, cancellation) => Acting.WithPersonAsync(
            common,
            parsed,
            parsed.GetRequiredValue(who),
            (client, id, stop) => client.DeleteAsync($"technicians/{id}/tokens/{parsed.GetValue(token)}", stop),
            $"Removed {parsed.GetValue(token)} of {parsed.GetRequiredValue(who)}.",
            cancellation));
        return command;
    }
}
