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
            CreateRemove(common),
        };
    }

    private static DocumentedCommand CreateAdd(CommonOptions common)
    {
        var mail = new Argument<string>("MAIL") { Description = "The address that their links to sign in go to." };
        var name = new Option<string>("--name") { Description = "What they are called.", HelpName = "NAME", Required = true };
        var command = new DocumentedCommand("add", "Adds a contact, who signs in by links that they are mailed.", "countersign contacts add carl@customer.example --name \"Carl Customer\"") { mail, name };
        command.SetAction(async (parsed, cancellation) =>
        {
            var output = common.OutputFor(parsed);
            if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
            using var client = api;
            var contact = new NewContact(parsed.GetRequiredValue(name), parsed.GetRequiredValue(mail));
            if (!(await client.PostAsync("contacts", contact, ApiJson.Default.NewContact, ApiJson.Default.Technician, cancellation)).TryGet(out var reply, out failure)) return output.Fail(failure);
            if (output.IsJson) output.Json(reply.Json);
            else output.Line($"Added {contact.Mail}: {reply.Value.Login}, {reply.Value.Id}.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static DocumentedCommand CreateRemove(CommonOptions common)
    {
        var who = TechniciansCommand.Who("Mail address or ID.");
        var command = new DocumentedCommand("remove", "Deletes a contact.", "countersign contacts remove carl@customer.example") { who };
        command.SetAction((parsed, cancellation) => Acting.RunAsync(
            common,
            parsed,
            async (client, stop) => (await NamedThings.ContactAsync(client, parsed.GetRequiredValue(who), stop)).TryGet(out var id, out var failure)
                ? await client.DeleteAsync($"technicians/{id}", stop)
                : failure,
            $"Deleted {parsed.GetRequiredValue(who)}.",
            cancellation));
        return command;
    }
}
