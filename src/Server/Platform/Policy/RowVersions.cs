using Countersign.Access;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Platform;

/// <summary>
/// Which rows were changed since a version of policy. Rows have no versions of their own: every change is stored with the rows that it changed, and
/// that says all that is asked for here.
/// </summary>
internal sealed class RowVersions(TimeProvider time)
{
    /// <summary>Of changes since, in characters as they are stored: a few large imports are as much to read as thousands of small changes.</summary>
    public const int MostReadSince = 64 * 1024 * 1024;

    /// <summary>Each change since is read, before it is the writer's turn; on the writer only those that came meanwhile.</summary>
    public const int MostChangesSince = 10_000;

    /// <summary>Who was before the caller, with one of the rows; null: nobody, or the caller does not say what they have read.</summary>
    /// <param name="since">The version that the caller has read, or up to which it was compared already.</param>
    public async Task<PolicyOutcome.Stale?> ChangedSinceAsync(
        CountersignDb db, PolicySnapshot policy, IReadOnlySet<RowKey> keys, Caller caller, long? since, CancellationToken cancellation)
    {
        if (since is not { } read || read == policy.Version || keys.Count == 0) return null;

        // A version that is not reached yet was read before the database was restored: what it says is not known here.
        if (read > policy.Version || policy.Version - read > MostChangesSince) return new(null, null, policy.Version);
        var later = db.Set<PolicyChange>().AsNoTracking().Where(row => row.Version > read).OrderByDescending(row => row.Version).AsAsyncEnumerable();
        var left = MostReadSince;
        await foreach (var change in later.WithCancellation(cancellation))
        {
            if ((left -= change.Delta.Length) < 0) return new(null, null, policy.Version);
            if (DeltaJson.Read(change.Delta).Any(row => keys.Contains(row.Key))) return new(NameOf(policy, change.Actor, caller), change.At, policy.Version);
        }

        return null;
    }

    private string NameOf(PolicySnapshot policy, PersonId actor, Caller caller)
    {
        if (actor == caller.Person) return "yourself";
        if (policy.Person(actor) is not { } person) return "somebody who has left";
        return policy.MaySeePerson(caller.Person, actor, time.GetUtcNow()) ? person.Name : "an administrator";
    }
}

/// <summary>Which of some rows were changed after a version. Reads on from where it was, so that on the writer it reads what came since it was asked before.</summary>
/// <param name="since">The version.</param>
/// <param name="rows">Those that are asked about; nothing is kept of others.</param>
/// <param name="most">Characters of stored changes that are read.</param>
internal sealed class TouchedRows(long since, IReadOnlySet<RowKey> rows, int most = RowVersions.MostReadSince)
{
    private readonly HashSet<RowKey> _touched = [];
    private long _upTo = since;
    private int _left = most;

    /// <summary>
    /// Those that were changed up to the version, also where they look the same again. Nothing is read once all of them were. Null: what came since is
    /// more than is read.
    /// </summary>
    public async Task<IReadOnlySet<RowKey>?> ReadOnAsync(CountersignDb db, long version, CancellationToken cancellation)
    {
        var from = _upTo;
        var later = db.Set<PolicyChange>().AsNoTracking().Where(row => row.Version > from && row.Version <= version).OrderByDescending(row => row.Version).Select(row => row.Delta).AsAsyncEnumerable();
        await foreach (var delta in later.WithCancellation(cancellation))
        {
            if ((_left -= delta.Length) < 0) return null;
            _touched.UnionWith(DeltaJson.Read(delta).Select(change => change.Key).Where(rows.Contains));
            if (_touched.Count == rows.Count) break;
        }

        _upTo = Math.Max(from, version);
        return _touched.ToHashSet();
    }
}
