namespace Countersign.Access;

/// <summary>
/// Compares two versions. People whose groups, ceiling or grants differ are compared device by device, as far as the difference reaches;
/// devices whose settings differ for all the people alike are taken tree by tree (<see cref="SettingDiffer"/>).
/// </summary>
/// <param name="mostPairs">Comparing ends there, and what was found until then is told.</param>
internal sealed class Differ(PolicyModel before, PolicyModel after, int mostPairs, Instants instants)
{
    private readonly Dictionary<(PersonId, DeviceId), AccessDifference> _pairs = [];
    private readonly HashSet<PersonId> _people = [];

    /// <summary>Devices that are new or gone, moved, enabled or disabled, or have other accounts.</summary>
    private readonly HashSet<DeviceId> _devices = [];

    /// <summary>Of those, by one that is compared for all: the others that nobody can tell from it.</summary>
    private readonly Dictionary<DeviceId, List<DeviceId>> _alike = [];
    private readonly HashSet<DeviceId> _comparedByAnother = [];
    private readonly DeviceGrants _grantsBefore = new(before, instants);
    private readonly DeviceGrants _grantsAfter = new(after, instants);
    private int _left = mostPairs;

    private bool IsOver => _left < 0;

    public PolicyDifference Difference()
    {
        var settings = new SettingDiffer(before, after, instants);
        FindDevices(settings);
        FindAlike();
        FindPeople();
        if (settings.IsSparingChanged) _people.UnionWith(Sparing());
        if (settings.IsMixed) _people.UnionWith(after.People.Values.Select(person => person.Id));
        foreach (var person in _people.TakeWhile(_ => !IsOver)) ComparePerson(person, settings.IsAnythingChanged);
        foreach (var device in _devices.Except(_comparedByAnother).TakeWhile(_ => !IsOver)) CompareDevice(device);
        return new([.. Rectangles(), .. settings.Rectangles(_people)], [.. Sections(ScopeKind.Team), .. Sections(ScopeKind.QuickSupport)]) { IsPartial = IsOver };
    }

    private void FindDevices(SettingDiffer settings)
    {
        var chains = new Dictionary<int, bool>();
        foreach (var now in after.Devices.Values)
        {
            var was = before.Devices.GetValueOrDefault(now.Id);
            if (was is null || was.Enabled != now.Enabled || !was.Accounts.AsSpan().SequenceEqual(now.Accounts) || !IsSamePlace(was, now)) _devices.Add(now.Id);
            else if (now.Enabled) settings.Consider(was, now);
        }

        foreach (var was in before.Devices.Values)
        {
            if (!after.Devices.ContainsKey(was.Id)) _devices.Add(was.Id);
        }

        bool IsSamePlace(DeviceNode was, DeviceNode now)
        {
            var (old, place) = (before.GroupOf(was), after.GroupOf(now));
            if (old.Id != place.Id) return false;
            if (!chains.TryGetValue(place.Index, out var same))
            {
                same = old == place || old.Upwards().Select(group => group.Id).SequenceEqual(place.Upwards().Select(group => group.Id));
                chains.Add(place.Index, same);
            }

            return same;
        }
    }

    /// <summary>
    /// Many devices come, go and move at once. Those that go the same way, with the same accounts, and have neither settings nor grants of their own
    /// differ alike for everybody.
    /// </summary>
    private void FindAlike()
    {
        var firsts = new Dictionary<(string Was, string Now), DeviceId>();
        foreach (var id in _devices)
        {
            if (Kind(before, id) is not { } was || Kind(after, id) is not { } now) continue;
            if (firsts.TryAdd((was, now), id))
            {
                _alike.Add(id, []);
                continue;
            }

            _alike[firsts[(was, now)]].Add(id);
            _comparedByAnother.Add(id);
        }

        // Null: it is like no other.
        static string? Kind(PolicyModel model, DeviceId id)
        {
            if (!model.Devices.TryGetValue(id, out var device)) return "";
            return device.Own.Length + device.Grants.Length > 0 ? null : $"{device.GroupIndex},{device.Enabled},{device.DefaultAccount},{string.Join(',', device.Accounts.Select(account => account.Name))}";
        }
    }

    private void FindPeople()
    {
        var isForEverybody = before.EveryoneGrants != after.EveryoneGrants;
        foreach (var now in after.People.Values)
        {
            if (before.People.GetValueOrDefault(now.Id) is not { } was || was != now || isForEverybody || IsBlockedOtherwise(was, now)) _people.Add(now.Id);
        }

        foreach (var was in before.People.Values)
        {
            if (!after.People.ContainsKey(was.Id)) _people.Add(was.Id);
        }

        _people.RemoveWhere(id => !Differs(before.People.GetValueOrDefault(id), after.People.GetValueOrDefault(id)));
    }

    /// <summary>Those who may be spared the consent of end users: whether they are, and where, depends on all that they hold.</summary>
    private IEnumerable<PersonId> Sparing()
    {
        var subjects = after.Grants.Values.Where(grant => grant.Permissions.Contains(Permission.SkipConsent)).Select(grant => grant.Row.Subject).ToHashSet();
        return subjects.Count == 0
            ? []
            : after.People.Values
                .Where(person => person is { TakesPart: true, IsOwner: false } && person.Ceiling.Contains(Permission.SkipConsent))
                .Where(person => subjects.Contains(GrantSubject.To(person.Id)) || after.GroupsReaching(person).Any(group => subjects.Contains(GrantSubject.To(group.Id))))
                .Select(person => person.Id);
    }

    /// <summary>Many people are only made anew.</summary>
    private bool Differs(PersonNode? was, PersonNode? now)
    {
        if (was is not { TakesPart: true } || now is not { TakesPart: true }) return was is { TakesPart: true } || now is { TakesPart: true };
        return AreRestrictionsOther(was, now) || was.Ceiling != now.Ceiling || !GrantsOf(before, was).SetEquals(GrantsOf(after, now));
    }

    /// <summary>An approver may come or go, and nothing about those for whom they approve is made anew.</summary>
    private bool IsBlockedOtherwise(PersonNode was, PersonNode now) =>
        (was.NeedsApproval || was.Workflows.Length > 0) && !_grantsBefore.Approvers.Blocking(was).SequenceEqual(_grantsAfter.Approvers.Blocking(now));

    private bool AreRestrictionsOther(PersonNode was, PersonNode now) =>
        IsBlockedOtherwise(was, now)
        || was.Row.Kind != now.Row.Kind
        || was.Consent != now.Consent
        || !was.Options.Equals(now.Options)
        || !Duties(was).SequenceEqual(Duties(now))
        || !was.Workflows.Select(workflow => workflow.Row).SequenceEqual(now.Workflows.Select(workflow => workflow.Row))
        || !Order(was).SequenceEqual(Order(now));

    /// <summary>Which workflows count, and in place of which rules, hangs on which of their groups is above which.</summary>
    private static IEnumerable<bool> Order(PersonNode person)
    {
        var asking = person.Groups.Where(group => group.ApprovalRule is not null).OrderBy(group => group.Id.Value).ToList();
        foreach (var workflow in person.Workflows)
        {
            foreach (var other in person.Workflows) yield return other.Group.IsAtOrBelow(workflow.Group);
            foreach (var group in asking) yield return group.IsAtOrBelow(workflow.Group) && workflow.Group.IsAtOrBelow(group.ApprovalRule!);
        }
    }

    private static IEnumerable<(TechnicianGroupId, TechnicianGroupId?)> Duties(PersonNode person) =>
        person.Groups.Where(group => group.ApprovalRule is not null).Select(group => (group.Id, group.ApprovalRule?.Id)).Order(Comparer<(TechnicianGroupId Id, TechnicianGroupId?)>.Create(
            (one, other) => one.Id.Value.CompareTo(other.Id.Value)));

    private static HashSet<(GrantRow, PermissionSet)> GrantsOf(PolicyModel model, PersonNode person) =>
        model.GrantsOf(person).Select(grant => (grant.Row, grant.Permissions)).ToHashSet();

    /// <param name="everywhere">Settings differ, too: every device that the person reaches may differ.</param>
    private void ComparePerson(PersonId id, bool everywhere)
    {
        var (was, now) = (before.People.GetValueOrDefault(id), after.People.GetValueOrDefault(id));
        var isFull = everywhere || was is not { TakesPart: true } || now is not { TakesPart: true } || AreRestrictionsOther(was, now);
        var concerned = new HashSet<DeviceId>();
        var ceiling = isFull ? PermissionCatalogue.All : new PermissionSet(was!.Ceiling.Bits ^ now!.Ceiling.Bits);
        var (old, recent) = (was is null ? [] : GrantsOf(before, was), now is null ? [] : GrantsOf(after, now));
        if (isFull && (was is { IsOwner: true } || now is { IsOwner: true })) concerned.UnionWith(before.Devices.Values.Concat(after.Devices.Values).Select(device => device.Id));
        foreach (var grant in old) Reach(before, grant, recent);
        foreach (var grant in recent) Reach(after, grant, old);
        var known = new Dictionary<(DeviceClass, DeviceClass), AccessDifference?>();
        foreach (var device in concerned.Except(_comparedByAnother).TakeWhile(_ => !IsOver)) CompareAlike(id, device, known);

        void Reach(PolicyModel model, (GrantRow Row, PermissionSet Permissions) grant, HashSet<(GrantRow, PermissionSet)> others)
        {
            var asks = grant.Permissions.Contains(Permission.RequestAccess) && Array.Exists(model.Requestable, role => role.Intersects(ceiling));
            if (others.Contains(grant) && !asks && !grant.Permissions.Intersects(ceiling)) return;
            foreach (var device in DevicesIn(model, grant.Row.Scope)) concerned.Add(device.Id);
        }
    }

    /// <summary>Of devices that are alike to the person before and after one is compared for all.</summary>
    private void CompareAlike(PersonId id, DeviceId device, Dictionary<(DeviceClass, DeviceClass), AccessDifference?> known)
    {
        var (was, now) = (before.Devices.GetValueOrDefault(device), after.Devices.GetValueOrDefault(device));
        if (was is not { Enabled: true } || now is not { Enabled: true } || _devices.Contains(device) || Class(before, was) is not { } old || Class(after, now) is not { } recent)
        {
            Compare(id, device);
            return;
        }

        var key = (old, recent);
        if (!known.TryGetValue(key, out var difference))
        {
            Compare(id, device);
            known.Add(key, _pairs.GetValueOrDefault((id, device)));
        }
        else if (difference is not null && --_left >= 0)
        {
            _pairs.TryAdd((id, device), difference);
        }

        DeviceClass? Class(PolicyModel model, DeviceNode node) => DeviceClass.Of(node, model.People.GetValueOrDefault(id));
    }

    private static IEnumerable<DeviceNode> DevicesIn(PolicyModel model, GrantScope scope) => scope.Kind switch
    {
        ScopeKind.AllDevices => model.Devices.Values,
        ScopeKind.DeviceGroup => model.Downwards(model.DeviceGroups.GetValueOrDefault(new(scope.Id))!).SelectMany(group => model.ContentOf(group).Devices),
        ScopeKind.Device => [model.Devices.GetValueOrDefault(new(scope.Id))!],
        _ => [],
    };

    private void CompareDevice(DeviceId id)
    {
        var concerned = new HashSet<PersonId>();
        Reach(before);
        Reach(after);
        foreach (var person in concerned.TakeWhile(_ => !IsOver)) Compare(person, id);

        void Reach(PolicyModel model)
        {
            if (model.Owner is { } owner) concerned.Add(owner);
            if (!model.Devices.TryGetValue(id, out var device)) return;
            foreach (var subject in model.GrantsOn(device).Select(grant => grant.Row.Subject).Distinct())
            {
                if (subject.Kind == SubjectKind.Person) concerned.Add(new(subject.Id));
                else concerned.UnionWith(model.MembersOf(model.TechnicianGroups.GetValueOrDefault(new(subject.Id))!).Select(person => person.Id));
            }
        }
    }

    private void Compare(PersonId person, DeviceId device)
    {
        if (_pairs.ContainsKey((person, device)) || --_left < 0) return;
        var (old, recent) = (before.Devices.GetValueOrDefault(device), after.Devices.GetValueOrDefault(device));

        // Another default account, or one more, is another answer though every grant says what it said.
        var accounts = old is null || recent is null || old.Accounts.AsSpan().SequenceEqual(recent.Accounts) ? AccountsSaid.AsGranted
            : string.Equals(old.DefaultAccount, recent.DefaultAccount, StringComparison.Ordinal) ? AccountsSaid.Resolved : AccountsSaid.ResolvedWithDefault;
        var was = PairFacts.Of(before, before.People.GetValueOrDefault(person), old, accounts, _grantsBefore);
        var now = PairFacts.Of(after, after.People.GetValueOrDefault(person), recent, accounts, _grantsAfter);
        if (PairFacts.Compare(was, now, instants) is { } difference) _pairs.Add((person, device), difference);
    }

    /// <summary>People who differ alike on the very same devices stand together.</summary>
    private IEnumerable<DifferenceRectangle> Rectangles()
    {
        foreach (var alike in _pairs.GroupBy(pair => Key(pair.Value), StringComparer.Ordinal))
        {
            var difference = alike.First().Value;
            var byPerson = alike.GroupBy(pair => pair.Key.Item1, pair => pair.Key.Item2).Select(group => (Person: group.Key, Devices: group.OrderBy(id => id.Value).ToArray()));
            foreach (var same in byPerson.GroupBy(entry => entry.Devices, DeviceLists.Instance))
            {
                var devices = same.Key.Concat(same.Key.SelectMany(id => _alike.GetValueOrDefault(id) ?? [])).OrderBy(id => id.Value);
                yield return new([.. same.Select(entry => entry.Person).OrderBy(id => id.Value)], [.. devices], difference);
            }
        }
    }

    private IEnumerable<SectionDifference> Sections(ScopeKind section)
    {
        var differing = _people.Select(id => (Id: id, Was: Held(before, id), Now: Held(after, id)))
            .Select(entry => (entry.Id, Gained: PairFacts.More(entry.Was, entry.Now, instants), Lost: PairFacts.More(entry.Now, entry.Was, instants)))
            .Where(entry => entry.Gained.Count + entry.Lost.Count > 0);
        foreach (var alike in differing.GroupBy(entry => Key(new(entry.Gained, entry.Lost, [])), StringComparer.Ordinal))
        {
            yield return new([.. alike.Select(entry => entry.Id).OrderBy(id => id.Value)], section, alike.First().Gained, alike.First().Lost);
        }

        // The owner holds all of the team, whatever is granted; over Quick Support nothing but what is granted.
        List<Holding> Held(PolicyModel model, PersonId id)
        {
            if (model.People.GetValueOrDefault(id) is not { TakesPart: true } person) return [];
            return person.IsOwner && section == ScopeKind.Team
                ? [new(new(PermissionCatalogue.AllowedFor(RolePurpose.Administration), null, GrantWindow.Always), [Holding.TheDevice], null)]
                : PairFacts.HeldBy(person, model.GrantsOf(person).Where(grant => grant.Row.Scope.Kind == section));
        }
    }

    private static string Key(AccessDifference difference) =>
        $"+{string.Join('|', difference.Gained)}-{string.Join('|', difference.Lost)}~{string.Join('|', difference.Restrictions)}";

    private sealed class DeviceLists : IEqualityComparer<DeviceId[]>
    {
        public static DeviceLists Instance { get; } = new();

        public bool Equals(DeviceId[]? one, DeviceId[]? other) => one.AsSpan().SequenceEqual(other);

        public int GetHashCode(DeviceId[] list) => HashCode.Combine(list.Length, list[0], list[^1]);
    }
}
