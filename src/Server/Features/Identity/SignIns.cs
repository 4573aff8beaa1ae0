using Countersign.Access;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Identity;

/// <summary>Where somebody is signed in.</summary>
internal enum SignInKind
{
    /// <summary>A program that holds a token.</summary>
    Token = 1,
    Browser = 2,

    /// <summary>A connection through the SSH front door.</summary>
    Ssh = 3,
}

/// <param name="Client">What the client calls itself; for SSH what was signed in with.</param>
/// <param name="LastSeen">Null: not since signing in. For SSH always: it is there now.</param>
/// <param name="Current">The one that this list was asked for with.</param>
internal sealed record SignInShown(
    Guid Id, SignInKind Kind, string Label, string Client, string? Address, DateTimeOffset Since, DateTimeOffset? LastSeen, DateTimeOffset? Expires,
    SignInStrength SignIn, bool Current);

/// <summary>Where people are signed in, and the end of that from anywhere: one's own sign-ins, and those of whom an administrator may edit.</summary>
internal sealed class SignIns(LiveSignIns live, Database database, WriteQueue queue, PolicyWriter writer, AuditLog audit, TimeProvider time)
{
    private const string Because = "it was signed out from elsewhere";
    private const string ByOthers = "an administrator signed it out";

    public Task<Results<Ok<Page<SignInShown>>, ProblemHttpResult>> ListMineAsync(PageQuery page, Caller caller, CallersPolicy policy, CancellationToken cancellation) =>
        ListAsync(page, caller.Person, caller, policy, cancellation);

    /// <summary>For whoever may edit the person: nothing is seen of the owner's.</summary>
    public async Task<Results<Ok<Page<SignInShown>>, ProblemHttpResult>> ListForAsync(Guid id, PageQuery page, Caller caller, CallersPolicy policy, CancellationToken cancellation)
    {
        if (policy.Snapshot.Person(new(id)) is not { } row) return Problems.NotFound();
        if (policy.Snapshot.Plan(new PolicyCommand.EditPerson(row.Id, row.Name, row.Mail), policy.Person, policy.At) is not PlanResult.Planned and var refusal) return Problems.Of(refusal);
        return await ListAsync(page, row.Id, caller, policy, cancellation);
    }

    public async Task<Results<NoContent, ProblemHttpResult>> EndMineAsync(Guid id, Caller caller, CancellationToken cancellation)
    {
        var ended = await queue.WriteAsync(
            async (unit, stop) =>
            {
                var ended = await EndAsync(unit.Db.Of(caller.Organization), caller, caller.Person, caller.Login, id, stop);
                if (ended) unit.Committed = () => live.End(caller.Organization, caller.Person, one => one.Id == id, Because);
                return ended;
            },
            cancellation);
        return ended ? TypedResults.NoContent() : Problems.NotFound();
    }

    /// <summary>For whoever may edit the person.</summary>
    public async Task<Results<NoContent, ProblemHttpResult>> EndForAsync(Guid id, Guid signIn, Caller caller, CancellationToken cancellation)
    {
        var ended = false;
        var outcome = await WhereMayEditAsync(
            caller, id, async (db, person, stop) => ended = await EndAsync(db, caller, person.Id, person.Login, signIn, stop), cancellation);
        if (outcome is not PolicyOutcome.Applied) return outcome.Refusal();
        if (!ended) return Problems.NotFound();

        // After the commit: what was let in before it is found here.
        live.End(caller.Organization, new(id), one => one.Id == signIn, ByOthers);
        return TypedResults.NoContent();
    }

    /// <summary>All but the one that asks. Tokens that the person made for programs stay.</summary>
    public async Task<NoContent> EndOthersAsync(Caller caller, CancellationToken cancellation)
    {
        await queue.WriteAsync(
            async (unit, stop) =>
            {
                await EndAllAsync(unit.Db.Of(caller.Organization), caller, caller.Person, caller.Login, stop);
                unit.Committed = () => live.End(caller.Organization, caller.Person, _ => true, Because);
                return true;
            },
            cancellation);
        return TypedResults.NoContent();
    }

    /// <summary>
    /// For whoever may edit the person. All of them, but the one that asks where it is the caller's own; tokens that the person made for programs stay, until the
    /// person is disabled.
    /// </summary>
    public async Task<Results<NoContent, ProblemHttpResult>> EndAllForAsync(Guid id, Caller caller, CancellationToken cancellation)
    {
        var outcome = await WhereMayEditAsync(caller, id, (db, person, stop) => EndAllAsync(db, caller, person.Id, person.Login, stop), cancellation);
        if (outcome is not PolicyOutcome.Applied) return outcome.Refusal();
        live.End(caller.Organization, new(id), _ => true, ByOthers);
        return TypedResults.NoContent();
    }

    private async Task<Results<Ok<Page<SignInShown>>, ProblemHttpResult>> ListAsync(
        PageQuery page, PersonId person, Caller caller, CallersPolicy policy, CancellationToken cancellation)
    {
        await using var db = database.Read(caller.Organization);
        var tokens = await db.Set<ApiToken>().AsNoTracking().Where(row => row.Person == person && row.Origin != TokenOrigin.Made).ToListAsync(cancellation);
        var (rules, now) = (SignInRules.Of(policy.Snapshot), time.GetUtcNow());
        var all = tokens.Where(token => ApiTokens.Stands(token, rules, now)).Select(token => Of(token, caller)).Concat(live.Of(caller.Organization, person).Select(Of)).ToList();
        return page.Cut(all, shown => shown.Id.ToString(), shown => shown);
    }

    /// <summary>The engine is asked with the command that changes nothing; what it refuses is refused here, in the same words and with the same record.</summary>
    private async Task<PolicyOutcome> WhereMayEditAsync(Caller caller, Guid id, Func<CountersignDb, PersonRow, CancellationToken, Task> act, CancellationToken cancellation)
    {
        PersonRow? person = null;
        return await writer.ApplyAsync(
            caller,
            policy => (person = policy.Person(new(id))) is null ? null : new PolicyCommand.EditPerson(person.Id, person.Name, person.Mail),
            cancellation,
            (db, _, stop) => act(db, person!, stop));
    }

    /// <returns>False: there is no such sign-in of theirs.</returns>
    private async Task<bool> EndAsync(CountersignDb db, Caller caller, PersonId person, string login, Guid id, CancellationToken cancellation)
    {
        var ended = await db.Set<ApiToken>().Where(row => row.Id == id && row.Person == person && row.Origin != TokenOrigin.Made).ExecuteDeleteAsync(cancellation);
        if (ended == 0 && !live.Of(caller.Organization, person).Any(one => one.Id == id)) return false;
        audit.Add(db, AuditEntry.By(caller, "sign-in.ended") with { Subject = login, SubjectId = person.Value, Details = new() { ["signIn"] = id.ToString() } });
        return true;
    }

    private async Task EndAllAsync(CountersignDb db, Caller caller, PersonId person, string login, CancellationToken cancellation)
    {
        var ended = await SignInEnds.EndOthersAsync(db, person, caller, cancellation);
        audit.Add(db, AuditEntry.By(caller, "sign-in.others-ended") with { Subject = login, SubjectId = person.Value, Details = new() { ["tokensEnded"] = ended } });
    }

    private static SignInShown Of(ApiToken token, Caller caller) => new(
        token.Id,
        token.Origin == TokenOrigin.Browser ? SignInKind.Browser : SignInKind.Token,
        token.Label,
        token.Client,
        token.Address?.ToString(),
        token.Created,
        token.LastUsed,
        token.Expires,
        token.Strength,
        token.Id == caller.TokenId);

    private static SignInShown Of(LiveSignIn one) =>
        new(one.Id, SignInKind.Ssh, "SSH", one.Method, one.Source.ToString(), one.Since, null, null, one.Person.Strength, Current: false);
}

/// <summary>The end of sign-ins, in the transaction of what ends them.</summary>
internal static class SignInEnds
{
    /// <summary>All of the person's but the caller's own, where it is one of them.</summary>
    /// <returns>How many.</returns>
    public static Task<int> EndOthersAsync(CountersignDb db, PersonId person, Caller caller, CancellationToken cancellation) =>
        db.Set<ApiToken>().Where(row => row.Person == person && row.Origin != TokenOrigin.Made && row.Id != caller.TokenId).ExecuteDeleteAsync(cancellation);
}
