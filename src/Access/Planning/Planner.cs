using System.Collections.Immutable;

namespace Countersign.Access;

/// <param name="Id">Who plans.</param>
/// <param name="At">By when their rights are judged.</param>
/// <param name="InHand">What was approved ahead for them; default: nothing.</param>
internal readonly record struct PlanActor(PersonId Id, DateTimeOffset At, ImmutableArray<PreapprovedRequest> InHand)
{
    /// <summary>Of what was approved ahead for them that which is not over; also what has not begun.</summary>
    public IEnumerable<PreapprovedRequest> Preapproved()
    {
        if (InHand.IsDefaultOrEmpty) return [];
        var (id, at) = (Id, At);
        return InHand.Where(request => request.Person == id && request.Time.Closes(request.ApprovedAt) > at);
    }
}

/// <summary>
/// Plans one command for one actor: finds what it names, authorizes, validates, and writes down the rows before and after.
/// What the actor may not see is answered like what is not there.
/// </summary>
internal sealed partial class Planner
{
    private readonly PolicySnapshot _snapshot;
    private readonly PolicyModel _model;
    private readonly Authority _authority;
    private readonly Draft _draft;
    private readonly PlanActor _actor;

    /// <param name="authority">The actor's in this snapshot at that instant, where there is one already: what it has found out is not found out again.</param>
    public Planner(PolicySnapshot snapshot, in PlanActor actor, Authority? authority = null)
    {
        _snapshot = snapshot;
        _model = snapshot.Model;
        _authority = authority ?? new(_model, actor.Id, actor.At);
        _draft = new(snapshot);
        _actor = actor;
    }

    public PlanResult Plan(PolicyCommand command)
    {
        // Who was invited takes no part yet, and may do this one thing.
        if (command is PolicyCommand.ActivatePerson activate && activate.Id == _actor.Id) return Plan(activate);
        var result = PlanUnmeasured(command);

        // Several have been measured one by one.
        if (command is PolicyCommand.Several || result is not PlanResult.Planned { Delta: { Changes.Count: > 0 } delta } || _authority.IsMaster) return result;
        return Overreach(_snapshot.With(delta.Changes), delta.Changes) ?? result;
    }

    /// <summary>Without looking at what it would mean for whom.</summary>
    public PlanResult PlanUnmeasured(PolicyCommand command) =>
        _authority.Person is null ? new PlanResult.Forbidden("You take no part in this organization.") : Dispatch(command);

    /// <summary>Why the actor may not make a change, though each row of it is theirs to change; null: they may.</summary>
    public PlanResult.Forbidden? Overreach(PolicySnapshot after, IReadOnlyList<RowChange> changes)
    {
        if (_authority.IsMaster || _authority.Person is not { } actor) return null;
        if (CheckNotifications(after, changes) is { } forbidden) return forbidden;
        return SelfEscalation.Refusal(_model, after.Model, actor, _actor.Preapproved(), Veil, changes) is { } refusal ? new(refusal) : null;
    }

    private PlanResult Dispatch(PolicyCommand command) => command switch
    {
        PolicyCommand.AddPerson add => Plan(add),
        PolicyCommand.EditPerson edit => Plan(edit),
        PolicyCommand.EditOwnProfile edit => Plan(edit),
        PolicyCommand.SetPersonStatus set => Plan(set),
        PolicyCommand.ActivatePerson => new PlanResult.Forbidden("Nobody takes somebody else's place."),
        PolicyCommand.HandOver hand => Plan(hand),
        PolicyCommand.DeletePerson delete => Plan(delete),
        PolicyCommand.AddTechnicianGroup add => Plan(add),
        PolicyCommand.EditTechnicianGroup edit => Plan(edit),
        PolicyCommand.DeleteTechnicianGroup delete => Plan(delete),
        PolicyCommand.AddMember add => Plan(add),
        PolicyCommand.RemoveMember remove => Plan(remove),
        PolicyCommand.AddManager add => Appoint(add.Group, add.Person, new GroupManagerRow(add.Group, add.Person), "manager"),
        PolicyCommand.RemoveManager remove => Dismiss(remove.Group, remove.Person, new GroupManagerRow(remove.Group, remove.Person).Key, "manager"),
        PolicyCommand.AddAdministrator add => Appoint(add.Group, add.Person, new GroupAdministratorRow(add.Group, add.Person), "administrator"),
        PolicyCommand.RemoveAdministrator remove =>
            Dismiss(remove.Group, remove.Person, new GroupAdministratorRow(remove.Group, remove.Person).Key, "administrator"),
        PolicyCommand.SetGroupPermission set => Plan(set),
        PolicyCommand.AddExternalGroup add => Plan(add),
        PolicyCommand.EditExternalGroup edit => Plan(edit),
        PolicyCommand.DeleteExternalGroup delete => Plan(delete),
        PolicyCommand.AddExternalMember add => Plan(add),
        PolicyCommand.RemoveExternalMember remove => Plan(remove),
        PolicyCommand.SetApprovedExternals set => Plan(set),
        PolicyCommand.AddWorkflow add => Plan(add),
        PolicyCommand.EditWorkflow edit => Plan(edit),
        PolicyCommand.DeleteWorkflow delete => Plan(delete),
        PolicyCommand.AddDeviceGroup add => Plan(add),
        PolicyCommand.EditDeviceGroup edit => Plan(edit),
        PolicyCommand.DeleteDeviceGroup delete => Plan(delete),
        PolicyCommand.AddDevice add => Plan(add),
        PolicyCommand.EditDevice edit => Plan(edit),
        PolicyCommand.PinHostKey pin => Plan(pin),
        PolicyCommand.DeleteDevice delete => Plan(delete),
        PolicyCommand.AddAccount add => Plan(add),
        PolicyCommand.RemoveAccount remove => Plan(remove),
        PolicyCommand.SetDefaultAccount set => Plan(set),
        PolicyCommand.AddRole add => Plan(add),
        PolicyCommand.EditRole edit => Plan(edit),
        PolicyCommand.DeleteRole delete => Plan(delete),
        PolicyCommand.AddGrant add => Plan(add),
        PolicyCommand.EditGrant edit => Plan(edit),
        PolicyCommand.RemoveGrant remove => Plan(remove),
        PolicyCommand.SetSetting set => Plan(set),
        PolicyCommand.ClearSetting clear => Plan(clear),
        PolicyCommand.ForceSetting force => Plan(force),
        PolicyCommand.Several several => new SeveralPlanning(_snapshot, _actor).Plan(several),
        PolicyCommand.Undo undo => Plan(undo),
        _ => new PlanResult.Forbidden("There is no such command."),
    };

    private PersonNode? VisiblePerson(PersonId id) => _model.People.TryGetValue(id, out var person) && _authority.Sees(person) ? person : null;

    private TechnicianGroupNode? VisibleGroup(TechnicianGroupId id) =>
        _model.TechnicianGroups.TryGetValue(id, out var group) && _authority.Sees(group) ? group : null;

    private DeviceGroupNode? VisibleDeviceGroup(DeviceGroupId id) =>
        _model.DeviceGroups.TryGetValue(id, out var group) && _authority.Sees(group) ? group : null;

    private DeviceNode? VisibleDevice(DeviceId id) => _model.Devices.TryGetValue(id, out var device) && _authority.Sees(device) ? device : null;

    private static PlanResult.NotFound NotFound(string what) => new(what);

    private static PlanResult.Conflict Conflict(string message) => new(message);

    private static PlanResult.Forbidden OnlyMasters(string deed) => new($"Only master administrators may {deed}.");

    private static bool SameName(string one, string other) => string.Equals(Fields.Seen(one), Fields.Seen(other), StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// For refusals and summaries, which name nothing that the actor may not see. Who sees a device group sees those above it: its path needs none.
    /// </summary>
    private Veil Veil => new(_snapshot, _authority);
}
