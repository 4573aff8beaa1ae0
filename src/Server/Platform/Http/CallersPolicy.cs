using System.Collections.Immutable;
using Countersign.Access;

namespace Countersign.Server.Platform;

/// <summary>
/// The policy in force when a request began, with whose eyes it is read, and when. One answer is made from one version, by one thread: what was found out for one row of it
/// is kept for the next.
/// </summary>
internal sealed class CallersPolicy(PolicySnapshot snapshot, Caller caller, DateTimeOffset at)
{
    private Func<DeviceGroupId, bool>? _seesGroup;

    public PolicySnapshot Snapshot { get; } = snapshot;

    public PersonId Person => caller.Person;

    public DateTimeOffset At { get; } = at;

    public long Version => Snapshot.Version;

    /// <summary>What was approved ahead for the caller, where the handler has read it.</summary>
    public ImmutableArray<PreapprovedRequest> Preapproved { get; init; } = [];

    /// <summary>Lets a handler take it as a parameter.</summary>
    public static ValueTask<CallersPolicy?> BindAsync(HttpContext context)
    {
        if (context.Features.Get<Caller>() is not { } caller) return default;
        var services = context.RequestServices;
        return services.GetRequiredService<PolicySource>().Current(caller.Organization) is { } inForce
            ? ValueTask.FromResult<CallersPolicy?>(new(inForce, caller, services.GetRequiredService<TimeProvider>().GetUtcNow()))
            : default;
    }

    public bool IsMasterAdministrator => Snapshot.IsMasterAdministrator(Person, At);

    public bool MayReadLog => Snapshot.HoldsOverTeam(Person, Permission.AuditLog, At);

    /// <summary>To some device group; master administrators also while there is none.</summary>
    public bool MayAddDevices => IsMasterAdministrator || Snapshot.All<DeviceGroupRow>().Any(group => Snapshot.MayAddDevices(Person, group.Id, At));

    public bool MaySee(PersonId other) => Snapshot.MaySeePerson(Person, other, At);

    public bool MaySee(TechnicianGroupId group) => Snapshot.MaySeeTechnicianGroup(Person, group, At);

    public bool MaySee(DeviceGroupId group) => (_seesGroup ??= Snapshot.DeviceGroupsSeenBy(Person, At))(group);

    public bool MaySee(DeviceId device) => Snapshot.MaySeeDevice(Person, device, At);

    /// <summary>A grant is seen by who sees both its ends.</summary>
    public bool MaySee(GrantRow grant) =>
        (grant.Subject.Kind == SubjectKind.Person ? MaySee(new PersonId(grant.Subject.Id)) : MaySee(new TechnicianGroupId(grant.Subject.Id)))
        && grant.Scope.Kind switch
        {
            ScopeKind.Device => MaySee(new DeviceId(grant.Scope.Id)),
            ScopeKind.DeviceGroup => MaySee(new DeviceGroupId(grant.Scope.Id)),
            _ => true,
        };

    /// <summary>What a role is called and holds is no secret among an organization's own people.</summary>
    public bool MaySee(RoleRow role) => Snapshot.Person(Person) is { Kind: PersonKind.Owner or PersonKind.Technician };

    /// <summary>To approve some, or to say who is in them.</summary>
    public bool MaySeeExternalGroups => Snapshot.MaySeeExternalGroups(Person, At);

    /// <summary>Who approves what is for master administrators to know as a whole; everybody else is told the steps of their own requests.</summary>
    public bool MaySee(WorkflowRow workflow) => IsMasterAdministrator && MaySee(workflow.Group);

    /// <summary>What binds all devices is no secret to whoever signs in.</summary>
    public bool MaySee(SettingNode node) => node.Kind switch
    {
        SettingNodeKind.Organization => true,
        SettingNodeKind.DeviceGroup => MaySee(new DeviceGroupId(node.Id)),
        SettingNodeKind.Device => MaySee(new DeviceId(node.Id)),
        _ => false,
    };

    /// <summary>All that is effective there, on whichever account.</summary>
    public PermissionSet HeldOn(DeviceId device) => Snapshot.HeldOn(Person, device, At);

    /// <summary>The way to a terminal on the device's default account.</summary>
    public DecisionKind WayTo(DeviceId device) => Snapshot.Decide(
        new(Person, device, Account: null, PermissionSet.Of(Permission.Terminal), At, caller.Source, caller.Strength, EndUserPresence.CannotBeAsked) { Preapprovals = Preapproved }).Kind;
}
