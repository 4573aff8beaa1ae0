using Countersign.Access;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Identity;

/// <summary>That whoever shows a token is the person it belongs to, for what a stolen token must not be enough for.</summary>
internal sealed class OwnProof(PasswordSignIn passwords, Database database, TimeProvider time)
{
    private static readonly TimeSpan _fresh = TimeSpan.FromMinutes(10);

    /// <summary>Null: proven. Counted like signing in. A contact has no password: they have to have come by a link just now.</summary>
    public async Task<ProblemHttpResult?> ProblemAsync(Caller caller, string password, HttpContext context, CancellationToken cancellation)
    {
        if (caller.Kind == PersonKind.Contact) return await IsFreshAsync(caller, cancellation) ? null : Problems.Invalid("password", "Sign in by a new link first.");
        return await passwords.VerifyOwnAsync(caller, password, cancellation) switch
        {
            PasswordAnswer.Accepted => null,
            PasswordAnswer.Later(var after) => Problems.TooManyAttempts(context, after),
            _ => Problems.Invalid("password", "This is not the password."),
        };
    }

    private async Task<bool> IsFreshAsync(Caller caller, CancellationToken cancellation)
    {
        var since = time.GetUtcNow() - _fresh;
        await using var db = database.Read(caller.Organization);
        return await db.Set<ApiToken>().AnyAsync(row => row.Id == caller.TokenId && row.Person == caller.Person && row.Origin != TokenOrigin.Made && row.Created > since, cancellation);
    }
}
