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
        TechnicianListCommand.Create(common),
        PersonCommands.CreateShow(common, PersonCommands.Technician),
        TechnicianAddCommand.Create(common),
        TechnicianFirstPasswordCommand.Create(common),
        InvitationCommands.CreateInvite(common),
        InvitationCommands.CreateResend(common),
        InvitationCommands.CreateWithdraw(common),
        PersonCommands.CreateEdit(common, PersonCommands.Technician),
        PersonCommands.CreateSwitch(common, "disable", "Disables a technician or a contact: sessions end at once, and tokens, keys and passwords let nobody in.", "Disabled"),
        PersonCommands.CreateSwitch(common, "enable", "Enables somebody who was disabled.", "Enabled"),
        PersonCommands.CreateRemove(common, PersonCommands.Technician),
        CreateAct(
            common,
            "reset-password",
            "password/reset",
            "Mails a link to a technician who has lost their password, by which they choose another one. A second factor stays as it is.",
            (who, _) => $"A link to choose another password goes to {who}."),
        CreateAct(
            common,
            "reset-two-factor",
            "two-factor/reset",
            "Takes the second factor from somebody who has lost theirs: app, passkeys, recovery codes. All that they are signed in with ends, and they are told by mail, where that can be.",
            (who, answer) => PolicyEdit.Read(answer, ApiJson.Default.TwoFactorReset)?.Told == true
                ? $"No second factor is asked of {who}. They are told by mail."
                : $"No second factor is asked of {who}. They are NOT told by mail, for want of a mail server or an address: tell them yourself."),
        TechnicianKeyCommands.CreateList(common),
        TechnicianKeyCommands.CreateAdd(common),
        TechnicianKeyCommands.CreateRemove(common),
        TechnicianTokenCommands.CreateList(common),
        TechnicianTokenCommands.CreateRemove(common),
        TechnicianSignInCommands.CreateList(common),
        TechnicianSignInCommands.CreateEnd(common),
        HandOverCommand.Create(common),
    };

    /// <summary>Login, mail address or ID.</summary>
    public static Argument<string> Who(string description = "Login, mail address or ID.") => new("WHO") { Description = description };

    /// <param name="path">Behind the person's.</param>
    /// <param name="done">Gets who it was done to, and the answer.</param>
    private static DocumentedCommand CreateAct(CommonOptions common, string verb, string path, string description, Func<string, string, string> done)
    {
        var who = Who();
        var command = new DocumentedCommand(verb, description, $"countersign technicians {verb} eve") { who };
        command.SetAction((parsed, cancellation) => Acting.WithPersonAsync(
            common,
            parsed,
            parsed.GetRequiredValue(who),
            (client, id, stop) => client.PostAsync($"technicians/{id}/{path}", stop),
            answer => done(parsed.GetRequiredValue(who), answer),
            cancellation));
        return command;
    }
}
