namespace Countersign.Access;

internal sealed partial class Planner
{
    private PlanResult Plan(PolicyCommand.AddTechnicianGroup command)
    {
        if (VisibleGroup(command.Parent) is not { } parent) return NotFound("technician group");
        if (!_authority.AdministersBranchFrom(parent)) return OutsideBranch();
        if (Fields.Id(command.Id.Value) is { } noId) return noId;
        if (Fields.Name(command.Name, out var name) is { } badName) return badName;
        if (Fields.Description(command.Description, out var description) is { } badDescription) return badDescription;
        if (Fields.Defined(command.Consent, "consent") is { } badConsent) return badConsent;
        if (command.MembersApprove && !_authority.IsMaster) return OnlyMasters("say that members approve");
        if (_model.TechnicianGroups.ContainsKey(command.Id)) return Conflict("There is a technician group with this id already.");
        if (_model.ChildrenOf(parent).Any(child => SameName(child.Row.Name, name))) return Conflict($"There is a group '{name}' in {Veil.Path(parent)} already.");

        _draft.Add(new TechnicianGroupRow(
            command.Id,
            parent.Id,
            name,
            description,
            command.Enabled,
            command.RequiresManagerialApproval,
            command.Consent,
            command.SinglePrompt)
        {
            MembersApprove = command.MembersApprove,
        });
        return _draft.Planned($"Added the technician group {name} to {Veil.Path(parent)}.");
    }

    private PlanResult Plan(PolicyCommand.EditTechnicianGroup command)
    {
        if (VisibleGroup(command.Id) is not { } group) return NotFound("technician group");
        if (!_authority.Administers(group)) return OutsideBranch();
        if (Fields.Name(command.Name, out var name) is { } badName) return badName;
        if (Fields.Description(command.Description, out var description) is { } badDescription) return badDescription;
        if (Fields.Defined(command.Consent, "consent") is { } badConsent) return badConsent;
        if (command.MembersApprove is { } members && members != group.Row.MembersApprove && !_authority.IsMaster) return OnlyMasters("say that members approve");
        if (group.IsEveryone && command.Parent is not null) return Fields.Invalid("parent", "Everyone is the root and can't be moved.");
        if (group.IsEveryone && !command.Enabled) return Fields.Invalid("enabled", "Everyone can't be disabled.");
        if (!group.IsEveryone && command.Parent is null) return Fields.Invalid("parent", "Only Everyone has no group above it.");
        if (command.Parent is { } parentId && MoveBelow(group, parentId, name) is { } refusal) return refusal;

        _draft.Put(new TechnicianGroupRow(
            group.Id,
            command.Parent,
            name,
            description,
            command.Enabled,
            command.RequiresManagerialApproval,
            command.Consent,
            command.SinglePrompt)
        {
            MembersApprove = command.MembersApprove ?? group.Row.MembersApprove,
            ApprovedExternals = group.Row.ApprovedExternals,
        });
        return _draft.Planned($"Edited the technician group {name}.");
    }

    private PlanResult? MoveBelow(TechnicianGroupNode group, TechnicianGroupId parentId, string name)
    {
        if (VisibleGroup(parentId) is not { } parent) return NotFound("technician group");
        if (parent.Id != group.Parent?.Id && !_authority.AdministersBranchFrom(parent)) return OutsideBranch();
        if (parent.IsAtOrBelow(group)) return Fields.Invalid("parent", "A group can't be below itself.");
        return _model.ChildrenOf(parent).Any(child => child.Id != group.Id && SameName(child.Row.Name, name))
            ? Conflict($"There is a group '{name}' in {Veil.Path(parent)} already.")
            : null;
    }

    private PlanResult Plan(PolicyCommand.DeleteTechnicianGroup command)
    {
        if (VisibleGroup(command.Id) is not { } group) return NotFound("technician group");
        if (!_authority.Administers(group)) return OutsideBranch();
        if (group.IsEveryone) return new PlanResult.Forbidden("Everyone can't be deleted.");
        if (_model.PeopleOf(group).Children.Length > 0) return Conflict($"{Veil.Path(group)} has groups below it.");

        if (WorkflowNaming(new Approver(ApproverKind.Managers, group.Id.Value), new(ApproverKind.Members, group.Id.Value)) is { } naming)
        {
            return Conflict($"{Veil.Path(group)} approves in the workflow {Veil.Workflow(naming)}: change that first.");
        }
        if (group.OwnWorkflows.Length > 0 && !_authority.IsMaster) return OnlyMasters("delete workflows, and this group has some");

        // What only they may take off one by one goes with no group by others either.
        var people = _model.PeopleOf(group);
        if (!_authority.IsMaster && (people.Managers.Length > 0 || people.Administrators.Length > 0 || group.Own.Any(value => value.Locked)))
        {
            return OnlyMasters("take off managers, administrators and locks, and this group has some");
        }
        _draft.RemoveAll(group.OwnWorkflows);
        _draft.RemoveAll(people.Members.Select(person => new MembershipRow(group.Id, person)));
        _draft.RemoveAll(people.Managers.Select(person => new GroupManagerRow(group.Id, person)));
        _draft.RemoveAll(people.Administrators.Select(person => new GroupAdministratorRow(group.Id, person)));
        _draft.RemoveAll(group.Own);
        var options = TakeOutOfOptions(group.Id);
        _draft.RemoveAll(group.OwnGrants.Select(grant => grant.Row));
        _draft.Remove(group.Row);
        return _draft.Planned($"Deleted the technician group {Veil.Path(group)}{options}.");
    }

    private PlanResult Plan(PolicyCommand.AddMember command)
    {
        if (VisibleGroup(command.Group) is not { } group) return NotFound("technician group");
        if (VisiblePerson(command.Person) is not { } person) return NotFound("person");
        if (!_authority.AdministersBranchFrom(group)) return OutsideBranch();
        if (group.IsEveryone) return Fields.Invalid("group", "Every technician is in Everyone as it is.");
        if (person.IsContact) return Fields.Invalid("person", "A contact is in no technician group.");
        _draft.Put(new MembershipRow(group.Id, person.Id));
        return _draft.Planned($"Added {person.Row.Name} ({person.Row.Login}) to {Veil.Path(group)}.");
    }

    private PlanResult Plan(PolicyCommand.RemoveMember command)
    {
        if (VisibleGroup(command.Group) is not { } group) return NotFound("technician group");
        if (VisiblePerson(command.Person) is not { } person) return NotFound("person");
        if (!_authority.AdministersBranchFrom(group)) return OutsideBranch();
        _draft.RemoveIfThere(new MembershipRow(group.Id, person.Id).Key);
        return _draft.Planned($"Removed {person.Row.Name} ({person.Row.Login}) from {Veil.Path(group)}.");
    }

    /// <summary>Managers and administrators: who may appoint them decides who can free people of approval or run a branch.</summary>
    private PlanResult Appoint(TechnicianGroupId groupId, PersonId personId, PolicyRow row, string what)
    {
        if (VisibleGroup(groupId) is not { } group) return NotFound("technician group");
        if (VisiblePerson(personId) is not { } person) return NotFound("person");
        if (!_authority.IsMaster) return OnlyMasters($"appoint {what}s");
        if (person.IsContact) return Fields.Invalid("person", $"A contact can't be {what} of a group.");
        _draft.Put(row);
        return _draft.Planned($"Made {person.Row.Name} ({person.Row.Login}) {what} of {Veil.Path(group)}.");
    }

    private PlanResult Dismiss(TechnicianGroupId groupId, PersonId personId, RowKey key, string what)
    {
        if (VisibleGroup(groupId) is not { } group) return NotFound("technician group");
        if (VisiblePerson(personId) is not { } person) return NotFound("person");
        if (!_authority.IsMaster) return OnlyMasters($"dismiss {what}s");
        _draft.RemoveIfThere(key);
        return _draft.Planned($"{person.Row.Name} ({person.Row.Login}) is no longer {what} of {Veil.Path(group)}.");
    }

    private PlanResult Plan(PolicyCommand.SetGroupPermission command)
    {
        if (VisibleGroup(command.Group) is not { } group) return NotFound("technician group");
        if (!_authority.Administers(group)) return OutsideBranch();
        if (!PermissionCatalogue.Restrictable.Contains(command.Permission))
        {
            return Fields.Invalid("permission", "A technician group can't restrict this permission.");
        }
        if (command.Value is { } value && Fields.Defined(value, "value") is { } undefined) return undefined;
        if (command is { Value: null, Locked: true }) return Fields.Invalid("locked", "An inherited value can't be locked.");
        if (command.Value is null && group.IsEveryone) return Fields.Invalid("value", "Everyone has nothing to inherit from: allow or deny.");

        var label = Describe.Label(command.Permission);
        if (group.Parent?.Resolve(command.Permission) is { Locked: true } upper)
        {
            return Conflict($"{label} is locked by {Veil.Path(_model.TechnicianGroups.GetValueOrDefault(upper.Group)!)}.");
        }

        var own = group.OwnValue(command.Permission);
        if (!_authority.IsMaster && (command.Locked || own is { Locked: true })) return OnlyMasters("lock and unlock permissions");
        if (command.Value is not { } set)
        {
            if (own is not null) _draft.Remove(own);
            return _draft.Planned($"{Veil.Path(group)} inherits {label}.");
        }

        var option = command.Option ?? own?.Option ?? "";
        if (option.Length > 0)
        {
            if (!PermissionOption.TryParse(command.Permission, option, out var read, out var problem)) return Fields.Invalid("option", problem);
            if (CheckNamed(read, NamedIn(own)) is { } unknown) return unknown;
            option = read.Text;
        }

        _draft.Put(new GroupPermissionRow(group.Id, command.Permission, set, command.Locked) { Option = option });
        return _draft.Planned($"{Veil.Path(group)} {(set == PolicyValue.Allow ? "allows" : "denies")} {label}{(command.Locked ? ", locked" : "")}.");
    }

    private static PlanResult.Forbidden OutsideBranch() =>
        new("You administer groups below those that you are named administrator of, and the members of those.");
}
