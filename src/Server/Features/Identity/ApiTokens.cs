using System.Net;
using Countersign.Access;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Events;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Identity;

/// <param name="Text">Shown once and kept by nobody here.</param>
internal sealed record IssuedToken(Guid Id, string Text, DateTimeOffset Created, DateTimeOffset Expires);

/// <summary>Makes tokens and recognizes them.</summary>
internal sealed class ApiTokens(Database database, WriteQueue queue, TimeProvider time)
{
    public static readonly TimeSpan SignInLife = TimeSpan.FromHours(12);

    public static readonly TimeSpan MadeLife = TimeSpan.FromDays(90);

    /// <summary>Those of a person that come of signing in; more push out the oldest.</summary>
    private const int MostOfSignIn = 100;

    private static readonly TimeSpan _useResolution = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan _longestNote = TimeSpan.FromSeconds(1);

    /// <summary>Stored with the context, in its organization.</summary>
    public IssuedToken Add(CountersignDb db, PersonId person, string label, TokenScopes scopes, TokenOrigin origin, DateTimeOffset expires)
    {
        var text = TokenText.Make();
        var token = new ApiToken
        {
            OrganizationId = db.Organization,
            Id = Guid.CreateVersion7(time.GetUtcNow()),
            Person = person,
            Hash = TokenText.Hash(text)!,
            Label = label,
            Scopes = scopes,
            Origin = origin,
            Created = time.GetUtcNow(),
            Expires = expires,
        };
        db.Add(token);
        return new(token.Id, text, token.Created, token.Expires);
    }

    /// <summary>The token of somebody who has just signed in. Their expired ones are cleared away.</summary>
    /// <param name="scopes"><see cref="TokenScopes.None"/>: good for choosing another password only.</param>
    public async Task<IssuedToken> AddForSignInAsync(CountersignDb db, PersonId person, string label, TokenScopes scopes, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        var mine = db.Set<ApiToken>().Where(row => row.Person == person);
        await mine.Where(row => row.Expires <= now).ExecuteDeleteAsync(cancellation);
        var crowded = await mine.Where(row => row.Origin == TokenOrigin.SignIn)
            .OrderByDescending(row => row.Created).Skip(MostOfSignIn - 1).Select(row => row.Id).ToListAsync(cancellation);
        if (crowded.Count > 0) await mine.Where(row => crowded.Contains(row.Id)).ExecuteDeleteAsync(cancellation);
        return Add(db, person, label, scopes, TokenOrigin.SignIn, now + SignInLife);
    }

    /// <summary>Whose token it is, as <see cref="ValidateToken"/> demands; whether they still take part is looked at by the gate.</summary>
    public async ValueTask<TokenIdentity?> ValidateAsync(string text, IPAddress? source, CancellationToken cancellation)
    {
        if (TokenText.Hash(text) is not { } hash) return null;
        var now = time.GetUtcNow();
        await using var db = database.Open();
        // The one query across organizations: a request brings a token and nothing that says whose. The hash is unique on the server.
        var token = await db.Set<ApiToken>().IgnoreQueryFilters().AsNoTracking().SingleOrDefaultAsync(row => row.Hash == hash, cancellation);
        if (token is null || token.Expires <= now) return null;
        if (token.LastUsed is not { } last || now - last >= _useResolution) await NoteUseAsync(token, now, cancellation);
        return new(token.OrganizationId, token.Person, token.Id, token.Scopes, SignInStrength.OneFactor);
    }

    /// <summary>Those of the tokens that still count, as <see cref="StandingTokens"/> demands.</summary>
    public async ValueTask<IReadOnlySet<Guid>> StandingAsync(IReadOnlyCollection<Guid> tokens, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        await using var db = database.Open();
        // Across organizations, as when they were shown: ids are random and nobody names one here.
        return await db.Set<ApiToken>().IgnoreQueryFilters().Where(row => tokens.Contains(row.Id) && row.Expires > now).Select(row => row.Id).ToHashSetAsync(cancellation);
    }

    /// <summary>Waits a moment for it and not longer: while nothing can be written, a session can still be ended through the API.</summary>
    private async Task NoteUseAsync(ApiToken token, DateTimeOffset now, CancellationToken cancellation)
    {
        var noting = queue.WriteAsync(
            token.OrganizationId,
            (db, stop) => db.Set<ApiToken>().Where(row => row.Id == token.Id).ExecuteUpdateAsync(set => set.SetProperty(row => row.LastUsed, now), stop),
            CancellationToken.None);
        try
        {
            await noting.WaitAsync(_longestNote, TimeProvider.System, cancellation);
        }
        catch (TimeoutException)
        {
            // It stays in the queue.
        }
    }
}
