using System.Net;
using Countersign.Access;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Countersign.Server.Platform.Persistence;

/// <summary>A tenant, and the version that its policy has reached: the row that every change of policy moves on.</summary>
[ServerWide]
internal sealed class Organization
{
    public required OrganizationId Id { get; init; }

    public required string Name { get; set; }

    public required long Version { get; set; }

    public required DateTimeOffset Created { get; init; }
}

/// <summary>The delta that led to a version of policy.</summary>
internal sealed class PolicyChange
{
    public required OrganizationId OrganizationId { get; init; }

    public required long Version { get; init; }

    public required DateTimeOffset At { get; init; }

    public required PersonId Actor { get; init; }

    public required string Summary { get; init; }

    /// <summary><see cref="DeltaJson"/>.</summary>
    public required string Delta { get; init; }
}

public enum AuditOutcome : byte
{
    Done = 1,
    Refused = 2,
    Failed = 3,
}

/// <summary>One thing that happened. Added only through <see cref="AuditLog"/>, in the transaction of the change it tells of.</summary>
internal sealed class AuditRecord
{
    public required OrganizationId OrganizationId { get; init; }

    /// <summary>Grows; pages are cut by it.</summary>
    public required long Id { get; init; }

    public required DateTimeOffset At { get; init; }

    /// <summary>Dotted, such as <c>policy.changed</c> or <c>session.began</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>Null: the system itself, or somebody unknown.</summary>
    public required PersonId? Actor { get; init; }

    /// <summary>The login as it was then, or what an unknown person called themselves.</summary>
    public required string ActorLogin { get; init; }

    /// <summary><c>api</c>, <c>ssh</c>, <c>system</c>.</summary>
    public required string Channel { get; init; }

    public required IPAddress? Source { get; init; }

    /// <summary>What it was done to, in words.</summary>
    public required string Subject { get; init; }

    public required Guid? SubjectId { get; init; }

    public required AuditOutcome Outcome { get; init; }

    /// <summary>A JSON object.</summary>
    public required string Details { get; init; }

    public required string Correlation { get; init; }
}

internal sealed class OrganizationMapping : IEntityTypeConfiguration<Organization>
{
    public void Configure(EntityTypeBuilder<Organization> builder)
    {
        builder.ToTable("organization");
        builder.Property(row => row.Id).ValueGeneratedNever();
        builder.Property(row => row.Name).HasMaxLength(200);
    }
}

internal sealed class PolicyChangeMapping : IEntityTypeConfiguration<PolicyChange>
{
    public void Configure(EntityTypeBuilder<PolicyChange> builder)
    {
        builder.ToTable("policy_change");
        builder.HasKey(row => new { row.OrganizationId, row.Version });
        builder.HasOne<Organization>().WithMany().HasForeignKey(row => row.OrganizationId).OnDelete(DeleteBehavior.Restrict);
    }
}

internal sealed class AuditRecordMapping : IEntityTypeConfiguration<AuditRecord>
{
    /// <summary>
    /// A record whose id is ahead of its time by more than a minute: ids never go back, and a clock may be set back. Written down as SQL, letter by
    /// letter as an index wants it; ids are microseconds and times ticks.
    /// </summary>
    public const string OutOfStep = "\"Id\" > \"At\" / 10 + 60000000";

    public void Configure(EntityTypeBuilder<AuditRecord> builder)
    {
        builder.ToTable("audit_record");
        builder.HasKey(row => new { row.OrganizationId, row.Id });
        builder.Property(row => row.Kind).HasMaxLength(64);
        builder.Property(row => row.ActorLogin).HasMaxLength(64);
        builder.Property(row => row.Channel).HasMaxLength(16);
        builder.Property(row => row.Source).HasMaxLength(45);
        builder.Property(row => row.Subject).HasMaxLength(400);
        builder.Property(row => row.Correlation).HasMaxLength(64);

        // What the log is searched by, newest first: a page costs the same however long the log is.
        builder.HasIndex(row => new { row.OrganizationId, row.Actor, row.Id });
        builder.HasIndex(row => new { row.OrganizationId, row.SubjectId, row.Id });
        builder.HasIndex(row => new { row.OrganizationId, row.Kind, row.Id });
        builder.HasIndex(row => new { row.OrganizationId, row.Outcome, row.Id });

        // Ids find a time, but for these: an index of next to nothing.
        builder.HasIndex(row => new { row.OrganizationId, row.At }).HasFilter(OutOfStep);
        builder.HasOne<Organization>().WithMany().HasForeignKey(row => row.OrganizationId).OnDelete(DeleteBehavior.Restrict);
    }
}
