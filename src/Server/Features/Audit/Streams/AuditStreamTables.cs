using Countersign.Access;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Countersign.Server.Features.Audit;

/// <summary>How much of an organization's log a destination has taken.</summary>
internal sealed class AuditStreamPosition
{
    public required OrganizationId OrganizationId { get; init; }

    /// <summary><see cref="IAuditDestination.Name"/>.</summary>
    public required string Destination { get; init; }

    /// <summary>The number of the last record that it has taken.</summary>
    public required long Number { get; set; }
}

internal sealed class AuditStreamPositionMapping : IEntityTypeConfiguration<AuditStreamPosition>
{
    public void Configure(EntityTypeBuilder<AuditStreamPosition> builder)
    {
        builder.ToTable("audit_stream");
        builder.HasKey(row => new { row.OrganizationId, row.Destination });
        builder.Property(row => row.Destination).HasMaxLength(16);
        builder.HasOne<Organization>().WithMany().HasForeignKey(row => row.OrganizationId).OnDelete(DeleteBehavior.Restrict);
    }
}

[DbContext(typeof(CountersignDb))]
[Migration("20261129220000_AuditStreams")]
internal sealed class AuditStreamsMigration : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.CreateTable(
        "audit_stream",
        table => new
        {
            OrganizationId = table.Column<Guid>(nullable: false),
            Destination = table.Column<string>(maxLength: 16, nullable: false),
            Number = table.Column<long>(nullable: false),
        },
        constraints: table =>
        {
            table.PrimaryKey("PK_audit_stream", row => new { row.OrganizationId, row.Destination });
            table.ForeignKey("FK_audit_stream_organization_OrganizationId", row => row.OrganizationId, "organization", "Id", onDelete: ReferentialAction.Restrict);
        });

    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.DropTable("audit_stream");
}
