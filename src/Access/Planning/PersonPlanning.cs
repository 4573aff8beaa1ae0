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
        if (LoginTaken(command.Login, command.Id) is { } taken) return taken;
        if (command.Kind == PersonKind.Contact && ContactMailTaken(mail, command.Id) is { } mailTaken) return mailTaken;

        _draft.Add(new PersonRow(command.Id, command.Kind, command.Login, name, mail, command.State, PersonStatus.Active));

        // Whoever is known by their address may have no login of their own choice yet.
        var called = mail.Length > 0 && (command.Kind == PersonKind.Contact || command.State == PersonState.Invited) ? mail : command.Login;
        return _draft.Planned($"Added the {(command.Kind == PersonKind.Contact ? "contact" : "technician")} {name} ({called}).");
    }

    private PlanResult Plan(PolicyCommand.EditPerson command)
    {
        if (VisiblePerson(command.Id) is not { } person) return NotFound("person");
        if (!_authority.IsMaster) return OnlyMasters("edit people");
        if (person.IsOwner && _authority.Person != person) return new PlanResult.Forbidden("Nobody but the owner edits the owner.");
        if (Fields.Name(command.Name, out var name) is { } badName) return badName;
        if (Fields.Mail(command.Mail, out var mail) is { } badMail) return badMail;
        if (person.IsContact && ContactMailTaken(mail, person.Id) is { } mailTaken) return mailTaken;
        _draft.Put(person.Row with { Name = name, Mail = mail });
        return _draft.Planned($"Edited {name} ({person.Row.Login}).");
    }

    /// <summary>Names nobody: whatever it is sent with, it is about the one who sends it.</summary>
    private PlanResult Plan(PolicyCommand.EditOwnProfile command)
    {
        var own = _authority.Person!;
        if (own.IsContact) return new PlanResult.Forbidden("What contacts are called is for those to say who invite them.");
        if (Fields.Name(command.Name, out var name) is { } badName) return badName;
        _draft.Put(own.Row with { Name = name });
        return _draft.Planned($"Edited {name} ({own.Row.Login}).");
    }

    private PlanResult Plan(PolicyCommand.SetPersonStatus command)
    {
        if (VisiblePerson(command.Id) is not { } person) return NotFound("person");
        if (!_authority.IsMaster) return OnlyMasters("enable and disable people");
        if (person.IsOwner) return new PlanResult.Forbidden("The owner can't be disabled.");
        if (command.Status is not (PersonStatus.Active or PersonStatus.Disabled)) return Fields.Invalid("status", "A person is made active or disabled.");
        if (person.Row.Status == PersonStatus.DisabledByPlan) return DisabledByPlan(person.Row);
        _draft.Put(person.Row with { Status = command.Status });
        return _draft.Planned($"{(command.Status == PersonStatus.Active ? "Enabled" : "Disabled")} {person.Row.Name} ({person.Row.Login}).");
    }

    /// <summary>By hand it is lifted not even by way of another status: the plan's mark would be lost.</summary>
    private static PlanResult.Conflict DisabledByPlan(PersonRow person) => Conflict($"{person.Name} is disabled by the plan: its limit has to rise first.");

    private PlanResult Plan(PolicyCommand.ActivatePerson command)
    {
        if (!_model.People.TryGetValue(command.Id, out var person)) return NotFound("person");
        if (person.IsContact || person.Row is not { State: PersonState.Invited, Status: PersonStatus.Active }) return new PlanResult.Forbidden("You are not invited, or not any more.");
        if (Fields.Login(command.Login) is { } badLogin) return badLogin;
        if (Fields.Name(command.Name, out var name) is { } badName) return badName;
        if (LoginTaken(command.Login, command.Id) is { } taken) return taken;
        _draft.Put(person.Row with { Login = command.Login, Name = name, State = PersonState.Activated });
        return _draft.Planned($"{name} ({command.Login}) joined.");
    }

    private PlanResult Plan(PolicyCommand.HandOver command)
    {
        if (VisiblePerson(command.To) is not { } heir) return NotFound("person");
        if (_authority.Person is not { IsOwner: true } owner) return new PlanResult.Forbidden("Only the owner hands the organization over.");
        if (heir == owner) return Conflict("You own it already.");
        if (heir is not { IsContact: false, Row.TakesPart: true }) return Conflict($"{heir.Row.Name} can't own it: the owner is an active technician.");
        _draft.Put(owner.Row with { Kind = PersonKind.Technician });
        _draft.Put(heir.Row with { Kind = PersonKind.Owner });
        return _draft.Planned($"{owner.Row.Name} ({owner.Row.Login}) handed the organization over to {heir.Row.Name} ({heir.Row.Login}).");
    }

    /// <summary>A contact signs in by their address: it is one contact's.</summary>
    private PlanResult? ContactMailTaken(string mail, PersonId by) =>
        mail.Length > 0 && _model.People.Values.Any(other => other.IsContact && other.Id != by && string.Equals(other.Row.Mail, mail, StringComparison.OrdinalIgnoreCase))
            ? Fields.Invalid("mail", "There is a contact with this address already.")
            : null;

    /// <summary>
    /// Taken, or so like another of the organization that one would be read for the other. What other organizations' people are called is nothing that a
    /// plan knows.
    /// </summary>
    private PlanResult? LoginTaken(string login, PersonId by)
    {
        if (_model.PeopleByLogin.TryGetValue(login, out var holder) && holder.Id != by) return Fields.Invalid("login", "That login is taken.");
        var look = Names.LookOf(login);
        return _model.People.Values.Any(other => other.Id != by && other.Row.Login != login && Names.LookOf(other.Row.Login) == look)
            ? Fields.Invalid("login", "That login looks like another one here: choose one that nobody reads for it.")
            : null;
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
