namespace Countersign.Access;

internal sealed partial class Planner
{
    private PlanResult Plan(PolicyCommand.AddRole command)
    {
        if (!_authority.IsMaster) return OnlyMasters("add roles");
        if (Fields.Id(command.Id.Value) is { } noId) return noId;
        if (Fields.Name(command.Name, out var name) is { } badName) return badName;
        if (Fields.Defined(command.Purpose, "purpose") is { } badPurpose) return badPurpose;
        if (CheckPermissions(command.Purpose, command.Permissions) is { } badPermissions) return badPermissions;
        if (_model.Role(command.Id) is not null) return Conflict("There is a role with this id already.");
        if (RoleNameTaken(name, command.Id) is { } taken) return taken;
        _draft.Add(new RoleRow(command.Id, name, command.Purpose, command.Permissions));
        return _draft.Planned($"Added the role {name}.");
    }

    private PlanResult Plan(PolicyCommand.EditRole command)
    {
        if (FindCustomRole(command.Id, "edit roles", out var role) is { } refusal) return refusal;
        if (Fields.Name(command.Name, out var name) is { } badName) return badName;
        if (CheckPermissions(role!.Purpose, command.Permissions) is { } badPermissions) return badPermissions;
        if (RoleNameTaken(name, command.Id) is { } taken) return taken;
        _draft.Put(role with { Name = name, Permissions = command.Permissions });
        return _draft.Planned($"Edited the role {name}.");
    }

    private PlanResult Plan(PolicyCommand.DeleteRole command)
    {
        if (FindCustomRole(command.Id, "delete roles", out var role) is { } refusal) return refusal;
        _draft.RemoveAll(_model.Grants.Values.Where(grant => grant.Role.Id == command.Id).Select(grant => grant.Row));
        TakeOutOfSettings(command.Id);
        _draft.Remove(role!);
        return _draft.Planned($"Deleted the role {role!.Name} and the grants made with it.");
    }

    private PlanResult? FindCustomRole(RoleId id, string deed, out RoleRow? role)
    {
        role = _model.CustomRoles.GetValueOrDefault(id);
        if (SystemRoles.IsSystem(id)) return new PlanResult.Forbidden("System roles can't be changed.");
        if (role is null || !_authority.AdministersSomeBranch) return NotFound("role");
        return _authority.IsMaster ? null : OnlyMasters(deed);
    }

    private static PlanResult? CheckPermissions(RolePurpose purpose, PermissionSet permissions)
    {
        var beside = permissions - PermissionCatalogue.AllowedFor(purpose);
        return beside.IsEmpty ? null : Fields.Invalid("permissions", $"A role for this purpose can't hold {Describe.Labels(beside)}.");
    }

    private PlanResult.Conflict? RoleNameTaken(string name, RoleId except) =>
        SystemRoles.All.Concat(_model.CustomRoles.Values).Any(role => role.Id != except && SameName(role.Name, name))
            ? Conflict($"There is a role '{name}' already.")
            : null;
}
