namespace Countersign.Access;

internal sealed partial class ModelEditor
{
    private readonly ChunkedMap<ExternalGroupId, ExternalGroupRow>.Builder _externalGroups;
    private bool _areExternalGroupsGone;

    private void TakeExternalGroup(ExternalGroupRow row, ExternalGroupRow? after, bool isNew)
    {
        if (isNew && _externalGroups.ContainsKey(row.Id)) throw Twice(row);
        if (after is not null)
        {
            _externalGroups.Set(row.Id, after);
            return;
        }

        _externalGroups.Remove(row.Id);
        _areExternalGroupsGone = true;
    }

    /// <summary>Members are contacts, of groups that are there.</summary>
    private void CheckExternalMembers()
    {
        foreach (var (id, draft) in _personDrafts)
        {
            if (draft.Row is { Kind: not PersonKind.Contact } && draft.ExternalGroups.Count > 0)
                throw new PolicyException($"{new ExternalMemberRow(draft.ExternalGroups[0], id).Key}: person {id} is no contact");
            CheckExternalGroups(id, draft.ExternalGroups);
        }

        if (!_areExternalGroupsGone) return;
        foreach (var person in _before.People.Values)
        {
            if (person.ExternalGroups.Length > 0 && !_personDrafts.ContainsKey(person.Id)) CheckExternalGroups(person.Id, person.ExternalGroups);
        }
    }

    private void CheckExternalGroups(PersonId person, IEnumerable<ExternalGroupId> groups)
    {
        foreach (var group in groups)
        {
            if (!_externalGroups.ContainsKey(group)) throw new PolicyException($"{new ExternalMemberRow(group, person).Key}: external group {group} is not there");
        }
    }
}
