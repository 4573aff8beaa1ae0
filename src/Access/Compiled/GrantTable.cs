using System.Numerics;

namespace Countersign.Access;

/// <summary>
/// What a set of grants gives where. Device groups are intervals of labels (<see cref="DeviceGroupNode.Start"/>), so that what covers a group
/// is found by one binary search over the points where anything starts or ends; grants on single devices stand in a hash table beside it.
/// </summary>
internal sealed class GrantTable
{
    private readonly uint[] _starts;
    private readonly int[] _cellAt;
    private readonly Cell[] _cells;
    private readonly int[] _deviceNumbers;
    private readonly int[] _deviceCells;

    private GrantTable(uint[] starts, int[] cellAt, Cell[] cells, int[] deviceNumbers, int[] deviceCells, CompiledGrant[] sections, int count)
    {
        (_starts, _cellAt, _cells) = (starts, cellAt, cells);
        (_deviceNumbers, _deviceCells) = (deviceNumbers, deviceCells);
        Sections = sections;
        Count = count;
    }

    public static GrantTable Empty { get; } = new([], [], [], [], [], [], 0);

    public int Count { get; }

    /// <summary>Grants over sections, which no device is in.</summary>
    public CompiledGrant[] Sections { get; }

    /// <summary>Adds what the grants give at the group with the label, and at the device if there is one.</summary>
    /// <param name="number">0: no device is meant.</param>
    public void Gather(uint label, int number, ref Gathering gathering)
    {
        if (_starts.Length > 0)
        {
            int low = 0, length = _starts.Length;
            while (length > 1)
            {
                var half = length >> 1;
                if (_starts[low + half] <= label) low += half;
                length -= half;
            }

            Add(_cellAt[low], ref gathering);
        }

        if (_deviceNumbers.Length == 0 || number == 0) return;
        var mask = _deviceNumbers.Length - 1;
        for (var slot = Spread(number) & mask; _deviceNumbers[slot] != 0; slot = (slot + 1) & mask)
        {
            if (_deviceNumbers[slot] != number) continue;
            Add(_deviceCells[slot], ref gathering);
            return;
        }
    }

    private void Add(int index, ref Gathering gathering)
    {
        ref readonly var cell = ref _cells[index];
        gathering.Always |= cell.Any;
        gathering.ByDefault |= cell.Default;
        if (cell.Conditional >= 0) AddConditional(cell.Conditional, ref gathering);
    }

    private void AddConditional(int index, ref Gathering gathering)
    {
        for (; index >= 0; index = _cells[index].Above)
        {
            foreach (var grant in _cells[index].Grants!) gathering.Add(grant);
        }
    }

    private static int Spread(int number) => (int)((uint)number * 0x9E3779B1u >> 7);

    /// <param name="Conditional">This cell, or the nearest one above it, that has <paramref name="Grants"/>; -1: none.</param>
    /// <param name="Above">The next one above a cell with <paramref name="Grants"/> that has some too; -1: none.</param>
    /// <param name="Grants">Those that depend on the instant or on named accounts, of this scope alone.</param>
    private record struct Cell(PermissionSet Any, PermissionSet Default, int Conditional, int Above, CompiledGrant[]? Grants);

    /// <summary>Builds a table from grants whose scopes are placed already.</summary>
    /// <param name="place">Labels of a device group, or number of a device.</param>
    public static GrantTable Build(IReadOnlyList<CompiledGrant> grants, Func<CompiledGrant, Placement> place) =>
        grants.Count == 0 ? Empty : new Maker().Make(grants, place);

    private sealed class Maker
    {
        private readonly List<uint> _starts = [];
        private readonly List<int> _cellAt = [];
        private readonly List<Cell> _cells = [];

        public GrantTable Make(IReadOnlyList<CompiledGrant> grants, Func<CompiledGrant, Placement> place)
        {
            var placed = new List<(Placement Place, CompiledGrant Grant)>(grants.Count);
            var sections = new List<CompiledGrant>();
            var onDevices = new List<(Placement Place, CompiledGrant Grant)>();
            foreach (var grant in grants)
            {
                var (kind, where) = (grant.Row.Scope.Kind, place(grant));
                if (kind is ScopeKind.DeviceGroup or ScopeKind.AllDevices) placed.Add((where, grant));
                else if (kind == ScopeKind.Device) onDevices.Add((where, grant));
                else sections.Add(grant);
            }

            if (placed.Count > 0) Sweep(placed);
            var (numbers, cells) = Devices(onDevices);
            return new([.. _starts], [.. _cellAt], [.. _cells], numbers, cells, [.. sections], grants.Count);
        }

        /// <summary>From left to right over intervals that lie inside or beside each other, never across.</summary>
        private void Sweep(List<(Placement Place, CompiledGrant Grant)> placed)
        {
            placed.Sort((one, other) =>
            {
                var order = one.Place.Start.CompareTo(other.Place.Start);
                return order != 0 ? order : other.Place.End.CompareTo(one.Place.End);
            });
            var open = new Stack<(uint End, int Cell)>();
            open.Push((uint.MaxValue, AddCell(-1, [])));
            Mark(0, 0);
            for (var index = 0; index < placed.Count;)
            {
                var (start, end) = (placed[index].Place.Start, placed[index].Place.End);
                while (open.Peek().End <= start) Close(open);
                var first = index;
                while (index < placed.Count && placed[index].Place.Start == start && placed[index].Place.End == end) index++;
                var cell = AddCell(open.Peek().Cell, placed.GetRange(first, index - first));
                open.Push((end, cell));
                Mark(start, cell);
            }

            while (open.Count > 1 && open.Peek().End < uint.MaxValue) Close(open);
        }

        private void Close(Stack<(uint End, int Cell)> open)
        {
            var (end, _) = open.Pop();
            Mark(end, open.Peek().Cell);
        }

        private void Mark(uint start, int cell)
        {
            if (_starts.Count > 0 && _starts[^1] == start)
            {
                _cellAt[^1] = cell;
                return;
            }

            _starts.Add(start);
            _cellAt.Add(cell);
        }

        private (int[] Numbers, int[] Cells) Devices(List<(Placement Place, CompiledGrant Grant)> onDevices)
        {
            if (onDevices.Count == 0) return ([], []);
            onDevices.Sort((one, other) => one.Place.Number.CompareTo(other.Place.Number));
            var numbers = new int[(int)BitOperations.RoundUpToPowerOf2((uint)onDevices.Count * 2)];
            var cells = new int[numbers.Length];
            for (var index = 0; index < onDevices.Count;)
            {
                var (first, number) = (index, onDevices[index].Place.Number);
                while (index < onDevices.Count && onDevices[index].Place.Number == number) index++;
                var slot = Spread(number) & (numbers.Length - 1);
                while (numbers[slot] != 0) slot = (slot + 1) & (numbers.Length - 1);
                (numbers[slot], cells[slot]) = (number, AddCell(-1, onDevices.GetRange(first, index - first)));
            }

            return (numbers, cells);
        }

        private int AddCell(int above, List<(Placement Place, CompiledGrant Grant)> grants)
        {
            var (any, standard, conditional) = above < 0 ? (default, default, -1) : (_cells[above].Any, _cells[above].Default, _cells[above].Conditional);
            List<CompiledGrant>? conditions = null;
            foreach (var (_, grant) in grants)
            {
                if (!grant.IsUnlimited || grant.Row.Accounts.Rule == AccountRule.Named) (conditions ??= []).Add(grant);
                else if (grant.Row.Accounts.Rule == AccountRule.Any) any |= grant.Permissions;
                else standard |= grant.Permissions;
            }

            var cell = conditions is null ? new Cell(any, standard, conditional, -1, null) : new Cell(any, standard, _cells.Count, conditional, [.. conditions]);
            if (conditions is null)
            {
                // Few roles make few different cells: the smaller the table, the more of it stays in the processor's cache.
                var known = _cells.IndexOf(cell, Math.Max(0, _cells.Count - 32));
                if (known >= 0) return known;
            }

            _cells.Add(cell);
            return _cells.Count - 1;
        }
    }
}

/// <summary>Where a grant's scope lies: the labels of a device group, or the number of a device.</summary>
internal readonly record struct Placement(uint Start, uint End, int Number);

/// <summary>What grants give on one device at one instant, while it is gathered from table to table.</summary>
internal ref struct Gathering(DeviceNode device, in AccountAsked account, DateTimeOffset at)
{
    private readonly DeviceNode _device = device;
    private readonly AccountAsked _account = account;
    private readonly DateTimeOffset _at = at;

    /// <summary>For whatever account.</summary>
    public PermissionSet Always;

    /// <summary>For the default account.</summary>
    public PermissionSet ByDefault;

    /// <summary>From grants with conditions that hold, for the account asked about.</summary>
    public PermissionSet Here;

    /// <summary>From grants with conditions that hold, for any account that the device has.</summary>
    public PermissionSet Somewhere;

    /// <summary>The earliest instant at which a condition may turn; null: never.</summary>
    public DateTimeOffset? Next;

    public void Add(CompiledGrant grant)
    {
        if (!grant.IsForAnyOf(_device)) return;
        if (!grant.IsUnlimited)
        {
            Next = Reach.Earlier(Next, grant.NextChange(_at));
            if (!grant.InForce(_at)) return;
        }

        Somewhere |= grant.Permissions;
        if (grant.IsFor(_account)) Here |= grant.Permissions;
    }
}
