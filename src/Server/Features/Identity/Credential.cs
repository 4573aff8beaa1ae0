using Countersign.Access;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Countersign.Server.Features.Identity;

/// <summary>A person's own password, hashed. No row: they can't sign in with one.</summary>
internal sealed class Credential
{
    public required OrganizationId OrganizationId { get; init; }

    public required PersonId Person { get; init; }

    /// <summary>In the form of ASP.NET Core Identity's hasher, which holds salt and parameters.</summary>
    public required string PasswordHash { get; set; }

    public required DateTimeOffset Changed { get; set; }

    /// <summary>Somebody else chose it: good for choosing another one and for nothing more.</summary>
    public required bool MustChange { get; set; }
}

internal sealed class CredentialMapping : IEntityTypeConfiguration<Credential>
{
    public void Configure(EntityTypeBuilder<Credential> builder)
    {
        builder.ToTable("credential");
        builder.HasKey(row => new { row.OrganizationId, row.Person });
        builder.Property(row => row.PasswordHash).HasMaxLength(256);
        // Cascades, unlike policy: a credential is no row of a plan, and must not outlive its person.
        builder.HasOne<PersonRow>().WithMany().HasForeignKey(row => new { row.OrganizationId, row.Person }).OnDelete(DeleteBehavior.Cascade);
    }
}
