namespace Countersign.Access;

/// <summary>
/// The devices of one version in ordinal order of their names, which are unique: for pages of lists. A version's order is made from the one before it,
/// as sorting everything anew after each change would cost more than reading a page.
/// </summary>
internal sealed class DeviceOrder
{
    private static readonly Comparer<DeviceRow> _byName = Comparer<DeviceRow>.Create((one, other) => string.CompareOrdinal(one.Name, other.Name));

    private DeviceOrder(DeviceRow[] rows) => Rows = rows;

    public DeviceRow[] Rows { get; }

    public static DeviceOrder Of(IEnumerable<DeviceRow> devices)
    {
        DeviceRow[] rows = [.. devices];
        Array.Sort(rows, _byName);
        return new(rows);
    }

    /// <summary>The next version's, by what leads to it.</summary>
    public DeviceOrder After(IReadOnlyList<RowChange> changes)
    {
        var gone = new HashSet<DeviceRow>(ReferenceEqualityComparer.Instance);
        var come = new List<DeviceRow>();
        foreach (var change in changes)
        {
            if (change.Before is DeviceRow before && Array.BinarySearch(Rows, before, _byName) is >= 0 and var place) gone.Add(Rows[place]);
            if (change.After is DeviceRow after) come.Add(after);
        }

        if (gone.Count == 0 && come.Count == 0) return this;
        come.Sort(_byName);
        var rows = new DeviceRow[Rows.Length - gone.Count + come.Count];
        var (next, written) = (0, 0);
        foreach (var row in Rows)
        {
            if (gone.Contains(row)) continue;
            while (next < come.Count && _byName.Compare(come[next], row) < 0) rows[written++] = come[next++];
            rows[written++] = row;
        }

        come.CopyTo(next, rows, written, come.Count - next);
        return new(rows);
    }
}
