namespace Countersign.Access;

/// <summary>
/// What many rows of a policy say alike, read once; it changes no answer. It grows while one version is made and never again: the next version has one of its
/// own that goes on from this one, so that a plan that comes to nothing leaves nothing behind.
/// </summary>
internal sealed class PolicyPool
{
    private const int MostHours = 1000;

    private Dictionary<string, WeeklyHours> _hours;
    private bool _areHoursShared;

    private PolicyPool(Dictionary<string, WeeklyHours> hours, AccountNames accountNames)
    {
        (_hours, _areHoursShared) = (hours, true);
        AccountNames = accountNames;
    }

    public static PolicyPool Empty { get; } = new(new(StringComparer.Ordinal), new([]));

    public AccountNames AccountNames { get; }

    /// <summary>For the version after.</summary>
    public PolicyPool Next() => new(_hours, AccountNames.Next());

    /// <returns>Null: the text is not of the form, or its time zone is not known.</returns>
    public WeeklyHours? Hours(string text, out string problem)
    {
        problem = "";
        if (_hours.TryGetValue(text, out var known)) return known;
        if (!WeeklyHours.TryParse(text, out var hours, out problem)) return null;
        if (_hours.Count >= MostHours) return hours;
        if (_areHoursShared) (_hours, _areHoursShared) = (new(_hours, StringComparer.Ordinal), false);
        _hours.Add(text, hours);
        return hours;
    }
}

/// <summary>
/// Gives the account names that a policy speaks of a bit each, as far as 64 bits go: few names stand on many devices, and comparing bits costs
/// nothing where comparing names would fetch each from memory. Names beyond have none and are compared as they are. It grows as <see cref="PolicyPool"/> does.
/// </summary>
internal sealed class AccountNames(string[] names)
{
    private const int Most = 64;

    private string[] _names = names;

    public AccountNames Next() => new(_names);

    /// <returns>0: there is no bit left for it.</returns>
    public ulong BitOf(string name)
    {
        if (KnownBitOf(name) is not 0 and var known) return known;
        if (_names.Length == Most) return 0;
        _names = [.. _names, name];
        return 1UL << (_names.Length - 1);
    }

    /// <returns>0: it has none.</returns>
    public ulong KnownBitOf(string name)
    {
        var place = Array.IndexOf(_names, name);
        return place >= 0 ? 1UL << place : 0;
    }

    public ulong BitsOf(ReadOnlySpan<string> names, out bool haveAll)
    {
        var bits = 0UL;
        haveAll = true;
        foreach (var name in names)
        {
            var bit = BitOf(name);
            bits |= bit;
            if (bit == 0) haveAll = false;
        }

        return bits;
    }
}
