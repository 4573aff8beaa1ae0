using System.Numerics;

namespace Countersign.Access;

/// <summary>Builds one <see cref="GrantTable"/> from grants whose scopes are placed.</summary>
internal sealed class GrantTableMaker
{
    private readonly List<GrantTable.Point> _line = [];
    private readonly List<GrantTable.Cell> _cells = [];
    private readonly List<Condition> _conditions = [];

    private GrantTableMaker()
    {
    }

    public static void Make(
        CompiledGrant[] grants,
        out GrantTable.Point[] line,
        out GrantTable.Cell[] cells,
        out Condition[] conditions,
        out GrantTable.Slot[] devices)
    {
        var maker = new GrantTableMaker();
        var onGroups = Array.FindAll(grants, grant => grant.Row.Scope.Kind is ScopeKind.DeviceGroup or ScopeKind.AllDevices);
        if (onGroups.Length > 0) maker.Sweep(onGroups);
        devices = maker.Devices(Array.FindAll(grants, grant => grant.Row.Scope.Kind == ScopeKind.Device));
        (line, cells, conditions) = ([.. maker._line], [.. maker._cells], [.. maker._conditions]);
    }

    /// <summary>From left to right over intervals that lie inside or beside each other, never across.</summary>
    private void Sweep(CompiledGrant[] placed)
    {
        Array.Sort(placed, static (one, other) =>
        {
            var order = one.Place.Start.CompareTo(other.Place.Start);
            return order != 0 ? order : other.Place.End.CompareTo(one.Place.End);
        });
        var open = new Stack<(uint End, int Cell)>();
        open.Push((uint.MaxValue, AddCell(-1, [])));
        Mark(0, 0);
        for (var index = 0; index < placed.Length;)
        {
            var (start, end) = (placed[index].Place.Start, placed[index].Place.End);
            while (open.Peek().End <= start) Close(open);
            var first = index;
            while (index < placed.Length && placed[index].Place.Start == start && placed[index].Place.End == end) index++;
            var cell = AddCell(open.Peek().Cell, placed.AsSpan(first, index - first));
            open.Push((end, cell));
            Mark(start, cell);
        }

        while (open.Peek().End < uint.MaxValue) Close(open);
    }

    private void Close(Stack<(uint End, int Cell)> open)
    {
        var (end, _) = open.Pop();
        Mark(end, open.Peek().Cell);
    }

    private void Mark(uint start, int cell)
    {
        if (_line.Count > 0 && _line[^1].Start == start) _line.RemoveAt(_line.Count - 1);
        if (_line.Count == 0 || _line[^1].Cell != cell) _line.Add(new(start, cell));
    }

    private GrantTable.Slot[] Devices(CompiledGrant[] onDevices)
    {
        if (onDevices.Length == 0) return [];
        Array.Sort(onDevices, static (one, other) => one.Place.Number.CompareTo(other.Place.Number));
        var slots = new GrantTable.Slot[(int)BitOperations.RoundUpToPowerOf2((uint)onDevices.Length * 2)];
        for (var index = 0; index < onDevices.Length;)
        {
            var (first, number) = (index, onDevices[index].Place.Number);
            while (index < onDevices.Length && onDevices[index].Place.Number == number) index++;
            var slot = GrantTable.Spread(number) & (slots.Length - 1);
            while (slots[slot].Number != 0) slot = (slot + 1) & (slots.Length - 1);
            slots[slot] = new(number, AddCell(-1, onDevices.AsSpan(first, index - first)));
        }

        return slots;
    }

    private int AddCell(int around, ReadOnlySpan<CompiledGrant> grants)
    {
        var (any, standard, conditional) = around < 0 ? (default, default, -1) : (_cells[around].Any, _cells[around].Default, _cells[around].Conditional);
        foreach (var grant in grants)
        {
            if (grant.IsConditional) continue;
            if (grant.Row.Accounts.Rule == AccountRule.Any) any |= grant.Permissions;
            else standard |= grant.Permissions;
        }

        var first = _conditions.Count;
        foreach (var grant in grants)
        {
            // What holds on every account at all times anyway needs no condition looked at.
            if (grant.IsConditional && !any.Covers(grant.Permissions)) AddCondition(grant, first);
        }

        var count = _conditions.Count - first;
        var cell = count > 0
            ? new GrantTable.Cell(any, standard, _cells.Count, conditional, first, count)
            : new GrantTable.Cell(any, standard, conditional, -1, 0, 0);
        if (count == 0)
        {
            // Few roles make few different cells: the smaller the table, the more of it stays in the processor's cache.
            var known = _cells.IndexOf(cell, Math.Max(0, _cells.Count - 32));
            if (known >= 0) return known;
        }

        _cells.Add(cell);
        return _cells.Count - 1;
    }

    private void AddCondition(CompiledGrant grant, int first)
    {
        var condition = grant.Condition;
        for (var index = first; index < _conditions.Count; index++)
        {
            if (_conditions[index] with { Permissions = condition.Permissions } != condition) continue;
            _conditions[index] = condition with { Permissions = condition.Permissions | _conditions[index].Permissions };
            return;
        }

        _conditions.Add(condition);
    }
}
