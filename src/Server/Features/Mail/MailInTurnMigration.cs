using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Countersign.Server.Features.Mail;

/// <summary>Which mails hold links, and what is due of each organization. Those that wait already count as if they held none.</summary>
[DbContext(typeof(CountersignDb))]
[Migration("20261130031000_MailInTurn")]
internal sealed class MailInTurnMigration : Migration
{
    private const string Index = "IX_outgoing_mail_State_OrganizationId_HasLink_Due";

    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.AddColumn<bool>("HasLink", "outgoing_mail", nullable: false, defaultValue: false);
        migrationBuilder.CreateIndex(Index, "outgoing_mail", ["State", "OrganizationId", "HasLink", "Due"]);
    }

    protected override void Down(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.DropIndex(Index, "outgoing_mail");

        // In words of SQL: to drop a column, the provider for SQLite makes the table anew, from a model that hand-written migrations have none of.
        migrationBuilder.Sql("ALTER TABLE outgoing_mail DROP COLUMN \"HasLink\"");
    }
}
