using System.Net;
using System.Text.Json.Nodes;
using Countersign.Access;
using Countersign.Server.Platform.Persistence;

namespace Countersign.Server.Platform;

/// <summary>What is to be written down. Never a secret, nor anything from which one could be guessed.</summary>
internal sealed record AuditEntry
{
    /// <summary>Dotted, such as <c>policy.changed</c> or <c>sign-in.refused</c>; at most 64 characters.</summary>
    public required string Kind { get; init; }

    public PersonId? Actor { get; init; }

    /// <summary>The login, or what an unknown person called themselves.</summary>
    public string ActorLogin { get; init; } = "";

    /// <summary><c>api</c>, <c>cli</c> (a label: see <see cref="Caller.Channel"/>), <c>ssh</c>, <c>automatic</c>, <c>system</c>.</summary>
    public required string Channel { get; init; }

    public IPAddress? Source { get; init; }

    public string Subject { get; init; } = "";

    public Guid? SubjectId { get; init; }

    public AuditOutcome Outcome { get; init; } = AuditOutcome.Done;

    /// <summary>Whose session or request it is about, where that is not the actor's; not stored.</summary>
    public PersonId? Concerned { get; init; }

    public JsonObject Details { get; init; } = [];

    public string Correlation { get; init; } = "";

    public static AuditEntry By(Caller caller, string kind) => new()
    {
        Kind = kind,
        Actor = caller.Person,
        ActorLogin = caller.Login,
        Channel = caller.Channel,
        Source = caller.Source,
        Correlation = caller.Correlation,
    };
}

/// <summary>What hangs on a record, in the transaction that it is stored in, after it was added. It adds rows and looks at none.</summary>
internal delegate void AlongWithRecord(AuditLog audit, CountersignDb db, AuditEntry entry);

/// <summary>The append-only log of each organization.</summary>
internal sealed class AuditLog(TimeProvider time, IEnumerable<AlongWithRecord> alongWithEach)
{
    private readonly AlongWithRecord[] _alongWithEach = [.. alongWithEach];

    private long _last;

    /// <summary>The id that was given last, to a record that may not be stored yet, or never: when it stands still, nothing was added.</summary>
    public long Last => Volatile.Read(ref _last);

    /// <summary>Adds a record to the context's organization; it is stored in the transaction that the context saves into.</summary>
    public void Add(CountersignDb db, AuditEntry entry)
    {
        var now = time.GetUtcNow();
        db.Append(Record(db.Organization, entry, Next(now), now));
        foreach (var each in _alongWithEach) each(this, db, entry);
    }

    private static AuditRecord Record(OrganizationId organization, AuditEntry entry, long id, DateTimeOffset at) => new()
    {
        OrganizationId = organization,
        Id = id,
        At = at,
        Kind = entry.Kind,
        Actor = entry.Actor,
        ActorLogin = Cut(entry.ActorLogin, 64),
        Channel = entry.Channel,
        Source = entry.Source,
        Subject = Cut(entry.Subject, 400),
        SubjectId = entry.SubjectId,
        Outcome = entry.Outcome,
        Details = entry.Details.ToJsonString(),
        Correlation = entry.Correlation,
    };

    /// <summary>Ids go on from here after a restart, also if the clock has gone back.</summary>
    public void ContinueAfter(long last) => _last = Math.Max(_last, last);

    /// <summary>Microseconds of the clock, or the next number: strictly growing, never less than the record's own time, and without reading the table.</summary>
    private long Next(DateTimeOffset now)
    {
        while (true)
        {
            var last = Volatile.Read(ref _last);
            var next = Math.Max(last + 1, now.UtcTicks / TimeSpan.TicksPerMicrosecond);
            if (Interlocked.CompareExchange(ref _last, next, last) == last) return next;
        }
    }

    private static string Cut(string text, int length) => text.Length <= length ? text : text[..length];
}
