using System.Collections.Concurrent;
using System.Data.Common;
using System.Net;
using Countersign.Access;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Events;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Identity;

/// <param name="Text">Shown once and kept by nobody here.</param>
internal sealed record IssuedToken(Guid Id, string Text, DateTimeOffset Created, DateTimeOffset Expires)
{
    public override string ToString() => $"{nameof(IssuedToken)} {Id}";
}

/// <summary>A token that is to be.</summary>
internal sealed record NewToken
{
    public required PersonId Person { get; init; }

    public required string Label { get; init; }

    /// <summary><see cref="TokenScopes.None"/>: good for what has to be done before everything else.</summary>
    public required TokenScopes Scopes { get; init; }

    public required TokenOrigin Origin { get; init; }

    public required SignInStrength Strength { get; init; }

    public required DateTimeOffset Expires { get; init; }

    /// <summary>As <see cref="ApiToken.Maker"/>.</summary>
    public Guid? Maker { get; init; }

    public IPAddress? Address { get; init; }

    public string Client { get; init; } = "";
}

/// <summary>Makes tokens and recognizes them.</summary>
internal sealed partial class ApiTokens(Database database, WriteQueue queue, PolicySource policy, TimeProvider time, ILogger<ApiTokens> log)
{
    public static readonly TimeSpan MadeLife = TimeSpan.FromDays(90);

    /// <summary>Those of a person that come of signing in; more push out the oldest.</summary>
    private const int MostOfSignIn = 100;

    /// <summary>The part of the idle time that may be missing from what is kept of the last use.</summary>
    private const int IdleParts = 10;

    private static readonly TimeSpan _useResolution = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan _longestNote = TimeSpan.FromSeconds(1);

    /// <summary>The tokens whose last use is on its way to the database.</summary>
    private readonly ConcurrentDictionary<Guid, bool> _noting = new();

    /// <summary>1: the last note could not be written, and that was logged.</summary>
    private int _fails;

    /// <summary>Stored with the context, in its organization.</summary>
    public IssuedToken Add(CountersignDb db, NewToken wanted)
    {
        var text = TokenText.Make();
        var now = time.GetUtcNow();
        var token = new ApiToken
        {
            OrganizationId = db.Organization,
            Id = Guid.CreateVersion7(now),
            Person = wanted.Person,
            Hash = TokenText.Hash(text)!,
            Label = wanted.Label,
            Scopes = wanted.Scopes,
            Origin = wanted.Origin,
            Strength = wanted.Strength,
            Maker = wanted.Maker,
            Address = wanted.Address,
            Client = wanted.Client.Length <= ApiToken.LongestClient ? wanted.Client : wanted.Client[..ApiToken.LongestClient],
            Created = now,
            Expires = wanted.Expires,
        };
        db.Add(token);
        return new(token.Id, text, token.Created, token.Expires);
    }

    /// <summary>On the writer: whether the token that a request came with has not ended since it was looked at.</summary>
    public static Task<bool> IsStillAsync(CountersignDb db, Caller caller, CancellationToken cancellation) =>
        db.Set<ApiToken>().AnyAsync(row => row.Id == caller.TokenId, cancellation);

    /// <summary>The token of somebody who has just signed in. Their expired ones are cleared away.</summary>
    public async Task<IssuedToken> AddForSignInAsync(CountersignDb db, NewToken wanted, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        var mine = db.Set<ApiToken>().Where(row => row.Person == wanted.Person);
        await mine.Where(row => row.Expires <= now).ExecuteDeleteAsync(cancellation);
        var crowded = await mine.Where(row => row.Origin != TokenOrigin.Made)
            .OrderByDescending(row => row.Created).Skip(MostOfSignIn - 1).Select(row => row.Id).ToListAsync(cancellation);
        if (crowded.Count > 0) await mine.Where(row => crowded.Contains(row.Id)).ExecuteDeleteAsync(cancellation);
        return Add(db, wanted);
    }

    /// <summary>Whose token it is, as <see cref="ValidateToken"/> demands; whether they still take part is looked at by the gate.</summary>
    public async ValueTask<TokenIdentity?> ValidateAsync(string text, IPAddress? source, CancellationToken cancellation)
    {
        if (TokenText.Hash(text) is not { } hash) return null;
        var now = time.GetUtcNow();
        await using var db = database.Open();
        // The one query across organizations: a request brings a token and nothing that says whose. The hash is unique on the server.
        var token = await db.Set<ApiToken>().IgnoreQueryFilters().AsNoTracking().SingleOrDefaultAsync(row => row.Hash == hash, cancellation);
        if (token is null) return null;
        var rules = SignInRules.Of(policy.Current(token.OrganizationId));
        if (!Stands(token, rules, now)) return null;
        if (token.LastUsed is not { } last || now - last >= Resolution(token, rules)) await NoteUseAsync(token, now, cancellation);
        return new(token.OrganizationId, token.Person, token.Id, token.Scopes, token.Strength)
        {
            Carrier = token.Origin == TokenOrigin.Browser ? TokenCarrier.Cookie : TokenCarrier.Header,
        };
    }

    /// <summary>Those of the tokens that still count, as <see cref="StandingTokens"/> demands.</summary>
    public async ValueTask<IReadOnlySet<Guid>> StandingAsync(IReadOnlyCollection<Guid> tokens, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        await using var db = database.Open();
        // Across organizations, as when they were shown: ids are random and nobody names one here.
        var found = await db.Set<ApiToken>().IgnoreQueryFilters().AsNoTracking().Where(row => tokens.Contains(row.Id) && row.Expires > now).ToListAsync(cancellation);
        return found.Where(token => Stands(token, SignInRules.Of(policy.Current(token.OrganizationId)), now)).Select(token => token.Id).ToHashSet();
    }

    /// <summary>On the writer, by the rules in force there, as <see cref="SignInStands"/> demands.</summary>
    public async ValueTask<bool> StandsAsync(CountersignDb db, PolicySnapshot policy, Caller caller, CancellationToken cancellation) =>
        await db.Set<ApiToken>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == caller.TokenId, cancellation) is { } token
        && Stands(token, SignInRules.Of(policy), time.GetUtcNow());

    /// <summary>The rules in force now bind those who signed in before.</summary>
    public static bool Stands(ApiToken token, SignInSettings rules, DateTimeOffset now)
    {
        if (token.Expires <= now) return false;
        if (token.Origin == TokenOrigin.Made) return true;
        return now - token.Created < rules.Lifetime && (IdleOf(token, rules) is not { } idle || now - (token.LastUsed ?? token.Created) < idle);
    }

    private static TimeSpan Resolution(ApiToken token, SignInSettings rules) =>
        IdleOf(token, rules) is { } idle && idle / IdleParts < _useResolution ? idle / IdleParts : _useResolution;

    /// <summary>A browser may be a screen that somebody has left; a token that a program keeps is bounded by its lifetime alone.</summary>
    private static TimeSpan? IdleOf(ApiToken token, SignInSettings rules) => token.Origin == TokenOrigin.Browser ? rules.Idle : null;

    /// <summary>
    /// Waits a moment for it and not longer, and goes on where it fails: while nothing can be written, a session can still be ended through the API. One note at a time for each
    /// token, so that its requests pile up nothing in front of what sessions have to write.
    /// </summary>
    private async Task NoteUseAsync(ApiToken token, DateTimeOffset now, CancellationToken cancellation)
    {
        if (!_noting.TryAdd(token.Id, true)) return;
        try
        {
            await WriteUseAsync(token, now).WaitAsync(_longestNote, TimeProvider.System, cancellation);
        }
        catch (TimeoutException)
        {
            // It stays in the queue.
        }
    }

    private async Task WriteUseAsync(ApiToken token, DateTimeOffset now)
    {
        try
        {
            await queue.WriteAsync(
                token.OrganizationId,
                (db, stop) => db.Set<ApiToken>().Where(row => row.Id == token.Id).ExecuteUpdateAsync(set => set.SetProperty(row => row.LastUsed, now), stop),
                CancellationToken.None);
            Volatile.Write(ref _fails, 0);
        }
        catch (Exception failure) when (failure is DbException or DbUpdateException)
        {
            // A full disk must keep nobody from ending what runs. Its sign-in was found good without the note; who is idle too long by what is known is signed out.
            if (Interlocked.Exchange(ref _fails, 1) == 0) LogNotNoted(failure);
        }
        finally
        {
            _noting.TryRemove(token.Id, out _);
        }
    }

    [LoggerMessage(1, LogLevel.Error, "The last use of tokens can't be written down; it is not said again until it could be")]
    private partial void LogNotNoted(Exception failure);
}
