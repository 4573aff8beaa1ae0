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

/// <summary>Where a person is signed in, and the end of that from anywhere.</summary>
internal sealed class MySignIns(LiveSignIns live, PolicySource policy, Database database, WriteQueue queue, AuditLog audit, TimeProvider time)
{
    private const string Because = "it was signed out from elsewhere";

    public async Task<Results<Ok<Page<SignInShown>>, ProblemHttpResult>> ListAsync([AsParameters] PageQuery page, Caller caller, CancellationToken cancellation)
    {
        await using var db = database.Read(caller.Organization);
        var tokens = await db.Set<ApiToken>().AsNoTracking().Where(row => row.Person == caller.Person && row.Origin != TokenOrigin.Made).ToListAsync(cancellation);
        var (rules, now) = (SignInRules.Of(policy.Current(caller.Organization)), time.GetUtcNow());
        var all = tokens.Where(token => ApiTokens.Stands(token, rules, now)).Select(token => Of(token, caller))
            .Concat(live.Of(caller.Organization, caller.Person).Select(Of)).ToList();
        return page.Cut(all, shown => shown.Id.ToString(), shown => shown);
    }

    public async Task<Results<NoContent, ProblemHttpResult>> EndAsync(Guid id, Caller caller, CancellationToken cancellation)
    {
        var ended = await queue.WriteAsync(
            async (unit, stop) =>
            {
                var db = unit.Db.Of(caller.Organization);
                var ended = await db.Set<ApiToken>().Where(row => row.Id == id && row.Person == caller.Person && row.Origin != TokenOrigin.Made).ExecuteDeleteAsync(stop);
                if (ended == 0 && !live.Of(caller.Organization, caller.Person).Any(one => one.Id == id)) return false;
                audit.Add(db, AuditEntry.By(caller, "sign-in.ended") with { Subject = caller.Login, SubjectId = caller.Person.Value, Details = new() { ["signIn"] = id.ToString() } });
                unit.Committed = () => live.End(caller.Organization, caller.Person, one => one.Id == id, Because);
                return true;
            },
            cancellation);
        return ended ? TypedResults.NoContent() : Problems.NotFound();
    }

    /// <summary>All but the one that asks. Tokens that the person made for programs stay.</summary>
    public async Task<NoContent> EndOthersAsync(Caller caller, CancellationToken cancellation)
    {
        await queue.WriteAsync(
            async (unit, stop) =>
            {
                var db = unit.Db.Of(caller.Organization);
                var ended = await SignInEnds.EndOthersAsync(db, caller, stop);
                audit.Add(db, AuditEntry.By(caller, "sign-in.others-ended") with
                {
                    Subject = caller.Login,
                    SubjectId = caller.Person.Value,
                    Details = new() { ["tokensEnded"] = ended },
                });
                unit.Committed = () => live.End(caller.Organization, caller.Person, _ => true, Because);
                return true;
            },
            cancellation);
        return TypedResults.NoContent();
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
    /// <returns>How many.</returns>
    public static Task<int> EndOthersAsync(CountersignDb db, Caller caller, CancellationToken cancellation) =>
        db.Set<ApiToken>().Where(row => row.Person == caller.Person && row.Origin != TokenOrigin.Made && row.Id != caller.TokenId).ExecuteDeleteAsync(cancellation);
}
