using System.Text.Json.Serialization;
using Countersign.Access;

namespace Countersign.Bench.Access;

/// <summary>
/// What of an organization engines without our model can be told, and questions whose answers hinge on nothing else. Our engine answers from the
/// whole policy; the peers are spared what only it has: grants that are out of force when the questions are asked are left out, and so are
/// questions that session hours, recording or an approval decide. What a person's groups forbid is worked out for each person beforehand.
/// </summary>
/// <param name="Groups">Technician groups that count, each with the one above; the topmost with none.</param>
/// <param name="DeviceGroups">Each with the one above, at the top <see cref="AllDevices"/>.</param>
/// <param name="Devices">Each with its device group.</param>
/// <param name="Roles">Each with its permissions.</param>
/// <param name="Grants">Subject, scope, role.</param>
/// <param name="Questions">Person, device, permission.</param>
internal sealed record PeerOrganization(
    Dictionary<string, string?> Groups,
    Dictionary<string, PeerPerson> People,
    Dictionary<string, string> DeviceGroups,
    Dictionary<string, string> Devices,
    Dictionary<string, string[]> Roles,
    List<string[]> Grants,
    List<string[]> Questions)
{
    private const string AllDevices = "all";

    public static PeerOrganization Of(LargeOrganization organization, PolicySnapshot policy, AccessQuestion[] questions)
    {
        var rows = organization.Rows;
        var names = Names(rows);
        var groups = rows.OfType<TechnicianGroupRow>().ToDictionary(group => group.Id);
        var counting = groups.Values.Where(group => Upwards(groups, group).All(above => above.Enabled)).ToDictionary(group => group.Id);
        var memberships = rows.OfType<MembershipRow>().ToLookup(membership => membership.Person, membership => membership.Group);
        var wanted = questions.Select(question => question.Wanted).Aggregate(PermissionSet.None, (set, more) => set | more);
        return new(
            counting.Values.ToDictionary(group => names[group.Id.Value], group => group.ParentId is { } above ? names[above.Value] : null),
            organization.People.ToDictionary(person => names[person.Value], person => Person(memberships[person])),
            rows.OfType<DeviceGroupRow>().ToDictionary(group => names[group.Id.Value], group => group.ParentId is { } above ? names[above.Value] : AllDevices),
            rows.OfType<DeviceRow>().ToDictionary(device => names[device.Id.Value], device => names[device.Group.Value]),
            rows.OfType<RoleRow>().Concat(SystemRoles.All).ToDictionary(role => names[role.Id.Value], role => Labels(role.Permissions)),
            [.. rows.OfType<GrantRow>().Where(grant => IsInForce(grant.Window)).Select(grant => new[] { names[grant.Subject.Id], Scope(grant), names[grant.Role.Value] })],
            [.. questions.Select(question => new[] { names[question.Subject.Value], names[question.Device.Value], question.Wanted.ToString() })]);

        PeerPerson Person(IEnumerable<TechnicianGroupId> own)
        {
            var all = own.DefaultIfEmpty(organization.Everyone).ToList();
            var inForce = all.Where(counting.ContainsKey).ToList();
            var barred = (wanted & PermissionCatalogue.Restrictable).Where(permission => IsBarred(permission, all, inForce));
            return new([names[organization.Everyone.Value], .. inForce.Select(group => names[group.Value]).Order()], [.. barred.Select(permission => permission.ToString())]);
        }

        bool IsBarred(Permission permission, List<TechnicianGroupId> all, List<TechnicianGroupId> inForce) =>
            all.Any(group => policy.PermissionAt(group, permission) is { Value: PolicyValue.Deny, Locked: true })
            || !inForce.Any(group => policy.PermissionAt(group, permission) is { Value: PolicyValue.Allow });

        string Scope(GrantRow grant) => grant.Scope.Kind == ScopeKind.AllDevices ? AllDevices : names[grant.Scope.Id];
    }

    /// <summary>As many allowed as refused, drawn like the random ones.</summary>
    public static AccessQuestion[] Choose(LargeOrganization organization, PolicySnapshot policy, int count)
    {
        var drawn = organization.RandomQuestions(count * 16, seed: 5);
        var allowed = drawn.Where(question => policy.Decide(question).Kind == DecisionKind.Allowed).Take(count / 2).ToArray();
        var refused = drawn.Where(question => policy.Decide(question).Reason is DenialReason.NotGranted or DenialReason.AboveCeiling).Take(count / 2).ToArray();
        if (allowed.Length + refused.Length < count) throw new InvalidOperationException($"Only {allowed.Length} allowed and {refused.Length} refused of {count} were drawn.");
        AccessQuestion[] chosen = [.. allowed, .. refused];
        new Random(6).Shuffle(chosen);
        return chosen;
    }

    /// <summary>Short, which spares the peers time: ours are asked with ids of sixteen bytes.</summary>
    private static Dictionary<Guid, string> Names(List<PolicyRow> rows)
    {
        var names = new Dictionary<Guid, string>();
        foreach (var row in rows.Concat(SystemRoles.All))
        {
            var (kind, id) = row switch
            {
                PersonRow person => ("p", person.Id.Value),
                TechnicianGroupRow group => ("g", group.Id.Value),
                DeviceGroupRow group => ("c", group.Id.Value),
                DeviceRow device => ("d", device.Id.Value),
                RoleRow role => ("r", role.Id.Value),
                _ => ("", Guid.Empty),
            };
            if (kind.Length > 0) names[id] = $"{kind}{names.Count}";
        }

        return names;
    }

    private static IEnumerable<TechnicianGroupRow> Upwards(Dictionary<TechnicianGroupId, TechnicianGroupRow> groups, TechnicianGroupRow group)
    {
        for (var at = group; at is not null; at = at.ParentId is { } above ? groups[above] : null) yield return at;
    }

    private static bool IsInForce(GrantWindow window) =>
        !(LargeOrganization.Noon < window.From) && !(LargeOrganization.Noon >= window.To)
        && (window.Hours.Length == 0 || (WeeklyHours.TryParse(window.Hours, out var hours) && hours.IsOpen(LargeOrganization.Noon)));

    private static string[] Labels(PermissionSet permissions) => [.. permissions.Select(permission => permission.ToString())];
}

/// <param name="Groups">Everyone and the person's own groups that count.</param>
/// <param name="Barred">What the questions ask for and the person's groups don't allow.</param>
internal sealed record PeerPerson(string[] Groups, string[] Barred);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(PeerOrganization))]
internal sealed partial class PeerJson : JsonSerializerContext;
