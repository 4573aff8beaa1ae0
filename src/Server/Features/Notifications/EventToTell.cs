using Countersign.Access;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Countersign.Server.Features.Notifications;

/// <summary>An event that somebody is named for, from the transaction of its record until all are mailed who are to be told.</summary>
internal sealed class EventToTell
{
    public required OrganizationId OrganizationId { get; init; }

    /// <summary>Grows with time.</summary>
    public required Guid Id { get; init; }

    /// <summary>One of <see cref="NotificationRules.Events"/>.</summary>
    public required string Kind { get; init; }

    /// <summary>It may be gone by now.</summary>
    public required DeviceId Device { get; init; }

    public required string DeviceName { get; init; }

    /// <summary>Whose session or request it is.</summary>
    public required PersonId? Concerned { get; init; }

    /// <summary>When it happened.</summary>
    public required DateTimeOffset At { get; init; }

    public required string Correlation { get; init; }

    /// <summary>Of the addresses in the order of the alphabet the last one that is done with, in small letters; empty: none is.</summary>
    public required string Through { get; set; }
}

internal sealed class EventToTellMapping : IEntityTypeConfiguration<EventToTell>
{
    public const int LongestKind = 64;
    public const int LongestName = 253;
    public const int LongestCorrelation = 64;
    public const int LongestAddress = 254;

    public void Configure(EntityTypeBuilder<EventToTell> builder)
    {
        builder.ToTable("event_to_tell");
        builder.HasKey(row => new { row.OrganizationId, row.Id });
        builder.Property(row => row.Kind).HasMaxLength(LongestKind);
        builder.Property(row => row.DeviceName).HasMaxLength(LongestName);
        builder.Property(row => row.Correlation).HasMaxLength(LongestCorrelation);
        builder.Property(row => row.Through).HasMaxLength(LongestAddress);
        builder.HasOne<Organization>().WithMany().HasForeignKey(row => row.OrganizationId).OnDelete(DeleteBehavior.Restrict);
    }
}

[DbContext(typeof(CountersignDb))]
[Migration("20261130030000_EventsToTell")]
internal sealed class EventsToTellMigration : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.CreateTable(
        "event_to_tell",
        table => new
        {
            OrganizationId = table.Column<Guid>(nullable: false),
            Id = table.Column<Guid>(nullable: false),
            Kind = table.Column<string>(maxLength: EventToTellMapping.LongestKind, nullable: false),
            Device = table.Column<Guid>(nullable: false),
            DeviceName = table.Column<string>(maxLength: EventToTellMapping.LongestName, nullable: false),
            Concerned = table.Column<Guid>(nullable: true),
            At = table.Column<long>(nullable: false),
            Correlation = table.Column<string>(maxLength: EventToTellMapping.LongestCorrelation, nullable: false),
            Through = table.Column<string>(maxLength: EventToTellMapping.LongestAddress, nullable: false),
        },
        constraints: table =>
        {
            table.PrimaryKey("PK_event_to_tell", row => new { row.OrganizationId, row.Id });
            table.ForeignKey("FK_event_to_tell_organization_OrganizationId", row => row.OrganizationId, "organization", "Id", onDelete: ReferentialAction.Restrict);
        });

    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.DropTable("event_to_tell");
}
