using System.CommandLine;
using Countersign.Cli.Api;
using Countersign.Cli.Shown;

namespace Countersign.Cli.Commands;

/// <param name="Command">That of which the commands here are a part.</param>
/// <param name="Noun">With its article.</param>
/// <param name="Example">Whom examples name.</param>
/// <param name="Find">The id of whom a command names.</param>
internal sealed record KindOfPerson(string Command, string Noun, string Example, string Who, Func<ApiClient, string, CancellationToken, Task<Answer<string>>> Find);

/// <summary>Somebody who is there: shown, and changed.</summary>
internal static class PersonCommands
{
    public static KindOfPerson Technician { get; } = new("technicians", "a technician or contact", "eve", "Login, mail address or ID.", NamedThings.PersonAsync);

    public static KindOfPerson Contact { get; } = new("contacts", "a contact", "carl@customer.example", "Mail address or ID.", NamedThings.ContactAsync);

    public static Command CreateShow(CommonOptions common, KindOfPerson kind)
    {
        var who = TechniciansCommand.Who(kind.Who);
        var command = new DocumentedCommand("show", $"Shows {kind.Noun}: who they are, and the groups that they are in themselves.", $"countersign {kind.Command} show {kind.Example}", $"countersign {kind.Command} show {kind.Example} --json") { who };
        command.SetAction((parsed, cancellation) => Telling.RunAsync(
            common,
            parsed,
            async (client, stop) => (await kind.Find(client, parsed.GetRequiredValue(who), stop)).TryGet(out var id, out var failure)
                ? await client.GetAsync($"technicians/{Uri.EscapeDataString(id)}", ApiJson.Default.Technician, stop)
                : failure,
            async (person, client, output, stop) =>
            {
                var names = new KnownNames();
                if (person.Groups is { Count: > 0 }) await names.ReadGroupsAsync(client, GroupTree.OfTechnicians, stop);
                if (person.ExternalGroups is { Count: > 0 }) await names.ReadExternalGroupsAsync(client, stop);
                output.Line($"{person.Login} ({person.Name}): {Output.Words(person.Kind)}, {PeopleList.StateOf(person)}");
                if (person.Mail is { Length: > 0 } mail) output.Line($"mail: {mail}");
                output.Line(person.Kind == "contact" ? $"external groups: {names.All(person.ExternalGroups)}" : $"groups: {names.All(person.Groups)}");
                output.Line($"ID: {person.Id}");
            },
            cancellation));
        return command;
    }

    public static Command CreateEdit(CommonOptions common, KindOfPerson kind)
    {
        var who = TechniciansCommand.Who(kind.Who);
        var name = new Option<string?>("--name") { Description = "What they are called.", HelpName = "NAME" };
        var mail = new Option<string?>("--mail") { Description = "Their mail address. They are told, at the one before, too.", HelpName = "ADDRESS" };
        var edit = new PolicyEdit(common);
        var command = new DocumentedCommand(
            "edit",
            $"Changes the name or mail address of {kind.Noun}; what is not named stays.",
            $"countersign {kind.Command} edit {kind.Example} --name \"Another Name\"",
            $"countersign {kind.Command} edit {kind.Example} --mail other@example.org --preview")
        {
            who, name, mail, edit.Preview,
        };
        command.ChangesSomething(name, mail);
        command.SetAction((parsed, cancellation) => edit.RunAsync(
            parsed,
            (client, stop) => PlanAsync(client, kind, parsed.GetRequiredValue(who), path => PolicyRequest.Patch(
                path, new(parsed.GetValue(name), parsed.GetValue(mail)), ApiJson.Default.PersonChange, $"Changed {parsed.GetRequiredValue(who)}."), stop),
            cancellation));
        return command;
    }

    public static Command CreateRemove(CommonOptions common, KindOfPerson kind)
    {
        var who = TechniciansCommand.Who(kind.Who);
        var edit = new PolicyEdit(common);
        var command = new DocumentedCommand(
            "remove",
            $"Deletes {kind.Noun}: sessions end at once, and nothing lets them in any more.",
            $"countersign {kind.Command} remove {kind.Example} --preview",
            $"countersign {kind.Command} remove {kind.Example}")
        {
            who, edit.Preview,
        };
        command.SetAction((parsed, cancellation) => edit.RunAsync(
            parsed,
            (client, stop) => PlanAsync(client, kind, parsed.GetRequiredValue(who), path => PolicyRequest.Delete(path, $"Deleted {parsed.GetRequiredValue(who)}."), stop),
            cancellation));
        return command;
    }

    /// <param name="done">Goes before who it was done to.</param>
    public static Command CreateSwitch(CommonOptions common, string verb, string description, string done)
    {
        var who = TechniciansCommand.Who();
        var edit = new PolicyEdit(common);
        var command = new DocumentedCommand(verb, description, $"countersign technicians {verb} eve --preview", $"countersign technicians {verb} eve") { who, edit.Preview };
        command.SetAction((parsed, cancellation) => edit.RunAsync(
            parsed,
            (client, stop) => PlanAsync(client, Technician, parsed.GetRequiredValue(who), path => PolicyRequest.Post($"{path}/{verb}", $"{done} {parsed.GetRequiredValue(who)}."), stop),
            cancellation));
        return command;
    }

    /// <param name="change">Gets where the API has the person.</param>
    private static async Task<Answer<PolicyRequest>> PlanAsync(ApiClient client, KindOfPerson kind, string who, Func<string, PolicyRequest> change, CancellationToken cancellation)
    {
        if (!(await kind.Find(client, who, cancellation)).TryGet(out var id, out var failure)) return failure;
        var path = $"technicians/{Uri.EscapeDataString(id)}";
        return (await client.GetAsync(path, ApiJson.Default.Technician, cancellation)).TryGet(out var person, out failure) ? change(path) with { Read = person.Value.Version } : failure;
    }
}
