using System.Data.Common;
using System.Text.Json.Nodes;
using Countersign.Access;
using Countersign.Server.Features.Sessions;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Countersign.Sessions.Recording;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Recordings;

/// <summary>
/// Keeps files and rows in step: every hour it deletes what is older than the organization keeps, and removes the files of what is deleted already.
/// At start it also looks for recordings that should be there and are not: those are evidence that was lost, and are written down as such.
/// </summary>
internal sealed partial class RecordingKeeper(
    PolicySource policy, Database database, WriteQueue queue, AuditLog audit, RecordingStore store, RecordingRemoval removal, TimeProvider time, ILogger<RecordingKeeper> log)
    : BackgroundService
{
    public static readonly TimeSpan Rest = TimeSpan.FromHours(1);

    private const int Batch = 500;
    private const int MostNamed = 20;

    /// <summary>One look, at every organization.</summary>
    public async Task LookAsync(CancellationToken cancellation)
    {
        foreach (var snapshot in policy.All)
        {
            if (snapshot.RecordingRetention is { } retention && await removal.RemoveOldAsync(snapshot.Organization, retention, cancellation) is > 0 and var removed)
                LogRemoved(removed, snapshot.Organization, (int)retention.TotalDays);
            await RemoveStraysAsync(snapshot.Organization, cancellation);
        }
    }

    /// <summary>Files that are missing. Once, at start: it looks at every recording.</summary>
    public async Task FindMissingAsync(CancellationToken cancellation)
    {
        foreach (var organization in policy.All.Select(snapshot => snapshot.Organization).ToList())
        {
            var (count, named) = (0, new JsonArray());
            await foreach (var row in RecordedSessions.AllKeptAsync(database, organization, cancellation))
            {
                if (store.Has(organization, new(row.Id))) continue;
                count++;
                if (named.Count < MostNamed) named.Add((JsonNode)row.Id.ToString());
            }

            if (count == 0) continue;
            LogMissing(count, organization);
            await queue.AppendAsync(
                organization,
                db => audit.Add(db, new AuditEntry
                {
                    Kind = "recording.missing",
                    Channel = "system",
                    Outcome = AuditOutcome.Failed,
                    Details = new JsonObject { ["count"] = count, ["sessions"] = named.DeepClone() },
                }),
                cancellation);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Off the start of the server, which waits for the first pause of each service.
        await Task.Yield();
        var first = true;
        while (true)
        {
            try
            {
                await LookAsync(stoppingToken);
                if (first) await FindMissingAsync(stoppingToken);
                first = false;
                await Task.Delay(Rest, time, stoppingToken);
                continue;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure) when (failure is DbException or DbUpdateException or IOException or UnauthorizedAccessException)
            {
                // The disk is full, the file is locked: it will look again.
                LogFailed(failure);
            }

            try
            {
                await Task.Delay(TimeSpan.FromMinutes(1), time, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    /// <summary>Files whose rows say that they are gone. A file without a row comes of a database from before it: it is told, and left.</summary>
    private async Task RemoveStraysAsync(OrganizationId organization, CancellationToken cancellation)
    {
        var unknown = 0;
        foreach (var batch in store.All(organization).Select(session => session.Value).Chunk(Batch))
        {
            await using var db = database.Read(organization);
            var strays = await RecordedSessions.StraysAsync(db, batch, cancellation);
            foreach (var session in strays.Deleted) removal.RemoveFile(organization, session);
            unknown += strays.Unknown.Count;
        }

        if (unknown > 0) LogUnknown(unknown, organization);
    }

    [LoggerMessage(1, LogLevel.Information, "{Count} recordings of organization {Organization} were deleted: they are kept for {Days} days")]
    private partial void LogRemoved(int count, OrganizationId organization, int days);

    [LoggerMessage(2, LogLevel.Error, "{Count} recordings of organization {Organization} are missing")]
    private partial void LogMissing(int count, OrganizationId organization);

    [LoggerMessage(3, LogLevel.Warning, "{Count} files of recordings of organization {Organization} belong to no session that is known")]
    private partial void LogUnknown(int count, OrganizationId organization);

    [LoggerMessage(4, LogLevel.Error, "Recordings could not be looked through")]
    private partial void LogFailed(Exception failure);
}
