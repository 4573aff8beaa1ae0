using System.CommandLine;
using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

internal static class TechnicianAddCommand
{
    public static Command Create(CommonOptions common)
    {
        var login = new Argument<string>("LOGIN") { Description = "What they sign in with: a-z, 0-9, dots, underscores, hyphens." };
        var name = new Option<string>("--name") { Description = "What they are called.", HelpName = "NAME", Required = true };
        var mail = new Option<string?>("--mail") { Description = "Their mail address.", HelpName = "ADDRESS" };
        var fromInput = new Option<bool>("--password-stdin") { Description = "Reads the first password from the first line of the standard input." };
        var edit = new PolicyEdit(common);
        var command = new DocumentedCommand(
            "add",
            "Adds a technician with a first password, which they have to change when they sign in. With --preview none is asked for.",
            "countersign technicians add eve --name \"Eve Example\" --mail eve@example.org")
        {
            login, name, mail, fromInput, edit.Preview,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            Ssh.Secret? password = null;
            if (!parsed.GetValue(edit.Preview) && !TypedPassword.Read(common.Around, parsed.GetValue(fromInput), "Their first password: ").TryGet(out password, out var failure)) return common.OutputFor(parsed).Fail(failure);
            using var typed = password;
            var person = new NewTechnician
            {
                Kind = "technician",
                Login = parsed.GetRequiredValue(login),
                Name = parsed.GetRequiredValue(name),
                Mail = parsed.GetValue(mail) ?? "",
                Password = typed?.ExposeText(),
            };
            return await edit.RunAsync(
                parsed,
                PolicyRequest.Post("technicians", person, ApiJson.Default.NewTechnician, $"Added {person.Login}, who has to choose a password of their own first."),
                cancellation);
        });
        return command;
    }
}
