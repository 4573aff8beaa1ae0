using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Countersign.Audit;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Countersign.Sessions.Journal;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Sessions;

/// <param name="Number">From 1 on, in the order of the journal.</param>
/// <param name="Event">With its kind as <c>event</c>, its time as <c>at</c>, and what it tells.</param>
internal sealed record JournalItem(long Number, JsonElement Event);

/// <param name="Damage">Why there is no more, though there should be; null: nothing was found to be wrong.</param>
internal sealed record JournalPage(IReadOnlyList<JournalItem> Items, string? Next, string? Damage);

[JsonSerializable(typeof(JournalPage))]
internal sealed partial class JournalApiJson : JsonSerializerContext;

/// <summary>What happened in a session, for those who may look back at its device, and for auditors. Who took part in it is not among them by that alone.</summary>
internal static class JournalEndpoints
{
    public const string ContentType = "application/jsonl";

    public static void Map(RouteGroupBuilder sessions)
    {
        sessions.MapGet("/{id:guid}/journal", ListAsync).Requires(TokenScopes.SessionsRead).WithSummary("What happened in a session, oldest first");
        sessions.MapGet("/{id:guid}/journal/export", ExportAsync).Requires(TokenScopes.SessionsRead).WithSummary("The journal as JSON lines, to be verified against the log")
            .Produces(StatusCodes.Status200OK, contentType: ContentType);
    }

    private static async Task<Results<Ok<JournalPage>, ProblemHttpResult>> ListAsync(
        Guid id, [AsParameters] PageQuery page, Caller caller, CallersPolicy policy, Database database, JournalStore journals, CancellationToken cancellation)
    {
        if (!page.TryRead(out var limit, out var cursor, out var problem)) return problem!;
        var after = 0L;
        if (cursor is not null && !long.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out after))
            return Problems.Invalid("cursor", "It is not a cursor of this list.");
        if ((await FindAsync(id, caller, policy, database, cancellation)).Refused is { } refused) return refused;
        using var stored = journals.Open(caller.Organization, new(id));
        if (stored is null) return Problems.NotFound();
        var items = new List<JournalItem>();
        string? damage = null;
        var number = 0L;
        try
        {
            while (items.Count <= limit && await stored.Reader.ReadAsync(cancellation) is { Count: > 0 } lines)
            {
                foreach (var line in lines)
                {
                    if (++number <= after || items.Count > limit) continue;
                    using var text = JsonDocument.Parse(line);
                    items.Add(new(number, text.RootElement.Clone()));
                }
            }
        }
        catch (JournalDamagedException damaged)
        {
            damage = damaged.Message;
        }

        var more = items.Count > limit;
        return TypedResults.Ok(new JournalPage(
            more ? items[..limit] : items, more ? PageQuery.Write(items[limit - 1].Number.ToString(CultureInfo.InvariantCulture)) : null, more ? null : damage));
    }

    /// <summary>Letter by letter as the chain has it. What is damaged ends where it is damaged: held against the log, it is too short.</summary>
    private static async Task<Results<PushStreamHttpResult, ProblemHttpResult>> ExportAsync(
        Guid id, Caller caller, CallersPolicy policy, Database database, JournalStore journals, WriteQueue queue, AuditLog audit, LongAnswer answer, CancellationToken cancellation)
    {
        var (row, refused) = await FindAsync(id, caller, policy, database, cancellation);
        if (refused is not null) return refused;
        using (var there = journals.Open(caller.Organization, new(id)))
        {
            if (there is null) return Problems.NotFound();
        }

        await queue.AppendAsync(
            caller.Organization,
            db => audit.Add(db, AuditEntry.By(caller, "journal.exported") with { Subject = "the journal of a session", SubjectId = id, Correlation = id.ToString() }),
            cancellation);
        return answer.Send(
            async (stream, stop) =>
            {
                using var stored = journals.Open(caller.Organization, new(id));
                if (stored is not null) await WriteAsync(caller.Organization.Value, id, stored.Reader, stream, stop);
            },
            (asker, inForce) => Refusal(row, new(asker, inForce)) is null,
            ContentType,
            $"{id:D}.journal.jsonl");
    }

    private static async Task WriteAsync(Guid organization, Guid session, JournalReader journal, Stream stream, CancellationToken cancellation)
    {
        await LineAsync(stream, JournalVerifier.WriteHead(organization, session), cancellation);
        try
        {
            while (await journal.ReadAsync(cancellation) is { Count: > 0 } lines)
            {
                foreach (var line in lines) await LineAsync(stream, line, cancellation);
            }
        }
        catch (JournalDamagedException)
        {
            return;
        }
    }

    private static async ValueTask LineAsync(Stream stream, ReadOnlyMemory<byte> line, CancellationToken cancellation)
    {
        await stream.WriteAsync(line, cancellation);
        await stream.WriteAsync("\n"u8.ToArray(), cancellation);
    }

    private static async Task<(SessionRecord? Row, ProblemHttpResult? Refused)> FindAsync(Guid id, Caller caller, CallersPolicy policy, Database database, CancellationToken cancellation)
    {
        await using var db = database.Read(caller.Organization);
        var row = await db.Set<SessionRecord>().AsNoTracking().SingleOrDefaultAsync(session => session.Id == id, cancellation);
        return (row, Refusal(row, new(caller, policy)));
    }

    /// <summary>Null: it may be read.</summary>
    private static ProblemHttpResult? Refusal(SessionRecord? row, SessionSight sight)
    {
        if (row is null || !sight.MaySee(row)) return Problems.NotFound();
        return sight.MayReadJournal(row) ? null : Problems.Forbidden("Reading a session's journal needs Connection history on its device.");
    }
}
