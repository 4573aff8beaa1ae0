using System.Collections;
using System.Numerics;

namespace Countersign.Access;

/// <summary>
/// Devices whose settings differ, times the people who hold anything there that settings restrict. The people come down the tree of device
/// groups: at each group stand those whom a grant on exactly it brings, with all the differing devices from there down.
/// </summary>
internal sealed class SettingDiffer(PolicyModel before, PolicyModel after)
{
    private static readonly PermissionSet Connecting = PermissionCatalogue.Connections.With(Permission.RequestAccess);

    private static readonly (SettingKind Setting, RestrictionKind Restriction)[] Compared =
    [
        (SettingKind.ManagerialApproval, RestrictionKind.Approval),
        (SettingKind.RemoteControlApproval, RestrictionKind.Consent),
        (SettingKind.Recording, RestrictionKind.Recording),
        (SettingKind.MaxSession, RestrictionKind.MaxSession),
        (SettingKind.IdleTimeout, RestrictionKind.IdleTimeout),
        (SettingKind.SessionHours, RestrictionKind.SessionHours),
    ];

    private static readonly (SettingKind Setting, RestrictionKind Restriction)[] OfSignIn =
    [
        (SettingKind.TwoFactorRequired, RestrictionKind.TwoFactor),
        (SettingKind.AllowedNetworks, RestrictionKind.Networks),
    ];

    private readonly RestrictionDifference[] _signIn = [.. OfSignIn
        .Select(pair => new RestrictionDifference(pair.Restriction, before.OrganizationRules[pair.Setting].Value, after.OrganizationRules[pair.Setting].Value))
        .Where(pair => pair.Before != pair.After)];

    private readonly RestrictionDifference? _requests = RequestsOf(before) is var was && RequestsOf(after) is var now && was != now ? new(RestrictionKind.Requests, was, now) : null;
    private readonly Dictionary<DeviceId, int> _kindOf = [];
    private readonly Dictionary<string, int> _kinds = new(StringComparer.Ordinal);
    private readonly List<AccessDifference> _differences = [];
    private readonly Dictionary<(DeviceRules, DeviceRules), int> _known = [];
    private readonly List<DifferenceRectangle> _rectangles = [];
    private readonly Dictionary<ulong, ulong[]> _holding = [];
    private PersonNode[] _people = [];
    private PersonId[] _ids = [];
    private Dictionary<GrantSubject, ulong[]> _subjects = [];
    private List<DeviceId>[] _devices = [];

    public bool IsAnythingChanged => _kindOf.Count > 0;

    /// <summary>Takes note of a device that is the same but for its settings.</summary>
    public void Consider(DeviceNode was, DeviceNode now)
    {
        var (old, recent) = (before.RulesOf(was), after.RulesOf(now));
        if (old == recent && _requests is null && _signIn.Length == 0) return;
        var own = was.Own.Length + now.Own.Length > 0;
        if (own || !_known.TryGetValue((old, recent), out var kind))
        {
            kind = KindOf(old, recent);
            if (!own) _known.Add((old, recent), kind);
        }

        if (kind >= 0) _kindOf.Add(now.Id, kind);
    }

    /// <param name="others">Left out: they are compared one by one.</param>
    public IReadOnlyList<DifferenceRectangle> Rectangles(HashSet<PersonId> others)
    {
        if (!IsAnythingChanged) return [];
        _people = [.. after.People.Values.Where(person => person.TakesPart && !others.Contains(person.Id))];
        _ids = Array.ConvertAll(_people, person => person.Id);
        _devices = [.. _differences.Select(_ => new List<DeviceId>())];
        IndexSubjects();
        var everywhere = new ulong[(_people.Length + 63) / 64];
        if (after.Owner is { } owner && Array.IndexOf(_ids, owner) is >= 0 and var place) everywhere[place / 64] |= 1UL << place;
        foreach (var grant in after.GrantsOnAllDevices) AddTo(everywhere, grant);
        foreach (var root in after.DeviceGroups.Values.Where(group => group.Parent is null)) Descend(root, everywhere);
        AddRectangles(everywhere, new int[_devices.Length]);
        return _rectangles;
    }

    private int KindOf(DeviceRules old, DeviceRules recent)
    {
        var differing = new List<RestrictionDifference>();
        foreach (var (setting, restriction) in Compared)
        {
            var (was, now) = (old[setting], recent[setting]);
            if (!string.Equals(was.Value, now.Value, StringComparison.Ordinal)) differing.Add(new(restriction, was.Value, now.Value));
            else if (restriction == RestrictionKind.Approval && was.Value == "required" && was.Source != now.Source) differing.Add(new(restriction, Rule(was), Rule(now)));
        }

        if (_requests is not null) differing.Add(_requests);
        differing.AddRange(_signIn);
        if (differing.Count == 0) return -1;
        var key = string.Join('|', differing);
        if (_kinds.TryGetValue(key, out var kind)) return kind;
        _kinds.Add(key, kind = _differences.Count);
        _differences.Add(new([], [], differing));
        return kind;
    }

    private static string RequestsOf(PolicyModel model) =>
        string.Join(", ", model.OrganizationRules.RequestRoles.Select(model.Role).Where(role => role is not null).Select(role => $"{role!.Name}: {role.Permissions}"));

    private static string Rule(EffectiveSetting setting) => $"device rule of {setting.Source.Kind} {setting.Source.Id}";

    private void IndexSubjects()
    {
        _subjects = [];
        for (var place = 0; place < _people.Length; place++)
        {
            Mark(GrantSubject.To(_people[place].Id), place);
            foreach (var group in after.GroupsReaching(_people[place])) Mark(GrantSubject.To(group.Id), place);
        }
    }

    private void Mark(GrantSubject subject, int place)
    {
        if (subject.Kind == SubjectKind.Person && _people[place].OwnGrants.Length == 0) return;
        if (!_subjects.TryGetValue(subject, out var bits)) _subjects.Add(subject, bits = new ulong[(_people.Length + 63) / 64]);
        bits[place / 64] |= 1UL << place;
    }

    /// <summary>
    /// Those to whom a role brings anything that settings restrict. Sign-in rules restrict whatever is held: where they differ, those who don't connect are
    /// told of with the others, and of everything that differs there.
    /// </summary>
    private ulong[] Holding(PermissionSet permissions)
    {
        var restricted = _signIn.Length > 0 ? PermissionCatalogue.All : Connecting;
        if (_holding.TryGetValue(permissions.Bits, out var bits)) return bits;
        bits = new ulong[(_people.Length + 63) / 64];
        for (var place = 0; place < _people.Length; place++)
        {
            if ((permissions & _people[place].Grantable & _people[place].Ceiling).Intersects(restricted)) bits[place / 64] |= 1UL << place;
        }

        _holding.Add(permissions.Bits, bits);
        return bits;
    }

    private void AddTo(ulong[] people, CompiledGrant grant)
    {
        if (!_subjects.TryGetValue(grant.Row.Subject, out var subject)) return;
        var holding = Holding(grant.Permissions);
        for (var word = 0; word < people.Length; word++) people[word] |= subject[word] & holding[word];
    }

    private void Descend(DeviceGroupNode top, ulong[] above)
    {
        var ahead = new Stack<(DeviceGroupNode Group, ulong[] Around, ulong[]? All, int[]? From)>([(top, above, null, null)]);
        while (ahead.TryPop(out var step))
        {
            if (step is { All: { } all, From: { } from })
            {
                AddRectangles(Without(all, step.Around), from);
                continue;
            }

            var content = after.ContentOf(step.Group);
            var people = content.Grants.Length == 0 ? step.Around : (ulong[])step.Around.Clone();
            foreach (var grant in content.Grants) AddTo(people, grant);
            ahead.Push((step.Group, step.Around, people, Array.ConvertAll(_devices, devices => devices.Count)));
            foreach (var device in content.Devices) AddDevice(device, people);
            foreach (var child in after.ChildrenOf(step.Group)) ahead.Push((child, people, null, null));
        }
    }

    private void AddDevice(DeviceNode device, ulong[] around)
    {
        if (!_kindOf.TryGetValue(device.Id, out var kind)) return;
        _devices[kind].Add(device.Id);
        if (device.Grants.Length == 0) return;
        var people = (ulong[])around.Clone();
        foreach (var grant in device.Grants)
        {
            if (grant.IsForAnyOf(device)) AddTo(people, grant);
        }

        var more = PeopleIn(Without(people, around));
        if (more.Count > 0) _rectangles.Add(new(more, [device.Id], _differences[kind]));
    }

    private void AddRectangles(ulong[] people, int[] from)
    {
        var found = PeopleIn(people);
        if (found.Count == 0) return;
        for (var kind = 0; kind < _devices.Length; kind++)
        {
            if (_devices[kind].Count > from[kind]) _rectangles.Add(new(found, new Slice<DeviceId>(_devices[kind], from[kind], _devices[kind].Count - from[kind]), _differences[kind]));
        }
    }

    private static ulong[] Without(ulong[] people, ulong[] others)
    {
        var left = new ulong[people.Length];
        for (var word = 0; word < left.Length; word++) left[word] = people[word] & ~others[word];
        return left;
    }

    private Picked PeopleIn(ulong[] people)
    {
        var places = new int[people.Sum(BitOperations.PopCount)];
        var next = 0;
        for (var word = 0; word < people.Length; word++)
        {
            for (var bits = people[word]; bits != 0; bits &= bits - 1) places[next++] = (word * 64) + BitOperations.TrailingZeroCount(bits);
        }

        return new(_ids, places);
    }

    /// <summary>People by their places in a table, since many rectangles have many.</summary>
    private sealed class Picked(PersonId[] table, int[] places) : IReadOnlyList<PersonId>
    {
        public int Count => places.Length;

        public PersonId this[int index] => table[places[index]];

        public IEnumerator<PersonId> GetEnumerator() => places.Select(place => table[place]).GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }

    private sealed class Slice<T>(List<T> list, int first, int count) : IReadOnlyList<T>
    {
        public int Count => count;

        public T this[int index] => index >= 0 && index < count ? list[first + index] : throw new ArgumentOutOfRangeException(nameof(index));

        public IEnumerator<T> GetEnumerator()
        {
            for (var index = 0; index < count; index++) yield return list[first + index];
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
