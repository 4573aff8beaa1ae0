using System.CommandLine;
using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

/// <summary>A technician group added and changed.</summary>
internal sealed class GroupEditCommands
{
    private readonly Option<string?> _parent = new("--parent") { Description = "The group that it is below.", HelpName = "GROUP" };
    private readonly Option<string?> _description = new("--description") { Description = "Who they are.", HelpName = "TEXT" };
    private readonly Option<bool?> _enabled = new("--enabled") { Description = "true or false: a disabled group gives nothing any more, and what it forbids and asks for still binds.", HelpName = "BOOL" };
    private readonly Option<bool?> _approval = new("--managerial-approval") { Description = "true or false: whether members need an approval when they connect.", HelpName = "BOOL" };
    private readonly Option<bool?> _membersApprove = new("--members-approve") { Description = "true or false: members give that approval, in the place of managers. For master administrators.", HelpName = "BOOL" };
    private readonly Option<string?> _consent = new("--consent") { Description = "What the end user is asked at the least: none, notify or ask.", HelpName = "CONSENT" };
    private readonly Option<bool?> _singlePrompt = new("--single-prompt") { Description = "true or false: the end user is asked once for all that is done in a session.", HelpName = "BOOL" };

    private GroupEditCommands() => _consent.AcceptOnlyFromAmong("none", "notify", "ask");

    private Option[] All => [_parent, _description, _enabled, _approval, _membersApprove, _consent, _singlePrompt];

    public static Command CreateAdd(CommonOptions common)
    {
        var name = new Argument<string>("NAME") { Description = "What to call it; no two below the same group have the same name." };
        var options = new GroupEditCommands();
        var edit = new PolicyEdit(common);
        var command = new DocumentedCommand(
            "add",
            "Makes a group, directly below Everyone where no other is named.",
            "countersign groups add Support --description \"First level\"",
            "countersign groups add Juniors --parent Support --managerial-approval true --consent ask --preview")
        {
            name,
        };
        foreach (var option in options.All) command.Add(option);
        command.Add(edit.Preview);
        command.SetAction((parsed, cancellation) => edit.RunAsync(
            parsed,
            async Task<Answer<PolicyRequest>> (client, stop) =>
            {
                if (!(await GroupTree.ReadAsync(client, GroupTree.OfTechnicians, stop)).TryGet(out var tree, out var failure)) return failure;
                if (!options.Parent(parsed, tree).TryGet(out var parent, out failure)) return failure;
                return PolicyRequest.Post("technician-groups", options.Change(parsed, parent, parsed.GetRequiredValue(name)), ApiJson.Default.TechnicianGroupChange, $"Added {parsed.GetRequiredValue(name)}.");
            },
            cancellation));
        return command;
    }

    public static Command CreateEdit(CommonOptions common)
    {
        var name = GroupsCommand.Named();
        var rename = new Option<string?>("--rename") { Description = "Another name.", HelpName = "NAME" };
        var options = new GroupEditCommands();
        var approved = new Option<string[]>("--approve-external") { Description = "An external group whose people the members may invite. Repeatable.", HelpName = "EXTERNAL" };
        var disapproved = new Option<string[]>("--disapprove-external") { Description = "An external group that is approved no more. Repeatable.", HelpName = "EXTERNAL" };
        var inherits = new Option<bool>("--inherit-externals") { Description = "Approves the external groups that are approved above it." };
        var edit = new PolicyEdit(common);
        var command = new DocumentedCommand(
            "edit",
            "Changes a group; what is not named stays.",
            "countersign groups edit Juniors --managerial-approval true --consent ask --preview",
            "countersign groups edit Juniors --parent \"Berlin / Support\" --rename Apprentices",
            "countersign groups edit Support --approve-external Partners")
        {
            name, rename,
        };
        Option[] own = [rename, .. options.All];
        Option[] externals = [approved, disapproved, inherits];
        foreach (var option in (Option[])[.. options.All, .. externals, edit.Preview]) command.Add(option);
        command.ChangesSomething([.. own, .. externals]);
        command.AtMostOneOf(approved, inherits);
        command.AtMostOneOf(disapproved, inherits);
        command.SetAction((parsed, cancellation) => edit.RunAsync(
            parsed,
            async Task<Answer<List<PolicyRequest>>> (client, stop) =>
            {
                if (!(await GroupTree.ReadAsync(client, GroupTree.OfTechnicians, stop)).TryGet(out var tree, out var failure)) return failure;
                string? parent = null;
                if (parsed.GetValue(options._parent) is not null && !options.Parent(parsed, tree).TryGet(out parent, out failure)) return failure;
                if (!(await GroupsCommand.FindAsync(client, parsed.GetRequiredValue(name), stop)).TryGet(out var found, out failure)) return failure;
                var group = found.Value;
                var changes = new List<PolicyRequest>();
                if (own.Any(option => parsed.GetResult(option) is { Implicit: false }))
                    changes.Add(PolicyRequest.Patch($"technician-groups/{group.Id}", options.Change(parsed, parent, parsed.GetValue(rename)), ApiJson.Default.TechnicianGroupChange, $"Changed {group.Name}.") with { Read = group.Version });
                if (!externals.Any(option => parsed.GetResult(option) is { Implicit: false })) return changes;
                var wanted = await ExternalsAsync(client, group, parsed.GetValue(approved) ?? [], parsed.GetValue(disapproved) ?? [], stop);
                if (!wanted.TryGet(out var ids, out failure)) return failure;
                var body = new ApprovedExternals(parsed.GetValue(inherits) ? null : ids);
                changes.Add(PolicyRequest.Put($"technician-groups/{group.Id}/approved-external-groups", body, ApiJson.Default.ApprovedExternals, $"Changed what external groups {group.Name} approves.") with { Read = group.Version, GoesOn = true });
                return changes;
            },
            cancellation));
        return command;
    }

    /// <summary>All that are approved then. Those that were inherited until now stay, as its own.</summary>
    private static async Task<Answer<List<string>>> ExternalsAsync(ApiClient client, TechnicianGroup group, string[] approved, string[] disapproved, CancellationToken cancellation)
    {
        var ids = (group.ApprovedExternalGroups ?? []).ToHashSet(StringComparer.Ordinal);
        foreach (var (name, add) in approved.Select(name => (name, true)).Concat(disapproved.Select(name => (name, false))))
        {
            if (!(await NamedThings.ExternalGroupAsync(client, name, cancellation)).TryGet(out var id, out var failure)) return failure;
            if (add) ids.Add(id);
            else ids.Remove(id);
        }

        return ids.Order(StringComparer.Ordinal).ToList();
    }

    private Answer<string> Parent(ParseResult parsed, GroupTree tree) => parsed.GetValue(_parent) is { } named
        ? tree.Find(named)
        : tree.Everyone is { } everyone ? everyone : new Failure(ExitCode.Usage, "You may not see Everyone.", "Name the group that it is below with --parent.");

    private TechnicianGroupChange Change(ParseResult parsed, string? parent, string? name) => new(
        parent,
        name,
        parsed.GetValue(_description),
        parsed.GetValue(_enabled),
        parsed.GetValue(_approval),
        parsed.GetValue(_consent),
        parsed.GetValue(_singlePrompt),
        parsed.GetValue(_membersApprove));
}
