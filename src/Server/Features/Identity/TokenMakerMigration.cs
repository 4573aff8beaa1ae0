using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Countersign.Server.Features.Identity;

/// <summary>Of a token the one that it was made with. What there is already counts as made by its person.</summary>
[DbContext(typeof(CountersignDb))]
[Migration("20261128200000_TokenMaker")]
internal sealed class TokenMakerMigration : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.AddColumn<Guid>("Maker", "api_token", nullable: true);

    protected override void Down(MigrationBuilder migrationBuilder) =>
        // By hand: without a target model the provider for SQLite would not know the table that it has to rebuild.
        migrationBuilder.Sql("ALTER TABLE api_token DROP COLUMN \"Maker\"");
}
