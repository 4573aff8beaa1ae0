namespace Countersign.Access;

internal sealed partial class Planner
{
    private PlanResult Plan(PolicyCommand.AddGrant command)
    {
        if (CheckSubject(command.Subject, out var subject) is { } badSubject) return badSubject;
        if (CheckScope(command.Scope) is { } badScope) return badScope;
        if (CheckRole(command.Subject, command.Scope, command.Role, out var role) is { } badRole) return badRole;
        if (Fields.Id(command.Id.Value) is { } noId) return noId;
        if (Fields.Accounts(command.Accounts, out var accounts) is { } badAccounts) return badAccounts;
        if (Fields.Window(command.Window, out var window) is { } badWindow) return badWindow;
        if (_model.Grants.ContainsKey(command.Id)) return Conflict("There is a grant with this id already.");
        _draft.Add(new GrantRow(command.Id, command.Subject, command.Scope, command.Role, accounts, window));
        return _draft.Planned($"Granted the role {role!.Name} to {subject} on {Describe.Scope(_snapshot, command.Scope)}.");
    }

    private PlanResult Plan(PolicyCommand.EditGrant command)
    {
        if (FindGrant(command.Id, out var grant, out var subject) is { } refusal) return refusal;
        if (CheckRole(grant!.Subject, grant.Scope, command.Role, out var role) is { } badRole) return badRole;
        if (Fields.Accounts(command.Accounts, out var accounts) is { } badAccounts) return badAccounts;
        if (Fields.Window(command.Window, out var window) is { } badWindow) return badWindow;
        _draft.Put(grant with { Role = command.Role, Accounts = accounts, Window = window });
        return _draft.Planned($"Changed the grant of {role!.Name} to {subject} on {Describe.Scope(_snapshot, grant.Scope)}.");
    }

    private PlanResult Plan(PolicyCommand.RemoveGrant command)
    {
        if (FindGrant(command.Id, out var grant, out var subject) is { } refusal) return refusal;
        _draft.Remove(grant!);
        return _draft.Planned($"Took {_model.Role(grant!.Role)!.Name} on {Describe.Scope(_snapshot, grant.Scope)} from {subject}.");
    }

    /// <summary>The grant, if the actor may change it. Grants to what the actor does not see are not there.</summary>
    private PlanResult? FindGrant(GrantId id, out GrantRow? grant, out string subject)
    {
        subject = "";
        grant = _model.Grants.GetValueOrDefault(id)?.Row;
        if (grant is null) return NotFound("grant");
        return CheckSubject(grant.Subject, out subject) switch
        {
            PlanResult.NotFound => NotFound("grant"),
            { } refusal => refusal,
            null when CheckScope(grant.Scope) is PlanResult.NotFound => NotFound("grant"),
            null when grant.Scope.Kind == ScopeKind.Team && !_authority.IsMaster => OnlyMasters("give and take rights over the team"),
            null => null,
        };
    }

    /// <param name="name">For sentences.</param>
    private PlanResult? CheckSubject(GrantSubject subject, out string name)
    {
        name = "";
        switch (subject.Kind)
        {
            case SubjectKind.Person:
                if (VisiblePerson(new(subject.Id)) is not { } person) return NotFound("subject");
                name = $"{person.Row.Name} ({person.Row.Login})";
                return _authority.IsMaster ? null : OnlyMasters("grant to single people");
            case SubjectKind.TechnicianGroup:
                if (VisibleGroup(new(subject.Id)) is not { } group) return NotFound("subject");
                name = Veil.Path(group);
                return _authority.Administers(group) ? null : OutsideBranch();
            default:
                return Fields.Invalid("subject", "A grant is for a person or a technician group.");
        }
    }

    private PlanResult? CheckScope(GrantScope scope)
    {
        switch (scope.Kind)
        {
            case ScopeKind.Device:
                return VisibleDevice(new(scope.Id)) is null ? NotFound("scope") : null;
            case ScopeKind.DeviceGroup:
                return VisibleDeviceGroup(new(scope.Id)) is null ? NotFound("scope") : null;
            case ScopeKind.AllDevices or ScopeKind.QuickSupport or ScopeKind.Team when scope.Id != Guid.Empty:
                return Fields.Invalid("scope", "This kind of scope has no id.");
            case ScopeKind.AllDevices or ScopeKind.QuickSupport:
                return null;
            case ScopeKind.Team:
                return _authority.IsMaster ? null : OnlyMasters("give and take rights over the team");
            default:
                return Fields.Invalid("scope", "There is no such scope.");
        }
    }

    private PlanResult? CheckRole(GrantSubject subject, GrantScope scope, RoleId id, out RoleRow? role)
    {
        role = _model.Role(id);
        if (role is null) return NotFound("role");
        if (role.Purpose != GrantCompiler.PurposeOf(scope.Kind)) return Fields.Invalid("role", $"The role {role.Name} does not fit this scope.");
        var isForContact = subject.Kind == SubjectKind.Person && _model.People.TryGetValue(new(subject.Id), out var person) && person.IsContact;
        return isForContact && !PermissionCatalogue.GrantableToContacts.Covers(role.Permissions)
            ? Fields.Invalid("role", "A contact can be granted nothing but Request access.")
            : null;
    }
}
