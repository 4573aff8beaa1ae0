using Countersign.Access;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Countersign.Server.Features.Vault;

/// <summary>Numbers are stored.</summary>
internal enum CredentialKind : byte
{
    Password = 1,

    /// <summary>An <c>openssh-key-v1</c> private key.</summary>
    PrivateKey = 2,

    /// <summary>No secret: for each connection the organization's authority certifies a key that is made for it.</summary>
    Certificate = 3,
}

/// <summary>What opens an account on a device, sealed. Never policy, never in a delta, never shown again.</summary>
internal sealed class AccountSecret
{
    public required OrganizationId OrganizationId { get; init; }

    public required DeviceId Device { get; init; }

    public required string Account { get; init; }

    public required CredentialKind Kind { get; set; }

    /// <summary>An <see cref="Envelope"/> that opens only in this row; of a certificate it holds nothing and still has to open, so that nobody makes an account one by writing into the database.</summary>
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
