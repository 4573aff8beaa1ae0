namespace Countersign.Access;

/// <summary>
/// Roles and groups that stand by their ids in the values of settings and options. What is not there is refused; what is deleted is taken out of
/// them in the same change, so that undoing the change brings it back there too.
/// </summary>
internal sealed partial class Planner
{
    private PlanResult? CheckNamed(SettingKind setting, string value)
    {
        if (setting != SettingKind.AccessRequestRoles || !Settings.TryRoles(value, out var roles, out _)) return null;
        foreach (var id in roles)
        {
            if (_model.Role(id) is not { } role) return Fields.Invalid("value", $"There is no role {id}.");
            if (role.Purpose != RolePurpose.DevicesAndGroups) return Fields.Invalid("value", $"The role {role.Name} is not for devices and groups.");
        }

        return null;
    }

    /// <param name="own">What the group has now: what a master administrator named there may be kept by whoever does not see it.</param>
    private PlanResult? CheckNamed(PermissionOption option, IReadOnlyList<Guid> own)
    {
        foreach (var id in option.Named)
        {
            if (!own.Contains(id) && VisibleGroup(new(id)) is null) return Fields.Invalid("option", $"There is no technician group {id}.");
        }

        return null;
    }

    private void TakeOutOfSettings(RoleId role)
    {
        if (_snapshot.Find(KeyOf(SettingNode.Organization, SettingKind.AccessRequestRoles)) is not SettingRow row) return;
        if (!Settings.TryRoles(row.Value, out var roles, out _) || !roles.Contains(role)) return;
        Write(row.Node, row.Setting, Settings.Write([.. roles.Where(other => other != role)]));
    }

    /// <summary>A list that is emptied so names nobody from then on: it never becomes one for everybody.</summary>
    /// <returns>For the summary of the change; empty: no option named the group.</returns>
    private string TakeOutOfOptions(TechnicianGroupId group)
    {
        var (shortened, emptied) = (0, 0);
        foreach (var row in _snapshot.All<GroupPermissionRow>())
        {
            if (row.Group == group || !NamedIn(row).Contains(group.Value)) continue;
            PermissionOption.TryParse(row.Permission, row.Option, out var option, out _);
            var without = option!.Without(group.Value);
            _draft.Put(row with { Option = without.Text });
            shortened++;
            if (without.Named.Count == 0) emptied++;
        }

        if (shortened == 0) return "";
        var nobody = emptied switch { 0 => "", 1 => "; one of them names nobody now", _ => $"; {emptied} of them name nobody now" };
        return $" and took it out of {(shortened == 1 ? "an option" : $"{shortened} options")} that named it{nobody}";
    }

    private static IReadOnlyList<Guid> NamedIn(GroupPermissionRow? row) =>
        row is { Option.Length: > 0 } && PermissionOption.TryParse(row.Permission, row.Option, out var option, out _) ? option.Named : [];
}
