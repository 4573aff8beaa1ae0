using System.Collections.Immutable;

namespace Countersign.Access;

/// <summary>
/// Who is in an external group is for who manages people to say; which of them a technician group approves, for who edits that group, within law 10.
/// </summary>
internal sealed partial class Planner
{
    private PlanResult Plan(PolicyCommand.AddExternalGroup command)
    {
        if (!_authority.IsMaster) return OnlyMasters("make external groups");
        if (Fields.Id(command.Id.Value) is { } noId) return noId;
        if (Fields.Name(command.Name, out var name) is { } badName) return badName;
        if (Fields.Description(command.Description, out var description) is { } badDescription) return badDescription;
        if (_model.ExternalGroups.ContainsKey(command.Id)) return Conflict("There is an external group with this id already.");
        if (ExternalGroupNamed(name, command.Id) is { } taken) return Conflict($"There is an external group '{taken}' already.");
        _draft.Add(new ExternalGroupRow(command.Id, name, description));
        return _draft.Planned($"Added the external group {name}.");
    }

    private PlanResult Plan(PolicyCommand.EditExternalGroup command)
    {
        if (FindExternalGroup(command.Id, "edit external groups", out var group) is { } refusal) return refusal;
        if (Fields.Name(command.Name, out var name) is { } badName) return badName;
        if (Fields.Description(command.Description, out var description) is { } badDescription) return badDescription;
        if (ExternalGroupNamed(name, command.Id) is { } taken) return Conflict($"There is an external group '{taken}' already.");
        _draft.Put(group! with { Name = name, Description = description });
        return _draft.Planned($"Edited the external group {name}.");
    }

    private PlanResult Plan(PolicyCommand.DeleteExternalGroup command)
    {
        if (FindExternalGroup(command.Id, "delete external groups", out var group) is { } refusal) return refusal;
        _draft.RemoveAll(_snapshot.All<ExternalMemberRow>().Where(member => member.Group == command.Id));
        foreach (var row in _snapshot.All<TechnicianGroupRow>())
        {
            var approved = ApprovedBy(row);
            if (approved.Contains(command.Id)) _draft.Put(row with { ApprovedExternals = ExternalGroups.Write(approved.Remove(command.Id)) });
        }

        _draft.Remove(group!);
        return _draft.Planned($"Deleted the external group {group!.Name}.");
    }

    private PlanResult Plan(PolicyCommand.AddExternalMember command)
    {
        if (FindExternalGroup(command.Group, "say who is in an external group", out var group) is { } refusal) return refusal;
        if (VisiblePerson(command.Person) is not { } person) return NotFound("person");
        if (!person.IsContact) return Fields.Invalid("person", "Only contacts are in external groups.");
        _draft.Put(new ExternalMemberRow(group!.Id, person.Id));
        return _draft.Planned($"Added {person.Row.Name} ({person.Row.Login}) to the external group {group.Name}.");
    }

    private PlanResult Plan(PolicyCommand.RemoveExternalMember command)
    {
        if (FindExternalGroup(command.Group, "say who is in an external group", out var group) is { } refusal) return refusal;
        if (VisiblePerson(command.Person) is not { } person) return NotFound("person");
        _draft.RemoveIfThere(new ExternalMemberRow(group!.Id, person.Id).Key);
        return _draft.Planned($"Removed {person.Row.Name} ({person.Row.Login}) from the external group {group.Name}.");
    }

    private PlanResult Plan(PolicyCommand.SetApprovedExternals command)
    {
        if (VisibleGroup(command.Group) is not { } group) return NotFound("technician group");
        if (!_authority.Administers(group)) return OutsideBranch();
        if (command.Groups is not { } groups)
        {
            _draft.Put(group.Row with { ApprovedExternals = null });
            return _draft.Planned($"{Veil.Path(group)} approves the external groups that are approved above it.");
        }

        if (groups.Distinct().Count() > ExternalGroups.Most) return Fields.Invalid("groups", $"A technician group approves at most {ExternalGroups.Most} external groups.");
        foreach (var id in groups)
        {
            if (!_model.ExternalGroups.ContainsKey(id)) return Fields.Invalid("groups", $"There is no external group {id}.");
        }

        _draft.Put(group.Row with { ApprovedExternals = ExternalGroups.Write(groups) });
        var names = string.Join(", ", groups.Distinct().Select(id => _model.ExternalGroups.GetValueOrDefault(id)!.Name).Order(StringComparer.Ordinal));
        return _draft.Planned($"{Veil.Path(group)} approves {(names.Length > 0 ? $"the external groups {names}" : "no external groups")}.");
    }

    /// <summary>That there are such groups is no secret to who may approve them; to everybody else there are none.</summary>
    private PlanResult? FindExternalGroup(ExternalGroupId id, string deed, out ExternalGroupRow? group)
    {
        group = _model.ExternalGroups.GetValueOrDefault(id);
        if (group is null || !_authority.AdministersSomeBranch) return NotFound("external group");
        return _authority.IsMaster ? null : OnlyMasters(deed);
    }

    /// <summary>The name that another group has already; null: none has.</summary>
    private string? ExternalGroupNamed(string name, ExternalGroupId except) =>
        _model.ExternalGroups.Values.FirstOrDefault(group => group.Id != except && SameName(group.Name, name))?.Name;

    private static ImmutableArray<ExternalGroupId> ApprovedBy(TechnicianGroupRow row) =>
        row.ApprovedExternals is { } text && ExternalGroups.TryRead(text, out var groups) ? groups.Value : [];
}
