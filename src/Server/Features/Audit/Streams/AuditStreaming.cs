using Countersign.Access;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Countersign.Server.Features.Audit;

/// <summary>
/// Carries each organization's log to the destinations that the operator has named, record by record in the order of its numbers, from the first one on:
/// each at least once. What a destination has taken is written down when it has said so; a server that dies in between sends it again.
/// </summary>
internal sealed partial class AuditStreaming(
    IEnumerable<IAuditDestination> destinations, WriteQueue queue, Database database, PolicySource policy, IOptions<JsonOptions> json, TimeProvider time, ILogger<AuditStreaming> log)
    : BackgroundService
{
    private const int MostRecords = 200;
    private const int LongestExponent = 9;

    /// <summary>Records are sealed twice a second.</summary>
    private static readonly TimeSpan _pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _longestPause = TimeSpan.FromMinutes(5);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(destinations.Select(destination => Task.Run(() => CarryAsync(destination, stoppingToken), stoppingToken)));

    private async Task CarryAsync(IAuditDestination destination, CancellationToken stopping)
    {
        var places = new Dictionary<OrganizationId, Place>();
        var look = Task.CompletedTask;
        var standsStill = false;
        while (true)
        {
            var isTimeToLook = look.IsCompleted;
            if (isTimeToLook) look = Task.Delay(_pause, time, stopping);
            var (problem, hasMore) = await TurnAsync(destination, places, isTimeToLook, stopping);
            if (problem is not null && !standsStill) LogStandsStill(destination.Name, problem);
            var stood = standsStill;
            standsStill = places.Values.Any(place => place.Failures > 0);
            if (stood && !standsStill) LogGoesOn(destination.Name);
            if (!hasMore) await look;
        }
    }

    /// <summary>One batch of each organization, so that none that has much to carry keeps the others waiting.</summary>
    /// <param name="looksAtAll">Also at those that had nothing more the last time.</param>
    /// <returns>What went wrong first, and whether there may be more to carry at once.</returns>
    private async Task<(string? Problem, bool HasMore)> TurnAsync(
        IAuditDestination destination, Dictionary<OrganizationId, Place> places, bool looksAtAll, CancellationToken stopping)
    {
        string? first = null;
        var hasMore = false;
        foreach (var organization in policy.All.Select(snapshot => snapshot.Organization).ToList())
        {
            if (!places.TryGetValue(organization, out var place)) places.Add(organization, place = new());
            if (!place.Rest.IsCompleted || !(looksAtAll || place.MayHaveMore)) continue;
            var problem = await CarryNextAsync(destination, organization, place, stopping);
            if (problem is null)
            {
                place.Failures = 0;
                hasMore |= place.MayHaveMore;
                continue;
            }

            first ??= problem;
            place.MayHaveMore = false;
            place.Failures++;
            place.Rest = Task.Delay(TimeSpan.FromTicks(Math.Min(_pause.Ticks << Math.Min(place.Failures, LongestExponent), _longestPause.Ticks)), time, stopping);
        }

        return (first, hasMore);
    }

    /// <returns>Null: it was taken, or there is nothing. Else what went wrong.</returns>
    private async Task<string?> CarryNextAsync(IAuditDestination destination, OrganizationId organization, Place place, CancellationToken stopping)
    {
        try
        {
            var batch = await NextAsync(destination, organization, place.OnItsWay, stopping);
            place.MayHaveMore = (batch ?? (object?)place.OnItsWay) is not null;
            place.OnItsWay = batch?.Last;
            if (batch is null) return null;
            if (await destination.DeliverAsync(batch, json.Value.SerializerOptions, stopping) is { } problem) return problem;
            await queue.WriteAsync(organization, (db, stop) => NoteAsync(db, destination, batch.Last, stop), stopping);
            place.OnItsWay = null;
            return null;
        }
        catch (Exception failure) when (!stopping.IsCancellationRequested)
        {
            // The database or the disk, a record that was spoilt there, or what nobody has thought of: that must not end the server. Nothing is passed over, and it is
            // tried again.
            LogFailed(failure, destination.Name, organization);
            return "the log can't be read, or how far it was sent can't be written down";
        }
    }

    /// <summary>Null: it has taken everything that is sealed.</summary>
    /// <param name="through">The last number of a batch that has been sent already, and comes again as it was; null: there is none.</param>
    private async Task<StreamedBatch?> NextAsync(IAuditDestination destination, OrganizationId organization, long? through, CancellationToken cancellation)
    {
        await using var db = database.Read(organization);
        var name = destination.Name;
        var taken = await db.Set<AuditStreamPosition>().Where(row => row.Destination == name).Select(row => (long?)row.Number).SingleOrDefaultAsync(cancellation) ?? 0;
        var found = db.Set<AuditSeal>().AsNoTracking()
            .Where(seal => seal.Number > taken && (through == null || seal.Number <= through))
            .Join(db.Set<AuditRecord>().AsNoTracking(), seal => seal.Record, record => record.Id, (seal, record) => new { Seal = seal, Record = record })
            .OrderBy(row => row.Seal.Number)
            .Take(MostRecords);
        var (records, bytes) = (new List<AuditAnswer>(), 0);
        await foreach (var row in found.AsAsyncEnumerable().WithCancellation(cancellation))
        {
            bytes += row.Record.Details.Length;
            if (through is null && records.Count > 0 && bytes > destination.MostBytes) break;
            records.Add(AuditAnswer.Of(row.Record, row.Seal.Number, SealedForm.Erased(row.Seal.Openings)));
        }

        return records.Count == 0 ? null : new(organization, records);
    }

    private static async Task NoteAsync(CountersignDb db, IAuditDestination destination, long number, CancellationToken cancellation)
    {
        var name = destination.Name;
        if (await db.Set<AuditStreamPosition>().SingleOrDefaultAsync(row => row.Destination == name, cancellation) is { } position) position.Number = number;
        else db.Add(new AuditStreamPosition { OrganizationId = db.Organization, Destination = name, Number = number });
    }

    [LoggerMessage(1, LogLevel.Warning, "The audit log is not carried on to the {Destination}: {Problem}. It is tried again until it is taken")]
    private partial void LogStandsStill(string destination, string problem);

    [LoggerMessage(2, LogLevel.Information, "The audit log is carried on to the {Destination} again")]
    private partial void LogGoesOn(string destination);

    [LoggerMessage(3, LogLevel.Error, "The audit log of organization {Organization} could not be carried on to the {Destination}")]
    private partial void LogFailed(Exception failure, string destination, OrganizationId organization);

    /// <summary>How far one organization's log has come at one destination.</summary>
    private sealed class Place
    {
        /// <summary>The last number of the batch that was sent and of which it is not written down that it was taken. It comes again with the same records, also where only the answer was lost.</summary>
        public long? OnItsWay { get; set; }

        /// <summary>In a row.</summary>
        public int Failures { get; set; }

        /// <summary>Not tried before this is over.</summary>
        public Task Rest { get; set; } = Task.CompletedTask;

        public bool MayHaveMore { get; set; }
    }
}
