using System.Net;
using System.Threading.Channels;
using Countersign.Access;
using Countersign.Server.Features.Mail;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;

namespace Countersign.Server.Features.Contacts;

/// <summary>Somebody wants a link for this address.</summary>
/// <param name="Source">Where they asked from.</param>
internal sealed record AskedLink(string Mail, IPAddress Source, string Correlation)
{
    public override string ToString() => nameof(AskedLink);
}

/// <summary>
/// Mails contacts the links that were asked for. Whoever asks is answered before anybody is looked for, so that neither the answer nor its time tells
/// whether there is such a contact.
/// </summary>
internal sealed partial class ContactLinks(
    PolicySource policy, PolicyWriter writer, WriteQueue queue, MailedLinks links, AuditLog audit, TimeProvider time, ILogger<ContactLinks> log) : BackgroundService
{
    public static readonly TimeSpan Life = TimeSpan.FromMinutes(15);

    /// <summary>More than can be asked for before the throttle bites; what comes beyond it is lost, and asked for again.</summary>
    private const int MostWaiting = 1024;

    private readonly Channel<AskedLink> _asked = Channel.CreateBounded<AskedLink>(new BoundedChannelOptions(MostWaiting) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    /// <summary>Takes no time.</summary>
    public void Ask(AskedLink asked) => _asked.Writer.TryWrite(asked);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var asked in _asked.Reader.ReadAllAsync(stoppingToken))
        {
            foreach (var snapshot in policy.All.ToList())
            {
                foreach (var contact in snapshot.All<PersonRow>().Where(person => Is(person, asked.Mail)).ToList()) await SendAsync(snapshot.Organization, contact.Id, asked, stoppingToken);
            }
        }
    }

    private static bool Is(PersonRow person, string mail) =>
        person is { Kind: PersonKind.Contact, TakesPart: true } && string.Equals(person.Mail, mail, StringComparison.OrdinalIgnoreCase);

    private async Task SendAsync(OrganizationId organization, PersonId id, AskedLink asked, CancellationToken cancellation)
    {
        try
        {
            await queue.WriteAsync(
                organization,
                async (db, stop) =>
                {
                    // A change of policy that stands before this in the same transaction counts.
                    if (writer.ForWriter(organization)?.Person(id) is not { } contact || !Is(contact, asked.Mail)) return;
                    var name = await OrganizationNames.OfAsync(db, stop);
                    if (await links.SendAsync(db, contact, LinkPurpose.SignIn, "contact", time.GetUtcNow() + Life, link => Letters.ContactLink(name, link, Life), stop) is null) return;
                    audit.Add(db, new AuditEntry
                    {
                        Kind = "sign-in.link-sent",
                        Channel = "api",
                        Source = asked.Source,
                        Correlation = asked.Correlation,
                        Subject = contact.Login,
                        SubjectId = id.Value,
                    });
                },
                cancellation);
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !cancellation.IsCancellationRequested)
        {
            // The disk is full, the file is locked, the contact is just deleted, or what nobody has thought of: they ask again, and what waits behind them is not theirs to stop.
            LogFailed(failure, id, organization);
        }
    }

    [LoggerMessage(1, LogLevel.Error, "Contact {Contact} of organization {Organization} could not be mailed a link")]
    private partial void LogFailed(Exception failure, PersonId contact, OrganizationId organization);
}
