using System.Security.Cryptography;
using Countersign.Access;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;
using MimeKit;

namespace Countersign.Server.Features.Mail;

/// <summary>
/// Sends what waits in the outbox, each at least once: an attempt is counted before it is made, and that it succeeded is written down just after it. A
/// process that is killed in between sends the mail again, under the same Message-ID; one that is asked to stop finishes the mail that it is at.
/// </summary>
internal sealed partial class MailSender(
    Outbox outbox, SmtpDelivery delivery, WriteQueue queue, Database database, AuditLog audit, TimeProvider time, ILogger<MailSender> log) : BackgroundService
{
    private const int Batch = 20;

    /// <summary>At the latest, also where the clock was set meanwhile.</summary>
    private static readonly TimeSpan _look = TimeSpan.FromMinutes(1);

    /// <summary>So long a mail server may take to answer once the server was asked to stop.</summary>
    private static readonly TimeSpan _grace = TimeSpan.FromSeconds(5);

    /// <summary>What was sent or given up is shown so long, and then forgotten.</summary>
    private static readonly TimeSpan _kept = TimeSpan.FromDays(30);

    /// <summary>The next turn begins behind it.</summary>
    private OrganizationId _servedLast;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                while (await SendDueAsync(stoppingToken) == Batch)
                {
                    // There may be more.
                }

                await RestAsync(await UntilNextAsync(stoppingToken), stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                // The disk is full, the file is locked, or what nobody has thought of: what was claimed comes due again by itself, and mails go on.
                LogFailed(failure);
                await RestAsync(_look, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task<int> SendDueAsync(CancellationToken stopping)
    {
        var claimed = await ClaimAsync(stopping);
        if (claimed.Count == 0) return 0;
        using var cut = new CancellationTokenSource();
        await using var asked = stopping.UnsafeRegister(static cutting => ((CancellationTokenSource)cutting!).CancelAfter(_grace), cut);
        using var round = delivery.Begin();
        var tried = 0;
        try
        {
            while (tried < claimed.Count && !stopping.IsCancellationRequested)
            {
                var mail = claimed[tried++];
                await NoteAsync(mail, await TryAsync(round, mail, cut.Token));
            }

            await round.EndAsync(cut.Token);
        }
        finally
        {
            if (tried < claimed.Count) await PutBackAsync(claimed[tried..]);
        }

        return claimed.Count;
    }

    private async Task<Delivery> TryAsync(SmtpDelivery.Round round, OutgoingMail mail, CancellationToken cancellation)
    {
        if (mail.Expires <= time.GetUtcNow()) return new Delivery.Refused("Its time was over before it could be sent.", IsFinal: true);
        var isMade = false;
        try
        {
            using var message = MessageOf(mail);
            if (message is null) return new Delivery.Refused("It does not open: the database was changed by hand, or the master key is another one.", IsFinal: true);
            isMade = true;
            return await round.SendAsync(message, cancellation);
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            // What nobody has thought of must not end the sender, and with it the server, at each attempt. A mail that can't be made won't be later either; of
            // a delivery that failed nobody knows, and what is destroyed tells nobody.
            LogFault(failure, mail.Id, mail.Kind);
            return new Delivery.Refused("It can't be sent; the server's log says why.", IsFinal: !isMade);
        }
    }

    /// <summary>
    /// What is due, of each organization in turn, so that many of one keep no other's waiting. Each is counted and put off before it is tried, so that none is
    /// tried without end.
    /// </summary>
    private async Task<List<OutgoingMail>> ClaimAsync(CancellationToken cancellation)
    {
        // What woke this may not be committed yet: behind it on the one writer it is.
        await queue.WriteAsync(
            async (unit, stop) =>
            {
                var forgotten = time.GetUtcNow() - _kept;
                return await unit.Db.Set<OutgoingMail>().IgnoreQueryFilters().Where(row => row.State != MailState.Waiting && row.Due <= forgotten).ExecuteDeleteAsync(stop);
            },
            cancellation);
        var chosen = await ChooseAsync(cancellation);
        return chosen.Count == 0 ? [] : await queue.WriteAsync((unit, stop) => ClaimAsync(unit.Db, chosen, stop), cancellation);
    }

    private async Task<List<OutgoingMail>> ClaimAsync(CountersignDb db, List<OutgoingMail> chosen, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        var claimed = new List<OutgoingMail>(chosen.Count);
        foreach (var mail in chosen)
        {
            mail.Attempts++;
            var next = now + MailPatience.After(mail.Attempts);

            // It may have been withdrawn since it was read.
            var isThere = await db.Set<OutgoingMail>().IgnoreQueryFilters().Where(row => row.OrganizationId == mail.OrganizationId && row.Id == mail.Id && row.State == MailState.Waiting)
                .ExecuteUpdateAsync(set => set.SetProperty(row => row.Attempts, mail.Attempts).SetProperty(row => row.Due, next), cancellation);
            if (isThere > 0) claimed.Add(mail);
        }

        return claimed;
    }

    /// <summary>A batch: one of each organization in turn, of each its links first and then what has been due longest.</summary>
    private async Task<List<OutgoingMail>> ChooseAsync(CancellationToken cancellation)
    {
        await using var db = database.Open();
        var now = time.GetUtcNow();

        // What is due later than any wait could make it was put off by a clock that has been put right since.
        var latest = now + MailPatience.Longest;
        var due = db.Set<OutgoingMail>().IgnoreQueryFilters().AsNoTracking().Where(row => row.State == MailState.Waiting && (row.Due <= now || row.Due > latest));
        var organizations = (await due.Select(row => row.OrganizationId).Distinct().ToListAsync(cancellation)).OrderBy(organization => organization.Value).ToList();
        if (organizations.Count == 0) return [];
        var first = organizations.FindIndex(organization => organization.Value.CompareTo(_servedLast.Value) > 0);
        var turn = organizations.Skip(Math.Max(first, 0)).Concat(organizations.Take(Math.Max(first, 0))).Take(Batch).ToList();
        var share = (Batch + turn.Count - 1) / turn.Count;
        var mails = new List<(int Place, OutgoingMail Mail)>();
        foreach (var organization in turn)
        {
            var theirs = await due.Where(row => row.OrganizationId == organization).OrderByDescending(row => row.HasLink).ThenBy(row => row.Due).Take(share).ToListAsync(cancellation);
            mails.AddRange(theirs.Select((mail, place) => (place, mail)));
        }

        var chosen = mails.OrderBy(one => one.Place).Take(Batch).Select(one => one.Mail).ToList();
        _servedLast = chosen[^1].OrganizationId;
        return chosen;
    }

    /// <summary>As they were before they were claimed: nobody has tried them.</summary>
    private async Task PutBackAsync(List<OutgoingMail> untried) => await queue.WriteAsync(
        async (unit, stop) =>
        {
            foreach (var mail in untried)
            {
                await unit.Db.Set<OutgoingMail>().IgnoreQueryFilters().Where(row => row.OrganizationId == mail.OrganizationId && row.Id == mail.Id && row.State == MailState.Waiting)
                    .ExecuteUpdateAsync(set => set.SetProperty(row => row.Attempts, mail.Attempts - 1).SetProperty(row => row.Due, mail.Due), stop);
            }

            return untried.Count;
        },
        CancellationToken.None);

    private MimeMessage? MessageOf(OutgoingMail mail)
    {
        try
        {
            return outbox.Open(mail).ToMessage(delivery.From, mail.Recipient, mail.Id, mail.Created);
        }
        catch (Exception damaged) when (damaged is CryptographicException or ArgumentException)
        {
            // Of the content or of the address: neither was so when it was put here.
            return null;
        }
    }

    /// <summary>Also while the server stops: what a mail server has taken must not go out again.</summary>
    private async Task NoteAsync(OutgoingMail mail, Delivery answer)
    {
        var refused = answer as Delivery.Refused;
        var state = refused is null ? MailState.Sent
            : refused.IsFinal || mail.Attempts >= MailPatience.MostAttempts ? MailState.GivenUp
            : MailState.Waiting;
        if (state == MailState.GivenUp) LogGivenUp(mail.Id, mail.Kind, mail.OrganizationId, mail.Attempts, refused!.Problem);
        await queue.WriteAsync(
            mail.OrganizationId,
            async (db, stop) =>
            {
                var row = await db.Set<OutgoingMail>().SingleOrDefaultAsync(row => row.Id == mail.Id && row.State == MailState.Waiting, stop);
                if (row is null) return;
                row.State = state;
                row.Problem = refused?.Problem ?? "";
                if (state == MailState.Waiting)
                {
                    // From now: a long silence of the mail server would use the wait up.
                    row.Due = time.GetUtcNow() + MailPatience.After(mail.Attempts);
                    return;
                }

                row.Content = null;
                row.Ended = time.GetUtcNow();
                if (state != MailState.GivenUp) return;
                audit.Add(db, new AuditEntry
                {
                    Kind = "mail.failed",
                    Channel = "system",
                    Subject = mail.Recipient,
                    SubjectId = mail.Person?.Value,
                    Outcome = AuditOutcome.Failed,
                    Details = new() { ["mail"] = mail.Kind, ["attempts"] = mail.Attempts, ["problem"] = refused!.Problem },
                });
            },
            CancellationToken.None);
        if (state == MailState.Waiting) LogNotTaken(mail.Id, mail.Attempts, refused!.Problem);
    }

    /// <summary>Until the next mail is due, a minute at most.</summary>
    private async Task<TimeSpan> UntilNextAsync(CancellationToken cancellation)
    {
        await using var db = database.Open();
        var next = await db.Set<OutgoingMail>().IgnoreQueryFilters().Where(row => row.State == MailState.Waiting).MinAsync(row => (DateTimeOffset?)row.Due, cancellation);
        if (next is not { } due) return _look;
        var wait = due - time.GetUtcNow();
        return wait > _look ? _look : wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }

    private async Task RestAsync(TimeSpan wait, CancellationToken cancellation)
    {
        using var resting = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        await Task.WhenAny(outbox.WokenAsync(resting.Token), Task.Delay(wait, time, resting.Token));
        await resting.CancelAsync();
        cancellation.ThrowIfCancellationRequested();
    }

    [LoggerMessage(1, LogLevel.Error, "Mails could not be looked through")]
    private partial void LogFailed(Exception failure);

    [LoggerMessage(4, LogLevel.Error, "Mail {Mail} ({Kind}) can't be sent")]
    private partial void LogFault(Exception failure, Guid mail, string kind);

    [LoggerMessage(2, LogLevel.Warning, "Mail {Mail} ({Kind}) of organization {Organization} was given up after {Attempts} attempts: {Problem}")]
    private partial void LogGivenUp(Guid mail, string kind, OrganizationId organization, int attempts, string problem);

    [LoggerMessage(3, LogLevel.Debug, "Mail {Mail} was not taken at attempt {Attempt}: {Problem}")]
    private partial void LogNotTaken(Guid mail, int attempt, string problem);
}

/// <summary>How often, and after which waits, a mail is tried.</summary>
internal static class MailPatience
{
    /// <summary>The waits in between make up some fourteen hours.</summary>
    public const int MostAttempts = 24;

    private static readonly TimeSpan _first = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _longest = TimeSpan.FromHours(1);

    /// <summary>No wait is longer.</summary>
    public static TimeSpan Longest { get; } = _longest * 1.2;

    /// <summary>
    /// The wait after an attempt: twice the one before, at most an hour, and up to a fifth more or less by chance, so that what failed together is not tried
    /// together.
    /// </summary>
    /// <param name="attempt">From 1.</param>
    public static TimeSpan After(int attempt)
    {
        var wait = _first * Math.Pow(2, Math.Min(attempt - 1, 20));
        return (wait < _longest ? wait : _longest) * (RandomNumberGenerator.GetInt32(800, 1201) / 1000.0);
    }
}
