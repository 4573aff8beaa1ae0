using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Countersign.Server.Features.Identity;

/// <summary>
/// Makes guessing slow: by login with a growing wait, by address with a number of failures in a time. It counts logins that don't exist like
/// those that do, and forgets by time alone what strangers can see of it, so that its answers tell neither whether there is such an account nor whether it is
/// used. Where somebody was recognized lately, they are counted by themselves, so that strangers elsewhere don't keep them out. By the steady clock: one on the wall that is put right neither frees guessers nor shuts others out. In
/// memory and bounded; a restart forgets, which an attacker can't bring about.
/// </summary>
internal sealed class SignInThrottle(SignInLimits limits, TimeProvider time)
{
    /// <summary>Of those that asked for one thing, remembered: more than are good at once.</summary>
    private const int MostPlaces = 16;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Count> _logins = new(StringComparer.Ordinal);
    private readonly Dictionary<UInt128, Count> _addresses = [];

    /// <summary>Where logins were recognized, the newest last; a few each.</summary>
    private readonly Dictionary<string, Known[]> _known = new(StringComparer.Ordinal);

    /// <summary>Logins that are remembered right now.</summary>
    public int Remembered
    {
        get
        {
            lock (_lock) return _logins.Count;
        }
    }

    /// <summary>How long nothing is tried for this login from this source, not even the right password; zero: now is fine.</summary>
    public TimeSpan Wait(string login, IPAddress source)
    {
        var (now, key, place) = (time.GetTimestamp(), KeyOf(login), KeyOf(source));
        lock (_lock)
        {
            var wait = TimeSpan.Zero;
            var byLogin = PlaceOf(key, place, now) is var known and >= 0 ? _known[key][known].Count : _logins.GetValueOrDefault(key);
            if (Eased(byLogin, now).Failures is var failures && failures > limits.FreeFailures)
                wait = WaitAfter(failures) - time.GetElapsedTime(byLogin.Last, now);
            if (_addresses.TryGetValue(place, out var byAddress) && byAddress.Failures >= limits.FailuresPerAddress)
            {
                var rest = limits.AddressWindow - time.GetElapsedTime(byAddress.First, now);
                if (rest > wait) wait = rest;
            }

            return wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
        }
    }

    public void Failed(string login, IPAddress source)
    {
        var (now, key, place) = (time.GetTimestamp(), KeyOf(login), KeyOf(source));
        lock (_lock)
        {
            CountBoth(key, place, now);
            if (PlaceOf(key, place, now) is not (var known and >= 0)) return;
            ref var here = ref _known[key][known];
            here = here with { Count = OneMore(here.Count, now, IsForgotten(now), count => Eased(count, now)) };
        }
    }

    /// <summary>
    /// Somebody proved to be who the login says. Nothing is forgotten, which strangers would see, nor here, where strangers may share their address; but from here
    /// on they are not made to wait for what is tried elsewhere.
    /// </summary>
    public void Recognized(string login, IPAddress source)
    {
        var (now, key, place) = (time.GetTimestamp(), KeyOf(login), KeyOf(source));
        lock (_lock)
        {
            var count = PlaceOf(key, place, now) is var known and >= 0 ? _known[key][known].Count : _logins.GetValueOrDefault(key);
            var others = _known.GetValueOrDefault(key, []).Where(other => other.Address != place && IsLately(other, now));
            if (_known.Count >= limits.Remembered && !_known.ContainsKey(key)) MakeRoom(_known, places => !Array.Exists(places, one => IsLately(one, now)), places => (0, places[^1].Last));
            _known[key] = [.. others.TakeLast(MostPlaces - 1), new(place, now, count)];
        }
    }

    /// <summary>Something was asked for that is mailed. It counts like a failure, until it is known that whoever asked reads the mail.</summary>
    /// <param name="login">What it was asked for, in words of its own.</param>
    public void Asked(string login, IPAddress source)
    {
        var (now, key, place) = (time.GetTimestamp(), KeyOf(login), KeyOf(source));
        lock (_lock)
        {
            CountBoth(key, place, now);
            var asked = new Place(place, _addresses[place].First);
            ref var count = ref CollectionsMarshal.GetValueRefOrNullRef(_logins, key);
            count = count with { Asked = [.. (count.Asked ?? []).TakeLast(MostPlaces - 1), asked] };
        }
    }

    /// <summary>
    /// The mail was read: what was asked for is forgotten, also of the addresses that asked, so that many who share one don't shut one another out. Nobody was
    /// guessed at, and what else was counted there stays.
    /// </summary>
    public void Redeemed(string login)
    {
        lock (_lock)
        {
            if (!_logins.Remove(KeyOf(login), out var count)) return;
            foreach (var place in count.Asked ?? [])
            {
                if (!_addresses.TryGetValue(place.Address, out var there) || there.First != place.Begun) continue;
                if (there.Failures > 1) _addresses[place.Address] = there with { Failures = there.Failures - 1 };
                else _addresses.Remove(place.Address);
            }
        }
    }

    /// <summary>
    /// The login's failures are forgotten: only for what nobody but its person can try, since others would see that it was used. The address's are not: an attacker
    /// may have an account of their own.
    /// </summary>
    public void Succeeded(string login)
    {
        lock (_lock) _logins.Remove(KeyOf(login));
    }

    private TimeSpan WaitAfter(int failures)
    {
        var doublings = Math.Min(failures - limits.FreeFailures - 1, 30);
        var wait = limits.FirstWait * (1L << doublings);
        return wait < limits.LongestWait ? wait : limits.LongestWait;
    }

    private void CountBoth(string login, UInt128 source, long now)
    {
        CountOne(_logins, login, now, IsForgotten(now), count => Eased(count, now));
        CountOne(_addresses, source, now, last => time.GetElapsedTime(last.First, now) >= limits.AddressWindow, count => count);
    }

    /// <summary>Which of the places where the login was recognized lately it is; negative: none.</summary>
    private int PlaceOf(string login, UInt128 place, long now) =>
        Array.FindIndex(_known.GetValueOrDefault(login, []), one => one.Address == place && IsLately(one, now));

    private bool IsLately(Known place, long now) => time.GetElapsedTime(place.Last, now) < limits.KnownFor;

    private Predicate<Count> IsForgotten(long now) => last => time.GetElapsedTime(last.Last, now) > limits.Memory;

    /// <summary>Without those that time has taken off since.</summary>
    private Count Eased(Count count, long now)
    {
        var whole = (long)(time.GetElapsedTime(count.EasedFrom, now) / limits.Ease);
        return whole == 0 ? count : count with
        {
            Failures = (int)Math.Max(0, count.Failures - whole),
            EasedFrom = count.EasedFrom + (long)(whole * limits.Ease.TotalSeconds * time.TimestampFrequency),
        };
    }

    private void CountOne<TKey>(Dictionary<TKey, Count> counts, TKey key, long now, Predicate<Count> over, Func<Count, Count> eased)
        where TKey : notnull
    {
        if (counts.Count >= limits.Remembered && !counts.ContainsKey(key)) MakeRoom(counts, over, count => (count.Failures, count.Last));
        ref var count = ref CollectionsMarshal.GetValueRefOrAddDefault(counts, key, out _);
        count = OneMore(count, now, over, eased);
    }

    private static Count OneMore(Count count, long now, Predicate<Count> over, Func<Count, Count> eased)
    {
        var soFar = count.Failures == 0 || over(count) ? new(0, now, now) { EasedFrom = now } : eased(count);
        return soFar with { Failures = soFar.Failures + 1, Last = now };
    }

    /// <summary>
    /// First what is over, then down to nine tenths the least by <paramref name="weight"/>: those with the fewest failures, so that a flood of made-up logins pushes
    /// out its own, not the login that is really under attack. A tenth at once, so that the sorting costs little for each failure.
    /// </summary>
    private void MakeRoom<TKey, TValue>(Dictionary<TKey, TValue> entries, Predicate<TValue> over, Func<TValue, (int, long)> weight)
        where TKey : notnull
    {
        foreach (var (key, entry) in entries)
        {
            if (over(entry)) entries.Remove(key);
        }

        var excess = entries.Count - limits.Remembered * 9 / 10;
        if (excess <= 0) return;
        foreach (var (key, _) in entries.OrderBy(entry => weight(entry.Value)).Take(excess).ToList()) entries.Remove(key);
    }

    private static string KeyOf(string login) => login.Length <= 64 ? login : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(login)));

    /// <summary>One subscriber of IPv6 has at least a /64 (RFC 6177), so the lower half of the address says nothing.</summary>
    private static UInt128 KeyOf(IPAddress source)
    {
        Span<byte> bytes = stackalloc byte[16];
        (source.AddressFamily == AddressFamily.InterNetwork ? source.MapToIPv6() : source).TryWriteBytes(bytes, out _);
        if (!source.IsIPv4MappedToIPv6 && source.AddressFamily == AddressFamily.InterNetworkV6) bytes[8..].Clear();
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    /// <param name="First">As <see cref="TimeProvider.GetTimestamp"/>, like the last.</param>
    private readonly record struct Count(int Failures, long First, long Last)
    {
        /// <summary>From when the next failure that time takes off is reckoned.</summary>
        public long EasedFrom { get; init; }

        /// <summary>From where something was asked for that was not used; null: from nowhere.</summary>
        public Place[]? Asked { get; init; }
    }

    /// <param name="Begun">The first failure of the address then: whether it is the same count still.</param>
    private readonly record struct Place(UInt128 Address, long Begun);

    /// <param name="Last">When the login was recognized there last.</param>
    /// <param name="Count">Its failures there since, and those that were counted anywhere when it was recognized there first.</param>
    private readonly record struct Known(UInt128 Address, long Last, Count Count);
}
