using System.Security.Cryptography;
using System.Text.Json;
using System.Threading.Channels;
using Countersign.Access;
using Countersign.Server.Features.Vault;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Mail;

/// <summary>
/// Where mails are put, in the transaction of what they tell of: no mail without its change, and no change without its mail. On a server that
/// sends none nothing is put here; what can't do without asks <see cref="Sends"/> first.
/// </summary>
internal sealed class Outbox(MasterKey master, ServerOptions options, TimeProvider time) : IDisposable
{
    /// <summary>What tells of something, and holds no link, may come late.</summary>
    private static readonly TimeSpan _newsLife = TimeSpan.FromDays(2);

    private readonly Envelope _envelope = new(master, "outgoing-mail");
    private readonly Channel<bool> _added = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Whether this server was told a mail server.</summary>
    public bool Sends => options.Mail is not null;

    /// <summary>Saved with the context. Nobody is mailed who has no address.</summary>
    public Guid? Add(CountersignDb db, PersonRow to, Letter letter, DateTimeOffset? expires = null) => Add(db, to.Mail, to.Id, letter, expires);

    /// <summary>To an address that is nobody's here.</summary>
    public Guid? Add(CountersignDb db, string to, Letter letter, DateTimeOffset? expires = null) => Add(db, to, null, letter, expires);

    private Guid? Add(CountersignDb db, string to, PersonId? person, Letter letter, DateTimeOffset? expires)
    {
        if (!Sends || !Names.IsMail(to)) return null;
        var now = time.GetUtcNow();
        var id = Guid.CreateVersion7(now);
        var content = JsonSerializer.SerializeToUtf8Bytes(letter, LetterJson.Default.Letter);
        db.Add(new OutgoingMail
        {
            OrganizationId = db.Organization,
            Id = id,
            Kind = letter.Kind,
            Recipient = to,
            Person = person,
            Content = _envelope.Seal(content, Place(db.Organization, id)),
            HasLink = letter.Action is not null,
            Created = now,
            Expires = expires ?? now + _newsLife,
            Due = now,
            Attempts = 0,
            State = MailState.Waiting,
            Problem = "",
            Ended = null,
        });
        CryptographicOperations.ZeroMemory(content);
        Wake();
        return id;
    }

    /// <summary>What is not sent yet is not sent any more.</summary>
    public static Task WithdrawAsync(CountersignDb db, Guid id, DateTimeOffset now, CancellationToken cancellation) =>
        db.Set<OutgoingMail>().Where(row => row.Id == id && row.State == MailState.Waiting).ExecuteUpdateAsync(
            set => set.SetProperty(row => row.State, MailState.GivenUp).SetProperty(row => row.Content, (byte[]?)null)
                .SetProperty(row => row.Problem, "It was withdrawn.").SetProperty(row => row.Ended, now),
            cancellation);

    /// <exception cref="CryptographicException">The row is not what was put here.</exception>
    public Letter Open(OutgoingMail mail)
    {
        using var content = _envelope.Open(mail.Content, Place(mail.OrganizationId, mail.Id));
        return JsonSerializer.Deserialize(content.Expose(), LetterJson.Default.Letter) ?? throw new CryptographicException("The content of a mail is empty.");
    }

    /// <summary>Has the sender look. What was added is looked for on the one writer, behind the transaction that adds it.</summary>
    public void Wake() => _added.Writer.TryWrite(true);

    /// <summary>Returns when something was added since it returned last.</summary>
    public async Task WokenAsync(CancellationToken cancellation) => await _added.Reader.ReadAsync(cancellation);

    public void Dispose() => _envelope.Dispose();

    private static byte[][] Place(OrganizationId organization, Guid id) => [organization.Value.ToByteArray(bigEndian: true), id.ToByteArray(bigEndian: true)];
}
