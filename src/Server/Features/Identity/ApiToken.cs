using Countersign.Access;
using Countersign.Server.Platform;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Countersign.Server.Features.Identity;

/// <summary>Numbers are stored.</summary>
internal enum TokenOrigin : byte
{
    SignIn = 1,

    /// <summary>Its person made it by name, for a program.</summary>
    Made = 2,
}

/// <summary>A token that a person made, or was given when they signed in. Its text is not kept: <see cref="TokenText"/>.</summary>
internal sealed class ApiToken
{
    public required OrganizationId OrganizationId { get; init; }

    public required Guid Id { get; init; }

    public required PersonId Person { get; init; }

    /// <summary>SHA-256 of the text; unique on the server, because a request brings nothing else.</summary>
    public required byte[] Hash { get; init; }

    public required string Label { get; init; }

    public required TokenScopes Scopes { get; init; }

    public required TokenOrigin Origin { get; init; }

    public required DateTimeOffset Created { get; init; }

    public required DateTimeOffset Expires { get; init; }

    /// <summary>To the minute.</summary>
    public DateTimeOffset? LastUsed { get; set; }
}

internal sealed class ApiTokenMapping : IEntityTypeConfiguration<ApiToken>
{
    public void Configure(EntityTypeBuilder<ApiToken> builder)
    {
        builder.ToTable("api_token");
        builder.HasKey(row => new { row.OrganizationId, row.Id });
        builder.Property(row => row.Hash).HasMaxLength(32);
        builder.Property(row => row.Label).HasMaxLength(100);
        builder.HasIndex(row => row.Hash).IsUnique();
        builder.HasOne<PersonRow>().WithMany().HasForeignKey(row => new { row.OrganizationId, row.Person }).OnDelete(DeleteBehavior.Cascade);
    }
}
