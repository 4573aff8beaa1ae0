using System.Data.Common;
using System.Text.Json.Nodes;
using Countersign.Access;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Platform;

/// <summary>
/// Writes down what was refused again and again: the first time at once, what follows within the minute as one record with a count, so that a flood
/// makes a few records and not thousands. Noting one takes no time, and the same for each.
/// </summary>
/// <remarks>
/// Refusals are alike when everything in their entries is. Whoever varies them, trying one name after the other, gets a record for each of the first
/// <see cref="MostOfSource"/> within the minute; the rest are counted together.
/// </remarks>
internal sealed partial class RepeatedRefusals(WriteQueue queue, AuditLog audit, TimeProvider time, ILogger<RepeatedRefusals> log) : BackgroundService
{
    /// <summary>Different refusals of one person, kind and address within a minute that are told apart.</summary>
    public const int MostOfSource = 20;

    /// <summary>Beyond, refusals are counted together, without whose they are and from where.</summary>
    private const int MostKinds = 4096;

    private static readonly TimeSpan _window = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _flushing = new(1);
    private readonly Dictionary<Kind, Tally> _tallies = [];
    private readonly Dictionary<Kind, int> _ofSource = [];

    /// <summary>Counts one; the first is written within a second.</summary>
    /// <param name="organization">Default: it belongs to none, and is only logged.</param>
    public void Note(OrganizationId organization, AuditEntry entry) => Count(organization, entry, out _);

    /// <summary>True: it is the first, and the unit writes this entry now. False: it is counted. Where nothing of the unit is stored, it is written later.</summary>
    public bool IsFirst(WriteUnit unit, OrganizationId organization, ref AuditEntry entry)
    {
        if (TakeFirst(organization, ref entry) is not var (kind, count)) return false;
        unit.Undone += () => PutBack(kind, count);
        return true;
    }

    /// <summary>Writes the first at once, and returns once it is durable; another one is counted.</summary>
    /// <exception cref="DbUpdateException">It could not be written, and is later.</exception>
    public async Task WriteFirstAsync(OrganizationId organization, AuditEntry entry, CancellationToken cancellation)
    {
        if (TakeFirst(organization, ref entry) is not var (kind, count)) return;
        var isWritten = false;
        try
        {
            await queue.AppendAsync(organization, db => audit.Add(db, entry), cancellation);
            isWritten = true;
        }
        finally
        {
            if (!isWritten) PutBack(kind, count);
        }
    }

    /// <summary>Writes what is new and what has waited for a minute; returns once all that was noted before is durable.</summary>
    public Task FlushAsync(CancellationToken cancellation) => FlushAsync(time.GetUtcNow() - _window, cancellation);

    public override void Dispose()
    {
        _flushing.Dispose();
        base.Dispose();
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await FlushAsync(DateTimeOffset.MaxValue, cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        // What was taken out to be written is written, also while the server stops.
        while (await timer.WaitForNextTickAsync(stoppingToken)) await FlushAsync(CancellationToken.None);
    }

    private Tally Count(OrganizationId organization, AuditEntry entry, out Kind kind)
    {
        var now = time.GetUtcNow();
        kind = Kind.Of(organization, entry);
        lock (_lock)
        {
            if (!_tallies.ContainsKey(kind) && _ofSource.GetValueOrDefault(kind.Source()) >= MostOfSource) kind = kind.Source();
            var tally = Tallied(ref kind, now);
            tally.Count++;
            tally.Last = now;
            return tally;
        }
    }

    private Tally Tallied(ref Kind kind, DateTimeOffset now)
    {
        if (_tallies.Count >= MostKinds && !_tallies.ContainsKey(kind)) kind = kind.Flood();
        if (_tallies.TryGetValue(kind, out var tally)) return tally;
        _tallies.Add(kind, tally = new(now));
        _ofSource[kind.Source()] = _ofSource.GetValueOrDefault(kind.Source()) + 1;
        return tally;
    }

    /// <summary>Null: the first of them is written, or about to be.</summary>
    private (Kind Kind, int Count)? TakeFirst(OrganizationId organization, ref AuditEntry entry)
    {
        var now = time.GetUtcNow();
        lock (_lock)
        {
            var tally = Count(organization, entry, out var kind);
            if (tally.FirstIsWritten) return null;
            var count = tally.Count;
            (tally.FirstIsWritten, tally.Count) = (true, 0);
            entry = Entry(kind, tally, count, now) with { Correlation = entry.Correlation };
            return (kind, count);
        }
    }

    /// <summary>They were taken to be written and could not be: the next look tries again.</summary>
    private void PutBack(Kind kind, int count)
    {
        lock (_lock)
        {
            var tally = Tallied(ref kind, time.GetUtcNow());
            tally.Count += count;
            tally.FirstIsWritten = false;
        }
    }

    /// <param name="begunBefore">Windows that began earlier are closed.</param>
    private async Task FlushAsync(DateTimeOffset begunBefore, CancellationToken cancellation)
    {
        await _flushing.WaitAsync(cancellation);
        try
        {
            await WriteAsync(TakeDue(begunBefore), cancellation);
        }
        finally
        {
            _flushing.Release();
        }
    }

    private List<(Kind Kind, int Count, AuditEntry Entry)> TakeDue(DateTimeOffset begunBefore)
    {
        List<(Kind Kind, int Count, AuditEntry Entry)> due = [];
        lock (_lock)
        {
            foreach (var (kind, tally) in _tallies)
            {
                var isOver = tally.Begun <= begunBefore;
                if (tally.Count > 0 && (isOver || !tally.FirstIsWritten)) due.Add((kind, tally.Count, Entry(kind, tally, tally.Count, tally.Last)));
                if (isOver)
                {
                    _tallies.Remove(kind);
                    if (--_ofSource[kind.Source()] == 0) _ofSource.Remove(kind.Source());
                }
                else if (!tally.FirstIsWritten)
                {
                    (tally.FirstIsWritten, tally.Count) = (true, 0);
                }
            }
        }

        return due;
    }

    private async Task WriteAsync(List<(Kind Kind, int Count, AuditEntry Entry)> due, CancellationToken cancellation)
    {
        foreach (var organization in due.GroupBy(refusal => refusal.Kind.Organization))
        {
            if (organization.Key == default)
            {
                foreach (var (kind, count, entry) in organization) LogNobodys(kind.Name, entry.Source, entry.Channel, count);
                continue;
            }

            try
            {
                await queue.AppendAsync(
                    organization.Key,
                    db =>
                    {
                        foreach (var (_, _, entry) in organization) audit.Add(db, entry);
                    },
                    cancellation);
            }
            catch (Exception failure) when (failure is DbException or DbUpdateException)
            {
                // A full disk must not end the server by way of this bookkeeping. Nobody gets in meanwhile: a success without a record is none.
                LogNotWritten(failure, organization.Sum(refusal => refusal.Count));
                foreach (var (kind, count, _) in organization) PutBack(kind, count);
            }
        }
    }

    private static AuditEntry Entry(Kind kind, Tally tally, int count, DateTimeOffset last)
    {
        var details = (JsonObject)JsonNode.Parse(kind.Details)!;
        details["count"] = count;
        details["last"] = last.UtcDateTime.ToString("O");
        return new()
        {
            Kind = kind.Name,
            Actor = kind.Actor,
            ActorLogin = kind.ActorLogin,
            Channel = kind.Channel,
            Source = kind.Address,
            Subject = kind.Subject,
            SubjectId = kind.SubjectId,
            Outcome = AuditOutcome.Refused,
            Details = details,
        };
    }

    [LoggerMessage(1, LogLevel.Information, "{Kind} of an organization that is not known: from {Source} by {Channel}, {Count} times")]
    private partial void LogNobodys(string kind, System.Net.IPAddress? source, string channel, int count);

    [LoggerMessage(2, LogLevel.Error, "{Count} refusals could not be written down; it is tried again")]
    private partial void LogNotWritten(Exception failure, int count);

    /// <summary>What is alike. The details as their text.</summary>
    private sealed record Kind(
        OrganizationId Organization, string Name, PersonId? Actor, string ActorLogin, string Channel, System.Net.IPAddress? Address, string Subject, Guid? SubjectId, string Details)
    {
        public static Kind Of(OrganizationId organization, AuditEntry entry) => new(
            organization, entry.Kind, entry.Actor, entry.ActorLogin, entry.Channel, entry.Source, entry.Subject, entry.SubjectId, entry.Details.ToJsonString());

        /// <summary>All that one person at one address is refused in one kind of thing.</summary>
        public Kind Source() => this with { Subject = "", SubjectId = null, Details = "{\"various\":true}" };

        public Kind Flood() => Source() with { Actor = null, ActorLogin = "", Address = null };
    }

    private sealed class Tally(DateTimeOffset begun)
    {
        public DateTimeOffset Begun { get; } = begun;

        public DateTimeOffset Last { get; set; } = begun;

        /// <summary>Not yet written.</summary>
        public int Count { get; set; }

        public bool FirstIsWritten { get; set; }
    }
}
