using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Countersign.Server.Features.Devices;

/// <summary>Host keys that are not the pinned ones.</summary>
[DbContext(typeof(CountersignDb))]
[Migration("20261128200000_HostKeyAlert")]
internal sealed class HostKeyAlertMigration : Migration
{
    private static readonly string[] _device = ["OrganizationId", "Id"];

    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.CreateTable(
        "host_key_alert",
        table => new
        {
            OrganizationId = table.Column<Guid>(nullable: false),
            Device = table.Column<Guid>(nullable: false),
            Offered = table.Column<string>(nullable: false),
            Fingerprint = table.Column<string>(nullable: false),
            First = table.Column<long>(nullable: false),
            Last = table.Column<long>(nullable: false),
            Count = table.Column<long>(nullable: false),
        },
        constraints: table =>
        {
            table.PrimaryKey("PK_host_key_alert", row => new { row.OrganizationId, row.Device });
            table.ForeignKey(
                "FK_host_key_alert_device_OrganizationId_Device", row => new { row.OrganizationId, row.Device }, "device", _device, onDelete: ReferentialAction.Cascade);
        });

    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.DropTable("host_key_alert");
}
