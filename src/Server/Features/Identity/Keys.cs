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

    public static async Task<Results<Created<KeyShown>, ProblemHttpResult>> AddMineAsync(
        KeyRequest request, Caller caller, RegisteredKeys keys, AccountNews news, WriteQueue queue, CancellationToken cancellation)
    {
        if (Read(request, out var key) is { } problem) return problem;
        try
        {
            var registered = await queue.WriteAsync(
                caller.Organization,
                async (db, stop) =>
                {
                    var added = await keys.AddAsync(db, caller.Person, caller.Login, key!, request.Label, AuditEntry.By(caller, "key.added"), stop);
                    await news.TellAsync(db, caller.Person, caller, AccountChange.KeyAdded(added.Label, added.Fingerprint), stop);
                    return added;
                },
                cancellation);
            return TypedResults.Created($"/api/v1/me/keys/{registered.Id}", KeyShown.Of(registered));
        }
        catch (KeyRefusedException refused)
        {
            return Problems.Conflict(refused.Message);
        }
    }

    /// <summary>Ends the connections that it opened, too.</summary>
    public static async Task<Results<NoContent, ProblemHttpResult>> RemoveMineAsync(
        Guid id, Caller caller, WriteQueue queue, LiveSignIns live, AuditLog audit, CancellationToken cancellation)
    {
        var removed = await queue.WriteAsync(
            async (unit, stop) =>
            {
                var db = unit.Db.Of(caller.Organization);
                var registered = await db.Set<RegisteredKey>().SingleOrDefaultAsync(row => row.Id == id && row.Person == caller.Person, stop);
                if (registered is null) return false;
                db.Remove(registered);
                audit.Add(db, AuditEntry.By(caller, "key.removed") with
                {
                    Subject = caller.Login,
                    SubjectId = caller.Person.Value,
                    Details = new() { ["fingerprint"] = registered.Fingerprint, ["label"] = registered.Label },
                });
                unit.Committed = () => live.End(caller.Organization, caller.Person, one => one.Proof is SignInProof.Key key && key.Id == id, "the key was removed");
                return true;
            },
            cancellation);
        return removed ? TypedResults.NoContent() : Problems.NotFound();
    }

    /// <summary>
    /// For whoever may edit the person, so nobody registers a key for the owner but the owner. The engine is asked with the command that changes
    /// nothing; what it refuses is refused here, in the same words and with the same record.
    /// </summary>
    public static async Task<Results<Created<KeyShown>, ProblemHttpResult>> AddForAsync(
        Guid id, KeyRequest request, Caller caller, RegisteredKeys keys, AccountNews news, PolicyWriter writer, CancellationToken cancellation)
    {
        if (Read(request, out var key) is { } problem) return problem;
        RegisteredKey? registered = null;
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
                    // A key that lies ready for who has not joined would be somebody else's way in as them.
                    if (!isIn) throw new KeyRefusedException("They have not joined yet.");
                    registered = await keys.AddAsync(db, person, login, key!, request.Label, AuditEntry.By(caller, "key.added"), stop);
                    await news.TellAsync(db, person, caller, AccountChange.KeyAdded(registered.Label, registered.Fingerprint), stop);
                });
            return outcome.AnswerCreated($"/api/v1/technicians/{id}/keys", _ => KeyShown.Of(registered!));
        }
        catch (KeyRefusedException refused)
        {
            return Problems.Conflict(refused.Message);
        }
    }

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
