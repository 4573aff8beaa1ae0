namespace Countersign.Access;

/// <summary>Ids inside of values are of what is there: values are text, and would go on naming what is gone.</summary>
internal sealed partial class ModelEditor
{
    private void CheckNamed()
    {
        CheckRequestRoles();
        var isAnyGone = _areExternalGroupsGone;
        foreach (var (id, draft) in _technicianGroupDrafts)
        {
            if (draft.Row is null) isAnyGone = true;
            else if (draft.IsChanged) CheckNamed(draft.Row, draft.Own);
        }

        if (!isAnyGone) return;
        foreach (var group in _before.TechnicianGroups.Values)
        {
            if (!_technicianGroupDrafts.ContainsKey(group.Id)) CheckNamed(group.Row, group.Own);
        }

        foreach (var draft in _technicianGroupDrafts.Values)
        {
            if (draft.Row is not null) CheckNamed(draft.Row, draft.Own);
        }
    }

    private void CheckNamed(TechnicianGroupRow row, IEnumerable<GroupPermissionRow> own)
    {
        if (row.ApprovedExternals is { } externals && ExternalGroups.TryRead(externals, out var approved))
        {
            foreach (var group in approved.Value)
            {
                if (!_externalGroups.ContainsKey(group)) throw new PolicyException($"{row.Key}: external group {group} is not there");
            }
        }

        foreach (var value in own)
        {
            if (value.Option.Length == 0 || !PermissionOption.TryParse(value.Permission, value.Option, out var option, out _)) continue;
            foreach (var id in option.Named)
            {
                if (_technicianGroups.GetValueOrDefault(new(id)) is null) throw new PolicyException($"{value.Key}: technician group {id} is not there");
            }
        }
    }

    private void CheckRequestRoles()
    {
        if (_organizationSettings is null && _changedRoles.Count == 0) return;
        foreach (var id in _organizationRules.RequestRoles)
        {
            var key = new SettingRow(SettingNode.Organization, SettingKind.AccessRequestRoles, "", 0).Key;
            if ((SystemRoles.Find(id) ?? _roles.GetValueOrDefault(id)) is not { } role) throw new PolicyException($"{key}: role {id} is not there");
            if (role.Purpose != RolePurpose.DevicesAndGroups) throw new PolicyException($"{key}: the role '{role.Name}' is for {role.Purpose}, and not for devices");
        }
    }
}
