namespace Countersign.Access;

/// <summary>Policy as questions need it: rows joined, trees resolved. Built whole from the rows of one version, then never changed.</summary>
internal sealed class PolicyModel
{
    public required Dictionary<PersonId, PersonNode> People { get; init; }

    public required Dictionary<string, PersonNode> PeopleByLogin { get; init; }

    public required Dictionary<TechnicianGroupId, TechnicianGroupNode> TechnicianGroups { get; init; }

    public required Dictionary<DeviceGroupId, DeviceGroupNode> DeviceGroups { get; init; }

    public required Dictionary<DeviceId, DeviceNode> Devices { get; init; }

    public required Dictionary<string, DeviceNode> DevicesByName { get; init; }

    public required Dictionary<RoleId, RoleRow> CustomRoles { get; init; }

    public required Dictionary<GrantId, CompiledGrant> Grants { get; init; }

    /// <summary>Null only in an organization that has no policy yet.</summary>
    public required TechnicianGroupNode? Everyone { get; init; }

    public required DeviceRules OrganizationRules { get; init; }

    /// <summary>
    /// What questions about a device that is not there are asked of, so that they cost what others cost: a device without accounts,
    /// directly in the organization.
    /// </summary>
    public required DeviceNode Phantom { get; init; }

    public RoleRow? Role(RoleId id) => SystemRoles.Find(id) ?? CustomRoles.GetValueOrDefault(id);
}
