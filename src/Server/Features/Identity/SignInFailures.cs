using System.Data.Common;
using System.Net;
using Countersign.Access;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Identity;

/// <summary>
/// Writes down who failed to sign in: the first failure of a login from a source within a second, what follows within the minute as one
/// record with a count, so that a flood makes a few records and not thousands. Noting one takes no time, and the same for every login.
/// </summary>
/// <remarks>
/// A login that nobody has is not written down: people type their passwords there by mistake. Its failures are those of the source. With more
/// than one organization on the server, they belong to none and are only logged.
/// </remarks>
internal sealed partial class SignInFailures(
    PolicySource policy, WriteQueue queue, AuditLog audit, TimeProvider time, ILogger<SignInFailures> log) : BackgroundService
{
    /// <summary>Beyond, failures are counted together, without their sources.</summary>
    private const int MostKinds = 4096;

    private static readonly TimeSpan _window = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _flushing = new(1);
    private readonly Dictionary<Kind, Tally> _tallies = [];

    public void Note(string login, IPAddress source, string channel, string method)
    {
        var now = time.GetUtcNow();
        var known = policy.TryFindLogin(login, out var organization, out var person);
        if (!known)
        {
            var only = policy.All.Take(2).ToList();
            organization = only.Count == 1 ? only[0].Organization : default;
        }

        var kind = new Kind(organization, person?.Id, person?.Login ?? "", source, channel, method);
        lock (_lock)
        {
            if (_tallies.Count >= MostKinds && !_tallies.ContainsKey(kind)) kind = new(organization, null, "", null, channel, method);
            if (!_tallies.TryGetValue(kind, out var tally)) _tallies.Add(kind, tally = new(now));
            tally.Count++;
            tally.Last = now;
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

    private List<(Kind Kind, int Count, DateTimeOffset Last)> TakeDue(DateTimeOffset begunBefore)
    {
        List<(Kind Kind, int Count, DateTimeOffset Last)> due = [];
        lock (_lock)
        {
            foreach (var (kind, tally) in _tallies)
            {
                var isOver = tally.Begun <= begunBefore;
                if (tally.Count > 0 && (isOver || !tally.FirstIsWritten)) due.Add((kind, tally.Count, tally.Last));
                if (isOver) _tallies.Remove(kind);
                else if (!tally.FirstIsWritten) (tally.FirstIsWritten, tally.Count) = (true, 0);
            }
        }

        return due;
    }

    private async Task WriteAsync(List<(Kind Kind, int Count, DateTimeOffset Last)> due, CancellationToken cancellation)
    {
        foreach (var organization in due.GroupBy(failure => failure.Kind.Organization))
        {
            if (organization.Key == default)
            {
                foreach (var (kind, count, _) in organization) LogUnknown(kind.Source, kind.Channel, count);
                continue;
            }

            try
            {
                await queue.WriteAsync(
                    organization.Key,
                    (db, _) =>
                    {
                        foreach (var (kind, count, last) in organization) audit.Add(db, Entry(kind, count, last));
                        return Task.CompletedTask;
                    },
                    cancellation);
            }
            catch (Exception failure) when (failure is DbException or DbUpdateException)
            {
                // A full disk must not end the server by way of this bookkeeping. Nobody gets in meanwhile: a success without a record is none.
                LogNotWritten(failure, organization.Sum(tally => tally.Count));
            }
        }
    }

    private static AuditEntry Entry(Kind kind, int count, DateTimeOffset last) => new()
    {
        Kind = "sign-in.refused",
        Actor = kind.Person,
        ActorLogin = kind.Login,
        Channel = kind.Channel,
        Source = kind.Source,
        Subject = kind.Login,
        SubjectId = kind.Person?.Value,
        Outcome = AuditOutcome.Refused,
        Details = new() { ["method"] = kind.Method, ["count"] = count, ["last"] = last.UtcDateTime.ToString("O") },
    };

    [LoggerMessage(1, LogLevel.Information, "Sign-in refused for a login that is not there: from {Source} by {Channel}, {Count} times")]
    private partial void LogUnknown(IPAddress? source, string channel, int count);

    [LoggerMessage(2, LogLevel.Error, "{Count} refused sign-ins could not be written down")]
    private partial void LogNotWritten(Exception failure, int count);

    private sealed record Kind(OrganizationId Organization, PersonId? Person, string Login, IPAddress? Source, string Channel, string Method);

    private sealed class Tally(DateTimeOffset begun)
    {
        public DateTimeOffset Begun { get; } = begun;

        public DateTimeOffset Last { get; set; }

        /// <summary>Not yet written.</summary>
        public int Count { get; set; }

        public bool FirstIsWritten { get; set; }
    }
}
