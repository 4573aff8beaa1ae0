using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Countersign.Server.Features.Mail;

/// <summary>Whom a mail was to, so that what is said of it in the log is found with them.</summary>
[DbContext(typeof(CountersignDb))]
[Migration("20261129010000_MailOf")]
internal sealed class MailOfMigration : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.AddColumn<Guid>("Person", "outgoing_mail", nullable: true);
        migrationBuilder.CreateIndex("IX_outgoing_mail_OrganizationId_Person_Created", "outgoing_mail", ["OrganizationId", "Person", "Created"]);
    }

    protected override void Down(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.DropIndex("IX_outgoing_mail_OrganizationId_Person_Created", "outgoing_mail");

        // In words of SQL: to drop a column, the provider for SQLite makes the table anew, from a model that hand-written migrations have none of.
        migrationBuilder.Sql("ALTER TABLE outgoing_mail DROP COLUMN \"Person\"");
    }
}
