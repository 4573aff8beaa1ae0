using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Countersign.Server.Features.Identity;

/// <summary>Authenticators and recovery codes; of each token how strongly its person had signed in, and from where.</summary>
[DbContext(typeof(CountersignDb))]
[Migration("20261128100000_SecondFactor")]
internal sealed class SecondFactorMigration : Migration
{
    private static readonly string[] _person = ["OrganizationId", "Id"];

    protected override void Up(MigrationBuilder migrationBuilder)
    {
        Authenticator(migrationBuilder);
        RecoveryCode(migrationBuilder);
        migrationBuilder.AddColumn<byte>("Strength", "api_token", nullable: false, defaultValue: (byte)1);
        migrationBuilder.AddColumn<string>("Address", "api_token", nullable: true);
        migrationBuilder.AddColumn<string>("Client", "api_token", maxLength: ApiToken.LongestClient, nullable: false, defaultValue: "");
    }

    protected override void Down(MigrationBuilder migrationBuilder)
    {
        // By hand: without a target model the provider for SQLite would not know the table that it has to rebuild.
        foreach (var column in (string[])["Client", "Address", "Strength"]) migrationBuilder.Sql($"ALTER TABLE api_token DROP COLUMN \"{column}\"");
        migrationBuilder.DropTable("recovery_code");
        migrationBuilder.DropTable("authenticator");
    }

    private static void Authenticator(MigrationBuilder migration) => migration.CreateTable(
        "authenticator",
        table => new
        {
            OrganizationId = table.Column<Guid>(nullable: false),
            Person = table.Column<Guid>(nullable: false),
            Ciphertext = table.Column<byte[]>(maxLength: 128, nullable: false),
            Confirmed = table.Column<long>(nullable: true),
            LastStep = table.Column<long>(nullable: false),
        },
        constraints: table =>
        {
            table.PrimaryKey("PK_authenticator", row => new { row.OrganizationId, row.Person });
            table.ForeignKey(
                "FK_authenticator_person_OrganizationId_Person", row => new { row.OrganizationId, row.Person }, "person", _person,
                onDelete: ReferentialAction.Cascade);
        });

    private static void RecoveryCode(MigrationBuilder migration) => migration.CreateTable(
        "recovery_code",
        table => new
        {
            OrganizationId = table.Column<Guid>(nullable: false),
            Person = table.Column<Guid>(nullable: false),
            Hash = table.Column<byte[]>(maxLength: 32, nullable: false),
        },
        constraints: table =>
        {
            table.PrimaryKey("PK_recovery_code", row => new { row.OrganizationId, row.Person, row.Hash });
            table.ForeignKey(
                "FK_recovery_code_person_OrganizationId_Person", row => new { row.OrganizationId, row.Person }, "person", _person,
                onDelete: ReferentialAction.Cascade);
        });
}
