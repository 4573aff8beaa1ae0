using System.Collections.Immutable;

namespace Countersign.Access;

/// <summary>The rows of one version, by table and key. Versions share what did not change.</summary>
internal sealed class RowStore
{
    private static readonly int Tables = Enum.GetValues<PolicyTable>().Max(table => (int)table) + 1;

    private readonly ImmutableDictionary<RowKey, PolicyRow>[] _tables;

    private RowStore(ImmutableDictionary<RowKey, PolicyRow>[] tables) => _tables = tables;

    public bool IsEmpty => Array.TrueForAll(_tables, table => table.IsEmpty);

    public IEnumerable<PolicyRow> Rows => _tables.SelectMany(table => table.Values);

    /// <exception cref="PolicyException">Two rows have the same key.</exception>
    public static RowStore From(IEnumerable<PolicyRow> rows)
    {
        var builders = new ImmutableDictionary<RowKey, PolicyRow>.Builder[Tables];
        for (var table = 0; table < Tables; table++) builders[table] = ImmutableDictionary.CreateBuilder<RowKey, PolicyRow>();
        foreach (var row in rows)
        {
            var builder = builders[(int)row.Key.Table];
            if (builder.ContainsKey(row.Key)) throw new PolicyException($"two rows have the key {row.Key}");
            builder.Add(row.Key, row);
        }

        return new([.. builders.Select(builder => builder.ToImmutable())]);
    }

    /// <exception cref="PolicyException">A row is not what the change takes it to be.</exception>
    public RowStore With(IReadOnlyList<RowChange> changes)
    {
        var tables = (ImmutableDictionary<RowKey, PolicyRow>[])_tables.Clone();
        foreach (var group in changes.GroupBy(change => Table(change)))
        {
            var builder = tables[(int)group.Key].ToBuilder();
            foreach (var change in group)
            {
                if (change is { Before: not null, After: not null } && change.Before.Key != change.After.Key)
                {
                    throw new PolicyException($"a change turns {change.Before.Key} into {change.After.Key}");
                }

                if (!Equals(builder.GetValueOrDefault(change.Key), change.Before))
                {
                    throw new PolicyException($"the row {change.Key} is not what the change starts from");
                }

                if (change.After is null) builder.Remove(change.Key);
                else builder[change.Key] = change.After;
            }

            tables[(int)group.Key] = builder.ToImmutable();
        }

        return new(tables);
    }

    public PolicyRow? Find(RowKey key) => (int)key.Table < Tables ? _tables[(int)key.Table].GetValueOrDefault(key) : null;

    public int Count(PolicyTable table) => _tables[(int)table].Count;

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
