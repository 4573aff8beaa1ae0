using Countersign.Access;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Countersign.Server.Features.Devices;

/// <summary>Services of devices; the one that each device had moves out of its row.</summary>
[DbContext(typeof(CountersignDb))]
[Migration("20261129010000_DeviceServices")]
internal sealed class DeviceServicesMigration : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.CreateTable(
            "device_service",
            table => new
            {
                OrganizationId = table.Column<Guid>(nullable: false),
                Device = table.Column<Guid>(nullable: false),
                Protocol = table.Column<byte>(nullable: false),
                Port = table.Column<int>(nullable: false),
                Pin = table.Column<string>(maxLength: ServiceProtocols.LongestPin, nullable: false),
            },
            constraints: table =>
            {
                table.PrimaryKey("PK_device_service", row => new { row.OrganizationId, row.Device, row.Protocol });
                table.ForeignKey("FK_device_service_organization_OrganizationId", row => row.OrganizationId, "organization", "Id", onDelete: ReferentialAction.Restrict);
                table.ForeignKey(
                    "FK_device_service_device_OrganizationId_Device", row => new { row.OrganizationId, row.Device }, "device", ["OrganizationId", "Id"], onDelete: ReferentialAction.Restrict);
            });
        migrationBuilder.Sql(
            """
            INSERT INTO "device_service" ("OrganizationId", "Device", "Protocol", "Port", "Pin")
            SELECT "OrganizationId", "Id", "Protocol", "Port", "HostKey" FROM "device"
            """);

        // In words of SQL: to drop a column, the provider for SQLite makes the table anew, from a model that hand-written migrations have none of.
        foreach (var column in (string[])["Protocol", "Port", "HostKey"]) migrationBuilder.Sql($"""ALTER TABLE "device" DROP COLUMN "{column}" """);
    }

    /// <summary>Only services by ssh fit into the rows of devices; the others are lost.</summary>
    protected override void Down(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.AddColumn<byte>("Protocol", "device", nullable: false, defaultValue: (byte)1);
        migrationBuilder.AddColumn<int>("Port", "device", nullable: false, defaultValue: 22);
        migrationBuilder.AddColumn<string>("HostKey", "device", maxLength: 4000, nullable: false, defaultValue: "");
        migrationBuilder.Sql(
            """
            UPDATE "device" SET ("Port", "HostKey") = (
                SELECT "Port", "Pin" FROM "device_service" AS s WHERE s."OrganizationId" = "device"."OrganizationId" AND s."Device" = "device"."Id" AND s."Protocol" = 1)
            WHERE EXISTS (
                SELECT 1 FROM "device_service" AS s WHERE s."OrganizationId" = "device"."OrganizationId" AND s."Device" = "device"."Id" AND s."Protocol" = 1)
            """);
        migrationBuilder.DropTable("device_service");
    }
}
