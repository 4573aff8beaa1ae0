using Countersign.Server.Features.Identity;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Countersign.Server.Features.Contacts;

/// <summary>A table of before there was one for all mailed links.</summary>
[DbContext(typeof(CountersignDb))]
[Migration("20261128220000_Contacts")]
internal sealed class ContactsMigration : Migration
{
    private static readonly string[] _person = ["OrganizationId", "Id"];

    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.CreateTable(
            "contact_link",
            table => new
            {
                OrganizationId = table.Column<Guid>(nullable: false),
                Person = table.Column<Guid>(nullable: false),
                Hash = table.Column<byte[]>(maxLength: OneTimeToken.HashLength, nullable: false),
                Expires = table.Column<long>(nullable: false),
            },
            constraints: table =>
            {
                table.PrimaryKey("PK_contact_link", row => new { row.OrganizationId, row.Person });
                table.ForeignKey(
                    "FK_contact_link_person_OrganizationId_Person", row => new { row.OrganizationId, row.Person }, "person", _person,
                    onDelete: ReferentialAction.Cascade);
            });
        migrationBuilder.CreateIndex("IX_contact_link_Hash", "contact_link", "Hash", unique: true);
    }

    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.DropTable("contact_link");
}
