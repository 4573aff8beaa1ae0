using Countersign.Access;
using Countersign.Server.Features.Mail;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Identity;

/// <summary>
/// The API tokens that somebody else has made, for whoever may edit them: what a session that was stolen has left behind is found and taken off without disabling
/// anybody. The engine is asked with the command that changes nothing, so nothing is seen of the owner's.
/// </summary>
internal static class TheirTokens
{
    public static async Task<Results<Ok<Page<TokenShown>>, ProblemHttpResult>> ListAsync(
        Guid id, [AsParameters] PageQuery page, Caller caller, CallersPolicy policy, Database database, CancellationToken cancellation)
    {
        var person = new PersonId(id);
        if (policy.Snapshot.Person(person) is not { } row) return Problems.NotFound();
        if (policy.Snapshot.Plan(new PolicyCommand.EditPerson(person, row.Name, row.Mail), policy.Person, policy.At) is not PlanResult.Planned and var refusal) return Problems.Of(refusal);
        await using var db = database.Read(policy.Snapshot.Organization);
        var tokens = await db.Set<ApiToken>().AsNoTracking().Where(token => token.Person == person && token.Origin == TokenOrigin.Made && token.Expires > policy.At).ToListAsync(cancellation);
        return page.Cut(tokens, token => token.Id.ToString(), token => TokenShown.Of(token, caller));
    }

    /// <summary>With those that were made with it. Its person is told; what it opened ends.</summary>
    public static async Task<Results<NoContent, ProblemHttpResult>> RemoveAsync(
        Guid id, Guid token, Caller caller, AccountNews news, PolicyWriter writer, AuditLog audit, CancellationToken cancellation)
    {
        var (person, login, removed) = (new PersonId(id), "", false);
        var outcome = await writer.ApplyAsync(
            caller,
            policy =>
            {
                if (policy.Person(person) is not { } row) return null;
                login = row.Login;
                return new PolicyCommand.EditPerson(person, row.Name, row.Mail);
            },
            cancellation,
            async (db, _, stop) =>
            {
                removed = false;
                if (await db.Set<ApiToken>().SingleOrDefaultAsync(row => row.Id == token && row.Person == person && row.Origin == TokenOrigin.Made, stop) is not { } row) return;
                var with = await MyTokens.RemoveMadeWithAsync(db, row, stop);
                audit.Add(db, AuditEntry.By(caller, "token.removed") with
                {
                    Subject = login,
                    SubjectId = id,
                    Details = new() { ["token"] = token.ToString(), ["label"] = row.Label, ["madeWithIt"] = with },
                });
                await news.TellAsync(db, person, caller, AccountChange.TokenRemoved(row.Label, with), stop);
                removed = true;
            });
        if (outcome is not PolicyOutcome.Applied) return outcome.Refusal();
        return removed ? TypedResults.NoContent() : Problems.NotFound();
    }
}
