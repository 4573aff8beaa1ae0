using Countersign.Access;
using Countersign.Reach;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Countersign.Server.Features.Vault;

/// <summary>What opens an account on a device, sealed. Never policy, never in a delta, never shown again.</summary>
internal sealed class AccountSecret
{
    public required OrganizationId OrganizationId { get; init; }

    public required DeviceId Device { get; init; }

    public required string Account { get; init; }

    public required CredentialKind Kind { get; set; }

    /// <summary>An <see cref="Envelope"/> that opens only in this row.</summary>
    public required byte[] Ciphertext { get; set; }

    public required DateTimeOffset Changed { get; set; }
}

internal sealed class AccountSecretMapping : IEntityTypeConfiguration<AccountSecret>
{
    public void Configure(EntityTypeBuilder<AccountSecret> builder)
    {
        builder.ToTable("account_secret");
        builder.HasKey(row => new { row.OrganizationId, row.Device, row.Account });
        builder.Property(row => row.Account).HasMaxLength(64);
        // Cascades, unlike policy: a secret is no row of a plan, and must not outlive its account.
        builder.HasOne<DeviceAccountRow>().WithMany()
            .HasForeignKey(row => new { row.OrganizationId, row.Device, row.Account }).OnDelete(DeleteBehavior.Cascade);
    }
}
