using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Mail;

/// <summary>What master administrators do with a mail that waits: have it tried now, or not any more.</summary>
internal static class ChangeMail
{
    private const string Over = "It does not wait any more.";

    public static async Task<Results<NoContent, ProblemHttpResult>> RetryAsync(
        Guid id, Caller caller, PolicyWriter policy, WriteQueue queue, Outbox outbox, AuditLog audit, TimeProvider time, CancellationToken cancellation)
    {
        var result = await ChangeAsync(id, "mail.retried", caller, policy, queue, audit, (_, mail, _) =>
        {
            mail.Due = time.GetUtcNow();
            return Task.CompletedTask;
        }, cancellation);
        outbox.Wake();
        return result;
    }

    public static Task<Results<NoContent, ProblemHttpResult>> DropAsync(
        Guid id, Caller caller, PolicyWriter policy, WriteQueue queue, AuditLog audit, TimeProvider time, CancellationToken cancellation) =>
        ChangeAsync(id, "mail.dropped", caller, policy, queue, audit, (db, mail, stop) => Outbox.WithdrawAsync(db, mail.Id, time.GetUtcNow(), stop), cancellation);

    private static async Task<Results<NoContent, ProblemHttpResult>> ChangeAsync(
        Guid id,
        string kind,
        Caller caller,
        PolicyWriter policy,
        WriteQueue queue,
        AuditLog audit,
        Func<CountersignDb, OutgoingMail, CancellationToken, Task> change,
        CancellationToken cancellation)
    {
        return await queue.WriteAsync<Results<NoContent, ProblemHttpResult>>(
            caller.Organization,
            async (db, stop) =>
            {
                if (await db.Set<OutgoingMail>().SingleOrDefaultAsync(row => row.Id == id, stop) is not { } mail) return Problems.NotFound();
                if (!policy.IsMasterAdministrator(caller)) return Problems.NotFound();
                if (mail.State != MailState.Waiting) return Problems.Conflict(Over);
                await change(db, mail, stop);
                audit.Add(db, AuditEntry.By(caller, kind) with { Subject = mail.Recipient, SubjectId = mail.Person?.Value, Details = new() { ["mail"] = mail.Kind } });
                return TypedResults.NoContent();
            },
            cancellation);
    }
}
