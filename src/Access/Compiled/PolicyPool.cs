using System.Collections.Concurrent;

namespace Countersign.Access;

/// <summary>What many rows of a policy say alike, read once. It only ever grows, up to a bound, and changes no answer.</summary>
internal sealed class PolicyPool
{
    private const int MostHours = 1000;

    private readonly ConcurrentDictionary<string, WeeklyHours> _hours = new(StringComparer.Ordinal);

    public AccountNames AccountNames { get; } = new();

    /// <returns>Null: the text is not of the form.</returns>
    public WeeklyHours? Hours(string text, out string problem)
    {
        problem = "";
        if (_hours.TryGetValue(text, out var known)) return known;
        if (!WeeklyHours.TryRead(text, out var hours, out problem)) return null;
        return _hours.Count < MostHours ? _hours.GetOrAdd(text, hours) : hours;
    }
}

/// <summary>
/// Gives the account names that a policy speaks of a bit each, as far as 64 bits go: few names stand on many devices, and comparing bits costs
/// nothing where comparing names would fetch each from memory. Versions of one policy share it; it only ever grows.
/// </summary>
internal sealed class AccountNames
{
    private readonly Lock _growing = new();
    private volatile string[] _names = [];

    /// <returns>0: there is no bit left for it.</returns>
    public ulong BitOf(string name)
    {
        var place = Array.IndexOf(_names, name);
        return place >= 0 ? 1UL << place : Grow(name);
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

    private ulong Grow(string name)
    {
        lock (_growing)
        {
            var place = Array.IndexOf(_names, name);
            if (place < 0 && _names.Length < 64)
            {
                place = _names.Length;
                _names = [.. _names, name];
            }

            return place >= 0 ? 1UL << place : 0;
        }
    }
}
