using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Countersign.Server.Features.Identity;

/// <summary>Passwords, API tokens and SSH keys of people.</summary>
[DbContext(typeof(CountersignDb))]
[Migration("20261121100000_Identity")]
internal sealed class IdentityMigration : Migration
{
    private static readonly string[] _person = ["OrganizationId", "Id"];

    protected override void Up(MigrationBuilder migrationBuilder)
    {
        Credential(migrationBuilder);
        ApiToken(migrationBuilder);
        SshKey(migrationBuilder);
    }

    protected override void Down(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.DropTable("ssh_key");
        migrationBuilder.DropTable("api_token");
        migrationBuilder.DropTable("credential");
    }

    private static void Credential(MigrationBuilder migration) => migration.CreateTable(
        "credential",
        table => new
        {
            OrganizationId = table.Column<Guid>(nullable: false),
            Person = table.Column<Guid>(nullable: false),
            PasswordHash = table.Column<string>(maxLength: 256, nullable: false),
            Changed = table.Column<long>(nullable: false),
            MustChange = table.Column<bool>(nullable: false),
        },
        constraints: table =>
        {
            table.PrimaryKey("PK_credential", row => new { row.OrganizationId, row.Person });
            table.ForeignKey(
                "FK_credential_person_OrganizationId_Person", row => new { row.OrganizationId, row.Person }, "person", _person,
                onDelete: ReferentialAction.Cascade);
        });

    private static void ApiToken(MigrationBuilder migration)
    {
        migration.CreateTable(
            "api_token",
            table => new
            {
                OrganizationId = table.Column<Guid>(nullable: false),
                Id = table.Column<Guid>(nullable: false),
                Person = table.Column<Guid>(nullable: false),
                Hash = table.Column<byte[]>(maxLength: 32, nullable: false),
                Label = table.Column<string>(maxLength: 100, nullable: false),
                Scopes = table.Column<byte>(nullable: false),
                Origin = table.Column<byte>(nullable: false),
                Created = table.Column<long>(nullable: false),
                Expires = table.Column<long>(nullable: false),
                LastUsed = table.Column<long>(nullable: true),
            },
            constraints: table =>
            {
                table.PrimaryKey("PK_api_token", row => new { row.OrganizationId, row.Id });
                table.ForeignKey(
                    "FK_api_token_person_OrganizationId_Person", row => new { row.OrganizationId, row.Person }, "person", _person,
                    onDelete: ReferentialAction.Cascade);
            });
        migration.CreateIndex("IX_api_token_Hash", "api_token", "Hash", unique: true);
        migration.CreateIndex("IX_api_token_OrganizationId_Person", "api_token", ["OrganizationId", "Person"]);
    }

    private static void SshKey(MigrationBuilder migration)
    {
        migration.CreateTable(
            "ssh_key",
            table => new
            {
                OrganizationId = table.Column<Guid>(nullable: false),
                Id = table.Column<Guid>(nullable: false),
                Person = table.Column<Guid>(nullable: false),
                Blob = table.Column<byte[]>(maxLength: RegisteredKey.LongestBlob, nullable: false),
                Fingerprint = table.Column<string>(maxLength: 64, nullable: false),
                Label = table.Column<string>(maxLength: 100, nullable: false),
                Added = table.Column<long>(nullable: false),
            },
            constraints: table =>
            {
                table.PrimaryKey("PK_ssh_key", row => new { row.OrganizationId, row.Id });
                table.ForeignKey(
                    "FK_ssh_key_person_OrganizationId_Person", row => new { row.OrganizationId, row.Person }, "person", _person,
                    onDelete: ReferentialAction.Cascade);
            });
        migration.CreateIndex("IX_ssh_key_Fingerprint", "ssh_key", "Fingerprint", unique: true);
        migration.CreateIndex("IX_ssh_key_OrganizationId_Person", "ssh_key", ["OrganizationId", "Person"]);
    }
}
