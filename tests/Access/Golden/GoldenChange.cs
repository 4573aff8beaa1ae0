using System.Text.RegularExpressions;

namespace Countersign.Access.Tests.Golden;

/// <summary>Changes of policy as the golden files write them: <c>ada adds ben to Support</c>.</summary>
internal static partial class GoldenChange
{
    /// <summary>Null: the text is no change.</summary>
    public static (string Actor, PolicyCommand Command)? Read(string text, GoldenPolicy names, PolicySnapshot policy)
    {
        foreach (var (pattern, command) in Commands(names, policy))
        {
            if (pattern.Match(text) is { Success: true } match) return (match.Groups["actor"].Value, command(match.Groups));
        }

        return null;
    }

    private static IEnumerable<(Regex Pattern, Func<GroupCollection, PolicyCommand> Command)> Commands(GoldenPolicy names, PolicySnapshot policy) =>
    [
        (Adds(), match => new PolicyCommand.AddMember(names.TechnicianGroup(match["group"].Value), names.Person(match["who"].Value))),
        (AddsAccount(), match => new PolicyCommand.AddAccount(names.Device(match["device"].Value), match["account"].Value, match["default"].Success)),
        (MakesDefault(), match => new PolicyCommand.SetDefaultAccount(names.Device(match["device"].Value), match["account"].Value)),
        (GivesAccounts(), match => new PolicyCommand.EditDevice(names.Device(match["device"].Value)) { Accounts = match["accounts"].Value.Split(", ") }),
        (Removes(), match => new PolicyCommand.RemoveMember(names.TechnicianGroup(match["group"].Value), names.Person(match["who"].Value))),
        (Grants(), match =>
        {
            var grant = names.Grant(match["grant"].Value, names.NewId())!;
            return new PolicyCommand.AddGrant(grant.Id, grant.Subject, grant.Scope, grant.Role, grant.Accounts, grant.Window);
        }),
        (Revokes(), match => new PolicyCommand.RemoveGrant(policy.All<GrantRow>().Single(
            grant => grant.Subject.Id == (names.Find("person", match["who"].Value) ?? names.TechnicianGroup(match["who"].Value).Value) && grant.Role == names.Role(match["role"].Value)).Id)),
        (DeletesRole(), match => new PolicyCommand.DeleteRole(names.Role(match["role"].Value))),
        (EditsRole(), match => new PolicyCommand.EditRole(names.Role(match["role"].Value), match["role"].Value, GoldenPolicy.Permissions(match["names"].Value))),
        (SetsValue(), match => new PolicyCommand.SetGroupPermission(
            names.TechnicianGroup(match["group"].Value),
            Enum.Parse<Permission>(match["permission"].Value),
            match["value"].Value switch { "allows" => PolicyValue.Allow, "denies" => PolicyValue.Deny, _ => null },
            match["locked"].Success)),
        (Sets(), match => match["how"].Value == "sets"
            ? new PolicyCommand.SetSetting(names.Node(match["node"].Value), Enum.Parse<SettingKind>(match["setting"].Value), match["value"].Value)
            : new PolicyCommand.ForceSetting(names.Node(match["node"].Value), Enum.Parse<SettingKind>(match["setting"].Value), match["value"].Value)),
        (Clears(), match => new PolicyCommand.ClearSetting(names.Node(match["node"].Value), Enum.Parse<SettingKind>(match["setting"].Value))),
        (Creates(), match => new PolicyCommand.AddTechnicianGroup(
            new(names.NewId($"technician group {match["name"]}")), names.TechnicianGroup(match["above"].Value), match["name"].Value, "", true, false, GroupConsent.None, false)),
        (Switches(), match => Switch(names, policy, match["name"].Value, match["how"].Value == "enables")),
        (SwitchesDevice(), match => new PolicyCommand.EditDevice(names.Device(match["device"].Value), Enabled: match["how"].Value == "on")),
        (FreesOfApproval(), match => Edit(policy, names.TechnicianGroup(match["group"].Value), row => row with { RequiresManagerialApproval = false })),
        (AddsWorkflow(), match => new PolicyCommand.AddWorkflow(
            new(names.NewId()), names.TechnicianGroup(match["group"].Value), names.DeviceGroup(match["devices"].Value), match["name"].Value,
            names.WorkflowSteps(match["steps"].Value), false, true, false)),
        (MakesExternalGroup(), match => new PolicyCommand.AddExternalGroup(
            new(names.NewId(names.Find("external group", match["name"].Value) is null ? $"external group {match["name"]}" : "")), match["name"].Value, "")),
        (DeletesExternalGroup(), match => new PolicyCommand.DeleteExternalGroup(names.ExternalGroupIds(match["name"].Value)[0])),
        (PutsIn(), match => new PolicyCommand.AddExternalMember(names.ExternalGroupIds(match["name"].Value)[0], names.Person(match["who"].Value))),
        (TakesOut(), match => new PolicyCommand.RemoveExternalMember(names.ExternalGroupIds(match["name"].Value)[0], names.Person(match["who"].Value))),
        (ApprovesExternals(), match => new PolicyCommand.SetApprovedExternals(names.TechnicianGroup(match["group"].Value), names.ExternalGroupIds(match["externals"].Value))),
        (InheritsExternals(), match => new PolicyCommand.SetApprovedExternals(names.TechnicianGroup(match["group"].Value), null)),
        (Moves(), match => Move(policy, names.Device(match["device"].Value), names.DeviceGroup(match["group"].Value))),
        (MovesGroup(), match => Edit(policy, names.TechnicianGroup(match["group"].Value), row => row with { ParentId = names.TechnicianGroup(match["above"].Value) })),
        (AddsDevice(), match => new PolicyCommand.AddDevice(
            new(names.NewId($"device {match["device"]}")), names.DeviceGroup(match["group"].Value), match["device"].Value, "", "127.0.0.1",
            match["accounts"].Success ? match["accounts"].Value.Split(", ") : [])),
        (DeletesDevice(), match => new PolicyCommand.DeleteDevice(names.Device(match["device"].Value))),
        (RemovesAccount(), match => new PolicyCommand.RemoveAccount(names.Device(match["device"].Value), match["account"].Value)),
    ];

    private static PolicyCommand Switch(GoldenPolicy names, PolicySnapshot policy, string name, bool enabled) =>
        names.Find("person", name) is { } person
            ? new PolicyCommand.SetPersonStatus(new(person), enabled ? PersonStatus.Active : PersonStatus.Disabled)
            : Edit(policy, names.TechnicianGroup(name), row => row with { Enabled = enabled });

    private static PolicyCommand.EditTechnicianGroup Edit(PolicySnapshot policy, TechnicianGroupId id, Func<TechnicianGroupRow, TechnicianGroupRow> change)
    {
        var row = change((TechnicianGroupRow)policy.Find(new(PolicyTable.TechnicianGroup, id.Value))!);
        return new(row.Id, row.ParentId, row.Name, row.Description, row.Enabled, row.RequiresManagerialApproval, row.Consent, row.SinglePrompt);
    }

    private static PolicyCommand.EditDevice Move(PolicySnapshot policy, DeviceId id, DeviceGroupId group)
    {
        var row = policy.Device(id)!;
        return new(row.Id, group, row.Name, row.Description, row.Enabled, row.Host);
    }

    [GeneratedRegex("^(?<actor>[a-z]+) adds (?<who>[a-z]+) to (?<group>[A-Z][A-Za-z ]*)$")]
    private static partial Regex Adds();

    [GeneratedRegex("^(?<actor>[a-z]+) adds the account (?<account>[a-z]+) to (?<device>[a-z0-9.-]+)(?<default> as its default)?$")]
    private static partial Regex AddsAccount();

    [GeneratedRegex("^(?<actor>[a-z]+) makes (?<account>[a-z]+) the default account of (?<device>[a-z0-9.-]+)$")]
    private static partial Regex MakesDefault();

    [GeneratedRegex("^(?<actor>[a-z]+) gives (?<device>[a-z0-9.-]+) the accounts (?<accounts>[a-z]+(, [a-z]+)*)$")]
    private static partial Regex GivesAccounts();

    [GeneratedRegex("^(?<actor>[a-z]+) removes (?<who>[a-z]+) from (?<group>[A-Z][A-Za-z ]*)$")]
    private static partial Regex Removes();

    [GeneratedRegex("^(?<actor>[a-z]+) decides that (?<grant>.+ gets .+)$")]
    private static partial Regex Grants();

    [GeneratedRegex("^(?<actor>[a-z]+) takes the role (?<role>[A-Z][A-Za-z ]*) from (?<who>[A-Za-z ]+)$")]
    private static partial Regex Revokes();

    [GeneratedRegex("^(?<actor>[a-z]+) deletes the role (?<role>[A-Z][A-Za-z ]*)$")]
    private static partial Regex DeletesRole();

    [GeneratedRegex("^(?<actor>[a-z]+) edits the role (?<role>[A-Z][A-Za-z ]*) to (?<names>.+)$")]
    private static partial Regex EditsRole();

    [GeneratedRegex("^(?<actor>[a-z]+) (?<value>allows|denies|inherits) (?<permission>[A-Z][A-Za-z0-9]*) at (?<group>[A-Z][A-Za-z ]*?)(?<locked>, locked)?$")]
    private static partial Regex SetsValue();

    [GeneratedRegex("^(?<actor>[a-z]+) (?<how>sets|forces) (?<setting>[A-Z][A-Za-z]*) at (?<node>[^,]+) to (?<value>.+)$")]
    private static partial Regex Sets();

    [GeneratedRegex("^(?<actor>[a-z]+) clears (?<setting>[A-Z][A-Za-z]*) at (?<node>.+)$")]
    private static partial Regex Clears();

    [GeneratedRegex("^(?<actor>[a-z]+) creates the technician group (?<name>[A-Z][A-Za-z ]*) below (?<above>[A-Z][A-Za-z ]*)$")]
    private static partial Regex Creates();

    [GeneratedRegex("^(?<actor>[a-z]+) (?<how>enables|disables) (?<name>[A-Za-z ]+)$")]
    private static partial Regex Switches();

    [GeneratedRegex("^(?<actor>[a-z]+) switches (?<device>[a-z0-9.-]+) (?<how>on|off)$")]
    private static partial Regex SwitchesDevice();

    [GeneratedRegex("^(?<actor>[a-z]+) frees (?<group>[A-Z][A-Za-z ]*) of managerial approval$")]
    private static partial Regex FreesOfApproval();

    [GeneratedRegex("^(?<actor>[a-z]+) makes the workflow (?<name>[A-Z][A-Za-z]*) for (?<group>[A-Z][A-Za-z ]*?) on (?<devices>[A-Z][A-Za-z ]*?): (?<steps>.+)$")]
    private static partial Regex AddsWorkflow();

    [GeneratedRegex("^(?<actor>[a-z]+) makes the external group (?<name>[A-Z][A-Za-z]*)$")]
    private static partial Regex MakesExternalGroup();

    [GeneratedRegex("^(?<actor>[a-z]+) deletes the external group (?<name>[A-Z][A-Za-z]*)$")]
    private static partial Regex DeletesExternalGroup();

    [GeneratedRegex("^(?<actor>[a-z]+) puts (?<who>[a-z]+) into the external group (?<name>[A-Z][A-Za-z]*)$")]
    private static partial Regex PutsIn();

    [GeneratedRegex("^(?<actor>[a-z]+) takes (?<who>[a-z]+) out of the external group (?<name>[A-Z][A-Za-z]*)$")]
    private static partial Regex TakesOut();

    [GeneratedRegex("^(?<actor>[a-z]+) approves (?<externals>nobody from outside|[A-Z][A-Za-z]*(, [A-Z][A-Za-z]*)*) at (?<group>[A-Z][A-Za-z ]*)$")]
    private static partial Regex ApprovesExternals();

    [GeneratedRegex("^(?<actor>[a-z]+) has (?<group>[A-Z][A-Za-z ]*) approve whom the group above does$")]
    private static partial Regex InheritsExternals();

    [GeneratedRegex("^(?<actor>[a-z]+) moves (?<device>[a-z0-9.-]+) to (?<group>[A-Z][A-Za-z ]*)$")]
    private static partial Regex Moves();

    [GeneratedRegex("^(?<actor>[a-z]+) puts (?<group>[A-Z][A-Za-z ]*) below (?<above>[A-Z][A-Za-z ]*)$")]
    private static partial Regex MovesGroup();

    [GeneratedRegex("^(?<actor>[a-z]+) adds the device (?<device>[a-z0-9.-]+) to (?<group>[A-Z][A-Za-z ]*?)(, accounts? (?<accounts>[a-z]+(, [a-z]+)*))?$")]
    private static partial Regex AddsDevice();

    [GeneratedRegex("^(?<actor>[a-z]+) deletes the device (?<device>[a-z0-9.-]+)$")]
    private static partial Regex DeletesDevice();

    [GeneratedRegex("^(?<actor>[a-z]+) takes the account (?<account>[a-z]+) from (?<device>[a-z0-9.-]+)$")]
    private static partial Regex RemovesAccount();
}
