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
        var failures = 0;
        while (true)
        {
            var problem = await RoundAsync(destination, stopping);
            if (problem is null && failures > 0) LogGoesOn(destination.Name);
            if (problem is not null && failures == 0) LogStandsStill(destination.Name, problem);
            failures = problem is null ? 0 : failures + 1;
            var pause = failures == 0 ? _pause : TimeSpan.FromTicks(Math.Min(_pause.Ticks << Math.Min(failures, LongestExponent), _longestPause.Ticks));
            await Task.Delay(pause, time, stopping);
        }
    }

    /// <returns>Null: everything that is sealed was taken. Else what went wrong first; the logs of the other organizations have had their turn all the same.</returns>
    private async Task<string?> RoundAsync(IAuditDestination destination, CancellationToken stopping)
    {
        string? first = null;
        foreach (var organization in policy.All.Select(snapshot => snapshot.Organization).ToList())
        {
            try
            {
                while (await NextAsync(destination, organization, stopping) is { } batch)
                {
                    if (await destination.DeliverAsync(batch, json.Value.SerializerOptions, stopping) is { } problem)
                    {
                        first ??= problem;
                        break;
                    }

                    await queue.WriteAsync(organization, (db, stop) => NoteAsync(db, destination, batch.Last, stop), stopping);
                }
            }
            catch (Exception failure) when (!stopping.IsCancellationRequested)
            {
                // The database or the disk, a record that was spoilt there, or what nobody has thought of: that must not end the server. Nothing is passed over, and the
                // next round tries again.
                LogFailed(failure, destination.Name, organization);
                first ??= "the log can't be read, or how far it was sent can't be written down";
            }
        }

        return first;
    }

    /// <summary>Null: it has taken everything that is sealed.</summary>
    private async Task<StreamedBatch?> NextAsync(IAuditDestination destination, OrganizationId organization, CancellationToken cancellation)
    {
        await using var db = database.Read(organization);
        var name = destination.Name;
        var taken = await db.Set<AuditStreamPosition>().Where(row => row.Destination == name).Select(row => (long?)row.Number).SingleOrDefaultAsync(cancellation) ?? 0;
        var found = db.Set<AuditSeal>().AsNoTracking()
            .Where(seal => seal.Number > taken)
            .Join(db.Set<AuditRecord>().AsNoTracking(), seal => seal.Record, record => record.Id, (seal, record) => new { Seal = seal, Record = record })
            .OrderBy(row => row.Seal.Number)
            .Take(MostRecords);
        var (records, bytes) = (new List<AuditAnswer>(), 0);
        await foreach (var row in found.AsAsyncEnumerable().WithCancellation(cancellation))
        {
            bytes += row.Record.Details.Length;
            if (records.Count > 0 && bytes > destination.MostBytes) break;
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
}
