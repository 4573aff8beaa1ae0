using Countersign.Access;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Countersign.Server.Platform.Persistence;

/// <summary>Groups of people from outside, and which of them a technician group approves.</summary>
[DbContext(typeof(CountersignDb))]
[Migration("20261128210000_ExternalGroups")]
internal sealed class ExternalGroupsMigration : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.AddColumn<string>("ApprovedExternals", "technician_group", maxLength: ExternalGroups.MaxLength, nullable: true);
        migrationBuilder.CreateTable(
            "external_group",
            table => new
            {
                OrganizationId = table.Column<Guid>(nullable: false),
                Id = table.Column<Guid>(nullable: false),
                Name = table.Column<string>(maxLength: 200, nullable: false),
                Description = table.Column<string>(maxLength: 2000, nullable: false),
            },
            constraints: table =>
            {
                table.PrimaryKey("PK_external_group", row => new { row.OrganizationId, row.Id });
                table.ForeignKey("FK_external_group_organization_OrganizationId", row => row.OrganizationId, "organization", "Id", onDelete: ReferentialAction.Restrict);
            });
        migrationBuilder.CreateTable(
            "external_member",
            table => new
            {
                OrganizationId = table.Column<Guid>(nullable: false),
                Group = table.Column<Guid>(nullable: false),
                Person = table.Column<Guid>(nullable: false),
            },
            constraints: table =>
            {
                table.PrimaryKey("PK_external_member", row => new { row.OrganizationId, row.Group, row.Person });
                table.ForeignKey("FK_external_member_organization_OrganizationId", row => row.OrganizationId, "organization", "Id", onDelete: ReferentialAction.Restrict);
                table.ForeignKey(
                    "FK_external_member_external_group_OrganizationId_Group",
                    row => new { row.OrganizationId, row.Group },
                    "external_group",
                    ["OrganizationId", "Id"],
                    onDelete: ReferentialAction.Restrict);
                table.ForeignKey(
                    "FK_external_member_person_OrganizationId_Person",
                    row => new { row.OrganizationId, row.Person },
                    "person",
                    ["OrganizationId", "Id"],
                    onDelete: ReferentialAction.Restrict);
            });
        migrationBuilder.CreateIndex("IX_external_member_OrganizationId_Person", "external_member", ["OrganizationId", "Person"]);
    }

    protected override void Down(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.DropTable("external_member");
        migrationBuilder.DropTable("external_group");
        migrationBuilder.DropColumn("ApprovedExternals", "technician_group");
    }
}
