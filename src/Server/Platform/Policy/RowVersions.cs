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
    /// <summary>Each change since is read: nobody holds up the one writer longer than that takes.</summary>
    public const int MostChangesSince = 10_000;

    /// <summary>The keys of all rows that were changed after the version.</summary>
    public static async Task<HashSet<RowKey>> TouchedAsync(CountersignDb db, long since, CancellationToken cancellation)
    {
        var touched = new HashSet<RowKey>();
        var deltas = db.Set<PolicyChange>().AsNoTracking().Where(row => row.Version > since).Select(row => row.Delta).AsAsyncEnumerable();
        await foreach (var delta in deltas.WithCancellation(cancellation)) touched.UnionWith(DeltaJson.Read(delta).Select(row => row.Key));
        return touched;
    }

    /// <summary>Who was before the caller, with one of the rows that the delta changes; null: nobody, or the caller does not say what they have read.</summary>
    public async Task<PolicyOutcome.Stale?> ChangedSinceAsync(
        CountersignDb db, PolicySnapshot policy, PolicyDelta delta, Caller caller, CancellationToken cancellation)
    {
        if (caller.Read is not { } read || read == policy.Version || delta.Changes.Count == 0) return null;

        // A version that is not reached yet was read before the database was restored: what it says is not known here.
        if (read > policy.Version || policy.Version - read > MostChangesSince) return new(null, null, policy.Version);
        var keys = delta.Changes.Select(change => change.Key).ToHashSet();
        var since = db.Set<PolicyChange>().AsNoTracking().Where(row => row.Version > read).OrderByDescending(row => row.Version).AsAsyncEnumerable();
        await foreach (var change in since.WithCancellation(cancellation))
        {
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
