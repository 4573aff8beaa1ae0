namespace Countersign.Access;

/// <summary>
/// What is set at a device group, or at the organization, binds what will be there as well as what is: a place without devices is looked at like any other, and
/// a device that comes back is held to what is asked where it comes to.
/// </summary>
internal sealed partial class SelfEscalation
{
    /// <summary>More than single devices, which something lets the actor connect to, or ask for; worked out when first asked.</summary>
    private GrantScope[]? _connectingScopes;

    private string? OverPlaces(IReadOnlyList<RowChange> changes)
    {
        foreach (var node in NodesIn(changes).Where(node => node.Kind != SettingNodeKind.Device).OrderBy(node => node.Id))
        {
            var top = Group(_after, node);

            // A group that comes or goes with its settings is master administrators' to bring or to take.
            if (node.Kind == SettingNodeKind.DeviceGroup && (top is null || Group(_before, node) is null)) continue;
            var name = top is null ? "the organization" : Describe.Path(top);
            foreach (var place in BindingBelow(top).Prepend(top))
            {
                var (was, now) = (RulesAt(_before, place), RulesAt(_after, place));
                if (was == now) continue;
                if (EndsDutyToRecord(was, now)) return $"Only master administrators may end the duty to record on {name}.";
                if (IsLooser(was, now) && Binds(_after, place)) return $"It would loosen a setting of {name} that binds you on what is or comes there: that is for master administrators.";
            }
        }

        return null;
    }

    /// <summary>
    /// Groups below that something is granted to the actor on. What binds them further down they inherit from one of these, or it is touched itself.
    /// </summary>
    private IEnumerable<DeviceGroupNode?> BindingBelow(DeviceGroupNode? top) => _before.GrantsOf(_actor)
        .Where(grant => grant.Row.Scope.Kind == ScopeKind.DeviceGroup)
        .Select(grant => grant.Row.Scope.Id)
        .Distinct()
        .Select(id => _after.DeviceGroups.GetValueOrDefault(new(id)))
        .Where(group => group is not null && (top is null || group.IsAtOrBelow(top)));

    /// <summary>Whether anything lets the actor connect to whatever is in the group, or ask to, at any time. What that would need as well is not looked for.</summary>
    /// <param name="place">Null: the organization.</param>
    private bool Binds(PolicyModel model, DeviceGroupNode? place)
    {
        _connectingScopes ??=
        [
            .. _before.GrantsOf(_actor)
                .Where(grant => grant.Row.Scope.Kind is ScopeKind.AllDevices or ScopeKind.DeviceGroup && (grant.Permissions & _actor.Grantable & _actor.Ceiling).Intersects(Connecting))
                .Select(grant => grant.Row.Scope)
                .Distinct(),
        ];
        return Array.Exists(_connectingScopes, scope => model.Covers(scope, place));
    }

    /// <summary>
    /// Only undoing brings back a device with settings of its own. They are set anew: what is asked by then where it comes to is not loosened by them for whom
    /// it binds.
    /// </summary>
    private bool BringsLooserSetting(DeviceNode device)
    {
        if (device.Own.Length == 0) return false;
        if (!_before.DeviceGroups.TryGetValue(device.Row.Group, out var place)) return true;
        var (was, now) = (place.Rules, _after.RulesOf(device));
        return EndsDutyToRecord(was, now) || (IsLooser(was, now) && Binds(_after, device));
    }

    private static DeviceGroupNode? Group(PolicyModel model, SettingNode node) => model.DeviceGroups.GetValueOrDefault(new(node.Id));

    private static DeviceRules RulesAt(PolicyModel model, DeviceGroupNode? place) =>
        place is null ? model.OrganizationRules : model.DeviceGroups.TryGetValue(place.Id, out var group) ? group.Rules : model.OrganizationRules;
}
