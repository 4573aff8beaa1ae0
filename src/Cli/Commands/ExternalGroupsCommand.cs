using System.CommandLine;
using System.Globalization;
using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

/// <summary>Groups of people from outside, which technician groups approve for invitations.</summary>
internal static class ExternalGroupsCommand
{
    public static Command Create(CommonOptions common) => new DocumentedCommand(
        "external-groups",
        "Groups of contacts from outside, which technician groups approve for invitations into sessions.",
        "countersign external-groups list",
        "countersign external-groups admit Partners carl")
    {
        CreateList(common),
        CreateAdd(common),
        CreateRemove(common),
        CreateMembers(common, "admit", "Puts contacts into a group. For master administrators.", (path, contact) => PolicyRequest.Put(path, $"Admitted {contact}.")),
        CreateMembers(common, "dismiss", "Takes contacts out of a group. For master administrators.", (path, contact) => PolicyRequest.Delete(path, $"Dismissed {contact}.")),
    };

    private static DocumentedCommand CreateList(CommonOptions common)
    {
        var paging = new Paging();
        var command = new DocumentedCommand(
            "list",
            "Lists the groups, and how many people are in each. For who administers technician groups.",
            "countersign external-groups list",
            "countersign external-groups list --json")
        {
            paging.Limit,
            paging.Cursor,
        };
        command.SetAction((parsed, cancellation) => ListAsync(common, parsed, paging, cancellation));
        return command;
    }

    private static DocumentedCommand CreateAdd(CommonOptions common)
    {
        var name = new Argument<string>("NAME") { Description = "What to call it; no two have the same name." };
        var description = new Option<string>("--description") { Description = "Who they are.", HelpName = "TEXT", DefaultValueFactory = _ => "" };
        var edit = new PolicyEdit(common);
        var command = new DocumentedCommand(
            "add", "Makes a group. For master administrators.", "countersign external-groups add Partners --description \"Resellers in the north\"") { name, description, edit.Preview };
        command.SetAction((parsed, cancellation) =>
        {
            var wanted = new NewExternalGroup(parsed.GetRequiredValue(name), parsed.GetValue(description) ?? "");
            return edit.RunAsync(parsed, PolicyRequest.Post("external-groups", wanted, ApiJson.Default.NewExternalGroup, $"Added {wanted.Name}."), cancellation);
        });
        return command;
    }

    private static DocumentedCommand CreateRemove(CommonOptions common)
    {
        var group = Group();
        var edit = new PolicyEdit(common);
        var command = new DocumentedCommand(
            "remove",
            "Deletes a group: nobody is in it and no technician group approves it any more. For master administrators.",
            "countersign external-groups remove Partners --preview",
            "countersign external-groups remove Partners")
        {
            group, edit.Preview,
        };
        command.SetAction((parsed, cancellation) => edit.RunAsync(
            parsed,
            async (client, stop) => (await NamedThings.ExternalGroupAsync(client, parsed.GetRequiredValue(group), stop)).TryGet(out var id, out var failure)
                ? PolicyRequest.Delete($"external-groups/{id}", $"Deleted {parsed.GetRequiredValue(group)}.")
                : failure,
            cancellation));
        return command;
    }

    private static DocumentedCommand CreateMembers(CommonOptions common, string verb, string description, Func<string, string, PolicyRequest> change)
    {
        var group = Group();
        var contacts = new Argument<string[]>("CONTACT") { Description = "Logins, or IDs.", Arity = ArgumentArity.OneOrMore };
        var edit = new PolicyEdit(common);
        var command = new DocumentedCommand(verb, description, $"countersign external-groups {verb} Partners carl cora") { group, contacts, edit.Preview };
        command.SetAction((parsed, cancellation) => edit.RunAsync(
            parsed,
            async Task<Answer<List<PolicyRequest>>> (client, stop) =>
            {
                if (!(await NamedThings.ExternalGroupAsync(client, parsed.GetRequiredValue(group), stop)).TryGet(out var id, out var failure)) return failure;
                var changes = new List<PolicyRequest>();
                foreach (var contact in parsed.GetRequiredValue(contacts))
                {
                    if (!(await NamedThings.PersonAsync(client, contact, stop)).TryGet(out var person, out failure)) return failure;
                    changes.Add(change($"external-groups/{id}/members/{person}", contact));
                }

                return changes;
            },
            cancellation));
        return command;
    }

    private static Argument<string> Group() => new("GROUP") { Description = "The group's name, or its ID." };

    private static async Task<int> ListAsync(CommonOptions common, ParseResult parsed, Paging paging, CancellationToken cancellation)
    {
        var output = common.OutputFor(parsed);
        if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
        using var client = api;
        if (!(await client.GetAsync($"external-groups?{paging.Query(parsed)}", ApiJson.Default.ExternalGroupPage, cancellation)).TryGet(out var reply, out failure)) return output.Fail(failure);
        if (output.IsJson)
        {
            output.Json(reply.Json);
            return ExitCode.Ok;
        }

        output.Table(["NAME", "MEMBERS", "DESCRIPTION", "ID"], (reply.Value.Items ?? []).Select(group => new[]
        {
            group.Name ?? "",
            (group.Members?.Count ?? 0).ToString(CultureInfo.InvariantCulture),
            group.Description ?? "",
            group.Id ?? "",
        }));
        Paging.NoteMore(output, reply.Value.Next);
        return ExitCode.Ok;
    }
}
