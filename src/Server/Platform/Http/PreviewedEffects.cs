using System.Text.RegularExpressions;
using Countersign.Access;

namespace Countersign.Server.Platform;

/// <summary>All of these people gain or lose the same on all of these devices.</summary>
/// <param name="PeopleCount">Exact; of <paramref name="People"/> there are at most 100, by login.</param>
/// <param name="DeviceCount">Exact; of <paramref name="Devices"/> there are at most 100, by name.</param>
/// <param name="Section">In place of devices: what is gained or lost over a section.</param>
internal sealed record PreviewedEffect(
    int PeopleCount,
    IReadOnlyList<string> People,
    int DeviceCount,
    IReadOnlyList<string> Devices,
    ScopeKind? Section,
    IReadOnlyList<PreviewedPermissions> Gained,
    IReadOnlyList<PreviewedPermissions> Lost,
    IReadOnlyList<PreviewedRestriction> Restrictions);

/// <param name="Accounts">The accounts at the devices: <c>any</c>, <c>default</c>, or names with commas between.</param>
/// <param name="From">Included; null: from the beginning.</param>
/// <param name="To">Not included; null: for ever.</param>
/// <param name="Hours">Weekly hours; empty: always.</param>
internal sealed record PreviewedPermissions(IReadOnlyList<Permission> Permissions, string Accounts, DateTimeOffset? From, DateTimeOffset? To, string Hours);

/// <param name="Before">Empty: there was none.</param>
internal sealed record PreviewedRestriction(RestrictionKind Kind, string Before, string After);

/// <summary>What a change of policy means for people and devices, of those that the caller may see.</summary>
internal sealed partial class PreviewedEffects(PolicySnapshot before, PolicySnapshot after, PersonId caller, DateTimeOffset at)
{
    private const int MostNamed = 100;
    private const int MostEffects = 500;

    /// <summary>A second's work: whoever may change much at once must not be able to stop the server by only asking what it would mean.</summary>
    private const int MostPairs = 200_000;

    private readonly Veil[] _veils = [before.VeilFor(caller, at), after.VeilFor(caller, at)];

    /// <summary>The widest first; and whether those are all.</summary>
    public (IReadOnlyList<PreviewedEffect> Effects, bool AreComplete) All()
    {
        var difference = PolicySnapshot.Diff(before, after, MostPairs);
        var onDevices =
            from rectangle in difference.Rectangles
            let people = rectangle.People.Where(MaySee).ToList()
            let devices = rectangle.Devices.Where(MaySee).ToList()
            where people.Count > 0 && devices.Count > 0
            orderby (long)people.Count * devices.Count descending
            select new PreviewedEffect(
                people.Count, Names(people, Login), devices.Count, Names(devices, Name), null, Show(rectangle.Difference.Gained), Show(rectangle.Difference.Lost),
                [.. rectangle.Difference.Restrictions.Select(restriction => new PreviewedRestriction(restriction.Kind, Veiled(restriction.Before), Veiled(restriction.After)))]);
        var onSections =
            from section in difference.Sections
            let people = section.People.Where(MaySee).ToList()
            where people.Count > 0
            select new PreviewedEffect(people.Count, Names(people, Login), 0, [], section.Section, Show(section.Gained), Show(section.Lost), []);
        List<PreviewedEffect> found = [.. onDevices.Take(MostEffects + 1), .. onSections];
        return (found.Count > MostEffects ? found[..MostEffects] : found, !difference.IsPartial && found.Count <= MostEffects);
    }

    /// <summary>Rules are told by the ids of what they are of: of what the caller may not see, it is told only that there is something.</summary>
    private string Veiled(string text) => Ids().Replace(text, found => _veils.Any(veil => veil.Shows(Guid.Parse(found.Value))) ? found.Value : Veil.Mark);

    [GeneratedRegex("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")]
    private static partial Regex Ids();

    private static List<PreviewedPermissions> Show(IReadOnlyList<HeldPermissions> held) =>
    [
        .. held.Select(one => new PreviewedPermissions(
            [.. one.Permissions],
            one.Accounts switch
            {
                null or { Rule: AccountRule.Any } => "any",
                { Rule: AccountRule.Default } => "default",
                { Names: var names } => names,
            },
            one.Window.From,
            one.Window.To,
            one.Window.Hours)),
    ];

    private static List<string> Names<T>(IEnumerable<T> all, Func<T, string> name) => [.. all.Select(name).Order(StringComparer.Ordinal).Take(MostNamed)];

    private string Login(PersonId person) => (after.Person(person) ?? before.Person(person))!.Login;

    private string Name(DeviceId device) => (after.Device(device) ?? before.Device(device))!.Name;

    private bool MaySee(PersonId person) => before.MaySeePerson(caller, person, at) || after.MaySeePerson(caller, person, at);

    private bool MaySee(DeviceId device) => before.MaySeeDevice(caller, device, at) || after.MaySeeDevice(caller, device, at);
}
