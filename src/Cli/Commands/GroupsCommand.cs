using System.CommandLine;
using System.Globalization;
using Countersign.Cli.Api;
using Countersign.Cli.Shown;

namespace Countersign.Cli.Commands;

/// <summary>The tree of technician groups: who is in them, who manages and runs them, what they ask for and restrict.</summary>
internal static class GroupsCommand
{
    public static Command Create(CommonOptions common) => new DocumentedCommand(
        "groups",
        "Technician groups: who is in them, who manages them, what they ask for, and what they restrict.",
        "countersign groups list",
        "countersign groups admit Support anna tina",
        "countersign groups set-permission Support Tunnel deny --lock")
    {
        CreateList(common),
        CreateShow(common),
        GroupEditCommands.CreateAdd(common),
        GroupEditCommands.CreateEdit(common),
        CreateRemove(common),
        GroupPeopleCommands.CreateAdmit(common),
        GroupPeopleCommands.CreateDismiss(common),
        GroupPermissionsCommand.Create(common),
        GroupSetPermissionCommand.Create(common),
    };

    public static Argument<string> Named() => new("GROUP") { Description = GroupTree.Help };

    /// <summary>The group as it is, by what it is called.</summary>
    public static async Task<Answer<Reply<TechnicianGroup>>> FindAsync(ApiClient client, string name, CancellationToken cancellation) =>
        (await GroupTree.FindAsync(client, GroupTree.OfTechnicians, name, cancellation)).TryGet(out var id, out var failure)
            ? await client.GetAsync($"technician-groups/{id}", ApiJson.Default.TechnicianGroup, cancellation)
            : failure;

    private static DocumentedCommand CreateList(CommonOptions common)
    {
        var paging = new Paging();
        var command = new DocumentedCommand(
            "list",
            "Lists the technician groups that you may see, each by its path, with how many are in it themselves, manage it and run it.",
            "countersign groups list",
            "countersign groups list --json | jq -r '.items[] | select(.requiresManagerialApproval) | .name'")
        {
            paging.Limit, paging.Cursor,
        };
        command.SetAction((parsed, cancellation) =>
        {
            var names = new KnownNames();
            var listing = new Listing<TechnicianGroup>(
                ApiJson.Default.TechnicianGroupPage,
                "There is no group that you may see.",
                ["GROUP", "STATE", "MEMBERS", "MANAGERS", "ADMINISTRATORS", "DESCRIPTION"],
                (group, _) => [names[group.Id], StateOf(group), Count(group.Members), Count(group.Managers), Count(group.Administrators), group.Description ?? ""])
            {
                Prepare = (client, _, stop) => names.ReadGroupsAsync(client, GroupTree.OfTechnicians, stop),
            };
            return listing.RunAsync(common, parsed, $"technician-groups?{paging.Query(parsed)}", cancellation);
        });
        return command;
    }

    private static DocumentedCommand CreateShow(CommonOptions common)
    {
        var name = Named();
        var command = new DocumentedCommand(
            "show",
            "Shows a group: its people, and what connections of its members meet. \"groups permissions\" shows what it restricts.",
            "countersign groups show Support",
            "countersign groups show \"Berlin / Support\" --json")
        {
            name,
        };
        command.SetAction((parsed, cancellation) => Telling.RunAsync(
            common,
            parsed,
            (client, stop) => FindAsync(client, parsed.GetRequiredValue(name), stop),
            async (group, client, output, stop) =>
            {
                var names = new KnownNames();
                await names.ReadGroupsAsync(client, GroupTree.OfTechnicians, stop);
                await names.ReadMembersAsync(client, group.Id ?? "", stop);
                await names.ReadPeopleAsync(client, [.. group.Managers ?? [], .. group.Administrators ?? []], stop);
                if (group.ApprovedExternalGroups is { Count: > 0 }) await names.ReadExternalGroupsAsync(client, stop);
                Show(output, group, names);
            },
            cancellation));
        return command;
    }

    private static void Show(Output output, TechnicianGroup group, KnownNames names)
    {
        output.Line($"{names[group.Id]}: {StateOf(group)}");
        if (group.Description is { Length: > 0 } description) output.Line(description);
        output.Line($"members: {names.All(group.Members)}");
        output.Line($"managers: {names.All(group.Managers)}");
        output.Line($"administrators: {names.All(group.Administrators)}");
        output.Line($"managerial approval: {(group.RequiresManagerialApproval == true ? "required" : "not required")}{(group.MembersApprove == true ? ", given by members in the place of managers" : "")}");
        output.Line($"consent: {Output.Words(group.Consent)}");
        output.Line($"single prompt: {(group.SinglePrompt == true ? "yes" : "no")}");
        output.Line($"approved external groups: {names.All(group.ApprovedExternalGroups)}{(group.InheritsApprovedExternalGroups == true ? " (inherited)" : "")}");
    }

    private static DocumentedCommand CreateRemove(CommonOptions common)
    {
        var name = Named();
        var edit = new PolicyEdit(common);
        var command = new DocumentedCommand(
            "remove",
            "Deletes a group that has no groups below it, with its grants. Its members stay what they are.",
            "countersign groups remove Support --preview",
            "countersign groups remove Support")
        {
            name, edit.Preview,
        };
        command.SetAction((parsed, cancellation) => edit.RunAsync(
            parsed,
            async (client, stop) => (await GroupTree.FindAsync(client, GroupTree.OfTechnicians, parsed.GetRequiredValue(name), stop)).TryGet(out var id, out var failure)
                ? PolicyRequest.Delete($"technician-groups/{id}", $"Deleted {parsed.GetRequiredValue(name)}.")
                : failure,
            cancellation));
        return command;
    }

    private static string StateOf(TechnicianGroup group) => group.Enabled == false ? "disabled" : "enabled";

    private static string Count(IReadOnlyList<string>? people) => (people?.Count ?? 0).ToString(CultureInfo.InvariantCulture);
}
