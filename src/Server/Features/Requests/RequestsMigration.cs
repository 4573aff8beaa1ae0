using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Countersign.Server.Features.Requests;

[DbContext(typeof(CountersignDb))]
[Migration("20261121230000_Requests")]
internal sealed class RequestsMigration : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.CreateTable("access_request", table => new
        {
            OrganizationId = table.Column<Guid>(nullable: false),
            Number = table.Column<long>(nullable: false),
            Person = table.Column<Guid>(nullable: false),
            Login = table.Column<string>(maxLength: 64, nullable: false),
            Device = table.Column<Guid>(nullable: false),
            DeviceName = table.Column<string>(maxLength: 253, nullable: false),
            Account = table.Column<string>(maxLength: 64, nullable: false),
            Permissions = table.Column<long>(nullable: false),
            Source = table.Column<string>(maxLength: 45, nullable: true),
            Reason = table.Column<string>(maxLength: 400, nullable: false),
            Created = table.Column<long>(nullable: false),
            State = table.Column<byte>(nullable: false),
            Due = table.Column<long>(nullable: true),
            Approved = table.Column<long>(nullable: true),
            Once = table.Column<bool>(nullable: false),
            Claimed = table.Column<long>(nullable: true),
            Changed = table.Column<long>(nullable: false),
            ChangedBy = table.Column<Guid>(nullable: true),
            ChangedByName = table.Column<string>(maxLength: 200, nullable: false),
            Comment = table.Column<string>(maxLength: 400, nullable: false),
            Version = table.Column<long>(nullable: false),
        }, constraints: table =>
        {
            table.PrimaryKey("PK_access_request", row => new { row.OrganizationId, row.Number });
            table.ForeignKey("FK_access_request_organization_OrganizationId", row => row.OrganizationId, "organization", "Id", onDelete: ReferentialAction.Restrict);
        });
        migrationBuilder.CreateIndex("IX_access_request_OrganizationId_State", "access_request", ["OrganizationId", "State"]);
        migrationBuilder.CreateIndex("IX_access_request_OrganizationId_Person", "access_request", ["OrganizationId", "Person"]);

        migrationBuilder.CreateTable("access_request_approval", table => new
        {
            OrganizationId = table.Column<Guid>(nullable: false),
            Number = table.Column<long>(nullable: false),
            Kind = table.Column<byte>(nullable: false),
            Rule = table.Column<Guid>(nullable: false),
            Through = table.Column<Guid>(nullable: false),
            Person = table.Column<Guid>(nullable: false),
            Name = table.Column<string>(maxLength: 200, nullable: false),
            At = table.Column<long>(nullable: false),
            Channel = table.Column<string>(maxLength: 16, nullable: false),
            Comment = table.Column<string>(maxLength: 400, nullable: false),
        }, constraints: table =>
        {
            table.PrimaryKey("PK_access_request_approval", row => new { row.OrganizationId, row.Number, row.Kind, row.Rule, row.Through, row.Person });
            table.ForeignKey(
                "FK_access_request_approval_access_request_OrganizationId_Number", row => new { row.OrganizationId, row.Number }, "access_request",
                ["OrganizationId", "Number"], onDelete: ReferentialAction.Cascade);
        });

        migrationBuilder.CreateTable("access_request_session", table => new
        {
            OrganizationId = table.Column<Guid>(nullable: false),
            Session = table.Column<Guid>(nullable: false),
            Number = table.Column<long>(nullable: false),
        }, constraints: table =>
        {
            table.PrimaryKey("PK_access_request_session", row => new { row.OrganizationId, row.Session });
            table.ForeignKey(
                "FK_access_request_session_access_request_OrganizationId_Number", row => new { row.OrganizationId, row.Number }, "access_request",
                ["OrganizationId", "Number"], onDelete: ReferentialAction.Cascade);
        });
        migrationBuilder.CreateIndex("IX_access_request_session_OrganizationId_Number", "access_request_session", ["OrganizationId", "Number"]);
    }

    protected override void Down(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.DropTable("access_request_session");
        migrationBuilder.DropTable("access_request_approval");
        migrationBuilder.DropTable("access_request");
    }
}

[DbContext(typeof(CountersignDb))]
[Migration("20261122000000_RequestBlocks")]
internal sealed class RequestBlocksMigration : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.AddColumn<string>("ChangedThrough", "access_request", maxLength: 16, nullable: true);
        migrationBuilder.AddColumn<long>("Blocked", "access_request", nullable: true);
    }

    protected override void Down(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.DropColumn("Blocked", "access_request");
        migrationBuilder.DropColumn("ChangedThrough", "access_request");
    }
}

[DbContext(typeof(CountersignDb))]
[Migration("20261128160000_AccessAhead")]
internal sealed class AccessAheadMigration : Migration
{
    private static readonly string[] Instants = ["WindowFrom", "WindowTo", "LatestStart", "FirstUsed"];

    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.AddColumn<byte>("TimeKind", "access_request", nullable: true);
        foreach (var instant in Instants) migrationBuilder.AddColumn<long>(instant, "access_request", nullable: true);
        migrationBuilder.AddColumn<long>("Duration", "access_request", nullable: true);
        migrationBuilder.AddColumn<Guid>("Role", "access_request", nullable: true);
        migrationBuilder.AddColumn<string>("RoleName", "access_request", maxLength: 200, nullable: true);
        migrationBuilder.AddColumn<Guid>("DeviceGroup", "access_request", nullable: true);
        migrationBuilder.AddColumn<string>("DeviceList", "access_request", nullable: true);
        migrationBuilder.AddColumn<long>("Extends", "access_request", nullable: true);
        migrationBuilder.AddColumn<string>("Edits", "access_request", nullable: true);
    }

    protected override void Down(MigrationBuilder migrationBuilder)
    {
        foreach (var column in (string[])[.. Instants, "TimeKind", "Duration", "Role", "RoleName", "DeviceGroup", "DeviceList", "Extends", "Edits"])
            migrationBuilder.DropColumn(column, "access_request");
    }
}
