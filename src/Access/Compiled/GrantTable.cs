namespace Countersign.Access;

/// <summary>
/// What a set of grants gives where. Device groups are intervals of labels (<see cref="DeviceGroupNode.Start"/>), which lie inside or beside
/// each other; so a line of points where anything starts or ends says it all, and a directory of the line finds the place in one step.
/// Grants on single devices stand in a hash table beside it. Made when it is first asked, so that a change high up in the tree of technician
/// groups does not wait for the tables of all the groups below.
/// </summary>
/// <param name="above">Another table, whose grants are in this one too.</param>
internal sealed class GrantTable(GrantTable? above, CompiledGrant[] own)
{
    private readonly Lock _making = new();
    private Point[]? _line;
    private CompiledGrant[]? _sections;
    private int[] _directory = [];

    // The directory's length stands here, too: asking the array for it is one more wait for memory.
    private uint _lastStretch;
    private int _shift;
    private Cell[] _cells = [];
    private Condition[] _conditions = [];
    private Slot[] _devices = [];

    public static GrantTable Empty { get; } = new(null, []);

    public int Count { get; } = own.Length + (above?.Count ?? 0);

    /// <summary>Grants over sections, which no device is in.</summary>
    public CompiledGrant[] Sections => _sections ??= [.. above?.Sections ?? [], .. own.Where(grant => grant.IsOverSection)];

    public IEnumerable<CompiledGrant> Grants => above is null ? own : above.Grants.Concat(own);

    /// <summary>Adds what the grants give at the group with the label.</summary>
    public void GatherAt(uint label, ref Gathering gathering)
    {
        var line = Volatile.Read(ref _line) ?? Make();
        if (line.Length == 0) return;
        var place = _directory[Math.Min(label >> _shift, _lastStretch)];
        if (place < 0)
        {
            Add(~place, ref gathering);
            return;
        }

        while (place + 1 < line.Length && line[place + 1].Start <= label) place++;
        Add(line[place].Cell, ref gathering);
    }

    /// <summary>Adds what the grants on single devices give on the one with the number.</summary>
    public void GatherOn(int number, ref Gathering gathering)
    {
        if (Volatile.Read(ref _line) is null) Make();
        if (_devices.Length == 0) return;
        var mask = _devices.Length - 1;
        for (var slot = Spread(number) & mask; _devices[slot].Number != 0; slot = (slot + 1) & mask)
        {
            if (_devices[slot].Number != number) continue;
            Add(_devices[slot].Cell, ref gathering);
            return;
        }
    }

    private Point[] Make()
    {
        lock (_making)
        {
            if (_line is { } made) return made;
            GrantTableMaker.Make([.. Grants], out var line, out _cells, out _conditions, out _devices);
            if (line.Length > 0) (_directory, _shift) = Directory(line);
            _lastStretch = (uint)Math.Max(0, _directory.Length - 1);
            Volatile.Write(ref _line, line);
            return line;
        }
    }

    internal static int Spread(int number) => (int)((uint)number * 0x9E3779B1u >> 7);

    private void Add(int index, ref Gathering gathering)
    {
        ref readonly var cell = ref _cells[index];
        gathering.Always |= cell.Any;
        gathering.ByDefault |= cell.Default;
        for (var conditional = cell.Conditional; conditional >= 0; conditional = _cells[conditional].Above)
        {
            ref readonly var own = ref _cells[conditional];
            foreach (ref readonly var condition in _conditions.AsSpan(own.First, own.Count)) gathering.Add(condition);
        }
    }

    /// <summary>
    /// For each stretch of labels of equal length the last point at or before its beginning; or, where nothing begins inside of it, the
    /// complement of the cell, so that the line is not looked at.
    /// </summary>
    private static (int[] Directory, int Shift) Directory(Point[] line)
    {
        var last = line[^1].Start;
        var shift = 0;
        while (last >> shift > line.Length * 2L) shift++;
        var directory = new int[(last >> shift) + 1];
        for (int stretch = 0, place = 0; stretch < directory.Length; stretch++)
        {
            while (place + 1 < line.Length && line[place + 1].Start <= (uint)stretch << shift) place++;
            var next = place + 1 < line.Length ? line[place + 1].Start : uint.MaxValue;
            directory[stretch] = next >= (ulong)(stretch + 1) << shift || place + 1 == line.Length ? ~line[place].Cell : place;
        }

        return (directory, shift);
    }

    /// <summary>From this label on the cell holds.</summary>
    internal readonly record struct Point(uint Start, int Cell);

    /// <param name="Number">0: free.</param>
    internal readonly record struct Slot(int Number, int Cell);

    /// <param name="Any">What those without conditions give on any account, those of the scopes around included.</param>
    /// <param name="Default">On the default account, likewise.</param>
    /// <param name="Conditional">This cell, or the nearest one around it, that has conditions; -1: none.</param>
    /// <param name="Above">For a cell with conditions the next one around it that has some too; -1: none.</param>
    internal readonly record struct Cell(PermissionSet Any, PermissionSet Default, int Conditional, int Above, int First, int Count);
}

/// <summary>What depends on the instant or on the account's name.</summary>
/// <param name="Window">Null: always.</param>
/// <param name="Names">0: no names are given. Else a bit for each account name that has one; see <see cref="AccountNames"/>.</param>
/// <param name="Others">All names, if some of them have no bit.</param>
internal readonly record struct Condition(PermissionSet Permissions, Window? Window, AccountRule Rule, ulong Names, string[]? Others);

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

    /// <summary>Of <see cref="Here"/> what does not depend on the instant.</summary>
    public PermissionSet Timeless;

    /// <summary>From grants with conditions that hold, for any account that the device has.</summary>
    public PermissionSet Somewhere;

    /// <summary>The earliest instant at which a condition may turn; null: never.</summary>
    public DateTimeOffset? Next;

    /// <summary>Of which permission <see cref="Lasts"/> is told; empty: of none.</summary>
    public PermissionSet Sought;

    /// <summary>The latest end of conditions that hold and give what is sought for the account.</summary>
    public DateTimeOffset Lasts;

    public void Add(in Condition condition)
    {
        if (condition.Rule == AccountRule.Named && (condition.Names & _device.AccountBits) == 0 && !IsForOneOf(condition.Others)) return;
        if (condition.Window is { } window)
        {
            Next = Reach.Earlier(Next, window.NextChange(_at));
            if (!window.IsOpen(_at)) return;
        }

        Somewhere |= condition.Permissions;
        if (Sought.Intersects(condition.Permissions)) NoteEnd(condition);
        if (!IsForAccount(condition)) return;
        Here |= condition.Permissions;
        if (condition.Window is null) Timeless |= condition.Permissions;
    }

    private void NoteEnd(in Condition condition)
    {
        if (!IsForAccount(condition) && !Sought.Intersects(PermissionCatalogue.ForEveryAccount)) return;
        var end = condition.Window?.NextChange(_at) ?? DateTimeOffset.MaxValue;
        if (end > Lasts) Lasts = end;
    }

    private readonly bool IsForAccount(in Condition condition) => condition.Rule switch
    {
        AccountRule.Any => true,
        AccountRule.Default => _account.IsDefault,
        _ => (condition.Names & _account.Bit) != 0
            || (condition.Others is { } names && _account.Name is { } name && Array.IndexOf(names, name) >= 0),
    };

    private readonly bool IsForOneOf(string[]? names)
    {
        if (names is null) return false;
        foreach (var account in _device.Accounts)
        {
            if (Array.IndexOf(names, account.Name) >= 0) return true;
        }

        return false;
    }
}
