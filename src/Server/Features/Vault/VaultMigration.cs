using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Countersign.Server.Features.Vault;

/// <summary>The sealed secrets of accounts.</summary>
[DbContext(typeof(CountersignDb))]
[Migration("20261121110000_Vault")]
internal sealed class VaultMigration : Migration
{
    private static readonly string[] _account = ["OrganizationId", "Device", "Name"];

    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.CreateTable(
        "account_secret",
        table => new
        {
            OrganizationId = table.Column<Guid>(nullable: false),
            Device = table.Column<Guid>(nullable: false),
            Account = table.Column<string>(maxLength: 64, nullable: false),
            Kind = table.Column<byte>(nullable: false),
            Ciphertext = table.Column<byte[]>(nullable: false),
            Changed = table.Column<long>(nullable: false),
        },
        constraints: table =>
        {
            table.PrimaryKey("PK_account_secret", row => new { row.OrganizationId, row.Device, row.Account });
            table.ForeignKey(
                "FK_account_secret_device_account_OrganizationId_Device_Account",
                row => new { row.OrganizationId, row.Device, row.Account },
                "device_account",
                _account,
                onDelete: ReferentialAction.Cascade);
        });

    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.DropTable("account_secret");
}
