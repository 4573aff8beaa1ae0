using Countersign.Access;
using Countersign.Server.Platform;

namespace Countersign.Server.Features.Grants;

/// <summary>A technician group through which a grant reaches somebody.</summary>
/// <param name="Group">They are in it; it is the grant's subject, or below it.</param>
/// <param name="InForce">It and every group above it are enabled; where one is not, nothing comes this way.</param>
internal sealed record GrantWay(Guid Group, bool InForce);

/// <summary>On which ways grants reach one person: their own, and those of the groups that they are in and of the groups above. Of each way is told what the caller may see.</summary>
internal sealed class GrantWays
{
    private readonly PersonId _person;
    private readonly Dictionary<Guid, List<GrantWay>> _through = [];

    public GrantWays(CallersPolicy policy, PersonRow person)
    {
        _person = person.Id;
        var snapshot = policy.Snapshot;
        foreach (var membership in snapshot.All<MembershipRow>().Where(row => row.Person == person.Id))
        {
            var upwards = Upwards(snapshot, membership.Group).ToList();
            foreach (var group in upwards.Where(group => group.ParentId is not null)) Add(policy, group.Id, new(membership.Group.Value, upwards.TrueForAll(row => row.Enabled)));
        }

        // Every technician is in the root without a membership; contacts are in no technician group.
        if (person.Kind != PersonKind.Contact && snapshot.Everyone is { } everyone) Add(policy, everyone.Id, new(everyone.Id.Value, everyone.Enabled));
    }

    public bool Reach(GrantRow grant) => grant.Subject.Kind == SubjectKind.Person ? grant.Subject.Id == _person.Value : _through.ContainsKey(grant.Subject.Id);

    /// <summary>Empty where it is the person's own.</summary>
    public IReadOnlyList<GrantWay> Of(GrantRow grant) => grant.Subject.Kind == SubjectKind.Person ? [] : _through[grant.Subject.Id];

    private void Add(CallersPolicy policy, TechnicianGroupId subject, GrantWay way)
    {
        if (!_through.TryGetValue(subject.Value, out var ways)) _through[subject.Value] = ways = [];
        if (policy.MaySee(new TechnicianGroupId(way.Group))) ways.Add(way);
    }

    /// <summary>The group and those above it, itself first.</summary>
    private static IEnumerable<TechnicianGroupRow> Upwards(PolicySnapshot snapshot, TechnicianGroupId from)
    {
        for (TechnicianGroupId? at = from; at is { } id && snapshot.Find(new(PolicyTable.TechnicianGroup, id.Value)) is TechnicianGroupRow group; at = group.ParentId) yield return group;
    }
}
