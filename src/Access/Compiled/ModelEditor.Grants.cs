namespace Countersign.Access;

internal sealed partial class ModelEditor
{
    private readonly ChunkedMap<RoleId, RoleRow>.Builder _roles;
    private ChunkedMap<GrantId, CompiledGrant>.Builder _grants;
    private CompiledGrant[] _grantsOnAllDevices;
    private List<CompiledGrant>? _allDevices;
    private readonly List<CompiledGrant> _handed = [];

    /// <summary>A role that changed changes every grant made with it.</summary>
    private void EditRoles()
    {
        if (_changedRoles.Count == 0 || _before.Grants.Count == 0) return;
        var changed = _grantChanges.Select(change => ((GrantRow)(change.After ?? change.Before)!).Id).ToHashSet();
        foreach (var grant in _before.Grants.Values)
        {
            if (_changedRoles.Contains(grant.Role.Id) && !changed.Contains(grant.Row.Id)) _grantChanges.Add((grant.Row, grant.Row));
        }
    }

    private PermissionSet[] Requestable() =>
    [
        .. _organizationRules.RequestRoles
            .Select(id => SystemRoles.Find(id) ?? _roles.GetValueOrDefault(id))
            .OfType<RoleRow>()
            .Where(role => role.Purpose == RolePurpose.DevicesAndGroups)
            .Select(role => role.Permissions),
    ];

    private void EditGrants()
    {
        if (_before.Grants.Count == 0) _grants = ChunkedMap<GrantId, CompiledGrant>.NewBuilder(_grantChanges.Count);
        foreach (var (before, after) in _grantChanges)
        {
            if (before is GrantRow gone) Withdraw(_grants.GetValueOrDefault(gone.Id)!);
            if (after is GrantRow come) Hand(GrantCompiler.Compile(come, SystemRoles.Find(come.Role) ?? _roles.GetValueOrDefault(come.Role), _pool));
        }

        if (_allDevices is { } all) _grantsOnAllDevices = [.. all];
    }

    private void Withdraw(CompiledGrant grant)
    {
        _grants.Remove(grant.Row.Id);
        OfSubject(grant.Row).Remove(grant);
        OfScope(grant.Row)?.Remove(grant);
    }

    private void Hand(CompiledGrant grant)
    {
        if (!_grants.TryAdd(grant.Row.Id, grant)) throw Twice(grant.Row);
        _handed.Add(grant);
        OfSubject(grant.Row).Add(grant);
        OfScope(grant.Row)?.Add(grant);
    }

    private List<CompiledGrant> OfSubject(GrantRow row)
    {
        switch (row.Subject.Kind)
        {
            case SubjectKind.Person:
                var person = Draft(new PersonId(row.Subject.Id), row);
                person.AreGrantsChanged = true;
                return person.Grants;
            case SubjectKind.TechnicianGroup:
                var group = Draft(new TechnicianGroupId(row.Subject.Id), row);
                group.IsChanged = true;
                return group.Grants;
            default:
                throw new PolicyException($"{row.Key}: its subject is of no known kind");
        }
    }

    private List<CompiledGrant>? OfScope(GrantRow row)
    {
        switch (row.Scope.Kind)
        {
            case ScopeKind.Device:
                return Draft(new DeviceId(row.Scope.Id), row).Grants;
            case ScopeKind.DeviceGroup:
                return Draft(new DeviceGroupId(row.Scope.Id), row).Grants;
            case var _ when row.Scope.Id != Guid.Empty:
                throw NoScope(row);
            case ScopeKind.AllDevices:
                return _allDevices ??= [.. _grantsOnAllDevices];
            default:
                return null;
        }
    }

    private static PolicyException NoScope(GrantRow row) => new($"{row.Key}: its scope, {row.Scope.Kind} {row.Scope.Id}, is not there");

    /// <summary>Says of each grant that is new where its scope lies; device groups and devices are made by then.</summary>
    private void PlaceGrants()
    {
        foreach (var grant in _handed)
        {
            var scope = grant.Row.Scope;
            grant.Place = scope.Kind switch
            {
                ScopeKind.Device => new(0, 0, _devices.GetValueOrDefault(new(scope.Id))!.Number),
                ScopeKind.DeviceGroup when _deviceGroups.GetValueOrDefault(new(scope.Id)) is { } group => new(group.Start, group.End, 0),
                _ => new(0, uint.MaxValue, 0),
            };
        }
    }
}
