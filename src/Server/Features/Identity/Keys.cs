using Countersign.Access;
using Countersign.Gateway;
using Countersign.Server.Features.Mail;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Countersign.Ssh;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Identity;

/// <param name="Key">A line as in a <c>.pub</c> file.</param>
internal sealed record KeyRequest(string Label, string Key);

internal sealed record KeyShown(Guid Id, string Type, string Fingerprint, string Label, DateTimeOffset Added)
{
    public static KeyShown Of(RegisteredKey key) =>
        new(key.Id, SshPublicKey.TryParse(key.Blob.AsSpan(), out var parsed) ? parsed.Type : "", key.Fingerprint, key.Label, key.Added);
}

/// <summary>The SSH keys that people sign in with: their own, and those that an administrator registers for somebody.</summary>
internal static class Keys
{
    private const int LongestLine = 8192;

    public static async Task<Results<Ok<Page<KeyShown>>, ProblemHttpResult>> ListMineAsync(
        [AsParameters] PageQuery page, Caller caller, Database database, CancellationToken cancellation)
    {
        await using var db = database.Read(caller.Organization);
        var keys = await db.Set<RegisteredKey>().AsNoTracking().Where(row => row.Person == caller.Person).ToListAsync(cancellation);
        return page.Cut(keys, key => key.Id.ToString(), KeyShown.Of);
    }

    /// <summary>
    /// With the token of somebody who has just signed in: the key lasts, where a program's token or a session that was stolen does not. A contact has come by a
    /// link; without a key they reach no device by SSH, having no password.
    /// </summary>
    public static async Task<Results<Created<KeyShown>, ProblemHttpResult>> AddMineAsync(
        KeyRequest request, Caller caller, OwnProof proof, RegisteredKeys keys, AccountNews news, WriteQueue queue, CancellationToken cancellation)
    {
        if (Read(request, out var key) is { } problem) return problem;
        try
        {
            return await queue.WriteAsync<Results<Created<KeyShown>, ProblemHttpResult>>(
                caller.Organization,
                async (db, stop) =>
                {
                    if (await proof.UnfitOrStaleAsync(db, caller, stop) is { } unfit) return unfit;
                    var added = await keys.AddAsync(db, caller.Person, caller.Login, key!, request.Label, AuditEntry.By(caller, "key.added"), stop);
                    await news.TellAsync(db, caller.Person, caller, AccountChange.KeyAdded(added.Label, added.Fingerprint), stop);
                    return TypedResults.Created($"/api/v1/me/keys/{added.Id}", KeyShown.Of(added));
                },
                cancellation);
        }
        catch (KeyRefusedException refused)
        {
            return Problems.Conflict(refused.Message);
        }
    }

    /// <summary>Ends the connections that it opened, too.</summary>
    public static async Task<Results<NoContent, ProblemHttpResult>> RemoveMineAsync(
        Guid id, Caller caller, RegisteredKeys keys, AccountNews news, WriteQueue queue, LiveSignIns live, CancellationToken cancellation)
    {
        var removed = await queue.WriteAsync(
            async (unit, stop) =>
            {
                var db = unit.Db.Of(caller.Organization);
                if (await keys.RemoveAsync(db, caller.Person, caller.Login, id, AuditEntry.By(caller, "key.removed"), stop) is not { } removed) return false;
                await news.TellAsync(db, caller.Person, caller, AccountChange.KeyRemoved(removed.Label, removed.Fingerprint), stop);
                unit.Committed = () => EndConnections(live, caller, caller.Person, id);
                return true;
            },
            cancellation);
        return removed ? TypedResults.NoContent() : Problems.NotFound();
    }

    /// <summary>
    /// For whoever may edit the person, so nobody registers a key for the owner but the owner. The engine is asked with the command that changes
    /// nothing; what it refuses is refused here, in the same words and with the same record. For oneself it takes what <see cref="AddMineAsync"/> takes.
    /// </summary>
    public static async Task<Results<Created<KeyShown>, ProblemHttpResult>> AddForAsync(
        Guid id, KeyRequest request, Caller caller, OwnProof proof, RegisteredKeys keys, AccountNews news, PolicyWriter writer, CancellationToken cancellation)
    {
        if (Read(request, out var key) is { } problem) return problem;
        RegisteredKey? registered = null;
        ProblemHttpResult? unfit = null;
        var person = new PersonId(id);
        var (login, isIn) = ("", false);
        try
        {
            var outcome = await writer.ApplyAsync(
                caller,
                policy =>
                {
                    if (policy.Person(person) is not { } row) return null;
                    (login, isIn) = (row.Login, row.State == PersonState.Activated);
                    return new PolicyCommand.EditPerson(person, row.Name, row.Mail);
                },
                cancellation,
                async (db, _, stop) =>
                {
                    unfit = person == caller.Person ? await proof.UnfitOrStaleAsync(db, caller, stop) : null;
                    if (unfit is not null) return;

                    // A key that lies ready for who has not joined would be somebody else's way in as them.
                    if (!isIn) throw new KeyRefusedException("They have not joined yet.");
                    registered = await keys.AddAsync(db, person, login, key!, request.Label, AuditEntry.By(caller, "key.added"), stop);
                    await news.TellAsync(db, person, caller, AccountChange.KeyAdded(registered.Label, registered.Fingerprint), stop);
                });
            if (outcome is PolicyOutcome.Applied && unfit is not null) return unfit;
            return outcome.AnswerCreated($"/api/v1/technicians/{id}/keys", _ => KeyShown.Of(registered!));
        }
        catch (KeyRefusedException refused)
        {
            return Problems.Conflict(refused.Message);
        }
    }

    /// <summary>For whoever may edit the person, too: nothing is seen of the owner's.</summary>
    public static async Task<Results<Ok<Page<KeyShown>>, ProblemHttpResult>> ListForAsync(
        Guid id, [AsParameters] PageQuery page, CallersPolicy policy, Database database, CancellationToken cancellation)
    {
        var person = new PersonId(id);
        if (policy.Snapshot.Person(person) is not { } row) return Problems.NotFound();
        if (policy.Snapshot.Plan(new PolicyCommand.EditPerson(person, row.Name, row.Mail), policy.Person, policy.At) is not PlanResult.Planned and var refusal) return Problems.Of(refusal);
        await using var db = database.Read(policy.Snapshot.Organization);
        var keys = await db.Set<RegisteredKey>().AsNoTracking().Where(key => key.Person == person).ToListAsync(cancellation);
        return page.Cut(keys, key => key.Id.ToString(), KeyShown.Of);
    }

    /// <summary>For whoever may edit the person, who is told. Ends the connections that it opened, too.</summary>
    public static async Task<Results<NoContent, ProblemHttpResult>> RemoveForAsync(
        Guid id, Guid key, Caller caller, RegisteredKeys keys, AccountNews news, PolicyWriter writer, LiveSignIns live, CancellationToken cancellation)
    {
        var (person, login) = (new PersonId(id), "");
        RegisteredKey? removed = null;
        var outcome = await writer.ApplyAsync(
            caller,
            policy =>
            {
                if (policy.Person(person) is not { } row) return null;
                login = row.Login;
                return new PolicyCommand.EditPerson(person, row.Name, row.Mail);
            },
            cancellation,
            async (db, _, stop) =>
            {
                removed = await keys.RemoveAsync(db, person, login, key, AuditEntry.By(caller, "key.removed"), stop);
                if (removed is not null) await news.TellAsync(db, person, caller, AccountChange.KeyRemoved(removed.Label, removed.Fingerprint), stop);
            });
        if (outcome is not PolicyOutcome.Applied) return outcome.Refusal();
        if (removed is null) return Problems.NotFound();
        EndConnections(live, caller, person, key);
        return TypedResults.NoContent();
    }

    private static void EndConnections(LiveSignIns live, Caller caller, PersonId person, Guid key) =>
        live.End(caller.Organization, person, one => one.Proof is SignInProof.Key proof && proof.Id == key, "the key was removed");

    private static ProblemHttpResult? Read(KeyRequest request, out SshPublicKey? key)
    {
        key = null;
        if (Labels.Problem(request.Label) is { } problem) return Problems.Invalid("label", problem);
        if (request.Key.AsSpan().TrimStart().IndexOf("-cert-v01@openssh.com") is > 0 and < 64) return Problems.Invalid("key", "This is a certificate, and none is accepted: register the key that it is for.");
        return request.Key.Length <= LongestLine && SshPublicKey.TryParse(request.Key, out key)
            ? null
            : Problems.Invalid("key", "It is a line as in a .pub file: ssh-ed25519, ecdsa-sha2-nistp256, -384 or -521, or ssh-rsa of at least 2,048 bits.");
    }
}
