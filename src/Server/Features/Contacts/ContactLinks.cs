using System.Data.Common;
using System.Threading.Channels;
using Countersign.Access;
using Countersign.Server.Features.Identity;
using Countersign.Server.Features.Mail;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Contacts;

/// <summary>
/// Mails contacts the links that were asked for. Whoever asks is answered before anybody is looked for, so that neither the answer nor its time tells
/// whether there is such a contact.
/// </summary>
internal sealed partial class ContactLinks(
    PolicySource policy, WriteQueue queue, Outbox outbox, PublicAddress address, AuditLog audit, TimeProvider time, ILogger<ContactLinks> log) : BackgroundService
{
    public static readonly TimeSpan Life = TimeSpan.FromMinutes(15);

    /// <summary>More than can be asked for before the throttle bites; what comes beyond it is lost, and asked for again.</summary>
    private const int MostWaiting = 1024;

    private readonly Channel<string> _asked = Channel.CreateBounded<string>(new BoundedChannelOptions(MostWaiting) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    /// <summary>Takes no time.</summary>
    public void Ask(string mail) => _asked.Writer.TryWrite(mail);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var mail in _asked.Reader.ReadAllAsync(stoppingToken))
        {
            foreach (var snapshot in policy.All.ToList())
            {
                foreach (var contact in snapshot.All<PersonRow>().Where(person => Is(person, mail)).ToList()) await SendAsync(snapshot.Organization, contact, stoppingToken);
            }
        }
    }

    private static bool Is(PersonRow person, string mail) =>
        person is { Kind: PersonKind.Contact, TakesPart: true } && string.Equals(person.Mail, mail, StringComparison.OrdinalIgnoreCase);

    private async Task SendAsync(OrganizationId organization, PersonRow contact, CancellationToken cancellation)
    {
        try
        {
            await queue.WriteAsync(
                organization,
                async (db, stop) =>
                {
                    var (text, hash) = OneTimeToken.Make();
                    var expires = time.GetUtcNow() + Life;
                    var letter = Letters.ContactLink(await OrganizationNames.OfAsync(db, stop), address.Link($"contact#{text}"), Life);
                    if (outbox.Add(db, contact.Mail, letter, expires) is null) return;
                    await db.Set<ContactLink>().Where(row => row.Person == contact.Id).ExecuteDeleteAsync(stop);
                    db.Add(new ContactLink { OrganizationId = organization, Person = contact.Id, Hash = hash, Expires = expires });
                    audit.Add(db, new AuditEntry { Kind = "sign-in.link-sent", Channel = "system", Subject = contact.Login, SubjectId = contact.Id.Value });
                },
                cancellation);
        }
        catch (Exception failure) when (failure is DbException or DbUpdateException)
        {
            // The disk is full, the file is locked, the contact is just deleted: they ask again.
            LogFailed(failure, contact.Id, organization);
        }
    }

    [LoggerMessage(1, LogLevel.Error, "Contact {Contact} of organization {Organization} could not be mailed a link")]
    private partial void LogFailed(Exception failure, PersonId contact, OrganizationId organization);
}
