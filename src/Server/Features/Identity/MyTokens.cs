using Countersign.Server.Features.Mail;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Identity;

/// <param name="Scopes"><c>read</c>: everything, but only to read. <c>write</c>: everything. Or areas, such as <c>devices</c> or <c>audit:read</c>.</param>
/// <param name="Expires">Null: in 90 days.</param>
internal sealed record TokenRequest(string Label, IReadOnlyList<string> Scopes, DateTimeOffset? Expires = null);

/// <param name="Token">Shown here and never again.</param>
internal sealed record TokenMade(Guid Id, string Token, string Label, IReadOnlyList<string> Scopes, DateTimeOffset Created, DateTimeOffset Expires)
{
    public override string ToString() => nameof(TokenMade);
}

/// <param name="Current">The one that this list was asked for with.</param>
internal sealed record TokenShown(
    Guid Id, string Label, IReadOnlyList<string> Scopes, DateTimeOffset Created, DateTimeOffset Expires, DateTimeOffset? LastUsed, bool Current)
{
    public static TokenShown Of(ApiToken token, Caller caller) =>
        new(token.Id, token.Label, ScopeNames.Of(token.Scopes), token.Created, token.Expires, token.LastUsed, token.Id == caller.TokenId);
}

/// <summary>The API tokens that a person has made. Those of signing in are among their <see cref="SignIns"/>.</summary>
internal static class MyTokens
{
    private const int Most = 50;

    private static readonly TimeSpan _longestLife = TimeSpan.FromDays(5 * 366);

    public static async Task<Results<Ok<Page<TokenShown>>, ProblemHttpResult>> ListAsync(
        [AsParameters] PageQuery page, Caller caller, Database database, TimeProvider time, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        await using var db = database.Read(caller.Organization);
        var tokens = await db.Set<ApiToken>().AsNoTracking().Where(row => row.Person == caller.Person && row.Origin == TokenOrigin.Made && row.Expires > now).ToListAsync(cancellation);
        return page.Cut(
            tokens,
            token => token.Id.ToString(),
            token => TokenShown.Of(token, caller));
    }

    /// <summary>
    /// With the token of somebody who has just signed in, as a key: it lasts longer than any session, and a stolen one must not be enough for it. With a token that was
    /// made before, for no more and no longer than that one.
    /// </summary>
    public static async Task<Results<Created<TokenMade>, ProblemHttpResult>> AddAsync(
        TokenRequest request, Caller caller, OwnProof proof, ApiTokens tokens, AccountNews news, WriteQueue queue, AuditLog audit, TimeProvider time, CancellationToken cancellation)
    {
        if (Labels.Problem(request.Label) is { } problem) return Problems.Invalid("label", problem);
        if (!ScopeNames.TryRead(request.Scopes, out var scopes)) return Problems.Invalid("scopes", $"They are of these: {string.Join(", ", ScopeNames.All)}.");
        if (!caller.Scopes.Cover(scopes)) return Problems.Invalid("scopes", "A token is good for at most what the one is that it is made with.");
        var now = time.GetUtcNow();
        var expires = request.Expires?.ToUniversalTime() ?? now + ApiTokens.MadeLife;
        if (expires <= now) return Problems.Invalid("expires", "It is in the future.");
        if (expires > now + _longestLife) return Problems.Invalid("expires", "It is at most five years ahead.");
        return await queue.WriteAsync<Results<Created<TokenMade>, ProblemHttpResult>>(
            caller.Organization,
            async (db, stop) =>
            {
                // The token that the request came with may have ended meanwhile.
                if (await db.Set<ApiToken>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == caller.TokenId, stop) is not { } with) return Problems.Unauthorized();
                var maker = with.Origin == TokenOrigin.Made ? with : null;
                if (maker is null && await proof.UnfitOrStaleAsync(db, caller, stop) is { } unfit) return unfit;
                if (maker is not null && request.Expires is not null && expires > maker.Expires)
                    return Problems.Invalid("expires", "A token that is made with another does not outlive it.");
                var made = db.Set<ApiToken>().Where(row => row.Person == caller.Person && row.Origin == TokenOrigin.Made && row.Expires > now);
                if (await made.CountAsync(stop) >= Most) return Problems.Conflict($"There are {Most} tokens already: remove one that is not used any more.");
                var issued = tokens.Add(db, new()
                {
                    Person = caller.Person,
                    Label = request.Label,
                    Scopes = scopes,
                    Origin = TokenOrigin.Made,
                    Strength = caller.Strength,
                    Expires = maker?.Expires < expires ? maker.Expires : expires,
                    Maker = maker?.Id,
                    Address = caller.Source,
                });
                audit.Add(db, AuditEntry.By(caller, "token.created") with
                {
                    Subject = request.Label,
                    SubjectId = issued.Id,
                    Details = new() { ["scopes"] = string.Join(' ', ScopeNames.Of(scopes)), ["expires"] = issued.Expires.UtcDateTime.ToString("O") },
                });
                await news.TellAsync(db, caller.Person, caller, AccountChange.TokenAdded(request.Label, string.Join(", ", ScopeNames.Of(scopes)), issued.Expires), stop);
                return TypedResults.Created(
                    $"/api/v1/me/tokens/{issued.Id}", new TokenMade(issued.Id, issued.Text, request.Label, ScopeNames.Of(scopes), issued.Created, issued.Expires));
            },
            cancellation);
    }

    public static async Task<Results<NoContent, ProblemHttpResult>> RemoveAsync(
        Guid id, Caller caller, AccountNews news, WriteQueue queue, AuditLog audit, CancellationToken cancellation)
    {
        var removed = await queue.WriteAsync(
            caller.Organization,
            async (db, stop) =>
            {
                var token = await db.Set<ApiToken>().SingleOrDefaultAsync(row => row.Id == id && row.Person == caller.Person && row.Origin == TokenOrigin.Made, stop);
                if (token is null) return false;
                var with = await RemoveMadeWithAsync(db, token, stop);
                audit.Add(db, AuditEntry.By(caller, "token.removed") with { Subject = token.Label, SubjectId = id, Details = new() { ["madeWithIt"] = with } });
                await news.TellAsync(db, caller.Person, caller, AccountChange.TokenRemoved(token.Label, with), stop);
                return true;
            },
            cancellation);
        return removed ? TypedResults.NoContent() : Problems.NotFound();
    }

    /// <summary>Removes the token and all that were made with it, by whatever way round.</summary>
    /// <returns>How many those were.</returns>
    public static async Task<int> RemoveMadeWithAsync(CountersignDb db, ApiToken token, CancellationToken cancellation)
    {
        var all = await db.Set<ApiToken>().Where(row => row.Person == token.Person && row.Origin == TokenOrigin.Made).ToListAsync(cancellation);
        var gone = new List<ApiToken> { token };
        for (var next = 0; next < gone.Count; next++) gone.AddRange(all.Where(row => row.Maker == gone[next].Id));
        db.RemoveRange(gone);
        return gone.Count - 1;
    }
}
