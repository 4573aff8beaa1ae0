using Countersign.Access;
using Countersign.Sessions;

namespace Countersign.Server.Features.Requests;

/// <summary>The connections of this process that wait for a request, and what they are told when it is decided.</summary>
internal sealed class WaitingConnections
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(OrganizationId Organization, long Number), Entry> _entries = [];
    private bool _stopped;

    /// <summary>One connection more. Called on the writer, so that no decision comes between the request's row and this.</summary>
    public Task<ApprovalOutcome> Enter(OrganizationId organization, long number)
    {
        lock (_gate)
        {
            if (_stopped) return Task.FromResult(Stopping);
            if (!_entries.TryGetValue((organization, number), out var entry)) _entries.Add((organization, number), entry = new());
            entry.Connections++;
            return entry.Outcome.Task;
        }
    }

    /// <summary>One less. True: it was the last of a request that is not decided, and the server goes on.</summary>
    public bool Leave(OrganizationId organization, long number)
    {
        lock (_gate)
        {
            if (_stopped || !_entries.TryGetValue((organization, number), out var entry) || --entry.Connections > 0) return false;
            _entries.Remove((organization, number));
            return true;
        }
    }

    public bool Has(OrganizationId organization, long number)
    {
        lock (_gate) return _entries.ContainsKey((organization, number));
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

    private sealed class Entry
    {
        public int Connections { get; set; }

        public TaskCompletionSource<ApprovalOutcome> Outcome { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
