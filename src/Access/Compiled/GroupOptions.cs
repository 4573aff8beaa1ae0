using System.Collections.Immutable;

namespace Countersign.Access;

/// <summary>The rows that decide about options at a technician group, in the order of <see cref="PermissionOption.Having"/>.</summary>
internal sealed class GroupOptions
{
    private readonly (GroupPermissionRow Row, PermissionOption Option)?[] _decisive;

    private GroupOptions((GroupPermissionRow Row, PermissionOption Option)?[] decisive) => _decisive = decisive;

    private static GroupOptions Nothing { get; } = new(new (GroupPermissionRow, PermissionOption)?[PermissionOption.Having.Count]);

    /// <summary>As those above, where a group says nothing of its own.</summary>
    public static GroupOptions Below(GroupOptions? above, GroupPermissionRow[] own)
    {
        above ??= Nothing;
        var saying = Array.FindAll(own, row => PermissionOption.Having.Contains(row.Permission));
        if (saying.Length == 0) return above;
        var decisive = ((GroupPermissionRow Row, PermissionOption Option)?[])above._decisive.Clone();
        foreach (var row in saying)
        {
            if (!PermissionOption.TryParse(row.Permission, row.Option, out var option, out var problem)) throw new PolicyException($"{row.Key}: {problem}");
            ref var known = ref decisive[PermissionOptions.PlaceOf(row.Permission)];
            if (known is not { Row.Locked: true }) known = (row, option);
        }

        return new(decisive);
    }

    /// <summary>
    /// The union over the memberships that allow to invite at all. A lock is on the permission and its option, and takes no part: which people from outside
    /// a branch knows is the branch's to say.
    /// </summary>
    public static ImmutableArray<ExternalGroupId> ApprovedExternals(TechnicianGroupNode[] groups)
    {
        var place = PermissionOptions.PlaceOf(Permission.InviteExternal);
        return
        [
            .. groups.Where(group => group.IsEnabled && group.Options._decisive[place] is ({ Value: PolicyValue.Allow }, _))
                .SelectMany(group => group.ApprovedExternals)
                .Distinct()
                .OrderBy(group => group.Value),
        ];
    }

    /// <summary>
    /// The strictest of all locked ones that reach the person, else the widest among the memberships that allow. Where none allows it does not
    /// matter, and is the strictest that there is.
    /// </summary>
    public static IEnumerable<PermissionOption> Of(TechnicianGroupNode[] groups)
    {
        var options = new PermissionOption[PermissionOption.Having.Count];
        for (var place = 0; place < options.Length; place++)
        {
            PermissionOption? locked = null, widest = null;
            foreach (var group in groups)
            {
                if (group.Options._decisive[place] is not ({ Value: PolicyValue.Allow } row, var option)) continue;
                if (row.Locked) locked = locked?.Stricter(option) ?? option;
                else if (group.IsEnabled) widest = widest?.Wider(option) ?? option;
            }

            options[place] = locked ?? widest ?? PermissionOption.Strictest(PermissionOption.Having[place]);
        }

        return options;
    }
}
