using Countersign.Access;
using Countersign.Sessions;

namespace Countersign.Server.Features.Requests;

/// <summary>The connections of this process that wait for a request, and what they are told when it is decided.</summary>
internal sealed class WaitingConnections
{
    /// <summary>Connections that wait for one request at once.</summary>
    public const int Most = 256;

    private readonly Lock _gate = new();
    private readonly Dictionary<(OrganizationId Organization, long Number), Entry> _entries = [];
    private bool _stopped;

    /// <summary>One connection more. Called on the writer, so that no decision comes between the request's row and this.</summary>
    /// <param name="tell">Called with lines for the person until they leave.</param>
    public (Place Place, Task<ApprovalOutcome> Outcome) Enter(OrganizationId organization, long number, Action<string> tell)
    {
        lock (_gate)
        {
            if (!_entries.TryGetValue((organization, number), out var entry)) entry = new();
            var place = new Place(this, (organization, number), entry, tell);
            if (_stopped) return (place, Task.FromResult(Stopping));
            _entries[(organization, number)] = entry;
            entry.Places.Add(place);
            return (place, entry.Outcome.Task);
        }
    }

    public bool Has(OrganizationId organization, long number)
    {
        lock (_gate) return _entries.ContainsKey((organization, number));
    }

    public bool IsFull(OrganizationId organization, long number) => Count(organization, number) >= Most;

    /// <summary>How many connections wait for the request.</summary>
    public int Count(OrganizationId organization, long number)
    {
        lock (_gate) return _entries.TryGetValue((organization, number), out var entry) ? entry.Places.Count : 0;
    }

    /// <summary>They go on waiting.</summary>
    public void Note(OrganizationId organization, long number, string line)
    {
        Place[] places;
        lock (_gate)
        {
            if (!_entries.TryGetValue((organization, number), out var entry)) return;
            places = [.. entry.Places];
        }

        foreach (var place in places) place.Tell(line);
    }

    public void Tell(OrganizationId organization, long number, ApprovalOutcome outcome)
    {
        Entry? entry;
        lock (_gate) _entries.Remove((organization, number), out entry);
        entry?.Outcome.TrySetResult(outcome);
    }

    /// <summary>Sends everybody away. Their requests go on waiting, and whoever comes back joins them.</summary>
    public void Stop()
    {
        List<Entry> entries;
        lock (_gate)
        {
            _stopped = true;
            entries = [.. _entries.Values];
            _entries.Clear();
        }

        foreach (var entry in entries) entry.Outcome.TrySetResult(Stopping);
    }

    private static ApprovalOutcome Stopping { get; } = new(Approved: false, "the gateway is stopping; the request goes on waiting, connect again later");

    /// <summary>One connection's.</summary>
    internal sealed class Place(WaitingConnections waiting, (OrganizationId Organization, long Number) request, Entry entry, Action<string> tell)
    {
        public void Tell(string line) => tell(line);

        /// <summary>True: it was the last of a request that is not decided, and the server goes on.</summary>
        public bool Leave()
        {
            lock (waiting._gate)
            {
                entry.Places.Remove(this);
                if (waiting._stopped || entry.Places.Count > 0 || waiting._entries.GetValueOrDefault(request) != entry) return false;
                return waiting._entries.Remove(request);
            }
        }
    }

    internal sealed class Entry
    {
        public HashSet<Place> Places { get; } = [];

        public TaskCompletionSource<ApprovalOutcome> Outcome { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
