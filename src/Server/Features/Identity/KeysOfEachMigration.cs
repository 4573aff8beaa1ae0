using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Countersign.Server.Features.Identity;

/// <summary>A public key is no secret: each person may register it for themselves, once.</summary>
[DbContext(typeof(CountersignDb))]
[Migration("20261128232000_KeysOfEach")]
internal sealed class KeysOfEachMigration : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.DropIndex("IX_ssh_key_Fingerprint", "ssh_key");
        migrationBuilder.DropIndex("IX_ssh_key_OrganizationId_Person", "ssh_key");
        migrationBuilder.CreateIndex("IX_ssh_key_OrganizationId_Person_Fingerprint", "ssh_key", ["OrganizationId", "Person", "Fingerprint"], unique: true);
    }

    protected override void Down(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.DropIndex("IX_ssh_key_OrganizationId_Person_Fingerprint", "ssh_key");
        migrationBuilder.CreateIndex("IX_ssh_key_OrganizationId_Person", "ssh_key", ["OrganizationId", "Person"]);
        migrationBuilder.CreateIndex("IX_ssh_key_Fingerprint", "ssh_key", "Fingerprint", unique: true);
    }
}
