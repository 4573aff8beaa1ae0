namespace Countersign.Access;

/// <summary>The rows of one version, by table and key. Versions share what did not change.</summary>
internal sealed class RowStore
{
    private static readonly int Tables = Enum.GetValues<PolicyTable>().Max(table => (int)table) + 1;

    private readonly ChunkedMap<RowKey, PolicyRow>[] _tables;

    private RowStore(ChunkedMap<RowKey, PolicyRow>[] tables) => _tables = tables;

    public static RowStore Empty { get; } = From([]);

    public bool IsEmpty => Array.TrueForAll(_tables, table => table.Count == 0);

    public IEnumerable<PolicyRow> Rows => _tables.SelectMany(table => table.Values);

    /// <exception cref="PolicyException">Two rows have the same key.</exception>
    public static RowStore From(IReadOnlyCollection<PolicyRow> rows)
    {
        var counts = new int[Tables];
        var keys = new RowKey[rows.Count];
        var index = 0;
        foreach (var row in rows)
        {
            keys[index] = row.Key;
            counts[(int)keys[index++].Table]++;
        }

        var builders = counts.Select(ChunkedMap<RowKey, PolicyRow>.NewBuilder).ToArray();
        index = 0;
        foreach (var row in rows)
        {
            var key = keys[index++];
            if (!builders[(int)key.Table].TryAdd(key, row)) throw new PolicyException($"two rows have the key {key}");
        }

        return new([.. builders.Select(builder => builder.ToImmutable())]);
    }

    /// <exception cref="PolicyException">A row is not what the change takes it to be.</exception>
    public RowStore With(IReadOnlyList<RowChange> changes)
    {
        var tables = (ChunkedMap<RowKey, PolicyRow>[])_tables.Clone();
        foreach (var group in changes.GroupBy(Table))
        {
            var builder = tables[(int)group.Key].ToBuilder();
            foreach (var change in group)
            {
                var key = change.Key;
                if (change is { Before: not null, After: not null } && change.Before.Key != key)
                {
                    throw new PolicyException($"a change turns {change.Before.Key} into {key}");
                }

                if (!Equals(builder.GetValueOrDefault(key), change.Before)) throw new PolicyException($"the row {key} is not what the change starts from");
                if (change.After is null) builder.Remove(key);
                else builder.Set(key, change.After);
            }

            tables[(int)group.Key] = builder.ToImmutable();
        }

        return new(tables);
    }

    public PolicyRow? Find(RowKey key) => (int)key.Table < Tables ? _tables[(int)key.Table].GetValueOrDefault(key) : null;

    public IEnumerable<T> All<T>()
        where T : PolicyRow => typeof(T) == typeof(PolicyRow) ? Rows.Cast<T>() : _tables[(int)TableOf(typeof(T))].Values.Cast<T>();

    private static PolicyTable Table(RowChange change) =>
        change is { Before: null, After: null } ? throw new PolicyException("a change has neither before nor after") : change.Key.Table;

    private static PolicyTable TableOf(Type row) => row.Name switch
    {
        nameof(PersonRow) => PolicyTable.Person,
        nameof(TechnicianGroupRow) => PolicyTable.TechnicianGroup,
        nameof(MembershipRow) => PolicyTable.Membership,
        nameof(GroupManagerRow) => PolicyTable.GroupManager,
        nameof(GroupAdministratorRow) => PolicyTable.GroupAdministrator,
        nameof(GroupPermissionRow) => PolicyTable.GroupPermission,
        nameof(DeviceGroupRow) => PolicyTable.DeviceGroup,
        nameof(DeviceRow) => PolicyTable.Device,
        nameof(DeviceAccountRow) => PolicyTable.DeviceAccount,
        nameof(RoleRow) => PolicyTable.Role,
        nameof(GrantRow) => PolicyTable.Grant,
        nameof(SettingRow) => PolicyTable.Setting,
        _ => throw new ArgumentOutOfRangeException(nameof(row), row, "no table of policy holds such rows"),
    };
}
