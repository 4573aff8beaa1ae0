namespace Countersign.Access;

internal sealed partial class Planner
{
    private PlanResult Plan(PolicyCommand.AddPerson command)
    {
        if (!_authority.IsMaster) return OnlyMasters("add people");
        if (Fields.Id(command.Id.Value) is { } noId) return noId;
        if (command.Kind is not (PersonKind.Technician or PersonKind.Contact))
        {
            return Fields.Invalid("kind", "People are added as technicians or contacts; the owner is there from the start.");
        }
        if (Fields.Login(command.Login) is { } badLogin) return badLogin;
        if (Fields.Name(command.Name, out var name) is { } badName) return badName;
        if (Fields.Mail(command.Mail, out var mail) is { } badMail) return badMail;
        if (Fields.Defined(command.State, "state") is { } badState) return badState;
        if (_model.People.ContainsKey(command.Id)) return Conflict("There is somebody with this id already.");
        if (_model.PeopleByLogin.ContainsKey(command.Login)) return Conflict($"The login '{command.Login}' is taken.");

        _draft.Add(new PersonRow(command.Id, command.Kind, command.Login, name, mail, command.State, PersonStatus.Active));
        return _draft.Planned($"Added the {(command.Kind == PersonKind.Contact ? "contact" : "technician")} {name} ({command.Login}).");
    }

    private PlanResult Plan(PolicyCommand.EditPerson command)
    {
        if (VisiblePerson(command.Id) is not { } person) return NotFound("person");
        if (!_authority.IsMaster) return OnlyMasters("edit people");
        if (person.IsOwner && _authority.Person != person) return new PlanResult.Forbidden("Nobody but the owner edits the owner.");
        if (Fields.Name(command.Name, out var name) is { } badName) return badName;
        if (Fields.Mail(command.Mail, out var mail) is { } badMail) return badMail;
        _draft.Put(person.Row with { Name = name, Mail = mail });
        return _draft.Planned($"Edited {name} ({person.Row.Login}).");
    }

    private PlanResult Plan(PolicyCommand.SetPersonStatus command)
    {
        if (VisiblePerson(command.Id) is not { } person) return NotFound("person");
        if (!_authority.IsMaster) return OnlyMasters("enable and disable people");
        if (person.IsOwner) return new PlanResult.Forbidden("The owner can't be disabled.");
        if (command.Status is not (PersonStatus.Active or PersonStatus.Disabled)) return Fields.Invalid("status", "A person is made active or disabled.");
        if (person.Row.Status == PersonStatus.DisabledByPlan && command.Status == PersonStatus.Active)
        {
            return Conflict($"{person.Row.Name} is disabled by the plan: its limit has to rise first.");
        }

        _draft.Put(person.Row with { Status = command.Status });
        return _draft.Planned($"{(command.Status == PersonStatus.Active ? "Enabled" : "Disabled")} {person.Row.Name} ({person.Row.Login}).");
    }

    private PlanResult Plan(PolicyCommand.DeletePerson command)
    {
        if (VisiblePerson(command.Id) is not { } person) return NotFound("person");
        if (!_authority.IsMaster) return OnlyMasters("delete people");
        if (person.IsOwner) return new PlanResult.Forbidden("The owner can't be deleted.");

        // An approval must not climb to another manager because the one appointed is gone (20-approvals: it blocks). Without the row the
        // appointment would be forgotten, so somebody has to decide who approves first.
        if (person.Manages.Select(id => _model.TechnicianGroups.GetValueOrDefault(id)!).FirstOrDefault(IsLastUnderApproval) is { } orphan)
        {
            var duty = $"the only manager of {Describe.Path(orphan)}, where connections need approval";
            return Conflict($"{person.Row.Name} is {duty}: appoint another one or dismiss this one first.");
        }

        if (WorkflowNaming(new Approver(ApproverKind.Person, person.Id.Value)) is { } naming)
        {
            return Conflict($"{person.Row.Name} approves in the workflow {naming.Name}: change that first.");
        }

        _draft.RemoveAll(person.DirectMemberships.Select(group => new MembershipRow(group.Id, person.Id)));
        _draft.RemoveAll(person.Manages.Select(group => new GroupManagerRow(group, person.Id)));
        _draft.RemoveAll(person.Administers.Select(group => new GroupAdministratorRow(group, person.Id)));
        _draft.RemoveAll(person.ExternalGroups.Select(group => new ExternalMemberRow(group, person.Id)));
        _draft.RemoveAll(person.OwnGrants.Select(grant => grant.Row));
        _draft.Remove(person.Row);
        return _draft.Planned($"Deleted {person.Row.Name} ({person.Row.Login}).");
    }

    /// <summary>The group has one manager, and a rule of it, of one above or of one below asks for its managers' approval, or could.</summary>
    private bool IsLastUnderApproval(TechnicianGroupNode group) =>
        _model.PeopleOf(group).Managers.Length == 1
        && (group.ApprovalRule is not null || _model.Downwards(group).Any(below => below.Row.RequiresManagerialApproval));
}
