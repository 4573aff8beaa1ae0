namespace Countersign.Access;

/// <summary>Reads a grant's row; refuses one that says nothing sound.</summary>
internal static class GrantCompiler
{
    /// <param name="role">Null: not there.</param>
    /// <exception cref="PolicyException">The row contradicts itself or its role.</exception>
    public static CompiledGrant Compile(GrantRow row, RoleRow? role, PolicyPool pool)
    {
        if (role is null) throw new PolicyException($"{row.Key}: role {row.Role} is not there");
        if (PurposeOf(row.Scope.Kind) != role.Purpose)
        {
            throw new PolicyException($"{row.Key}: a role for {role.Purpose} does not fit the scope {row.Scope.Kind}");
        }
        if (row.Window is { From: { } from, To: { } to } && to <= from) throw new PolicyException($"{row.Key}: its window ends before it starts");

        WeeklyHours? hours = null;
        if (row.Window.Hours.Length > 0 && (hours = pool.Hours(row.Window.Hours, out var problem)) is null)
        {
            throw new PolicyException($"{row.Key}, to {row.Subject.Kind} {row.Subject.Id}: {problem}");
        }
        return new(row, role, Names(row), hours, pool.AccountNames);
    }

    /// <summary>The purpose that a role for the scope must have; null: the kind of scope is not known.</summary>
    public static RolePurpose? PurposeOf(ScopeKind scope) => scope switch
    {
        ScopeKind.Device or ScopeKind.DeviceGroup or ScopeKind.AllDevices => RolePurpose.DevicesAndGroups,
        ScopeKind.QuickSupport => RolePurpose.Invitations,
        ScopeKind.Team => RolePurpose.Administration,
        _ => null,
    };

    private static string[] Names(GrantRow row)
    {
        switch (row.Accounts.Rule)
        {
            case AccountRule.Any or AccountRule.Default when row.Accounts.Names.Length == 0:
                return [];
            case AccountRule.Named:
                var names = row.Accounts.Names.Split(',');
                if (Array.TrueForAll(names, name => Access.Names.IsAccount(name))) return names;
                break;
        }

        throw new PolicyException($"{row.Key}: its accounts can't be read");
    }
}
