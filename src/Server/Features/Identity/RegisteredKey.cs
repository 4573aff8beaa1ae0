using Countersign.Access;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Countersign.Server.Features.Identity;

/// <summary>An SSH public key that a person signs in with, under their own login. Somebody else may have it, too.</summary>
internal sealed class RegisteredKey
{
    /// <summary>What <see cref="Ssh.SshPublicKey"/> reads at most.</summary>
    public const int LongestBlob = 4096;

    public required OrganizationId OrganizationId { get; init; }

    public required Guid Id { get; init; }

    public required PersonId Person { get; init; }

    /// <summary>Wire form, RFC 4253 section 6.6.</summary>
    public required byte[] Blob { get; init; }

    /// <summary>As OpenSSH prints it; a person has it once.</summary>
    public required string Fingerprint { get; init; }

    public required string Label { get; init; }

    public required DateTimeOffset Added { get; init; }
}

internal sealed class RegisteredKeyMapping : IEntityTypeConfiguration<RegisteredKey>
{
    public void Configure(EntityTypeBuilder<RegisteredKey> builder)
    {
        builder.ToTable("ssh_key");
        builder.HasKey(row => new { row.OrganizationId, row.Id });
        builder.Property(row => row.Blob).HasMaxLength(RegisteredKey.LongestBlob);
        builder.Property(row => row.Fingerprint).HasMaxLength(64);
        builder.Property(row => row.Label).HasMaxLength(100);
        builder.HasIndex(row => new { row.OrganizationId, row.Person, row.Fingerprint }).IsUnique();
        builder.HasOne<PersonRow>().WithMany().HasForeignKey(row => new { row.OrganizationId, row.Person }).OnDelete(DeleteBehavior.Cascade);
    }
}
