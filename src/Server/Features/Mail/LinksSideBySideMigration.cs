using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Countersign.Server.Features.Mail;

/// <summary>Several links of one purpose may be good side by side: they are told apart by their hashes.</summary>
[DbContext(typeof(CountersignDb))]
[Migration("20261129012000_LinksSideBySide")]
internal sealed class LinksSideBySideMigration : Migration
{
    private const string Columns = """ "OrganizationId", "Person", "Purpose", "Hash", "Expires", "Letter" """;

    protected override void Up(MigrationBuilder migrationBuilder)
    {
        MakeAnew(migrationBuilder, """ "OrganizationId", "Hash" """);
        migrationBuilder.CreateIndex("IX_mailed_link_OrganizationId_Person", "mailed_link", ["OrganizationId", "Person"]);
        migrationBuilder.Sql($"INSERT INTO mailed_link ({Columns}) SELECT {Columns} FROM mailed_link_before");
        migrationBuilder.Sql("DROP TABLE mailed_link_before");
    }

    /// <summary>Of each person's links of one purpose the one that is good longest stays.</summary>
    protected override void Down(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.DropIndex("IX_mailed_link_OrganizationId_Person", "mailed_link");
        MakeAnew(migrationBuilder, """ "OrganizationId", "Person", "Purpose" """);
        migrationBuilder.Sql(
            $"""
            INSERT INTO mailed_link ({Columns}) SELECT {Columns} FROM mailed_link_before AS one WHERE NOT EXISTS (
                SELECT 1 FROM mailed_link_before AS other
                WHERE other."OrganizationId" = one."OrganizationId" AND other."Person" = one."Person" AND other."Purpose" = one."Purpose"
                    AND (other."Expires" > one."Expires" OR (other."Expires" = one."Expires" AND other."Hash" > one."Hash")))
            """);
        migrationBuilder.Sql("DROP TABLE mailed_link_before");
    }

    /// <summary>In words of SQL, because only the key differs. What there was is in <c>mailed_link_before</c> then.</summary>
    private static void MakeAnew(MigrationBuilder migrationBuilder, string key)
    {
        migrationBuilder.DropIndex("IX_mailed_link_Hash", "mailed_link");
        migrationBuilder.RenameTable("mailed_link", newName: "mailed_link_before");
        migrationBuilder.Sql(
            $"""
            CREATE TABLE mailed_link (
                "OrganizationId" TEXT NOT NULL,
                "Person" TEXT NOT NULL,
                "Purpose" INTEGER NOT NULL,
                "Hash" BLOB NOT NULL,
                "Expires" INTEGER NOT NULL,
                "Letter" TEXT NOT NULL,
                CONSTRAINT "PK_mailed_link" PRIMARY KEY ({key}),
                CONSTRAINT "FK_mailed_link_person_OrganizationId_Person" FOREIGN KEY ("OrganizationId", "Person") REFERENCES person ("OrganizationId", "Id") ON DELETE CASCADE
            )
            """);
        migrationBuilder.CreateIndex("IX_mailed_link_Hash", "mailed_link", "Hash", unique: true);
    }
}
