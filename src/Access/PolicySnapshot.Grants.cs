namespace Countersign.Access;

/// <summary>A grant that reaches a person, in force or not.</summary>
/// <param name="Through">The technician groups through which it does; empty where it is the person's own.</param>
public sealed record ReachingGrant(GrantRow Grant, IReadOnlyList<ReachingGroup> Through);

/// <summary>A technician group through which a grant reaches somebody: they are in it, and it is the grant's subject or below it.</summary>
/// <param name="InForce">It and every group above it are enabled; where one is not, nothing comes this way.</param>
public readonly record struct ReachingGroup(TechnicianGroupId Group, bool InForce);

public sealed partial class PolicySnapshot
{
    /// <summary>The person's own grants, and those of the groups that they are in and of the groups above; none where they are not there. In no particular order.</summary>
    public IEnumerable<ReachingGrant> GrantsReaching(PersonId person)
    {
        if (!_model.People.TryGetValue(person, out var node)) return [];

        // Every technician is in the root without a membership; contacts are in no technician group.
        var ways = node.DirectMemberships.SelectMany(group => group.Upwards().Where(above => !above.IsEveryone).Select(above => (Subject: above, Through: group)));
        if (!node.IsContact) ways = ways.Append((_model.Everyone!, _model.Everyone!));
        return node.OwnGrants.Select(grant => new ReachingGrant(grant.Row, []))
            .Concat(ways.GroupBy(way => way.Subject, way => new ReachingGroup(way.Through.Id, way.Through.IsEnabled))
                .SelectMany(through => through.Key.OwnGrants.Select(grant => new ReachingGrant(grant.Row, [.. through]))));
    }
}
