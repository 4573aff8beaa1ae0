using System.Net;
using Countersign.Access;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Identity;

/// <param name="Label">What the token is called in the list of tokens.</param>
internal sealed record SignInRequest(string Login, string Password, string? Label = null)
{
    public override string ToString() => nameof(SignInRequest);
}

/// <param name="MustChangePassword">Then the token is good for <c>/me/password</c> only; sign in again afterwards.</param>
internal sealed record SignInAnswer(string Token, DateTimeOffset Expires, PersonShown Person, bool MustChangePassword)
{
    public override string ToString() => nameof(SignInAnswer);
}

internal sealed record PersonShown(Guid Id, string Login, string Name, PersonKind Kind)
{
    public static PersonShown Of(PersonRow person) => new(person.Id.Value, person.Login, person.Name, person.Kind);
}

/// <summary>From a password to a token, and the end of one.</summary>
internal static class SigningIn
{
    private const int LongestLogin = 256;

    public static async Task<Results<Ok<SignInAnswer>, ProblemHttpResult>> SignInAsync(
        SignInRequest request,
        HttpContext context,
        PasswordSignIn passwords,
        ApiTokens tokens,
        WriteQueue queue,
        AuditLog audit,
        CancellationToken cancellation)
    {
        if (request.Login.Length > LongestLogin) return Problems.Invalid("login", $"It has at most {LongestLogin} characters.");
        if (Labels.Problem(request.Label) is { } problem) return Problems.Invalid("label", problem);
        var source = context.Connection.RemoteIpAddress ?? IPAddress.None;
        switch (await passwords.VerifyAsync(request.Login, request.Password, source, "api", cancellation))
        {
            case PasswordAnswer.Accepted(var organization, var person, var mustChange):
                var token = await queue.WriteAsync(
                    organization,
                    async (db, stop) =>
                    {
                        var scopes = mustChange ? TokenScopes.None : TokenScopes.Write;
                        var issued = await tokens.AddForSignInAsync(db, person.Id, request.Label ?? "sign-in", scopes, stop);
                        audit.Add(db, SignIn.Succeeded(person, source, "api", "password") with { Correlation = context.TraceIdentifier });
                        return issued;
                    },
                    cancellation);
                return TypedResults.Ok(new SignInAnswer(token.Text, token.Expires, PersonShown.Of(person), mustChange));
            case PasswordAnswer.Later(var after):
                return Problems.TooManyAttempts(context, after);
            default:
                return TypedResults.Problem(statusCode: StatusCodes.Status401Unauthorized, title: "Login or password are wrong");
        }
    }

    public static async Task<NoContent> SignOutAsync(Caller caller, WriteQueue queue, AuditLog audit, CancellationToken cancellation)
    {
        await queue.WriteAsync(
            caller.Organization,
            async (db, stop) =>
            {
                await db.Set<ApiToken>().Where(row => row.Id == caller.TokenId).ExecuteDeleteAsync(stop);
                audit.Add(db, AuditEntry.By(caller, "sign-out") with { Subject = caller.Login, SubjectId = caller.Person.Value });
            },
            cancellation);
        return TypedResults.NoContent();
    }
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
        _ when label.Any(char.IsControl) => "It has no control characters.",
        _ => null,
    };
}
