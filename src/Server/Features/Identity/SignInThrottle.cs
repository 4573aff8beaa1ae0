using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Countersign.Server.Features.Identity;

/// <summary>
/// Makes guessing slow: by login with a growing wait, by address with a number of failures in a time. It counts logins that don't exist like
/// those that do, so that its answers tell nothing. By the steady clock: one on the wall that is put right neither frees guessers nor shuts others out. In
/// memory and bounded; a restart forgets, which an attacker can't bring about.
/// </summary>
internal sealed class SignInThrottle(SignInLimits limits, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Count> _logins = new(StringComparer.Ordinal);
    private readonly Dictionary<UInt128, Count> _addresses = [];

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
        var now = time.GetTimestamp();
        lock (_lock)
        {
            var wait = TimeSpan.Zero;
            if (_logins.TryGetValue(KeyOf(login), out var byLogin) && byLogin.Failures > limits.FreeFailures)
                wait = WaitAfter(byLogin.Failures) - time.GetElapsedTime(byLogin.Last, now);
            if (_addresses.TryGetValue(KeyOf(source), out var byAddress) && byAddress.Failures >= limits.FailuresPerAddress)
            {
                var rest = limits.AddressWindow - time.GetElapsedTime(byAddress.First, now);
                if (rest > wait) wait = rest;
            }

            return wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
        }
    }

    public void Failed(string login, IPAddress source)
    {
        var now = time.GetTimestamp();
        lock (_lock)
        {
            CountOne(_logins, KeyOf(login), now, last => time.GetElapsedTime(last.Last, now) > limits.Memory);
            CountOne(_addresses, KeyOf(source), now, last => time.GetElapsedTime(last.First, now) >= limits.AddressWindow);
        }
    }

    /// <summary>The login's failures are forgotten. The address's are not: an attacker may have an account of their own.</summary>
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

    private void CountOne<TKey>(Dictionary<TKey, Count> counts, TKey key, long now, Predicate<Count> over)
        where TKey : notnull
    {
        if (counts.Count >= limits.Remembered && !counts.ContainsKey(key)) MakeRoom(counts, over);
        ref var count = ref CollectionsMarshal.GetValueRefOrAddDefault(counts, key, out var known);
        if (!known || over(count)) count = new(0, now, now);
        count = count with { Failures = count.Failures + 1, Last = now };
    }

    /// <summary>
    /// First what is over, then down to nine tenths those with the fewest failures: a flood of made-up logins pushes out its own, not the login
    /// that is really under attack. A tenth at once, so that the sorting costs little for each failure.
    /// </summary>
    private void MakeRoom<TKey>(Dictionary<TKey, Count> counts, Predicate<Count> over)
        where TKey : notnull
    {
        foreach (var (key, count) in counts)
        {
            if (over(count)) counts.Remove(key);
        }

        var excess = counts.Count - limits.Remembered * 9 / 10;
        if (excess <= 0) return;
        foreach (var (key, _) in counts.OrderBy(entry => entry.Value.Failures).ThenBy(entry => entry.Value.Last).Take(excess).ToList()) counts.Remove(key);
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
    private readonly record struct Count(int Failures, long First, long Last);
}
