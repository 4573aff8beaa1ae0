using Countersign.Access;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Countersign.Server.Features.Devices;

/// <summary>Tags of devices.</summary>
[DbContext(typeof(CountersignDb))]
[Migration("20261128220000_DeviceTags")]
internal sealed class DeviceTagsMigration : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) =>
        migrationBuilder.AddColumn<string>("Tags", "device", maxLength: DeviceTags.MaxLength, nullable: false, defaultValue: "");

    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.DropColumn("Tags", "device");
}
