using System.Net;
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

    /// <summary>Of signing in with a browser: it comes in a cookie, and counts nowhere else.</summary>
    Browser = 3,
}

/// <summary>A token that a person made, or was given when they signed in. Its text is not kept: <see cref="TokenText"/>.</summary>
internal sealed class ApiToken
{
    public const int LongestClient = 200;

    public required OrganizationId OrganizationId { get; init; }

    public required Guid Id { get; init; }

    public required PersonId Person { get; init; }

    /// <summary>SHA-256 of the text; unique on the server, because a request brings nothing else.</summary>
    public required byte[] Hash { get; init; }

    public required string Label { get; init; }

    public required TokenScopes Scopes { get; init; }

    public required TokenOrigin Origin { get; init; }

    /// <summary>The made token that it was made with, which it does not outlive; null: its person had signed in.</summary>
    public Guid? Maker { get; init; }

    public required DateTimeOffset Created { get; init; }

    public required DateTimeOffset Expires { get; init; }

    /// <summary>How its person had signed in when it was made.</summary>
    public required SignInStrength Strength { get; set; }

    /// <summary>Where it was made from.</summary>
    public IPAddress? Address { get; init; }

    /// <summary>What the client called itself; nothing is decided by it.</summary>
    public required string Client { get; init; }

    /// <summary>To the minute, or finer where signing in ends by standing idle.</summary>
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
        builder.Property(row => row.Client).HasMaxLength(ApiToken.LongestClient).HasDefaultValue("");
        // What was made before there were second factors was made with one.
        builder.Property(row => row.Strength).HasDefaultValue(SignInStrength.OneFactor).HasSentinel(SignInStrength.None);
        builder.HasIndex(row => row.Hash).IsUnique();
        builder.HasOne<PersonRow>().WithMany().HasForeignKey(row => new { row.OrganizationId, row.Person }).OnDelete(DeleteBehavior.Cascade);
    }
}
