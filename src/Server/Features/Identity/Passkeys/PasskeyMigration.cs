using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Countersign.Server.Features.Identity.Passkeys;

/// <summary>Passkeys, and the challenges that were answered.</summary>
[DbContext(typeof(CountersignDb))]
[Migration("20261128230000_Passkeys")]
internal sealed class PasskeyMigration : Migration
{
    private static readonly string[] _person = ["OrganizationId", "Id"];

    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.CreateTable(
            "passkey",
            table => new
            {
                OrganizationId = table.Column<Guid>(nullable: false),
                Id = table.Column<Guid>(nullable: false),
                Person = table.Column<Guid>(nullable: false),
                CredentialId = table.Column<byte[]>(maxLength: Passkey.LongestCredentialId, nullable: false),
                PublicKey = table.Column<byte[]>(maxLength: Passkey.LongestKey, nullable: false),
                Label = table.Column<string>(maxLength: 100, nullable: false),
                SignCount = table.Column<uint>(nullable: false),
                BackupEligible = table.Column<bool>(nullable: false),
                BackedUp = table.Column<bool>(nullable: false),
                Added = table.Column<long>(nullable: false),
                LastUsed = table.Column<long>(nullable: true),
            },
            constraints: table =>
            {
                table.PrimaryKey("PK_passkey", row => new { row.OrganizationId, row.Id });
                table.ForeignKey(
                    "FK_passkey_person_OrganizationId_Person", row => new { row.OrganizationId, row.Person }, "person", _person,
                    onDelete: ReferentialAction.Cascade);
            });
        migrationBuilder.CreateIndex("IX_passkey_CredentialId", "passkey", "CredentialId", unique: true);
        migrationBuilder.CreateIndex("IX_passkey_OrganizationId_Person", "passkey", ["OrganizationId", "Person"]);
        migrationBuilder.CreateTable(
            "spent_challenge",
            table => new
            {
                OrganizationId = table.Column<Guid>(nullable: false),
                Challenge = table.Column<byte[]>(maxLength: PasskeyCeremonies.ChallengeLength, nullable: false),
                Expires = table.Column<long>(nullable: false),
            },
            constraints: table => table.PrimaryKey("PK_spent_challenge", row => new { row.OrganizationId, row.Challenge }));
    }

    protected override void Down(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.DropTable("spent_challenge");
        migrationBuilder.DropTable("passkey");
    }
}
