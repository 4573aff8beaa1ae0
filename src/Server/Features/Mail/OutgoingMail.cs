using Countersign.Access;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Countersign.Server.Features.Mail;

/// <summary>Numbers are stored.</summary>
internal enum MailState : byte
{
    Waiting = 1,
    Sent = 2,

    /// <summary>Refused for good, or tried too often, or its time is over.</summary>
    GivenUp = 3,
}

/// <summary>One mail to one address. What it says is kept until it was sent, and sealed: it may hold a link that signs somebody in.</summary>
internal sealed class OutgoingMail
{
    public required OrganizationId OrganizationId { get; init; }

    /// <summary>Its Message-ID comes of it, and stays the same for every attempt.</summary>
    public required Guid Id { get; init; }

    /// <summary><see cref="Letter.Kind"/>.</summary>
    public required string Kind { get; init; }

    public required string Recipient { get; init; }

    /// <summary>Whose address it was when the mail was put here; null: nobody's here. They may be gone by now.</summary>
    public required PersonId? Person { get; init; }

    /// <summary>A <see cref="Letter"/> in an <see cref="Vault.Envelope"/>; null once nothing is tried any more.</summary>
    public required byte[]? Content { get; set; }

    /// <summary>It holds a link that somebody waits for: it goes out before what only tells of something.</summary>
    public required bool HasLink { get; init; }

    public required DateTimeOffset Created { get; init; }

    /// <summary>Not tried any more from then on.</summary>
    public required DateTimeOffset Expires { get; init; }

    /// <summary>When it is tried next.</summary>
    public required DateTimeOffset Due { get; set; }

    /// <summary>Counted before each one, so that one which ends the process counts, too.</summary>
    public required int Attempts { get; set; }

    public required MailState State { get; set; }

    /// <summary>What went wrong last, in the mail server's words or in ours; empty: nothing.</summary>
    public required string Problem { get; set; }

    /// <summary>When it was sent or given up.</summary>
    public required DateTimeOffset? Ended { get; set; }
}

internal sealed class OutgoingMailMapping : IEntityTypeConfiguration<OutgoingMail>
{
    public const int LongestProblem = 400;

    public void Configure(EntityTypeBuilder<OutgoingMail> builder)
    {
        builder.ToTable("outgoing_mail");
        builder.HasKey(row => new { row.OrganizationId, row.Id });
        builder.Property(row => row.Kind).HasMaxLength(32);
        builder.Property(row => row.Recipient).HasMaxLength(254);
        builder.Property(row => row.Problem).HasMaxLength(LongestProblem);

        builder.Property(row => row.HasLink).HasDefaultValue(false);

        // What is due, of each organization.
        builder.HasIndex(row => new { row.State, row.OrganizationId, row.HasLink, row.Due });

        // What is due next, of all organizations; and what has to be tidied away.
        builder.HasIndex(row => new { row.State, row.Due });

        // How much somebody was mailed lately.
        builder.HasIndex(row => new { row.OrganizationId, row.Person, row.Created });
        builder.HasOne<Organization>().WithMany().HasForeignKey(row => row.OrganizationId).OnDelete(DeleteBehavior.Restrict);
    }
}
