using Countersign.Access;
using Countersign.Gateway;
using Countersign.Server.Features.Mail;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Identity;

/// <param name="SignIn">How strongly the caller has proven who they are.</param>
/// <param name="Version">The version of policy that this was read from.</param>
internal sealed record MeAnswer(PersonShown Person, OrganizationShown Organization, IReadOnlyList<string> Scopes, SignInStrength SignIn, long Version) : IVersioned;

/// <param name="Name">At most 200 characters. What is left out stays.</param>
internal sealed record ProfileRequest(string? Name = null);

internal sealed record OrganizationShown(Guid Id, string Name);

internal sealed record PasswordRequest(string Current, string New)
{
    public override string ToString() => nameof(PasswordRequest);
}

/// <summary>What a caller may know of and change about themselves.</summary>
internal static class Me
{
    public static async Task<Results<Ok<MeAnswer>, ProblemHttpResult>> GetAsync(
        Caller caller, PolicySource policy, Database database, CancellationToken cancellation)
    {
        if (policy.Current(caller.Organization) is not { } inForce || inForce.Person(caller.Person) is not { } person) return Problems.NotFound();
        return TypedResults.Ok(Of(inForce, person, caller, await OrganizationAsync(caller, database, cancellation)));
    }

    /// <summary>
    /// What says nothing but how one is called. Login, address, groups and status are for those who manage technicians: an address that one gave oneself
    /// would be believed where mail proves who somebody is.
    /// </summary>
    public static async Task<Results<Ok<MeAnswer>, ProblemHttpResult>> EditAsync(
        ProfileRequest request, Caller caller, PolicyWriter writer, Database database, CancellationToken cancellation)
    {
        var organization = await OrganizationAsync(caller, database, cancellation);
        var outcome = await writer.ApplyAsync(
            caller,
            policy => policy.Person(caller.Person) is { } row ? new PolicyCommand.EditOwnProfile(request.Name ?? row.Name) : null,
            cancellation);
        return outcome.Answer(policy => Of(policy, policy.Person(caller.Person)!, caller, organization));
    }

    private static MeAnswer Of(PolicySnapshot policy, PersonRow person, Caller caller, OrganizationShown organization) =>
        new(PersonShown.Of(person), organization, ScopeNames.Of(caller.Scopes), caller.Strength, policy.Version);

    private static async Task<OrganizationShown> OrganizationAsync(Caller caller, Database database, CancellationToken cancellation)
    {
        await using var db = database.Open();
        var name = await db.Set<Organization>().Where(row => row.Id == caller.Organization).Select(row => row.Name).SingleAsync(cancellation);
        return new(caller.Organization.Value, name);
    }

    /// <summary>
    /// Every other token of the person ends, and every connection that the old password opened: whoever changes a password may do so because
    /// somebody else has it. It takes a sign-in, with the second factor where there is one: a program's token and a password that was overheard shut nobody out.
    /// </summary>
    public static async Task<Results<NoContent, ProblemHttpResult>> ChangePasswordAsync(
        PasswordRequest request,
        Caller caller,
        HttpContext context,
        PasswordSignIn verifier,
        OwnProof proof,
        Passwords passwords,
        PolicySource policy,
        PolicyWriter writer,
        WriteQueue queue,
        LiveSignIns live,
        AccountNews news,
        AuditLog audit,
        CancellationToken cancellation)
    {
        if (policy.Current(caller.Organization)?.Person(caller.Person) is not { } person) return Problems.NotFound();
        // Before the password is looked at: what is good for none of this is no way to try passwords either.
        if (await proof.UnfitAsync(caller, cancellation) is { } unfitAhead) return unfitAhead;

        // Counted like signing in: a stolen token must not be a way to try passwords.
        var verified = await verifier.VerifyOwnAsync(caller, request.Current, cancellation);
        if (verified is PasswordAnswer.Later(var after)) return Problems.TooManyAttempts(context, after);
        if (verified is not PasswordAnswer.Accepted accepted) return Problems.Invalid("current", "This is not the password.");

        if (request.New == request.Current) return Problems.Invalid("new", "The new password is the old one.");
        var strength = SignInRules.Of(policy.Current(caller.Organization)).PasswordStrength;
        if (PasswordRules.Problem(request.New, strength, person.Login, person.Name, person.Mail) is { } problem) return Problems.Invalid("new", problem);
        string hash;
        try
        {
            hash = await passwords.HashAsync(request.New, cancellation);
        }
        catch (PasswordsBusyException)
        {
            return Problems.TooManyAttempts(context, TimeSpan.FromSeconds(1));
        }

        return await queue.WriteAsync<Results<NoContent, ProblemHttpResult>>(
            async (unit, stop) =>
            {
                var db = unit.Db.Of(caller.Organization);
                if (await OwnProof.UnfitAsync(db, caller, stop) is { } unfit) return unfit;

                // Of two changes that both knew the old password the second one knows it no more.
                if (!await Passwords.IsStillAsync(db, caller.Person, accepted.Changed, stop)) return Problems.Invalid("current", "This is not the password.");
                if (SignInRules.Of(writer.ForWriter(caller.Organization)).ProblemSince(strength, request.New, person.Login, person.Name, person.Mail) is { } tooWeak) return Problems.Invalid("new", tooWeak);
                await passwords.SetAsync(db, caller.Person, hash, PasswordChoice.Own, stop);
                var ended = await db.Set<ApiToken>().Where(row => row.Person == caller.Person && row.Id != caller.TokenId).ExecuteDeleteAsync(stop);
                audit.Add(db, AuditEntry.By(caller, "password.changed") with
                {
                    Subject = caller.Login,
                    SubjectId = caller.Person.Value,
                    Details = new() { ["tokensEnded"] = ended },
                });
                await news.TellAsync(db, caller.Person, caller, AccountChange.PasswordChanged, stop);
                unit.Committed = () => live.End(caller.Organization, caller.Person, one => one.Proof is SignInProof.Password, "the password was changed");
                return TypedResults.NoContent();
            },
            cancellation);
    }
}
