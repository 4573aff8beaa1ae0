using Countersign.Access;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Countersign.Server.Features.Identity.Passkeys;

/// <summary>A WebAuthn credential that a person signs in with. It belongs to one person on the whole server.</summary>
internal sealed class Passkey
{
    /// <summary>Web Authentication level 3, section 7.1 step 25.</summary>
    public const int LongestCredentialId = 1023;

    /// <summary>Of a key in COSE form: one of RSA with 8,192 bits has half of that.</summary>
    public const int LongestKey = 2048;

    public required OrganizationId OrganizationId { get; init; }

    public required Guid Id { get; init; }

    public required PersonId Person { get; init; }

    /// <summary>Chosen by the authenticator; unique on the server.</summary>
    public required byte[] CredentialId { get; init; }

    /// <summary>In COSE form (RFC 9052 section 7).</summary>
    public required byte[] PublicKey { get; init; }

    /// <summary>As its person calls it.</summary>
    public required string Label { get; set; }

    /// <summary>The authenticator's count of signatures when it was used last; 0: it does not count.</summary>
    public required uint SignCount { get; set; }

    /// <summary>It may be copied to other devices of its person. Never changes.</summary>
    public required bool BackupEligible { get; init; }

    /// <summary>It was copied when it was used last.</summary>
    public required bool BackedUp { get; set; }

    public required DateTimeOffset Added { get; init; }

    public DateTimeOffset? LastUsed { get; set; }
}

/// <summary>A challenge that was answered. It is kept as long as it could be answered again.</summary>
internal sealed class SpentChallenge
{
    public required OrganizationId OrganizationId { get; init; }

    public required byte[] Challenge { get; init; }

    public required DateTimeOffset Expires { get; init; }
}

internal sealed class PasskeyMapping : IEntityTypeConfiguration<Passkey>
{
    public void Configure(EntityTypeBuilder<Passkey> builder)
    {
        builder.ToTable("passkey");
        builder.HasKey(row => new { row.OrganizationId, row.Id });
        builder.Property(row => row.CredentialId).HasMaxLength(Passkey.LongestCredentialId);
        builder.Property(row => row.PublicKey).HasMaxLength(Passkey.LongestKey);
        builder.Property(row => row.Label).HasMaxLength(100);
        builder.HasIndex(row => row.CredentialId).IsUnique();
        builder.HasOne<PersonRow>().WithMany().HasForeignKey(row => new { row.OrganizationId, row.Person }).OnDelete(DeleteBehavior.Cascade);
    }
}

internal sealed class SpentChallengeMapping : IEntityTypeConfiguration<SpentChallenge>
{
    public void Configure(EntityTypeBuilder<SpentChallenge> builder)
    {
        builder.ToTable("spent_challenge");
        builder.HasKey(row => new { row.OrganizationId, row.Challenge });
        builder.Property(row => row.Challenge).HasMaxLength(PasskeyCeremonies.ChallengeLength);
    }
}
