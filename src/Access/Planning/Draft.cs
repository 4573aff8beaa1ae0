namespace Countersign.Access;

/// <summary>The changes of one plan as they are gathered.</summary>
internal sealed class Draft(PolicySnapshot snapshot)
{
    private readonly List<RowChange> _changes = [];

    public void Add(PolicyRow row) => _changes.Add(new(null, row));

    public void Remove(PolicyRow row) => _changes.Add(new(row, null));

    /// <summary>Puts the row in the place of the one with its key, if there is one; nothing if it is the same.</summary>
    public void Put(PolicyRow row)
    {
        var before = snapshot.Find(row.Key);
        if (!Equals(before, row)) _changes.Add(new(before, row));
    }

    /// <summary>Takes away the row with the key, if there is one.</summary>
    public void RemoveIfThere(RowKey key)
    {
        if (snapshot.Find(key) is { } row) Remove(row);
    }

    public void RemoveAll(IEnumerable<PolicyRow> rows)
    {
        foreach (var row in rows) Remove(row);
    }

    public bool Changes(RowKey key) => _changes.Exists(change => change.Key == key);

    /// <summary>What the plan puts in the place of the row with the key; null: nothing.</summary>
    public PolicyRow? After(RowKey key) => _changes.Find(change => change.Key == key)?.After;

    public PlanResult Planned(string summary) => new PlanResult.Planned(new(snapshot.Organization, snapshot.Version, summary, _changes));
}
