using System.CommandLine;
using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

/// <summary>One permission of a technician group's policy.</summary>
internal sealed class GroupSetPermissionCommand
{
    private const string Inherit = "inherit";

    private readonly Argument<string> _group = GroupsCommand.Named();
    private readonly Argument<string> _permission = new("PERMISSION") { Description = "As \"countersign permissions\" lists it, of those that groups can restrict." };
    private readonly Argument<string> _value = new("VALUE") { Description = "allow, deny or inherit, which is what the group above says." };
    private readonly Option<bool> _lock = new("--lock") { Description = "Groups below can't say otherwise. For master administrators." };
    private readonly Option<bool> _unlock = new("--unlock") { Description = "Groups below can say otherwise again. For master administrators." };
    private readonly Option<string?> _option = new("--option")
    {
        Description = "Chat: on or off at session start. RecordSessions: allowed, or consent of the end user first. TransferSessions, Collaborate: any, or named groups. InviteExternal: anyone, or approved.",
        HelpName = "OPTION",
    };

    private readonly Option<string[]> _added = new("--add-named") { Description = "With named groups: one more. Repeatable.", HelpName = "GROUP" };
    private readonly Option<string[]> _removed = new("--remove-named") { Description = "With named groups: one less. Repeatable.", HelpName = "GROUP" };

    private GroupSetPermissionCommand()
    {
        _value.AcceptOnlyFromAmong("allow", "deny", Inherit);
        _option.AcceptOnlyFromAmong("on", "off", "allowed", "consent", "any", GroupPermissionsCommand.Named, "anyone", "approved");
    }

    public static Command Create(CommonOptions common)
    {
        var one = new GroupSetPermissionCommand();
        var edit = new PolicyEdit(common);
        var command = new DocumentedCommand(
            "set-permission",
            "Has a group allow or deny its members something, or inherit that. Lock and option stay as they are where they are not named.",
            "countersign groups set-permission Support Tunnel deny --lock --preview",
            "countersign groups set-permission Support Chat allow --option off",
            "countersign groups set-permission Support TransferSessions allow --add-named Seniors")
        {
            one._group, one._permission, one._value, one._lock, one._unlock, one._option, one._added, one._removed, edit.Preview,
        };
        command.AtMostOneOf(one._lock, one._unlock);
        command.Validators.Add(result =>
        {
            var names = result.GetResult(one._added) is not null || result.GetResult(one._removed) is not null;
            var option = result.GetValue(one._option);
            if (result.GetValue(one._value) == Inherit && (names || result.GetValue(one._lock) || option is not null)) result.AddError("What is inherited has no lock and no option of its own.");
            if (names && option is not (null or GroupPermissionsCommand.Named)) result.AddError("--add-named and --remove-named go with the option named.");
        });
        command.SetAction((parsed, cancellation) => edit.RunAsync(parsed, (client, stop) => one.PlanAsync(parsed, client, stop), cancellation));
        return command;
    }

    private async Task<Answer<PolicyRequest>> PlanAsync(ParseResult parsed, ApiClient client, CancellationToken cancellation)
    {
        if (!(await PermissionNames.ReadAsync(client, cancellation)).TryGet(out var known, out var failure)) return failure;
        if (!known.Find(parsed.GetRequiredValue(_permission)).TryGet(out var permission, out failure)) return failure;
        if (permission.Restrictable == false) return new Failure(ExitCode.Usage, $"A group can't restrict {permission.Permission}.");
        if (!(await GroupTree.ReadAsync(client, GroupTree.OfTechnicians, cancellation)).TryGet(out var tree, out failure)) return failure;
        if (!tree.Find(parsed.GetRequiredValue(_group)).TryGet(out var group, out failure)) return failure;
        if (!(await GroupPermissionsCommand.ReadAsync(client, group, cancellation)).TryGet(out var policy, out failure)) return failure;
        var now = (policy.Value.Items ?? []).FirstOrDefault(item => item.Permission == permission.Permission);
        if (!Option(parsed, tree, now).TryGet(out var option, out failure)) return failure;

        var value = parsed.GetRequiredValue(_value);
        var isLocked = value != Inherit && (parsed.GetValue(_lock) || (!parsed.GetValue(_unlock) && now is { Own: not null, Locked: true }));
        var change = new GroupPermissionChange(value == Inherit ? null : value, isLocked, option.Length == 0 ? null : option);
        var says = value switch
        {
            Inherit => "inherits",
            "allow" => "allows",
            _ => "denies",
        };
        var done = $"{parsed.GetRequiredValue(_group)} {says} {permission.Permission}{(isLocked ? ", locked" : "")}.";
        return PolicyRequest.Put($"technician-groups/{group}/permissions/{permission.Permission}", change, ApiJson.Default.GroupPermissionChange, done) with { Read = policy.Value.Version };
    }

    /// <summary>In the API's form; empty: it stays. Where a group has no named groups of its own yet, those that count there are the start.</summary>
    private Answer<string> Option(ParseResult parsed, GroupTree tree, GroupPermission? now)
    {
        var (added, removed) = (parsed.GetValue(_added) ?? [], parsed.GetValue(_removed) ?? []);
        if (added.Length + removed.Length == 0 && parsed.GetValue(_option) != GroupPermissionsCommand.Named) return parsed.GetValue(_option) ?? "";
        var ids = GroupPermissionsCommand.IdsIn(now?.OwnOption ?? now?.Option).ToHashSet(StringComparer.Ordinal);
        foreach (var (name, isAdded) in added.Select(name => (name, true)).Concat(removed.Select(name => (name, false))))
        {
            if (!tree.Find(name).TryGet(out var id, out var failure)) return failure;
            if (isAdded) ids.Add(id);
            else ids.Remove(id);
        }

        return GroupPermissionsCommand.ForNamed(ids);
    }
}
