using Countersign.Access;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Countersign.Server.Features.Identity;

/// <summary>A person's authenticator app. No row: they sign in with one factor.</summary>
internal sealed class Authenticator
{
    public required OrganizationId OrganizationId { get; init; }

    public required PersonId Person { get; init; }

    /// <summary>The secret that the codes come from, in a <see cref="Vault.Envelope"/> that opens only in this row.</summary>
    public required byte[] Ciphertext { get; set; }

    /// <summary>Null: it was shown, and no code of it has come yet: it asks nobody for anything.</summary>
    public DateTimeOffset? Confirmed { get; set; }

    /// <summary>The latest step of which a code was taken (<see cref="Totp.StepAt"/>): no code counts twice, nor an older one after a newer.</summary>
    public required long LastStep { get; set; }
}

/// <summary>One recovery code that was not used yet.</summary>
internal sealed class RecoveryCode
{
    public required OrganizationId OrganizationId { get; init; }

    public required PersonId Person { get; init; }

    /// <summary><see cref="RecoveryCodes.Hash"/>.</summary>
    public required byte[] Hash { get; init; }
}

internal sealed class AuthenticatorMapping : IEntityTypeConfiguration<Authenticator>
{
    public void Configure(EntityTypeBuilder<Authenticator> builder)
    {
        builder.ToTable("authenticator");
        builder.HasKey(row => new { row.OrganizationId, row.Person });
        builder.Property(row => row.Ciphertext).HasMaxLength(128);
        builder.HasOne<PersonRow>().WithMany().HasForeignKey(row => new { row.OrganizationId, row.Person }).OnDelete(DeleteBehavior.Cascade);
    }
}

internal sealed class RecoveryCodeMapping : IEntityTypeConfiguration<RecoveryCode>
{
    public void Configure(EntityTypeBuilder<RecoveryCode> builder)
    {
        builder.ToTable("recovery_code");
        builder.HasKey(row => new { row.OrganizationId, row.Person, row.Hash });
        builder.Property(row => row.Hash).HasMaxLength(32);
        builder.HasOne<PersonRow>().WithMany().HasForeignKey(row => new { row.OrganizationId, row.Person }).OnDelete(DeleteBehavior.Cascade);
    }
}
