using Countersign.Access;
using Countersign.Server.Features.Mail;
using Countersign.Server.Features.Technicians;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Invitations;

/// <param name="Name">Null: the address stands for it until they say what they are called.</param>
/// <param name="Days">How long the link is good, 1 to 30.</param>
internal sealed record InviteRequest(string Mail, string? Name = null, int Days = Inviting.UsualDays);

internal sealed record ResendRequest(int Days = Inviting.UsualDays);

internal enum InvitationState
{
    /// <summary>The link is good.</summary>
    Open = 1,
    Expired = 2,
    Withdrawn = 3,
}

/// <param name="SentBy">Null: not there any more, or not the caller's to see.</param>
/// <param name="Delivery">What became of the mail; null: that is forgotten.</param>
internal sealed record InvitationShown(
    InvitationState State, string Mail, Guid? SentBy, DateTimeOffset Sent, DateTimeOffset Expires, MailState? Delivery, string DeliveryProblem);

/// <summary>Invites people by mail: they are there at once, can be given groups and grants, and take part in nothing until they have used the link.</summary>
internal sealed class Inviting(
    PolicyWriter writer, Outbox outbox, MailedLinks links, LinkBound bound, Database database, AuditLog audit, TimeProvider time)
{
    public const int UsualDays = 7;

    private const int MostDays = 30;
    private const string SendsNothing = "This server was told no mail server, so that it can't invite anybody. Add people with a first password instead.";
    private const string Joined = "They have joined already.";

    public async Task<Results<Created<TechnicianAnswer>, ProblemHttpResult>> InviteAsync(InviteRequest request, Caller caller, HttpContext context, CancellationToken cancellation)
    {
        if (Unfit(request.Days) is { } unfit) return unfit;
        var id = new PersonId(Guid.CreateVersion7(time.GetUtcNow()));
        var mail = request.Mail.Trim();
        if (!Names.IsMail(mail)) return Problems.Invalid("mail", "This is no mail address: one such as ann@example.org is wanted.");
        try
        {
            var outcome = await writer.ApplyAsync(
                caller,
                new PolicyCommand.AddPerson(id, PersonKind.Technician, LoginUntilJoined(id), request.Name ?? mail, mail, PersonState.Invited),
                cancellation,
                (db, delta, stop) => SendAsync(db, caller, (PersonRow)delta.Changes[0].After!, request.Days, stop));
            return outcome.AnswerCreated($"/api/v1/technicians/{id}", snapshot => TechnicianAnswer.Of(snapshot, caller, id, time));
        }
        catch (TooManyLinksException tooMany)
        {
            return await bound.RefuseAsync(tooMany, caller, context, cancellation);
        }
    }

    /// <summary>A new link, and the one before is void. For whoever may edit the person: the engine is asked with the command that changes nothing.</summary>
    public async Task<Results<Ok<InvitationShown>, ProblemHttpResult>> ResendAsync(Guid id, ResendRequest request, Caller caller, HttpContext context, CancellationToken cancellation)
    {
        if (Unfit(request.Days) is { } unfit) return unfit;
        try
        {
            return await SendAgainAsync(id, request, caller, cancellation);
        }
        catch (TooManyLinksException tooMany)
        {
            return await bound.RefuseAsync(tooMany, caller, context, cancellation);
        }
    }

    private async Task<Results<Ok<InvitationShown>, ProblemHttpResult>> SendAgainAsync(Guid id, ResendRequest request, Caller caller, CancellationToken cancellation)
    {
        PersonRow? person = null;
        ProblemHttpResult? problem = null;
        var outcome = await writer.ApplyAsync(
            caller,
            policy => (person = policy.Person(new(id))) is null ? null : new PolicyCommand.EditPerson(person.Id, person.Name, person.Mail),
            cancellation,
            async (db, _, stop) =>
            {
                problem = person switch
                {
                    { Kind: not PersonKind.Technician } or { State: not PersonState.Invited } => Problems.Conflict(Joined),
                    { Status: not PersonStatus.Active } => Problems.Conflict("They are disabled: enable them first."),
                    { Mail: "" } => Problems.Conflict("There is no address to send it to: edit the technician first."),
                    _ => null,
                };
                if (problem is null) await SendAsync(db, caller, person!, request.Days, stop);
            });
        if (outcome is not PolicyOutcome.Applied) return outcome.Refusal();
        return problem is not null ? problem : await ShowAsync(id, new(((PolicyOutcome.Applied)outcome).Snapshot, caller, time.GetUtcNow()), cancellation);
    }

    /// <summary>The link is void from now on. The person stays as they are, to be invited again or deleted.</summary>
    public async Task<Results<NoContent, ProblemHttpResult>> WithdrawAsync(Guid id, Caller caller, CancellationToken cancellation)
    {
        var person = new PersonId(id);
        var outcome = await writer.ApplyAsync(
            caller,
            async (db, policy, stop) => policy.Person(person) is { } row && await IsOpenAsync(db, person, stop)
                ? new PolicyCommand.EditPerson(person, row.Name, row.Mail)
                : null,
            cancellation,
            async (db, _, stop) =>
            {
                await links.VoidAsync(db, person, LinkPurpose.Join, stop);
                var mail = await db.Set<Invitation>().Where(kept => kept.Person == person).Select(kept => kept.Mail).SingleAsync(stop);
                audit.Add(db, AuditEntry.By(caller, "invitation.withdrawn") with { Subject = mail, SubjectId = id });
            });
        return outcome is PolicyOutcome.Applied ? TypedResults.NoContent() : outcome.Refusal();
    }

    public async Task<Results<Ok<InvitationShown>, ProblemHttpResult>> ShowAsync(Guid id, CallersPolicy policy, CancellationToken cancellation)
    {
        var person = new PersonId(id);
        if (!policy.MaySee(person)) return Problems.NotFound();
        await using var db = database.Read(policy.Snapshot.Organization);
        if (await db.Set<Invitation>().AsNoTracking().SingleOrDefaultAsync(row => row.Person == person, cancellation) is not { } row) return Problems.NotFound();
        var mail = await db.Set<OutgoingMail>().AsNoTracking().Where(sent => sent.Id == row.Letter).Select(sent => new { sent.State, sent.Problem }).SingleOrDefaultAsync(cancellation);
        var state = !await IsOpenAsync(db, person, cancellation) ? InvitationState.Withdrawn : row.Expires <= policy.At ? InvitationState.Expired : InvitationState.Open;
        return TypedResults.Ok(new InvitationShown(
            state, row.Mail, policy.MaySee(row.SentBy) ? row.SentBy.Value : null, row.Sent, row.Expires, mail?.State, mail?.Problem ?? ""));
    }

    /// <summary>Nobody else's, and nothing that a person would choose: an invited person signs in with nothing.</summary>
    private static string LoginUntilJoined(PersonId id) => $"invited-{id.Value.ToString("N")[^16..]}";

    private ProblemHttpResult? Unfit(int days) =>
        days is < 1 or > MostDays ? Problems.Invalid("days", $"A link is good for 1 to {MostDays} days.")
        : outbox.Sends ? null : Problems.Conflict(SendsNothing);

    private static Task<bool> IsOpenAsync(CountersignDb db, PersonId person, CancellationToken cancellation) =>
        db.Set<MailedLink>().AnyAsync(row => row.Person == person && row.Purpose == LinkPurpose.Join, cancellation);

    private async Task SendAsync(CountersignDb db, Caller caller, PersonRow person, int days, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        var expires = now.AddDays(days);
        var inviter = await db.Set<PersonRow>().Where(row => row.Id == caller.Person).Select(row => row.Name).SingleAsync(cancellation);
        var organization = await OrganizationNames.OfAsync(db, cancellation);
        await db.Set<Invitation>().Where(row => row.Person == person.Id).ExecuteDeleteAsync(cancellation);
        if (await links.SendAsync(db, person, LinkPurpose.Join, "join", expires, link => Letters.Invitation(organization, inviter, link, expires), cancellation) is not { } sent) throw new InvalidOperationException("An invitation needs an address and a mail server.");
        db.Add(new Invitation
        {
            OrganizationId = db.Organization,
            Person = person.Id,
            Mail = person.Mail,
            SentBy = caller.Person,
            Sent = now,
            Expires = expires,
            Letter = sent,
        });
        audit.Add(db, AuditEntry.By(caller, "invitation.sent") with { Subject = person.Mail, SubjectId = person.Id.Value, Details = new() { ["expires"] = expires.ToString("O") } });
    }
}
