using System.CommandLine;
using System.Globalization;
using Countersign.Cli.Api;
using Countersign.Cli.Shown;

namespace Countersign.Cli.Commands;

/// <summary>What is granted together under a name.</summary>
internal static class RolesCommand
{
    /// <summary>What roles are for, as it is written here and as the API has it.</summary>
    private static readonly Dictionary<string, string> _purposes = new() { ["devices"] = "devicesAndGroups", ["invitations"] = "invitations", ["administration"] = "administration" };

    private static readonly Listing<Role> _listing = new(
        ApiJson.Default.WholeRolePage,
        "There is no role.",
        ["ROLE", "FOR", "KIND", "PERMISSIONS"],
        (role, _) => [role.Name ?? "", PurposeText(role.Purpose), role.System == true ? "system" : "", (role.Permissions?.Count ?? 0).ToString(CultureInfo.InvariantCulture)]);

    public static string PurposeText(string? purpose) => _purposes.FirstOrDefault(known => known.Value == purpose).Key ?? Output.Words(purpose);

    public static Command Create(CommonOptions common) => new DocumentedCommand(
        "roles",
        "What is granted together under a name. System roles, marked so, can be granted and not changed.",
        "countersign roles list",
        "countersign roles add Operators --purpose devices --permission Terminal --permission SendFiles",
        "countersign roles edit Operators --add-permission Reboot --remove-permission SendFiles")
    {
        CreateList(common),
        CreateShow(common),
        CreateAdd(common),
        CreateEdit(common),
        CreateRemove(common),
    };

    private static DocumentedCommand CreateList(CommonOptions common)
    {
        var purpose = Purpose("Only those that are for this: devices (and groups of them), invitations or administration.");
        var paging = new Paging();
        var command = new DocumentedCommand(
            "list",
            "Lists the roles, what they are for, and how much each permits.",
            "countersign roles list --purpose administration",
            "countersign roles list --json | jq -r '.items[].name'")
        {
            purpose, paging.Limit, paging.Cursor,
        };
        command.SetAction((parsed, cancellation) => _listing.RunAsync(
            common, parsed, $"roles?{(parsed.GetValue(purpose) is { } wanted ? $"purpose={_purposes[wanted]}&" : "")}{paging.Query(parsed)}", cancellation));
        return command;
    }

    private static DocumentedCommand CreateShow(CommonOptions common)
    {
        var name = Named();
        var command = new DocumentedCommand("show", "Shows what a role permits.", "countersign roles show \"Only device connection\"", "countersign roles show Operators --json") { name };
        command.SetAction((parsed, cancellation) => Telling.RunAsync(
            common,
            parsed,
            (client, stop) => FindAsync(client, parsed.GetRequiredValue(name), stop),
            (role, output) =>
            {
                output.Line($"{role.Name}{(role.System == true ? " (System)" : "")}: for {PurposeText(role.Purpose)}");
                foreach (var permission in role.Permissions ?? []) output.Line($"  {permission}");
                if (role.Permissions is not { Count: > 0 }) output.Line("  It permits nothing.");
            },
            cancellation));
        return command;
    }

    private static DocumentedCommand CreateAdd(CommonOptions common)
    {
        var name = new Argument<string>("NAME") { Description = "What to call it; no two have the same name." };
        var purpose = Purpose("What it is for, which stays: devices (and groups of them), invitations or administration.");
        purpose.Required = true;
        var permissions = new Option<string[]>("--permission") { Description = "What it permits, as \"countersign permissions\" lists it. Repeatable.", HelpName = "PERMISSION" };
        var edit = new PolicyEdit(common);
        var command = new DocumentedCommand(
            "add",
            "Makes a role. For master administrators.",
            "countersign roles add Operators --purpose devices --permission Terminal --permission SendFiles",
            "countersign roles add \"Support by invitation\" --purpose invitations --permission OwnInvitations --permission Chat --preview")
        {
            name, purpose, permissions, edit.Preview,
        };
        command.SetAction((parsed, cancellation) => edit.RunAsync(
            parsed,
            async Task<Answer<PolicyRequest>> (client, stop) =>
            {
                if (!(await PermissionNames.ReadAsync(client, stop)).TryGet(out var known, out var failure)) return failure;
                if (!known.Find(parsed.GetValue(permissions) ?? []).TryGet(out var found, out failure)) return failure;
                var role = new NewRole(parsed.GetRequiredValue(name), _purposes[parsed.GetRequiredValue(purpose)], found);
                return PolicyRequest.Post("roles", role, ApiJson.Default.NewRole, $"Added {role.Name}.");
            },
            cancellation));
        return command;
    }

    private static DocumentedCommand CreateEdit(CommonOptions common)
    {
        var name = Named();
        var rename = new Option<string?>("--rename") { Description = "Another name.", HelpName = "NAME" };
        var added = new Option<string[]>("--add-permission") { Description = "What it permits from now on, too. Repeatable.", HelpName = "PERMISSION" };
        var removed = new Option<string[]>("--remove-permission") { Description = "What it does not permit any more. Repeatable.", HelpName = "PERMISSION" };
        var edit = new PolicyEdit(common);
        var command = new DocumentedCommand(
            "edit",
            "Changes a role, and with it what everybody has who was granted it; what is not named stays. For master administrators.",
            "countersign roles edit Operators --add-permission Reboot --remove-permission SendFiles --preview",
            "countersign roles edit Operators --rename \"Night shift\"")
        {
            name, rename, added, removed, edit.Preview,
        };
        command.ChangesSomething(rename, added, removed);
        command.SetAction((parsed, cancellation) => edit.RunAsync(
            parsed,
            async Task<Answer<PolicyRequest>> (client, stop) =>
            {
                List<string>? more = null, less = null;
                if (parsed.GetValue(added) is { Length: > 0 } || parsed.GetValue(removed) is { Length: > 0 })
                {
                    if (!(await PermissionNames.ReadAsync(client, stop)).TryGet(out var known, out var unknown)) return unknown;
                    if (!known.Find(parsed.GetValue(added) ?? []).TryGet(out more, out unknown)) return unknown;
                    if (!known.Find(parsed.GetValue(removed) ?? []).TryGet(out less, out unknown)) return unknown;
                    if (more.Intersect(less).FirstOrDefault() is { } both) return new Failure(ExitCode.Usage, $"{both} is to be added and removed.");
                }

                if (!(await FindAsync(client, parsed.GetRequiredValue(name), stop)).TryGet(out var role, out var failure)) return failure;
                var permissions = more is null || less is null ? null : (role.Value.Permissions ?? []).Union(more).Except(less).ToList();
                return PolicyRequest.Patch($"roles/{role.Value.Id}", new RoleChange(parsed.GetValue(rename), permissions), ApiJson.Default.RoleChange, $"Changed {role.Value.Name}.") with { Read = role.Value.Version };
            },
            cancellation));
        return command;
    }

    private static DocumentedCommand CreateRemove(CommonOptions common)
    {
        var name = Named();
        var edit = new PolicyEdit(common);
        var command = new DocumentedCommand(
            "remove",
            "Deletes a role and the grants that were made with it. For master administrators.",
            "countersign roles remove Operators --preview",
            "countersign roles remove Operators")
        {
            name, edit.Preview,
        };
        command.SetAction((parsed, cancellation) => edit.RunAsync(
            parsed,
            async (client, stop) => (await NamedThings.RoleAsync(client, parsed.GetRequiredValue(name), stop)).TryGet(out var id, out var failure)
                ? PolicyRequest.Delete($"roles/{id}", $"Deleted {parsed.GetRequiredValue(name)}.")
                : failure,
            cancellation));
        return command;
    }

    private static Option<string> Purpose(string description)
    {
        var purpose = new Option<string>("--purpose") { Description = description, HelpName = "PURPOSE" };
        purpose.AcceptOnlyFromAmong([.. _purposes.Keys]);
        return purpose;
    }

    private static Argument<string> Named() => new("ROLE") { Description = "The role's name, or its ID." };

    private static async Task<Answer<Reply<Role>>> FindAsync(ApiClient client, string name, CancellationToken cancellation) =>
        (await NamedThings.RoleAsync(client, name, cancellation)).TryGet(out var id, out var failure) ? await client.GetAsync($"roles/{id}", ApiJson.Default.Role, cancellation) : failure;
}
