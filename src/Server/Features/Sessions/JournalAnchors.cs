using System.Data.Common;
using System.Text.Json.Nodes;
using Countersign.Access;
using Countersign.Audit;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Countersign.Sessions;
using Countersign.Sessions.Journal;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Sessions;

/// <summary>
/// Anchors the journals of sessions that run long in the log, every quarter of an hour in which something happened in them, so that what was
/// written can't be rewritten until the session ends. One transaction for all of an organization's; a database that is away is tried again.
/// </summary>
internal sealed partial class JournalAnchors(
    LiveSessions live, PolicySource policy, WriteQueue queue, AuditLog audit, TimeProvider time, ILogger<JournalAnchors> log) : BackgroundService
{
    /// <summary>Of the record; the end's own anchor is in <c>session.ended</c>.</summary>
    public const string Kind = "session.journal";

    public static readonly TimeSpan AnchorEvery = TimeSpan.FromMinutes(15);

    private readonly Dictionary<SessionId, long> _anchored = [];

    /// <summary>What is done every quarter of an hour.</summary>
    public async Task TickAsync(CancellationToken cancellation)
    {
        var sessions = policy.All.SelectMany(snapshot => live.Of(snapshot.Organization)).ToList();
        foreach (var gone in _anchored.Keys.Except(sessions.Select(session => session.Opening.Id)).ToList()) _anchored.Remove(gone);
        foreach (var organization in sessions.GroupBy(session => session.Opening.Organization))
            await AnchorAsync(organization.Key, [.. organization], cancellation);
    }

    /// <summary>What the record of a session's end says of its journal.</summary>
    public static JsonObject Anchor(JournalSummary journal)
    {
        var anchor = Anchor(journal.Head);
        anchor["cut"] = !journal.Complete;
        if (journal.Failure is { } failure) anchor["failure"] = failure;
        return anchor;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(AnchorEvery, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await TickAsync(stoppingToken);
            }
            catch (Exception failure) when (failure is DbException or DbUpdateException)
            {
                LogNotAnchored(failure);
            }
        }
    }

    private static JsonObject Anchor(JournalHead head) => new() { ["events"] = head.Events, ["head"] = Convert.ToHexStringLower(head.Hash.Span) };

    private async Task AnchorAsync(OrganizationId organization, IReadOnlyList<LiveSession> sessions, CancellationToken cancellation)
    {
        var due = new List<(SessionOpening Opening, JournalHead Head)>();
        foreach (var session in sessions)
        {
            // On the disk first: an anchor that is ahead of its journal would look like a tail cut off.
            if (session.Journal is { } journal && await journal.MarkAsync() is { } head && head.Events > _anchored.GetValueOrDefault(session.Opening.Id))
                due.Add((session.Opening, head));
        }

        if (due.Count == 0) return;
        await queue.WriteAsync(
            organization,
            (db, _) =>
            {
                foreach (var (opening, head) in due)
                {
                    audit.Add(db, new AuditEntry
                    {
                        Kind = Kind,
                        Channel = "system",
                        Subject = opening.DeviceName,
                        SubjectId = opening.Device.Value,
                        Correlation = opening.Id.ToString(),
                        Details = new() { ["journal"] = Anchor(head) },
                    });
                }

                return Task.CompletedTask;
            },
            cancellation);
        foreach (var (opening, head) in due) _anchored[opening.Id] = head.Events;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Journals could not be anchored in the log; it is tried again")]
    private partial void LogNotAnchored(Exception failure);
}
