using Countersign.Access;
using Countersign.Server.Features.Mail;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Identity;

/// <param name="Password">Good for choosing another one, and for nothing more.</param>
internal sealed record FirstPasswordRequest(string Password)
{
    public override string ToString() => nameof(FirstPasswordRequest);
}

/// <param name="Until">From then on it is as wrong as any other.</param>
internal sealed record FirstPasswordSet(DateTimeOffset Until);

/// <summary>
/// Another first password for somebody who was added by hand and has not come: theirs is over, or nobody knows it any more, and there may be no mail server for a link.
/// Only while they have never been in: from then on whoever sets it would be them.
/// </summary>
internal sealed class FirstPassword(
    PolicyWriter writer, PolicySource policy, Passwords passwords, Database database, SignInLimits limits, AccountNews news, AuditLog audit, TimeProvider time)
{
    private const string NotForThem = "A first password is for technicians who were given one, have not chosen their own, and have nothing else to sign in with: have them mailed a link instead.";

    /// <summary>For whoever may edit the person, so never for the owner: the engine is asked with the command that changes nothing. What the one before has begun ends with it.</summary>
    public async Task<Results<Ok<FirstPasswordSet>, ProblemHttpResult>> SetAsync(Guid id, FirstPasswordRequest request, Caller caller, HttpContext context, CancellationToken cancellation)
    {
        if (caller.Person.Value == id) return Problems.Forbidden("Nobody gives themselves a first password: change the one that you have.");
        if (await BeforeAsync(new(id), caller, cancellation) is { } refused) return refused;
        if (policy.Current(caller.Organization) is not { } inForce || inForce.Person(new(id)) is not { } person) return Problems.NotFound();
        var strength = SignInRules.Of(inForce).PasswordStrength;
        if (PasswordRules.Problem(request.Password, strength, person.Login, person.Name, person.Mail) is { } problem) return Problems.Invalid("password", problem);
        string hash;
        try
        {
            hash = await passwords.HashAsync(request.Password, cancellation);
        }
        catch (PasswordsBusyException)
        {
            return Problems.TooManyAttempts(context, TimeSpan.FromSeconds(1));
        }

        ProblemHttpResult? unfit = null;
        FirstPasswordSet? set = null;
        var outcome = await writer.ApplyAsync(
            caller,
            now => now.Person(person.Id) is { } row ? Unchanged(person = row) : null,
            cancellation,
            async (db, _, stop) =>
            {
                unfit = !await IsForAsync(db, person, stop) ? Problems.Conflict(NotForThem)
                    : SignInRules.Of(writer.ForWriter(caller.Organization)).ProblemSince(strength, request.Password, person.Login, person.Name, person.Mail) is { } tooWeak ? Problems.Invalid("password", tooWeak)
                    : null;
                if (unfit is null) set = await SetAsync(db, caller, person, hash, stop);
            });
        if (outcome is not PolicyOutcome.Applied) return outcome.Refusal();
        return unfit is null ? TypedResults.Ok(set) : unfit;
    }

    /// <summary>Before anything is worked out from the password: who may not set one must not have the server hash for them, nor know of whom there is to set one.</summary>
    private async Task<ProblemHttpResult?> BeforeAsync(PersonId id, Caller caller, CancellationToken cancellation)
    {
        var inForce = policy.Current(caller.Organization);
        var person = inForce?.Person(id);
        if (person is null || inForce!.Plan(Unchanged(person), caller.Person, time.GetUtcNow()) is not PlanResult.Planned)
        {
            var outcome = await writer.ApplyAsync(caller, now => now.Person(id) is { } row ? Unchanged(row) : null, cancellation);
            return outcome is PolicyOutcome.Applied ? null : outcome.Refusal();
        }

        await using var db = database.Read(caller.Organization);
        return await IsForAsync(db, person, cancellation) ? null : Problems.Conflict(NotForThem);
    }

    private async Task<FirstPasswordSet> SetAsync(CountersignDb db, Caller caller, PersonRow person, string hash, CancellationToken cancellation)
    {
        var until = time.GetUtcNow() + limits.FirstPasswordLife;
        await passwords.SetAsync(db, person.Id, hash, PasswordChoice.First, cancellation);
        await db.Set<ApiToken>().Where(row => row.Person == person.Id).ExecuteDeleteAsync(cancellation);
        var told = await news.TellAsync(db, person.Id, caller, AccountChange.FirstPasswordSet, cancellation);
        audit.Add(db, AuditEntry.By(caller, "password.first-set") with
        {
            Subject = person.Login,
            SubjectId = person.Id.Value,
            Details = new() { ["until"] = until.ToString("O"), ["told"] = told },
        });
        return new(until);
    }

    private static PolicyCommand.EditPerson Unchanged(PersonRow person) => new(person.Id, person.Name, person.Mail);

    /// <summary>Nothing but the first password has ever been theirs: a key or a factor lets in, and a token that is good for something came of being in.</summary>
    private static async Task<bool> IsForAsync(CountersignDb db, PersonRow person, CancellationToken cancellation) =>
        person is { Kind: PersonKind.Technician, TakesPart: true }
        && await db.Set<Credential>().AnyAsync(row => row.Person == person.Id && row.MustChange, cancellation)
        && !await db.Set<RegisteredKey>().AnyAsync(row => row.Person == person.Id, cancellation)
        && !await db.Set<ApiToken>().AnyAsync(row => row.Person == person.Id && row.Scopes != TokenScopes.None, cancellation)
        && !await SecondFactor.IsEnabledAsync(db, person.Id, cancellation);
}
