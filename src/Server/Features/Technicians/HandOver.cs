using System.Net;
using Countersign.Access;
using Countersign.Server.Features.Identity;
using Countersign.Server.Features.Mail;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.Technicians;

/// <param name="Password">The owner's own.</param>
/// <param name="Code">
/// From the owner's authenticator, or a recovery code; where they have a second factor. An owner with a passkey may leave it out within 10 minutes of signing in with
/// both factors.
/// </param>
internal sealed record HandOverRequest(string Password, string? Code = null)
{
    public override string ToString() => nameof(HandOverRequest);
}

/// <summary>
/// The owner makes somebody else the owner. A token that was stolen must not be enough for that: it takes the password, and a code; and a sign-in, not a program's token.
/// </summary>
internal sealed class HandOver(
    PasswordSignIn passwords, SecondFactor secondFactor, OwnProof proof, Database database, PolicyWriter writer, PolicySource policy, Outbox outbox,
    RepeatedRefusals refusals, AuditLog audit, TimeProvider time)
{
    public async Task<Results<Ok<TechnicianAnswer>, ProblemHttpResult>> HandleAsync(
        Guid id, HandOverRequest request, Caller caller, HttpContext context, CancellationToken cancellation)
    {
        var heir = new PersonId(id);

        // Before the password is looked at: who may not do it learns nothing by trying, and nothing is counted.
        if (policy.Current(caller.Organization) is not { } inForce || inForce.Person(caller.Person) is not { } owner) return Problems.NotFound();
        if (inForce.Plan(new PolicyCommand.HandOver(heir), caller.Person, time.GetUtcNow()) is not PlanResult.Planned and var refusal)
        {
            await NoteRefusedAsync(caller, id, "not allowed", cancellation);
            return Problems.Of(refusal);
        }

        if (await proof.UnfitAsync(caller, cancellation) is { } unfit)
        {
            await NoteRefusedAsync(caller, id, "token", cancellation);
            return unfit;
        }

        var source = caller.Source ?? IPAddress.None;
        var proven = await passwords.VerifyOwnAsync(caller, request.Password, cancellation);
        if (proven is PasswordAnswer.Later(var after)) return Problems.TooManyAttempts(context, after);
        if (proven is not PasswordAnswer.Accepted accepted)
        {
            await NoteRefusedAsync(caller, id, "password", cancellation);
            return Problems.Invalid("password", "This is not the password.");
        }

        if (accepted.HasSecondFactor && request.Code is null)
        {
            await using var db = database.Read(caller.Organization);
            if (await proof.WithoutCodeAsync(db, caller, cancellation) is { } problem)
            {
                await NoteRefusedAsync(caller, id, "code", cancellation);
                return problem;
            }
        }
        else if (accepted.HasSecondFactor)
        {
            var code = await secondFactor.VerifyAsync((caller.Organization, owner), request.Code!, source, "api", (_, _, _) => Task.FromResult(true), cancellation);
            if (code is CodeAnswer.Later(var wait)) return Problems.TooManyAttempts(context, wait);
            if (code is not CodeAnswer.Accepted)
            {
                await NoteRefusedAsync(caller, id, "code", cancellation);
                return Problems.Invalid("code", "The code is wrong, or was used before.");
            }
        }

        var outcome = await writer.ApplyAsync(
            caller,
            async (db, _, stop) => await StandsAsync(db, stop) ? new PolicyCommand.HandOver(heir) : null,
            cancellation,
            (db, delta, stop) => TellAsync(db, caller, delta, stop));
        return outcome.Answer(snapshot => TechnicianAnswer.Of(snapshot, caller, heir, time));

        async Task<bool> StandsAsync(CountersignDb db, CancellationToken stop) =>
            await OwnProof.StandsAsync(db, caller, new(accepted), stop)
            && await OwnProof.UnfitAsync(db, caller, stop) is null
            && (!accepted.HasSecondFactor || request.Code is not null || await proof.WithoutCodeAsync(db, caller, stop) is null);
    }

    /// <summary>Somebody tried to make another one the owner, and could not: for whoever reads the log, however it ended.</summary>
    private Task NoteRefusedAsync(Caller caller, Guid heir, string because, CancellationToken cancellation)
    {
        var entry = AuditEntry.By(caller, "ownership.refused") with
        {
            Subject = policy.Current(caller.Organization)?.Person(new(heir))?.Login ?? "",
            SubjectId = heir,
            Outcome = AuditOutcome.Refused,
            Details = new() { ["because"] = because },
        };
        return refusals.WriteFirstAsync(caller.Organization, entry, cancellation);
    }

    private async Task TellAsync(CountersignDb db, Caller caller, PolicyDelta delta, CancellationToken cancellation)
    {
        var people = delta.Changes.Select(change => change.After).OfType<PersonRow>().ToList();
        var (owner, before) = (people.Single(person => person.Kind == PersonKind.Owner), people.Single(person => person.Kind != PersonKind.Owner));
        var organization = await OrganizationNames.OfAsync(db, cancellation);
        outbox.Add(db, before, Letters.OwnershipGiven(organization, owner.Name));
        outbox.Add(db, owner, Letters.OwnershipTaken(organization, before.Name));
        audit.Add(db, AuditEntry.By(caller, "ownership.handed-over") with { Subject = owner.Login, SubjectId = owner.Id.Value, Details = new() { ["before"] = before.Id.ToString() } });
    }
}
