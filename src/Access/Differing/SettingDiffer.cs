using System.Collections;
using System.Numerics;

namespace Countersign.Access;

/// <summary>
/// Devices whose settings differ, times the people for whom that counts there: who hold anything that settings restrict, and whose groups and workflows do
/// not make it the same. The people come down the tree of device groups: at each group stand those whom a grant on exactly it brings, with all the differing
/// devices from there down. One thing at a time: settings of devices, or what may be requested, or how people sign in; where several of them
/// differ (<see cref="IsMixed"/>), pairs have to be compared one by one.
/// </summary>
internal sealed class SettingDiffer(PolicyModel before, PolicyModel after, Instants instants)
{
    private static readonly PermissionSet Connecting = PermissionCatalogue.Connections.With(Permission.RequestAccess);

    private static readonly (SettingKind Setting, RestrictionKind Restriction)[] Compared =
    [
        (SettingKind.ManagerialApproval, RestrictionKind.Approval),
        (SettingKind.RemoteControlApproval, RestrictionKind.Consent),
        (SettingKind.Recording, RestrictionKind.Recording),
        (SettingKind.MaxSession, RestrictionKind.MaxSession),
        (SettingKind.IdleTimeout, RestrictionKind.IdleTimeout),
        (SettingKind.EndWarning, RestrictionKind.EndWarning),
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

    /// <summary>By the device's number: one more than its kind; zero: nothing about it differs.</summary>
    private readonly int[] _kindAt = new int[after.NextDeviceNumber];
    private readonly List<int> _counts = [];
    private readonly Dictionary<string, int> _kinds = new(StringComparer.Ordinal);
    private readonly List<Kind> _differences = [];
    private readonly Dictionary<(DeviceRules, DeviceRules, int), int> _known = [];
    private readonly List<DifferenceRectangle> _rectangles = [];
    private readonly Dictionary<ulong, ulong[]> _holding = [];
    private PersonNode[] _people = [];
    private PersonId[] _ids = [];
    private readonly Dictionary<Guid, int> _places = [];
    private readonly Dictionary<Guid, ulong[]> _groups = [];
    private List<DeviceId>[] _devices = [];

    public bool IsAnythingChanged { get; private set; }

    /// <summary>Things differ that don't concern the same people.</summary>
    public bool IsMixed { get; private set; }

    /// <summary>
    /// Of some device the consent, or whether an approval is needed, without which nobody is spared for sure: what differs for those who are spared is another thing, and
    /// they have to be compared one by one.
    /// </summary>
    public bool IsSparingChanged { get; private set; }

    private bool IsForAll => _requests is not null || _signIn.Length > 0;

    /// <summary>Takes note of a device that is the same but for its settings.</summary>
    public void Consider(DeviceNode was, DeviceNode now)
    {
        var (old, recent) = (before.RulesOf(was), after.RulesOf(now));
        if (old == recent && !IsForAll) return;
        var own = was.Own.Length + now.Own.Length > 0;
        var group = after.Workflows.Count > 0 ? now.GroupIndex : 0;
        if (own || !_known.TryGetValue((old, recent, group), out var kind))
        {
            kind = KindOf(old, recent, now);
            if (!own) _known.Add((old, recent, group), kind);
        }

        if (kind < 0) return;
        IsAnythingChanged = true;
        _kindAt[now.Number] = kind + 1;
        _counts[kind]++;
    }

    /// <param name="others">Left out: they are compared one by one.</param>
    public IReadOnlyList<DifferenceRectangle> Rectangles(HashSet<PersonId> others)
    {
        if (!IsAnythingChanged || IsMixed) return [];
        _people = [.. after.People.Values.Where(person => person.TakesPart && !others.Contains(person.Id))];
        _ids = Array.ConvertAll(_people, person => person.Id);
        _devices = [.. _counts.Select(count => new List<DeviceId>(count))];
        IndexSubjects();
        foreach (var kind in _differences) Share(kind);
        var everywhere = new ulong[(_people.Length + 63) / 64];
        if (after.Owner is { } owner && Array.IndexOf(_ids, owner) is >= 0 and var place) everywhere[place / 64] |= 1UL << place;
        foreach (var grant in after.GrantsOnAllDevices.Where(grant => !IsNamed(grant))) AddTo(everywhere, grant);
        CompiledGrant[] named = [.. after.GrantsOnAllDevices.Where(IsNamed)];
        foreach (var root in after.DeviceGroups.Values.Where(group => group.Parent is null)) Descend(root, everywhere, named);
        AddRectangles(everywhere, new int[_devices.Length]);
        return _rectangles;
    }

    private int KindOf(DeviceRules old, DeviceRules recent, DeviceNode device)
    {
        var differing = new List<RestrictionDifference>();
        foreach (var (setting, restriction) in Compared)
        {
            var (was, now) = restriction == RestrictionKind.Approval ? (PairFacts.DeviceRule(old), PairFacts.DeviceRule(recent)) : (old[setting].Value, recent[setting].Value);
            if (!PairFacts.AreSame(restriction, was, now, instants)) differing.Add(new(restriction, was, now));
            if (restriction is (RestrictionKind.Approval or RestrictionKind.Consent) && was != now) IsSparingChanged = true;
        }

        IsMixed |= (differing.Count > 0 && IsForAll) || (_requests is not null && _signIn.Length > 0);
        if (_requests is not null) differing.Add(_requests);
        differing.AddRange(_signIn);
        if (differing.Count == 0) return -1;
        var workflows = differing[0].Kind == RestrictionKind.Approval ? WorkflowsOn(device) : [];
        var key = $"{string.Join('|', differing)} {string.Join(' ', workflows)}";
        if (_kinds.TryGetValue(key, out var kind)) return kind;
        _kinds.Add(key, kind = _differences.Count);
        _counts.Add(0);
        _differences.Add(new(differing, old.Consent, recent.Consent, workflows));
        return kind;
    }

    private WorkflowId[] WorkflowsOn(DeviceNode device) =>
        [.. after.Workflows.Values.Where(workflow => after.Covers(GrantScope.Of(workflow.Devices), device)).Select(workflow => workflow.Id).OrderBy(id => id.Value)];

    /// <summary>Finds out for whom of the people which of the restrictions differ: mostly all of them for everybody.</summary>
    private void Share(Kind kind)
    {
        var shares = new Dictionary<string, (ulong[] People, AccessDifference Difference)>(StringComparer.Ordinal);
        var known = new Dictionary<(GroupConsent, bool, PermissionSet), ulong[]?>();
        for (var place = 0; place < _people.Length; place++)
        {
            var person = _people[place];
            var alike = (person.Consent, IsReplaced(kind, person), _requests is null ? PermissionSet.None : person.Ceiling & person.Requestable);
            if (!known.TryGetValue(alike, out var bits))
            {
                List<RestrictionDifference> counting = [.. kind.Differing.Where(differing => Counts(differing.Kind, kind, person))];
                var text = string.Join('|', counting);
                if (counting.Count > 0 && !shares.ContainsKey(text)) shares.Add(text, (new ulong[(_people.Length + 63) / 64], new([], [], counting)));
                known.Add(alike, bits = counting.Count == 0 ? null : shares[text].People);
            }

            if (bits is not null) bits[place / 64] |= 1UL << place;
        }

        kind.Shares = [.. shares.Values];
    }

    /// <summary>A workflow stands in the place of the device's rule.</summary>
    private static bool IsReplaced(Kind kind, PersonNode person) =>
        kind.Workflows.Length > 0 && Array.Exists(person.Workflows, workflow => Array.IndexOf(kind.Workflows, workflow.Id) >= 0);

    private bool Counts(RestrictionKind restriction, Kind kind, PersonNode person) => restriction switch
    {
        RestrictionKind.Approval => !IsReplaced(kind, person),
        RestrictionKind.Consent => PairFacts.Consent(person.Consent, kind.ConsentBefore) != PairFacts.Consent(person.Consent, kind.ConsentAfter),
        RestrictionKind.Requests => PairFacts.Requests(before, person) != PairFacts.Requests(after, person),
        _ => true,
    };

    private static string RequestsOf(PolicyModel model) => PairFacts.ForAtMost(
        model, string.Join(", ", model.OrganizationRules.RequestRoles.Select(model.Role).Where(role => role is not null).Select(role => $"{role!.Name}: {role.Permissions}")));

    private void IndexSubjects()
    {
        for (var place = 0; place < _people.Length; place++)
        {
            if (_people[place].OwnGrants.Length > 0) _places.Add(_ids[place].Value, place);
            foreach (var group in after.GroupsReaching(_people[place]))
            {
                if (!_groups.TryGetValue(group.Id.Value, out var bits)) _groups.Add(group.Id.Value, bits = new ulong[(_people.Length + 63) / 64]);
                bits[place / 64] |= 1UL << place;
            }
        }
    }

    /// <summary>Those to whom a role brings anything that is restricted by what differs. Sign-in rules restrict whatever is held.</summary>
    private ulong[] Holding(PermissionSet permissions)
    {
        var restricted = _signIn.Length > 0 ? PermissionCatalogue.All : _requests is not null ? PermissionSet.Of(Permission.RequestAccess) : Connecting;
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
        var holding = Holding(grant.Permissions);
        if (grant.Row.Subject.Kind == SubjectKind.Person)
        {
            if (_places.TryGetValue(grant.Row.Subject.Id, out var place)) people[place / 64] |= holding[place / 64] & (1UL << place);
            return;
        }

        if (!_groups.TryGetValue(grant.Row.Subject.Id, out var group)) return;
        for (var word = 0; word < people.Length; word++) people[word] |= group[word] & holding[word];
    }

    private void Descend(DeviceGroupNode top, ulong[] above, CompiledGrant[] onAll)
    {
        var ahead = new Stack<(DeviceGroupNode Group, ulong[] Around, CompiledGrant[] Named, ulong[]? All, int[]? From)>([(top, above, onAll, null, null)]);
        while (ahead.TryPop(out var step))
        {
            if (step is { All: { } all, From: { } from })
            {
                AddRectangles(Without(all, step.Around), from);
                continue;
            }

            var content = after.ContentOf(step.Group);
            var people = content.Grants.Length == 0 ? step.Around : (ulong[])step.Around.Clone();
            foreach (var grant in content.Grants.Where(grant => !IsNamed(grant))) AddTo(people, grant);
            CompiledGrant[] named = Array.Exists(content.Grants, IsNamed) ? [.. step.Named, .. content.Grants.Where(IsNamed)] : step.Named;
            ahead.Push((step.Group, step.Around, named, people, Array.ConvertAll(_devices, devices => devices.Count)));
            AddDevices(content.Devices, people, named);
            foreach (var child in after.ChildrenOf(step.Group)) ahead.Push((child, people, named, null, null));
        }
    }

    /// <summary>What a grant for named accounts brings on a device depends on the accounts that this one has.</summary>
    private static bool IsNamed(CompiledGrant grant) => grant.Row.Accounts.Rule == AccountRule.Named;

    private void AddDevices(DeviceNode[] devices, ulong[] around, CompiledGrant[] named)
    {
        var more = new Dictionary<(DeviceClass, int Kind), (ulong[]? People, List<DeviceId> Devices)>();
        foreach (var device in devices)
        {
            if (_kindAt[device.Number] - 1 is var kind && kind < 0) continue;
            _devices[kind].Add(device.Id);
            if (named.Length == 0 && device.Grants.Length == 0) continue;
            if (device.Grants.Length > 0 || DeviceClass.Of(device, null) is not { } alike)
            {
                if (Besides(device, around, named) is { } people) AddRectangles(kind, people, [device.Id]);
                continue;
            }

            if (!more.TryGetValue((alike, kind), out var some)) more.Add((alike, kind), some = (Besides(device, around, named), []));
            some.Devices.Add(device.Id);
        }

        foreach (var ((_, kind), (people, some)) in more)
        {
            if (people is not null) AddRectangles(kind, people, some);
        }
    }

    /// <summary>Those whom grants on the device itself bring, or grants for accounts that it has, and no other. Null, as mostly: nobody.</summary>
    private ulong[]? Besides(DeviceNode device, ulong[] around, CompiledGrant[] named)
    {
        ulong[]? people = null;
        foreach (var grant in named) AddBesides(grant);
        foreach (var grant in device.Grants) AddBesides(grant);
        return people;

        void AddBesides(CompiledGrant grant)
        {
            var holding = Holding(grant.Permissions);
            if (grant.Row.Subject.Kind == SubjectKind.Person)
            {
                if (!_places.TryGetValue(grant.Row.Subject.Id, out var place)) return;
                var only = holding[place / 64] & ~around[place / 64] & (1UL << place);
                if (only != 0 && grant.IsForAnyOf(device)) (people ??= new ulong[around.Length])[place / 64] |= only;
                return;
            }

            if (!_groups.TryGetValue(grant.Row.Subject.Id, out var group) || !grant.IsForAnyOf(device)) return;
            for (var word = 0; word < around.Length; word++)
            {
                if ((group[word] & holding[word] & ~around[word]) is not 0 and var more) (people ??= new ulong[around.Length])[word] |= more;
            }
        }
    }

    private void AddRectangles(int kind, ulong[] people, IReadOnlyList<DeviceId> devices)
    {
        foreach (var (share, difference) in _differences[kind].Shares)
        {
            var found = PeopleIn(people, share);
            if (found.Count > 0) _rectangles.Add(new(found, devices, difference));
        }
    }

    private void AddRectangles(ulong[] people, int[] from)
    {
        if (Array.TrueForAll(people, word => word == 0)) return;
        for (var kind = 0; kind < _devices.Length; kind++)
        {
            if (_devices[kind].Count > from[kind]) AddRectangles(kind, people, new Slice<DeviceId>(_devices[kind], from[kind], _devices[kind].Count - from[kind]));
        }
    }

    private static ulong[] Without(ulong[] people, ulong[] others)
    {
        var left = new ulong[people.Length];
        for (var word = 0; word < left.Length; word++) left[word] = people[word] & ~others[word];
        return left;
    }

    private Picked PeopleIn(ulong[] people, ulong[] share)
    {
        var count = 0;
        for (var word = 0; word < people.Length; word++) count += BitOperations.PopCount(people[word] & share[word]);
        var places = new int[count];
        var next = 0;
        for (var word = 0; word < people.Length; word++)
        {
            for (var bits = people[word] & share[word]; bits != 0; bits &= bits - 1) places[next++] = (word * 64) + BitOperations.TrailingZeroCount(bits);
        }

        return new(_ids, places);
    }

    /// <summary>Devices that differ alike.</summary>
    /// <param name="Workflows">That count there and may stand in the place of the device's rule.</param>
    private sealed record Kind(List<RestrictionDifference> Differing, RemoteControlApproval ConsentBefore, RemoteControlApproval ConsentAfter, WorkflowId[] Workflows)
    {
        /// <summary>Which of it counts for whom.</summary>
        public IReadOnlyList<(ulong[] People, AccessDifference Difference)> Shares { get; set; } = [];
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
