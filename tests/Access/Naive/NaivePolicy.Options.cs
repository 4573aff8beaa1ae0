namespace Countersign.Access.Tests.Naive;

/// <param name="Named">For those that name groups or channels: which; null: any.</param>
internal sealed record NaiveOption(bool Strict, IReadOnlyCollection<Guid>? Named)
{
    public bool Same(PermissionOption option) =>
        Strict == option.IsStrict && (Named ?? []).Order().SequenceEqual(option.Named);

    /// <summary>Whatever the other allows this allows, too.</summary>
    public bool Covers(NaiveOption other) => !Strict || (other.Strict && (Named is null || (other.Named is not null && other.Named.All(Named.Contains))));
}

internal sealed partial class NaivePolicy
{
    /// <summary>The strictest of all locked ones that reach them, else the widest among the memberships that allow; of named lists the intersection, else the union.</summary>
    public NaiveOption Option(PersonRow person, Permission permission)
    {
        if (person.Kind == PersonKind.Owner) return new(false, null);
        var values = DirectMemberships(person).Select(group => (Group: group, Row: ValueAt(group, permission))).ToList();
        var locked = values.Where(value => value.Row is { Locked: true }).Select(value => Read(permission, value.Row!.Option)).ToList();
        if (locked.Count > 0) return locked.Aggregate(Stricter);
        var allowing = values.Where(value => value.Row is { Value: PolicyValue.Allow } && IsEnabled(value.Group)).Select(value => Read(permission, value.Row!.Option));
        return allowing.Aggregate(Wider);
    }

    /// <summary>Asked once for all: where none of their groups asks for more, disabled ones heard too; a disabled group allows nothing, though.</summary>
    public bool SinglePrompt(PersonRow person)
    {
        var groups = DirectMemberships(person).Select(id => _groups[id]).ToList();
        return !groups.Any(group => !group.SinglePrompt) && groups.Any(group => IsEnabled(group.Id));
    }

    private static NaiveOption Stricter(NaiveOption one, NaiveOption other) => new(
        one.Strict || other.Strict,
        one.Named is null ? other.Named : other.Named is null ? one.Named : [.. one.Named.Intersect(other.Named)]);

    private static NaiveOption Wider(NaiveOption one, NaiveOption other) => new(
        one.Strict && other.Strict,
        one.Named is null || other.Named is null ? null : [.. one.Named.Union(other.Named)]);

    /// <summary>Unless somebody changed it: everything allowed, but outsiders only if they are members of approved groups.</summary>
    private static NaiveOption Read(Permission permission, string option)
    {
        if (option.Length == 0) return new(permission == Permission.InviteExternal, null);
        if (option.StartsWith("named:", StringComparison.Ordinal)) return new(true, [.. option["named:".Length..].Split(',').Select(Guid.Parse)]);
        return new(option is "off" or "consent" or "approved", null);
    }
}
