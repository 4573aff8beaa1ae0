using Countersign.Server.Features.Identity;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Countersign.Server.Features.Mail;

/// <summary>Several links of one purpose may be good side by side: they are told apart by their hashes.</summary>
[DbContext(typeof(CountersignDb))]
[Migration("20261129012000_LinksSideBySide")]
internal sealed class LinksSideBySideMigration : Migration
{
    private static readonly string[] _person = ["OrganizationId", "Id"];

    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.DropIndex("IX_mailed_link_Hash", "mailed_link");
        migrationBuilder.RenameTable("mailed_link", newName: "mailed_link_before");
        migrationBuilder.CreateTable(
            "mailed_link",
            table => new
            {
                OrganizationId = table.Column<Guid>(nullable: false),
                Person = table.Column<Guid>(nullable: false),
                Purpose = table.Column<byte>(nullable: false),
                Hash = table.Column<byte[]>(maxLength: OneTimeToken.HashLength, nullable: false),
                Expires = table.Column<long>(nullable: false),
                Letter = table.Column<Guid>(nullable: false),
            },
            constraints: table =>
            {
                table.PrimaryKey("PK_mailed_link", row => new { row.OrganizationId, row.Hash });
                table.ForeignKey(
                    "FK_mailed_link_person_OrganizationId_Person", row => new { row.OrganizationId, row.Person }, "person", _person,
                    onDelete: ReferentialAction.Cascade);
            });
        migrationBuilder.CreateIndex("IX_mailed_link_Hash", "mailed_link", "Hash", unique: true);
        migrationBuilder.CreateIndex("IX_mailed_link_OrganizationId_Person", "mailed_link", ["OrganizationId", "Person"]);
        migrationBuilder.Sql(
            """
            INSERT INTO mailed_link ("OrganizationId", "Person", "Purpose", "Hash", "Expires", "Letter")
            SELECT "OrganizationId", "Person", "Purpose", "Hash", "Expires", "Letter" FROM mailed_link_before
            """);
        migrationBuilder.DropTable("mailed_link_before");
    }

    protected override void Down(MigrationBuilder migrationBuilder) => throw new NotSupportedException("Of several links of one purpose the table of before has room for one.");
}
