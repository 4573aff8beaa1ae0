namespace Countersign.Access;

internal sealed partial class ModelEditor
{
    private readonly ChunkedMap<PersonId, PersonNode>.Builder _people;
    private readonly ChunkedMap<string, PersonRow>.Builder _logins;
    private readonly ChunkedMap<TechnicianGroupId, TechnicianGroupNode>.Builder _technicianGroups;
    private PersonId? _owner;
    private GroupPeople[] _groupPeople;
    private TechnicianGroupNode? _everyone;
    private GrantTable _everyoneGrants;
    private int _nextTechnicianGroup;

    /// <summary>Groups whose nodes were made anew.</summary>
    private List<TechnicianGroupId> _remade = [];

    private void EditTechnicianGroups()
    {
        LinkTechnicianGroups();
        var changed = _technicianGroupDrafts.Where(draft => draft.Value is { IsChanged: true, Row: not null }).Select(draft => draft.Key).ToList();
        if (changed is [var only] && only == _before.Everyone?.Id && !IsNewForOthers(_technicianGroupDrafts[only]))
        {
            MakeTechnicianGroup(only);
        }
        else if (changed.Count > 0)
        {
            _remade = TopDown(changed, ChildrenOf, ParentOf, "technician group");
            foreach (var id in _remade) MakeTechnicianGroup(id);
        }

        FindEveryone();
        foreach (var (id, draft) in _technicianGroupDrafts)
        {
            if (draft.Row is null)
            {
                CheckNothingLeft(id, draft);
                continue;
            }

            var index = _technicianGroups.GetValueOrDefault(id)!.Index;
            Own(ref _groupPeople, _before.GroupPeople);
            if (index >= _groupPeople.Length) Array.Resize(ref _groupPeople, Math.Max(index + 1, _technicianGroupDrafts.Count));
            _groupPeople[index] = new([.. draft.Members], [.. draft.Managers], [.. draft.Administrators], [.. draft.Children]);
        }
    }

    /// <summary>Whether a change of Everyone is one of more than its grants, which stand in a table of their own.</summary>
    private static bool IsNewForOthers(TechnicianGroupDraft everyone) =>
        everyone.Row != everyone.Before!.Row || !everyone.Own.SequenceEqual(everyone.Before.Own) || !everyone.Workflows.SequenceEqual(everyone.Before.OwnWorkflows);

    private void LinkTechnicianGroups()
    {
        foreach (var (id, draft) in _technicianGroupDrafts.ToList())
        {
            var (was, now) = (draft.Before?.Row.ParentId, draft.Row?.ParentId);
            if (draft.Row is null && draft.Before is not null) _technicianGroups.Remove(id);
            if (was == now) continue;
            if (was is { } old) Draft(old, draft.Cause).Children.Remove(id);
            if (now is { } parent)
            {
                var above = Draft(parent, draft.Cause);
                if (above.Row is null) throw new PolicyException($"technician group {id} is below {parent}, which is not there");
                above.Children.Add(id);
            }
        }
    }

    private IReadOnlyList<TechnicianGroupId> ChildrenOf(TechnicianGroupId id)
    {
        if (_technicianGroupDrafts.TryGetValue(id, out var draft)) return draft.Children;
        return _before.TechnicianGroups.TryGetValue(id, out var group) ? _before.PeopleOf(group).Children : [];
    }

    private TechnicianGroupId? ParentOf(TechnicianGroupId id)
    {
        var row = _technicianGroupDrafts.TryGetValue(id, out var draft) ? draft.Row : _before.TechnicianGroups.GetValueOrDefault(id)?.Row;
        if (row?.ParentId is not { } parent) return null;
        var isThere = _technicianGroupDrafts.TryGetValue(parent, out var above) ? above.Row is not null : _before.TechnicianGroups.ContainsKey(parent);
        return isThere ? parent : throw new PolicyException($"technician group {id} is below {parent}, which is not there");
    }

    private void MakeTechnicianGroup(TechnicianGroupId id)
    {
        var before = _before.TechnicianGroups.GetValueOrDefault(id);
        var draft = _technicianGroupDrafts.GetValueOrDefault(id);
        var row = draft?.Row ?? before!.Row;
        var parent = row.ParentId is { } above ? _technicianGroups.GetValueOrDefault(above) : null;
        var index = before?.Index ?? _nextTechnicianGroup++;
        var node = new TechnicianGroupNode(row, parent, index, draft is null ? before!.Own : [.. draft.Own], OwnGrants(before, draft), draft is null ? before!.OwnWorkflows : [.. draft.Workflows]);
        node.MakeTables(before);
        _technicianGroups.Set(id, node);
    }

    private static CompiledGrant[] OwnGrants(TechnicianGroupNode? before, TechnicianGroupDraft? draft) =>
        before is not null && (draft is null || draft.Grants.SequenceEqual(before.OwnGrants)) ? before.OwnGrants : [.. draft!.Grants];

    private void FindEveryone()
    {
        foreach (var (id, draft) in _technicianGroupDrafts)
        {
            if (draft.Row is { ParentId: null } && _everyone is not null && _everyone.Id != id && _technicianGroups.ContainsKey(_everyone.Id))
            {
                throw new PolicyException($"technician groups {_everyone.Id} and {id} are both the root");
            }
            if (draft.Row is { ParentId: null }) _everyone = _technicianGroups.GetValueOrDefault(id);
        }

        if (_everyone is not null) _everyone = _technicianGroups.GetValueOrDefault(_everyone.Id);
        if (_everyone is null or { Parent: not null })
        {
            if (_personDrafts.Count + _people.Count + _technicianGroups.Count > 0) throw new PolicyException("there is no root technician group");
            return;
        }

        if (_technicianGroupDrafts.TryGetValue(_everyone.Id, out var root) && root.Members is [var member, ..])
        {
            throw new PolicyException($"{new MembershipRow(_everyone.Id, member).Key}: every technician is in Everyone as it is");
        }

        if (_everyone != _before.Everyone) _everyoneGrants = new(null, _everyone.IsEnabled ? _everyone.OwnGrants : []);
    }

    private static void CheckNothingLeft(TechnicianGroupId id, TechnicianGroupDraft draft)
    {
        if (draft.Children.Count > 0) throw new PolicyException($"technician group {draft.Children[0]} is below {id}, which is not there");
        var key = draft.Own.Count > 0 ? draft.Own[0].Key
            : draft.Grants.Count > 0 ? draft.Grants[0].Row.Key
            : draft.Workflows.Count > 0 ? draft.Workflows[0].Key
            : draft.Members.Count > 0 ? new MembershipRow(id, draft.Members[0]).Key
            : draft.Managers.Count > 0 ? new GroupManagerRow(id, draft.Managers[0]).Key
            : draft.Administrators.Count > 0 ? new GroupAdministratorRow(id, draft.Administrators[0]).Key
            : (RowKey?)null;
        if (key is { } left) throw new PolicyException($"{left}: technician group {id} is not there");
        if (draft.Before is null) throw new PolicyException($"{draft.Cause.Key}: technician group {id} is not there");
    }

    private void EditPeople()
    {
        foreach (var (id, draft) in _personDrafts)
        {
            if (draft.Before is not { } before) continue;
            if (draft.Row is null) _people.Remove(id);
            if (draft.Row?.Login != before.Row.Login) _logins.Remove(before.Row.Login);
        }

        foreach (var (id, draft) in _personDrafts)
        {
            if (draft.Row is { } row) MakePerson(id, draft, row);
            else if (draft.Groups.Count + draft.Manages.Count + draft.Administers.Count + draft.ExternalGroups.Count + draft.Grants.Count > 0) throw LeftBehind(id, draft);
        }

        RemakeMembers();
        FindOwner();
    }

    private void FindOwner()
    {
        var isConcerned = _personDrafts.Values.Any(draft => draft.Row?.Kind == PersonKind.Owner || draft.Before is { IsOwner: true });
        if (!isConcerned && _before.People.Count > 0) return;
        var owners = _people.ToImmutable().Values.Where(person => person.IsOwner).ToList();
        if (owners.Count != 1 && _people.Count > 0) throw new PolicyException($"an organization has one owner, and here are {owners.Count}");
        _owner = owners.Count == 1 ? owners[0].Id : null;
    }

    /// <summary>People who are not spoken of, but are in a group that was made anew.</summary>
    private void RemakeMembers()
    {
        if (_before.People.Count == 0 || _remade.Count == 0) return;
        var concerned = new HashSet<PersonId>();
        foreach (var id in _remade) concerned.UnionWith(_groupPeople[_technicianGroups.GetValueOrDefault(id)!.Index].Members);
        if (_everyone != _before.Everyone)
        {
            foreach (var person in _before.People.Values)
            {
                if (person.DirectMemberships.Length == 0) concerned.Add(person.Id);
            }
        }

        foreach (var id in concerned)
        {
            if (_personDrafts.ContainsKey(id) || _before.People.GetValueOrDefault(id) is not { } person) continue;
            var groups = Array.ConvertAll(person.DirectMemberships, group => _technicianGroups.GetValueOrDefault(group.Id)!);
            _people.Set(id, new(person.Row, groups, _everyone!, person.Administers, person.Manages, person.ExternalGroups, person.OwnGrants, person.OwnTable));
        }
    }

    private void MakePerson(PersonId id, PersonDraft draft, PersonRow row)
    {
        if (row.Kind == PersonKind.Contact && PlaceOf(id, draft) is { } place) throw new PolicyException($"{place}: '{row.Login}' is a contact, who is in no group and runs none");
        if (_everyone is null) throw new PolicyException("there is no root technician group");
        var groups = draft.Groups.ConvertAll(group => _technicianGroups.GetValueOrDefault(group)!);
        var own = draft.Before is null || draft.AreGrantsChanged ? new(null, [.. draft.Grants]) : draft.Before.OwnTable;
        _people.Set(id, new(row, [.. groups], _everyone, [.. draft.Administers], [.. draft.Manages], [.. draft.ExternalGroups], [.. draft.Grants], own));
        if (draft.Before?.Row == row) return;
        if (draft.Before?.Row.Login == row.Login) _logins.Set(row.Login, row);
        else if (!_logins.TryAdd(row.Login, row)) throw new PolicyException($"two people have the login '{row.Login}'");
    }

    private static PolicyException LeftBehind(PersonId id, PersonDraft draft)
    {
        var key = PlaceOf(id, draft) ?? (draft.ExternalGroups.Count > 0 ? new ExternalMemberRow(draft.ExternalGroups[0], id).Key : draft.Grants[0].Row.Key);
        return new($"{key}: person {id} is not there");
    }

    /// <summary>A row by which the person is in a technician group, or manages or administers one; null: there is none.</summary>
    private static RowKey? PlaceOf(PersonId id, PersonDraft draft) =>
        draft.Groups.Count > 0 ? new MembershipRow(draft.Groups[0], id).Key
        : draft.Manages.Count > 0 ? new GroupManagerRow(draft.Manages[0], id).Key
        : draft.Administers.Count > 0 ? new GroupAdministratorRow(draft.Administers[0], id).Key
        : null;

    /// <summary>The groups and all below them, each after the one above it; refuses circles.</summary>
    private static List<T> TopDown<T>(List<T> changed, Func<T, IReadOnlyList<T>> children, Func<T, T?> parent, string what)
        where T : struct
    {
        var closure = new HashSet<T>();
        var ahead = new Stack<T>(changed);
        while (ahead.TryPop(out var id))
        {
            if (!closure.Add(id)) continue;
            foreach (var child in children(id)) ahead.Push(child);
        }

        // Those whose parent is not among them come first; a circle is never entered from there.
        var ordered = closure.Where(id => parent(id) is not { } above || !closure.Contains(above)).ToList();
        for (var next = 0; next < ordered.Count; next++) ordered.AddRange(children(ordered[next]));
        if (ordered.Count != closure.Count) throw new PolicyException($"{what} {closure.Except(ordered).First()} is below itself");
        return ordered;
    }
}
