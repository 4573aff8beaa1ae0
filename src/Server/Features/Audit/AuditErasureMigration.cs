using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Countersign.Server.Features.Audit;

/// <summary>Erased fields, and what the log is searched by beside people, things and kinds.</summary>
[DbContext(typeof(CountersignDb))]
[Migration("20261122003000_AuditErasure")]
internal sealed class AuditErasureMigration : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.AddColumn<string>("Openings", "audit_seal", nullable: true);
        migrationBuilder.CreateIndex("IX_audit_record_OrganizationId_Outcome_Id", "audit_record", ["OrganizationId", "Outcome", "Id"]);
        migrationBuilder.CreateIndex("IX_audit_record_OrganizationId_At", "audit_record", ["OrganizationId", "At"], filter: AuditRecordMapping.OutOfStep);
    }

    protected override void Down(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.DropIndex("IX_audit_record_OrganizationId_At", "audit_record");
        migrationBuilder.DropIndex("IX_audit_record_OrganizationId_Outcome_Id", "audit_record");
        migrationBuilder.DropColumn("Openings", "audit_seal");
    }
}
