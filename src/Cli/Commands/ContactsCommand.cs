using System.CommandLine;
using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

/// <summary>People outside the organization, who may ask for devices and sign in by mailed links.</summary>
internal static class ContactsCommand
{
    public static Command Create(CommonOptions common)
    {
        var search = new Argument<string?>("SEARCH") { Description = "Part of a name or mail address.", Arity = ArgumentArity.ZeroOrOne };
        var paging = new Paging();
        var list = new DocumentedCommand("list", "Lists the contacts whom you may see.", "countersign contacts list") { search, paging.Limit, paging.Cursor };
        list.SetAction((parsed, cancellation) => PeopleList.Shown.RunAsync(
            common, parsed, $"technicians?kind=contact&{(parsed.GetValue(search) is { } text ? $"search={Uri.EscapeDataString(text)}&" : "")}{paging.Query(parsed)}", cancellation));
        return new DocumentedCommand(
            "contacts",
            "People outside your organization. Disable and enable them as technicians.",
            "countersign contacts add carl@customer.example --name \"Carl Customer\"",
            "countersign contacts list")
        {
            list,
            CreateAdd(common),
            PersonCommands.CreateShow(common, PersonCommands.Contact),
            PersonCommands.CreateEdit(common, PersonCommands.Contact),
            PersonCommands.CreateRemove(common, PersonCommands.Contact),
        };
    }

    private static DocumentedCommand CreateAdd(CommonOptions common)
    {
        var mail = new Argument<string>("MAIL") { Description = "The address that their links to sign in go to." };
        var name = new Option<string>("--name") { Description = "What they are called.", HelpName = "NAME", Required = true };
        var edit = new PolicyEdit(common);
        var command = new DocumentedCommand("add", "Adds a contact, who signs in by links that they are mailed.", "countersign contacts add carl@customer.example --name \"Carl Customer\"") { mail, name, edit.Preview };
        command.SetAction((parsed, cancellation) =>
        {
            var contact = new NewContact(parsed.GetRequiredValue(name), parsed.GetRequiredValue(mail));
            return edit.RunAsync(
                parsed,
                PolicyRequest.Post("contacts", contact, ApiJson.Default.NewContact, "").Showing(ApiJson.Default.Technician, (output, person) => output.Line($"Added {contact.Mail}: {person.Login}, {person.Id}.")),
                cancellation);
        });
        return command;
    }
}
