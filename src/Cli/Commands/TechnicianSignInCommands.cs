using System.CommandLine;

namespace Countersign.Cli.Commands;

/// <summary>Where others are signed in, and the end of it.</summary>
internal static class TechnicianSignInCommands
{
    public static Command CreateList(CommonOptions common)
    {
        var who = TechniciansCommand.Who();
        var paging = new Paging();
        var list = SignInsCommand.Listing("They are signed in nowhere.");
        var command = new DocumentedCommand("signins", "Lists where somebody is signed in: programs, browsers, SSH connections.", "countersign technicians signins eve") { who, paging.Limit, paging.Cursor };
        command.SetAction((parsed, cancellation) => list.RunAsync(
            common,
            parsed,
            async (client, stop) => (await NamedThings.PersonAsync(client, parsed.GetRequiredValue(who), stop)).TryGet(out var id, out var failure) ? $"technicians/{id}/sign-ins?{paging.Query(parsed)}" : failure,
            cancellation));
        return command;
    }

    public static Command CreateEnd(CommonOptions common)
    {
        var who = TechniciansCommand.Who();
        var one = IdArgument.Create("ID", "The sign-in's ID, as \"countersign technicians signins\" shows it; without it all of them.");
        one.Arity = ArgumentArity.ZeroOrOne;
        var command = new DocumentedCommand(
            "sign-out",
            "Ends one of somebody's sign-ins, or all of them. Connections through them are closed. API tokens stay: they are removed with \"countersign technicians remove-token\", or stopped by disabling.",
            "countersign technicians sign-out eve",
            "countersign technicians sign-out eve 0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d68")
        {
            who, one,
        };
        command.SetAction((parsed, cancellation) =>
        {
            var (login, signIn) = (parsed.GetRequiredValue(who), parsed.GetValue(one));
            return Acting.WithPersonAsync(
                common,
                parsed,
                login,
                (client, id, stop) => client.DeleteAsync($"technicians/{id}/sign-ins{(signIn == Guid.Empty ? "" : $"/{signIn}")}", stop),
                signIn == Guid.Empty ? $"Signed {login} out everywhere." : $"Ended {signIn} of {login}.",
                cancellation);
        });
        return command;
    }
}
