using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Countersign.Server.Features.Mail;

/// <summary>Mails that wait to be sent, and what became of those that did.</summary>
[DbContext(typeof(CountersignDb))]
[Migration("20261128200000_Mail")]
internal sealed class MailMigration : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.CreateTable(
            "outgoing_mail",
            table => new
            {
                OrganizationId = table.Column<Guid>(nullable: false),
                Id = table.Column<Guid>(nullable: false),
                Kind = table.Column<string>(maxLength: 32, nullable: false),
                Recipient = table.Column<string>(maxLength: 254, nullable: false),
                Content = table.Column<byte[]>(nullable: true),
                Created = table.Column<long>(nullable: false),
                Expires = table.Column<long>(nullable: false),
                Due = table.Column<long>(nullable: false),
                Attempts = table.Column<int>(nullable: false),
                State = table.Column<byte>(nullable: false),
                Problem = table.Column<string>(maxLength: OutgoingMailMapping.LongestProblem, nullable: false),
                Ended = table.Column<long>(nullable: true),
            },
            constraints: table =>
            {
                table.PrimaryKey("PK_outgoing_mail", row => new { row.OrganizationId, row.Id });
                table.ForeignKey("FK_outgoing_mail_organization_OrganizationId", row => row.OrganizationId, "organization", "Id", onDelete: ReferentialAction.Restrict);
            });
        migrationBuilder.CreateIndex("IX_outgoing_mail_State_Due", "outgoing_mail", ["State", "Due"]);
    }

    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.DropTable("outgoing_mail");
}
