using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Countersign.Access;
using Countersign.Server.Platform.Persistence;
using Countersign.Sessions;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Platform;

/// <summary>
/// The snapshots in force, one for each organization. Reading takes no lock. Loaded from the database at the start, so that a crash between
/// a commit and its swap is harmless.
/// </summary>
internal sealed partial class PolicySource(ILogger<PolicySource> log) : IPolicySource
{
    private readonly ConcurrentDictionary<OrganizationId, PolicySnapshot> _snapshots = new();
    private readonly Lock _listening = new();
    private Action<PolicySnapshot>[] _listeners = [];

    /// <summary>Every organization's snapshot, for questions asked before it is known whose they are.</summary>
    public IEnumerable<PolicySnapshot> All => _snapshots.Values;

    public PolicySnapshot? Current(OrganizationId organization) => _snapshots.GetValueOrDefault(organization);

    /// <summary>Logins are unique on the server. False also for a person who takes no part: the caller looks at the row.</summary>
    public bool TryFindLogin(string login, out OrganizationId organization, [NotNullWhen(true)] out PersonRow? person)
    {
        foreach (var snapshot in _snapshots.Values)
        {
            person = snapshot.PersonByLogin(login);
            if (person is null) continue;
            organization = snapshot.Organization;
            return true;
        }

        organization = default;
        person = null;
        return false;
    }

    public IDisposable OnChange(Action<PolicySnapshot> changed)
    {
        lock (_listening) _listeners = [.. _listeners, changed];
        return new Listening(this, changed);
    }

    /// <summary>Reads and compiles every organization's policy.</summary>
    /// <exception cref="PolicyDamagedException">Rows of one do not fit together, or name a time zone that this machine does not know.</exception>
    public async Task LoadAsync(Database database, CancellationToken cancellation)
    {
        await using var db = database.Open();
        foreach (var organization in await db.Set<Organization>().AsNoTracking().ToListAsync(cancellation))
        {
            var rows = await PolicyTables.LoadAsync(database, organization.Id, cancellation);
            var snapshot = Compile(organization, rows);
            _snapshots[organization.Id] = snapshot;
            LogLoaded(organization.Id, organization.Version, rows.Count);
        }
    }

    private static PolicySnapshot Compile(Organization organization, List<PolicyRow> rows)
    {
        try
        {
            return PolicySnapshot.Compile(organization.Id, organization.Version, rows);
        }
        catch (PolicyException error)
        {
            throw new PolicyDamagedException(
                $"The policy of {organization.Name} ({organization.Id}), version {organization.Version}, does not fit together: {error.Message.TrimEnd('.')}. Nothing was changed. "
                + "A time zone that this machine lacks comes with its time zone data (Debian: tzdata, old names: tzdata-legacy); anything else with a backup of the data directory.", error);
        }
    }

    /// <summary>Puts a committed snapshot in force and tells those who listen. Called by the writer only, in the order of versions.</summary>
    public void Swap(PolicySnapshot snapshot)
    {
        _snapshots[snapshot.Organization] = snapshot;
        foreach (var listener in Volatile.Read(ref _listeners))
        {
            try
            {
                listener(snapshot);
            }
            catch (Exception failure)
            {
                // The change is durable and in force: one listener's fault must neither undo that nor keep it from the other listeners.
                LogListenerFailed(failure, snapshot.Organization, snapshot.Version);
            }
        }
    }

    [LoggerMessage(1, LogLevel.Information, "Policy of organization {Organization} loaded: version {Version}, {Rows} rows")]
    private partial void LogLoaded(OrganizationId organization, long version, int rows);

    [LoggerMessage(2, LogLevel.Error, "A listener failed on policy of organization {Organization}, version {Version}")]
    private partial void LogListenerFailed(Exception failure, OrganizationId organization, long version);

    private sealed class Listening(PolicySource source, Action<PolicySnapshot> changed) : IDisposable
    {
        public void Dispose()
        {
            lock (source._listening) source._listeners = [.. source._listeners.Where(listener => listener != changed)];
        }
    }
}

/// <summary>Stored policy that was written by nobody's command: the database was changed by hand, or lost rows. The server does not start on it, so that nobody is let in by half of a policy.</summary>
public sealed class PolicyDamagedException(string message, Exception inner) : Exception(message, inner);
