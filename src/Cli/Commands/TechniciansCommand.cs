using System.CommandLine;
using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

/// <summary>The people of the organization: who they are, and how they come and go.</summary>
internal static class TechniciansCommand
{
    public static Command Create(CommonOptions common) => new DocumentedCommand(
        "technicians",
        "The people of your organization: list them, invite them by mail, disable and enable them.",
        "countersign technicians list",
        "countersign technicians invite eve@example.org",
        "countersign technicians disable eve")
    {
        CreateList(common),
        CreateAdd(common),
        InvitationCommands.CreateInvite(common),
        InvitationCommands.CreateResend(common),
        InvitationCommands.CreateWithdraw(common),
        CreateSwitch(common, "disable", "Disables a technician or a contact: sessions end at once, and tokens, keys and passwords let nobody in.", "Disabled"),
        CreateSwitch(common, "enable", "Enables somebody who was disabled.", "Enabled"),
        CreateAct(
            common,
            "reset-password",
            "password/reset",
            "Mails a link to a technician who has lost their password, by which they choose another one. A second factor stays as it is.",
            "A link to choose another password goes to"),
        CreateAct(
            common,
            "reset-two-factor",
            "two-factor/reset",
            "Takes the second factor from somebody who has lost theirs: app, passkeys, recovery codes. All that they are signed in with ends, and they are told by mail.",
            "No second factor is asked of"),
        CreateKeys(common),
        CreateRemoveKey(common),
        HandOverCommand.Create(common),
    };

    /// <summary>Login, mail address or ID.</summary>
    public static Argument<string> Who(string description = "Login, mail address or ID.") => new("WHO") { Description = description };

    private static DocumentedCommand CreateList(CommonOptions common)
    {
        var search = new Argument<string?>("SEARCH") { Description = "Part of a login, name or mail address.", Arity = ArgumentArity.ZeroOrOne };
        var invitations = new Option<bool>("--invitations") { Description = "Only those who were invited and have not joined." };
        var status = new Option<string?>("--status") { Description = "Only those who are active, disabled or disabledByPlan.", HelpName = "STATUS" };
        status.AcceptOnlyFromAmong("active", "disabled", "disabledByPlan");
        var paging = new Paging();
        var command = new DocumentedCommand(
            "list",
            "Lists the people of your organization whom you may see.",
            "countersign technicians list",
            "countersign technicians list --invitations",
            "countersign technicians list --status disabled --json")
        {
            search, invitations, status, paging.Limit, paging.Cursor,
        };
        command.SetAction((parsed, cancellation) =>
        {
            var query = (parsed.GetValue(search) is { } text ? $"search={Uri.EscapeDataString(text)}&" : "")
                + (parsed.GetValue(invitations) ? "state=invited&" : "")
                + (parsed.GetValue(status) is { } wanted ? $"status={wanted}&" : "");
            return PeopleList.Shown.RunAsync(common, parsed, $"technicians?{query}{paging.Query(parsed)}", cancellation);
        });
        return command;
    }

    private static DocumentedCommand CreateAdd(CommonOptions common)
    {
        var login = new Argument<string>("LOGIN") { Description = "What they sign in with: a-z, 0-9, dots, underscores, hyphens." };
        var name = new Option<string>("--name") { Description = "What they are called.", HelpName = "NAME", Required = true };
        var mail = new Option<string?>("--mail") { Description = "Their mail address.", HelpName = "ADDRESS" };
        var fromInput = new Option<bool>("--password-stdin") { Description = "Reads the first password from the first line of the standard input." };
        var command = new DocumentedCommand(
            "add",
            "Adds a technician with a first password, which they have to change when they sign in.",
            "countersign technicians add eve --name \"Eve Example\" --mail eve@example.org")
        {
            login, name, mail, fromInput,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var output = common.OutputFor(parsed);
            if (!FirstPassword(common.Around, parsed.GetValue(fromInput)).TryGet(out var typed, out var failure)) return output.Fail(failure);
            using var password = typed;
            if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out failure)) return output.Fail(failure);
            using var client = api;
            var person = new NewTechnician
            {
                Kind = "technician",
                Login = parsed.GetRequiredValue(login),
                Name = parsed.GetRequiredValue(name),
                Mail = parsed.GetValue(mail) ?? "",
                Password = password.ExposeText(),
            };
            if (!(await client.PostAsync("technicians", person, ApiJson.Default.NewTechnician, ApiJson.Default.Technician, cancellation)).TryGet(out var reply, out failure)) return output.Fail(failure);
            if (output.IsJson) output.Json(reply.Json);
            else output.Line($"Added {person.Login}, who has to choose a password of their own first.");
            return ExitCode.Ok;
        });
        return command;
    }

    /// <param name="done">Goes before who it was done to.</param>
    private static DocumentedCommand CreateSwitch(CommonOptions common, string verb, string description, string done)
    {
        var who = Who();
        var edit = new PolicyEdit(common);
        var command = new DocumentedCommand(verb, description, $"countersign technicians {verb} eve --preview", $"countersign technicians {verb} eve") { who, edit.Preview };
        command.SetAction((parsed, cancellation) => edit.RunAsync(
            parsed,
            async (client, stop) => (await NamedThings.PersonAsync(client, parsed.GetRequiredValue(who), stop)).TryGet(out var id, out var failure)
                ? PolicyRequest.Post($"technicians/{id}/{verb}", $"{done} {parsed.GetRequiredValue(who)}.")
                : failure,
            cancellation));
        return command;
    }

    /// <param name="path">Behind the person's.</param>
    /// <param name="done">Goes before who it was done to.</param>
    private static DocumentedCommand CreateAct(CommonOptions common, string verb, string path, string description, string done)
    {
        var who = Who();
        var command = new DocumentedCommand(verb, description, $"countersign technicians {verb} eve") { who };
        command.SetAction((parsed, cancellation) => Acting.WithPersonAsync(
            common,
            parsed,
            parsed.GetRequiredValue(who),
            (client, id, stop) => client.PostAsync($"technicians/{id}/{path}", stop),
            $"{done} {parsed.GetRequiredValue(who)}.",
            cancellation));
        return command;
    }

    private static DocumentedCommand CreateKeys(CommonOptions common)
    {
        var who = Who();
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

    private static DocumentedCommand CreateRemoveKey(CommonOptions common)
    {
        var who = Who();
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

    private static Answer<Ssh.Secret> FirstPassword(Surroundings around, bool fromInput)
    {
        if (fromInput)
        {
            return around.Input.ReadLine() is { Length: > 0 } line
                ? Ssh.Secret.FromText(line)
                : new Failure(ExitCode.Usage, "The standard input has no first line.", "Write the password there.");
        }

        if (!around.CanAsk) return new Failure(ExitCode.Usage, "Nobody can be asked for the password here.", "Run it on a terminal, or with --password-stdin.");
        return around.AskSecret("Their first password: ") is { Length: > 0 } secret ? secret : new Failure(ExitCode.Usage, "No password was given.");
    }
}
