using System.Net;
using Countersign.Access;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Identity;

/// <param name="Label">What it is called in the list of sign-ins.</param>
/// <param name="As"><c>token</c>: in the answer. <c>cookie</c>: in a cookie that scripts can't read.</param>
internal sealed record SignInRequest(string Login, string Password, string? Label = null, SignInAs As = SignInAs.Token)
{
    public override string ToString() => nameof(SignInRequest);
}

/// <param name="Ticket">From the answer to login and password.</param>
/// <param name="Code">From the authenticator, or a recovery code.</param>
internal sealed record SignInCodeRequest(string Ticket, string Code, string? Label = null, SignInAs As = SignInAs.Token)
{
    public override string ToString() => nameof(SignInCodeRequest);
}

/// <param name="Token">Null: it is in the cookie.</param>
/// <param name="MustChangePassword">Then the token is good for <c>/me/password</c> only; sign in again afterwards.</param>
/// <param name="MustSetUpTwoFactor">Then the token is good for <c>/me/two-factor</c> and <c>/me/passkeys</c> only, until one of them is done.</param>
internal sealed record SignInAnswer(string? Token, DateTimeOffset Expires, PersonShown Person, bool MustChangePassword, bool MustSetUpTwoFactor)
{
    public override string ToString() => nameof(SignInAnswer);
}

/// <summary>Login and password are right, and a code or a passkey is wanted as well.</summary>
/// <param name="Ticket">For <c>/sign-in/code</c>, and <c>/sign-in/passkey/options</c>.</param>
/// <param name="Passkey">The person has one that would do.</param>
internal sealed record CodeWanted(string Ticket, DateTimeOffset Expires, bool Passkey)
{
    public override string ToString() => nameof(CodeWanted);
}

internal sealed record PersonShown(Guid Id, string Login, string Name, PersonKind Kind)
{
    public static PersonShown Of(PersonRow person) => new(person.Id.Value, person.Login, person.Name, person.Kind);
}

/// <summary>From a password, and a code where one is set up, to a token; and the end of one.</summary>
internal sealed class SigningIn(
    PasswordSignIn passwords, SecondFactor secondFactor, SignInTickets tickets, SignInGrant grant, PolicySource policy, PolicyWriter writer, Database database,
    WriteQueue queue, TimeProvider time)
{
    private const int LongestLogin = 256;

    public async Task<Results<Ok<SignInAnswer>, Accepted<CodeWanted>, ProblemHttpResult>> ByPasswordAsync(
        SignInRequest request, HttpContext context, CancellationToken cancellation)
    {
        if (request.Login.Length > LongestLogin) return Problems.Invalid("login", $"It has at most {LongestLogin} characters.");
        if (SignInPlace.Problem(request.Label, request.As, context) is { } unfit) return unfit;
        switch (await passwords.VerifyAsync(request.Login, request.Password, Source(context), "api", cancellation))
        {
            case PasswordAnswer.Accepted { HasSecondFactor: true } accepted:
                var ticket = tickets.Issue(new(accepted.Organization, accepted.Person.Id, accepted.Changed));
                return TypedResults.Accepted((string?)null, new CodeWanted(ticket, time.GetUtcNow() + SignInTickets.Life, await HasPasskeyAsync(accepted, cancellation)));
            case PasswordAnswer.Accepted accepted:
                var granted = new SignInGranted
                {
                    Organization = accepted.Organization,
                    Person = accepted.Person,
                    Method = "password",
                    Strength = SignInStrength.OneFactor,
                    MustChangePassword = accepted.MustChange,
                };
                var issued = await queue.WriteAsync<(IssuedToken Token, SignInAnswer Answer)?>(
                    accepted.Organization,
                    async (db, stop) => await StandsAsync(db, accepted, Source(context), stop) ? await grant.AddAsync(db, granted, new(request.Label, request.As), context, stop) : null,
                    cancellation);
                return issued is { } made ? Answer(context, request.As, made.Token, made.Answer) : Refused();
            case PasswordAnswer.Later(var after):
                return Problems.TooManyAttempts(context, after);
            default:
                return Refused();
        }
    }

    private async Task<bool> HasPasskeyAsync(PasswordAnswer.Accepted accepted, CancellationToken cancellation)
    {
        await using var db = database.Read(accepted.Organization);
        return await SecondFactor.HasPasskeyAsync(db, accepted.Person.Id, cancellation);
    }

    /// <summary>Between the look at the password and the writer's turn it may have been changed, a second factor set up, or the person disabled.</summary>
    private async Task<bool> StandsAsync(CountersignDb db, PasswordAnswer.Accepted accepted, IPAddress source, CancellationToken stop) =>
        writer.ForWriter(accepted.Organization) is { } inForce && inForce.Person(accepted.Person.Id) is { TakesPart: true } && SignInRules.Of(inForce).Allows(source)
        && await accepted.IsStillAsync(db, stop);

    private static ProblemHttpResult Refused() =>
        TypedResults.Problem(statusCode: StatusCodes.Status401Unauthorized, title: "Login or password are wrong");

    public async Task<Results<Ok<SignInAnswer>, ProblemHttpResult>> ByCodeAsync(SignInCodeRequest request, HttpContext context, CancellationToken cancellation)
    {
        if (SignInPlace.Problem(request.Label, request.As, context) is { } unfit) return unfit;
        if (tickets.Read(request.Ticket) is not { } ticket) return CodeRefused();
        if (policy.Current(ticket.Organization)?.Person(ticket.Person) is not { TakesPart: true } person) return CodeRefused();
        var rules = SignInRules.Of(policy.Current(ticket.Organization));
        if (!rules.Allows(Source(context))) return CodeRefused();
        (IssuedToken Token, SignInAnswer Answer)? issued = null;
        var answer = await secondFactor.VerifyAsync(
            (ticket.Organization, person),
            request.Code,
            Source(context),
            "api",
            async (unit, kind, stop) =>
            {
                // The password that the ticket stands for may be another one by now. A contact came with a link and has none.
                var credential = await unit.Db.Set<Credential>().AsNoTracking().SingleOrDefaultAsync(row => row.Person == person.Id, stop);
                if ((credential?.Changed ?? default) != ticket.PasswordChanged) return false;
                var granted = new SignInGranted
                {
                    Organization = ticket.Organization,
                    Person = person,
                    Method = CodeMethods.With(credential is null ? "mailed link" : "password", kind),
                    Strength = SignInStrength.TwoFactor,
                    MustChangePassword = credential is not null && (credential.MustChange || rules.IsTooOld(credential.Changed, time.GetUtcNow())),
                };
                issued = await grant.AddAsync(unit.Db, granted, new(request.Label, request.As), context, stop);
                return true;
            },
            cancellation);
        return answer switch
        {
            CodeAnswer.Accepted when issued is var (token, shown) => Answer(context, request.As, token, shown),
            CodeAnswer.Later(var after) => Problems.TooManyAttempts(context, after),
            _ => CodeRefused(),
        };
    }

    public async Task<NoContent> SignOutAsync(Caller caller, HttpContext context, AuditLog audit, CancellationToken cancellation)
    {
        await queue.WriteAsync(
            caller.Organization,
            async (db, stop) =>
            {
                if (await db.Set<ApiToken>().SingleOrDefaultAsync(row => row.Id == caller.TokenId, stop) is { } token) await MyTokens.RemoveMadeWithAsync(db, token, stop);
                audit.Add(db, AuditEntry.By(caller, "sign-out") with { Subject = caller.Login, SubjectId = caller.Person.Value });
            },
            cancellation);

        // One that only came along belongs to another sign-in, which goes on.
        if (caller.Carrier == TokenCarrier.Cookie) SessionCookie.Forget(context);
        return TypedResults.NoContent();
    }

    private static IPAddress Source(HttpContext context) => context.Connection.RemoteIpAddress ?? IPAddress.None;

    private static Ok<SignInAnswer> Answer(HttpContext context, SignInAs wanted, IssuedToken token, SignInAnswer answer)
    {
        if (wanted == SignInAs.Cookie) SessionCookie.Give(context, token);
        return TypedResults.Ok(answer);
    }

    /// <summary>One answer: whether the ticket is none, too old, or the code is wrong.</summary>
    private static ProblemHttpResult CodeRefused() => TypedResults.Problem(statusCode: StatusCodes.Status401Unauthorized, title: "The code is wrong, or comes too late");
}

/// <summary>What the audit log calls a sign-in with a code.</summary>
internal static class CodeMethods
{
    public static string With(string first, CodeKind kind) => kind == CodeKind.Recovery ? $"{first} and recovery code" : $"{first} and code";
}

internal static class Labels
{
    private const int Longest = 100;

    /// <summary>Null when the label will do; a missing one does.</summary>
    public static string? Problem(string? label) => label switch
    {
        null => null,
        _ when label.Length > Longest => $"It has at most {Longest} characters.",
        _ when string.IsNullOrWhiteSpace(label) => "It can't be blank.",
        _ when !Names.IsPlain(label) => "It is on one line, and every character of it shows.",
        _ => null,
    };
}
