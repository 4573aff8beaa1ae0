namespace Countersign.Access;

/// <summary>
/// Policy as questions need it: rows joined, trees resolved. Never changed; a later version shares with it all that no change touched.
/// Nodes of people and groups refer upwards only, and devices to their group by its number, so that a change stays where it is made.
/// </summary>
internal sealed partial class PolicyModel
{
    public required ChunkedMap<PersonId, PersonNode> People { get; init; }

    public required ChunkedMap<string, PersonRow> PeopleByLogin { get; init; }

    public required ChunkedMap<TechnicianGroupId, TechnicianGroupNode> TechnicianGroups { get; init; }

    /// <summary>By index.</summary>
    public required GroupPeople[] GroupPeople { get; init; }

    public required ChunkedMap<DeviceGroupId, DeviceGroupNode> DeviceGroups { get; init; }

    /// <summary>By index; 0 is the phantom's, and groups that were deleted leave a null behind.</summary>
    public required DeviceGroupNode?[] DeviceGroupAt { get; init; }

    /// <summary>By index.</summary>
    public required GroupContent[] Contents { get; init; }

    public required LabelSpace Labels { get; init; }

    public required ChunkedMap<DeviceId, DeviceNode> Devices { get; init; }

    public required ChunkedMap<string, DeviceRow> DevicesByName { get; init; }

    /// <summary>The number that the next new device gets.</summary>
    public required int NextDeviceNumber { get; init; }

    public required ChunkedMap<RoleId, RoleRow> CustomRoles { get; init; }

    public required ChunkedMap<GrantId, CompiledGrant> Grants { get; init; }

    /// <summary>Null only in an organization that has no policy yet.</summary>
    public required PersonId? Owner { get; init; }

    /// <summary>What the roles that may be requested give.</summary>
    public required PermissionSet[] Requestable { get; init; }

    /// <summary>That of the version before goes on in it.</summary>
    public required PolicyPool Pool { get; init; }

    /// <summary>On all devices, whoever they are for.</summary>
    public required CompiledGrant[] GrantsOnAllDevices { get; init; }

    public required ChunkedMap<WorkflowId, WorkflowRow> Workflows { get; init; }

    public required ChunkedMap<ExternalGroupId, ExternalGroupRow> ExternalGroups { get; init; }

    /// <summary>Null only in an organization that has no policy yet.</summary>
    public required TechnicianGroupNode? Everyone { get; init; }

    /// <summary>Those of Everyone, which reach every technician.</summary>
    public required GrantTable EveryoneGrants { get; init; }

    public required ParsedSetting[] OrganizationSettings { get; init; }

    public required DeviceRules OrganizationRules { get; init; }

    /// <summary>
    /// What questions about a device that is not there are asked of, so that they cost what others cost: a device without accounts,
    /// directly in the organization.
    /// </summary>
    public required DeviceNode Phantom { get; init; }

    public RoleRow? Role(RoleId id) => SystemRoles.Find(id) ?? CustomRoles.GetValueOrDefault(id);

    public DeviceGroupNode GroupOf(DeviceNode device) => DeviceGroupAt[device.GroupIndex]!;

    public DeviceRules RulesOf(DeviceNode device) => device.RulesUnder(DeviceGroupAt[device.GroupIndex]!.Rules);

    public GroupPeople PeopleOf(TechnicianGroupNode group) => GroupPeople[group.Index];

    public GroupContent ContentOf(DeviceGroupNode group) => Contents[group.Index];

    public IEnumerable<TechnicianGroupNode> ChildrenOf(TechnicianGroupNode group) => PeopleOf(group).Children.Select(id => TechnicianGroups.GetValueOrDefault(id)!);

    public IEnumerable<DeviceGroupNode> ChildrenOf(DeviceGroupNode group) => ContentOf(group).Children.Select(id => DeviceGroups.GetValueOrDefault(id)!);

    /// <summary>The group and those below it, itself first.</summary>
    public IEnumerable<TechnicianGroupNode> Downwards(TechnicianGroupNode group) => Downwards(group, ChildrenOf);

    /// <summary>The group and those below it, itself first.</summary>
    public IEnumerable<DeviceGroupNode> Downwards(DeviceGroupNode group) => Downwards(group, ChildrenOf);

    public IEnumerable<PersonNode> ManagersOf(TechnicianGroupNode group) => PeopleOf(group).Managers.Select(id => People.GetValueOrDefault(id)!);

    /// <summary>The group's own members and those of the groups below, each once; of Everyone every technician.</summary>
    public IEnumerable<PersonNode> MembersOf(TechnicianGroupNode group) => group.IsEveryone
        ? People.Values.Where(person => !person.IsContact)
        : Downwards(group).SelectMany(below => PeopleOf(below).Members).Distinct().Select(id => People.GetValueOrDefault(id)!);

    /// <summary>Whom the rule has approve in a group: its managers, or where the rule says so its members.</summary>
    public IEnumerable<PersonNode> Appointed(TechnicianGroupNode rule, TechnicianGroupNode group) =>
        rule.Row.MembersApprove ? MembersOf(group) : ManagersOf(group);

    /// <summary>The nearest group, from the one that the rule reaches people through upwards, that has anybody appointed; disabled or not.</summary>
    public TechnicianGroupNode? ApprovingGroup(TechnicianGroupNode through, TechnicianGroupNode rule) =>
        through.Upwards().FirstOrDefault(group => Appointed(rule, group).Any());

    /// <summary>The groups whose grants reach the person: all enabled up to the grant's subject.</summary>
    public IEnumerable<TechnicianGroupNode> GroupsReaching(PersonNode person)
    {
        var reaching = person.Groups.Where(group => group.IsEnabled).SelectMany(group => group.Upwards()).Where(group => !group.IsEveryone).Distinct();
        return person.IsInEveryone ? reaching.Append(Everyone!) : reaching;
    }

    /// <summary>Every grant that reaches the person, once.</summary>
    public IEnumerable<CompiledGrant> GrantsOf(PersonNode person) => person.OwnGrants.Concat(GroupsReaching(person).SelectMany(group => group.OwnGrants));

    /// <summary>Grants whose scope has the device in it, whoever they are for.</summary>
    public IEnumerable<CompiledGrant> GrantsOn(DeviceNode device) =>
        device.Grants.Concat(device.GroupIndex == 0 ? [] : GroupOf(device).Upwards().SelectMany(group => ContentOf(group).Grants)).Concat(GrantsOnAllDevices);

    /// <summary>Whether the scope has the device in it.</summary>
    public bool Covers(GrantScope scope, DeviceNode device) => scope.Kind switch
    {
        ScopeKind.AllDevices => true,
        ScopeKind.Device => scope.Id == device.Id.Value,
        ScopeKind.DeviceGroup => Covers(scope, GroupOf(device)),
        _ => false,
    };

    /// <summary>Whether the scope has the whole group in it; null: all devices.</summary>
    public bool Covers(GrantScope scope, DeviceGroupNode? group) => scope.Kind switch
    {
        ScopeKind.AllDevices => true,
        ScopeKind.DeviceGroup => group is not null && DeviceGroups.TryGetValue(new(scope.Id), out var upper) && group.IsAtOrBelow(upper),
        _ => false,
    };

    private static IEnumerable<T> Downwards<T>(T root, Func<T, IEnumerable<T>> children)
    {
        var ahead = new Stack<T>();
        ahead.Push(root);
        while (ahead.TryPop(out var next))
        {
            yield return next;
            foreach (var child in children(next)) ahead.Push(child);
        }
    }
}
