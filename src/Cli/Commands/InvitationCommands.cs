using System.CommandLine;
using System.Globalization;
using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

/// <summary>Mailed links by which people join.</summary>
internal static class InvitationCommands
{
    public static Command CreateInvite(CommonOptions common)
    {
        var mail = new Argument<string>("MAIL") { Description = "The address that the link goes to." };
        var name = new Option<string?>("--name") { Description = "What they are called, until they say so themselves.", HelpName = "NAME" };
        var days = Days();
        var edit = new PolicyEdit(common);
        var command = new DocumentedCommand(
            "invite",
            "Invites somebody by mail. They are there at once and can be given groups and rights, and take part in nothing until they have used the link.",
            "countersign technicians invite eve@example.org",
            "countersign technicians invite eve@example.org --name \"Eve Example\" --days 2")
        {
            mail, name, days, edit.Preview,
        };
        command.SetAction((parsed, cancellation) =>
        {
            var invited = new Invite(parsed.GetRequiredValue(mail), parsed.GetValue(name), parsed.GetValue(days));
            return edit.RunAsync(
                parsed,
                PolicyRequest.Post("invitations", invited, ApiJson.Default.Invite, "").Showing(ApiJson.Default.Technician, (output, person) => output.Line($"{invited.Mail} is invited: {person.Login}, {person.Id}.")),
                cancellation);
        });
        return command;
    }

    public static Command CreateResend(CommonOptions common)
    {
        var who = TechniciansCommand.Who();
        var days = Days();
        var command = new DocumentedCommand("resend", "Mails a new link to somebody who is invited. The one before is void.", "countersign technicians resend eve@example.org") { who, days };
        command.SetAction(async (parsed, cancellation) =>
        {
            var output = common.OutputFor(parsed);
            if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
            using var client = api;
            if (!(await NamedThings.PersonAsync(client, parsed.GetRequiredValue(who), cancellation)).TryGet(out var id, out failure)) return output.Fail(failure);
            var answer = await client.PostAsync($"technicians/{id}/invitation", new Resend(parsed.GetValue(days)), ApiJson.Default.Resend, ApiJson.Default.InvitationOf, cancellation);
            if (!answer.TryGet(out var reply, out failure)) return output.Fail(failure);
            if (output.IsJson) output.Json(reply.Json);
            else output.Line($"A new link goes to {reply.Value.Mail}, and is good until {output.Time(reply.Value.Expires)}.");
            return ExitCode.Ok;
        });
        return command;
    }

    public static Command CreateWithdraw(CommonOptions common)
    {
        var who = TechniciansCommand.Who();
        var command = new DocumentedCommand("withdraw", "Makes a link void that was mailed to somebody. They stay in the list, to be invited again or deleted.", "countersign technicians withdraw eve@example.org") { who };
        command.SetAction((parsed, cancellation) => Acting.WithPersonAsync(
            common,
            parsed,
            parsed.GetRequiredValue(who),
            (client, id, stop) => client.DeleteAsync($"technicians/{id}/invitation", stop),
            $"The invitation of {parsed.GetRequiredValue(who)} is withdrawn.",
            cancellation));
        return command;
    }

    private static Option<int> Days() => new("--days")
    {
        Description = "How long the link is good, 1 to 30 days.",
        HelpName = "N",
        DefaultValueFactory = _ => 7,
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var days) && days is >= 1 and <= 30) return days;
            result.AddError($"--days is a number from 1 to 30, and not \"{text}\".");
            return default;
        },
    };
}
