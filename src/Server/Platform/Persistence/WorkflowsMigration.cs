using Countersign.Access;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Countersign.Server.Platform.Persistence;

/// <summary>Workflows, options of permissions, and groups whose members approve.</summary>
[DbContext(typeof(CountersignDb))]
[Migration("20261122010000_Workflows")]
internal sealed class WorkflowsMigration : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.AddColumn<bool>("MembersApprove", "technician_group", nullable: false, defaultValue: false);
        migrationBuilder.AddColumn<string>("Option", "group_permission", maxLength: PermissionOption.MaxLength, nullable: false, defaultValue: "");
        migrationBuilder.CreateTable(
            "workflow",
            table => new
            {
                OrganizationId = table.Column<Guid>(nullable: false),
                Id = table.Column<Guid>(nullable: false),
                Group = table.Column<Guid>(nullable: false),
                Devices = table.Column<Guid>(nullable: false),
                Name = table.Column<string>(maxLength: 200, nullable: false),
                Steps = table.Column<string>(maxLength: WorkflowSteps.MaxLength, nullable: false),
                CountsForLater = table.Column<bool>(nullable: false),
                TakesPreapproved = table.Column<bool>(nullable: false),
                InsistsWhenPreapproved = table.Column<bool>(nullable: false),
            },
            constraints: table =>
            {
                table.PrimaryKey("PK_workflow", row => new { row.OrganizationId, row.Id });
                table.ForeignKey("FK_workflow_organization_OrganizationId", row => row.OrganizationId, "organization", "Id", onDelete: ReferentialAction.Restrict);
                table.ForeignKey(
                    "FK_workflow_technician_group_OrganizationId_Group",
                    row => new { row.OrganizationId, row.Group },
                    "technician_group",
                    ["OrganizationId", "Id"],
                    onDelete: ReferentialAction.Restrict);
                table.ForeignKey(
                    "FK_workflow_device_group_OrganizationId_Devices",
                    row => new { row.OrganizationId, row.Devices },
                    "device_group",
                    ["OrganizationId", "Id"],
                    onDelete: ReferentialAction.Restrict);
            });
        migrationBuilder.CreateIndex("IX_workflow_OrganizationId_Group_Devices", "workflow", ["OrganizationId", "Group", "Devices"], unique: true);
        migrationBuilder.CreateIndex("IX_workflow_OrganizationId_Devices", "workflow", ["OrganizationId", "Devices"]);
    }

    protected override void Down(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.DropTable("workflow");
        migrationBuilder.DropColumn("Option", "group_permission");
        migrationBuilder.DropColumn("MembersApprove", "technician_group");
    }
}
