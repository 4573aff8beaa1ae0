using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Countersign.Server.Platform.Persistence;

/// <summary>Organizations, the tables of policy, its history and the audit log. Types are left to the provider.</summary>
[DbContext(typeof(CountersignDb))]
[Migration("20261121000000_Policy")]
internal sealed class PolicyMigration : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        Organization(migrationBuilder);
        Person(migrationBuilder);
        TechnicianGroup(migrationBuilder);
        Membership(migrationBuilder);
        GroupManager(migrationBuilder);
        GroupAdministrator(migrationBuilder);
        GroupPermission(migrationBuilder);
        DeviceGroup(migrationBuilder);
        Device(migrationBuilder);
        DeviceAccount(migrationBuilder);
        Role(migrationBuilder);
        AccessGrant(migrationBuilder);
        Setting(migrationBuilder);
        PolicyChange(migrationBuilder);
        AuditRecord(migrationBuilder);
    }

    protected override void Down(MigrationBuilder migrationBuilder)
    {
        foreach (var table in (string[])
        [
            "audit_record",
            "policy_change",
            "setting",
            "access_grant",
            "role",
            "device_account",
            "device",
            "device_group",
            "group_permission",
            "group_administrator",
            "group_manager",
            "membership",
            "technician_group",
            "person",
            "organization",
        ])
            migrationBuilder.DropTable(table);
    }

    private static void Organization(MigrationBuilder migration)
    {
        migration.CreateTable(
            "organization",
            table => new
            {
                Id = table.Column<Guid>(nullable: false),
                Name = table.Column<string>(maxLength: 200, nullable: false),
                Version = table.Column<long>(nullable: false),
                Created = table.Column<long>(nullable: false),
            },
            constraints: table =>
            {
                table.PrimaryKey("PK_organization", row => row.Id);
            });
    }

    private static void Person(MigrationBuilder migration)
    {
        migration.CreateTable(
            "person",
            table => new
            {
                OrganizationId = table.Column<Guid>(nullable: false),
                Id = table.Column<Guid>(nullable: false),
                Kind = table.Column<byte>(nullable: false),
                Login = table.Column<string>(maxLength: 64, nullable: false),
                Name = table.Column<string>(maxLength: 200, nullable: false),
                Mail = table.Column<string>(maxLength: 254, nullable: false),
                State = table.Column<byte>(nullable: false),
                Status = table.Column<byte>(nullable: false),
            },
            constraints: table =>
            {
                table.PrimaryKey("PK_person", row => new { row.OrganizationId, row.Id });
                table.ForeignKey("FK_person_organization_OrganizationId", row => row.OrganizationId, "organization", "Id", onDelete: ReferentialAction.Restrict);
            });
        migration.CreateIndex("IX_person_Login", "person", "Login", unique: true);
    }

    private static void TechnicianGroup(MigrationBuilder migration)
    {
        migration.CreateTable(
            "technician_group",
            table => new
            {
                OrganizationId = table.Column<Guid>(nullable: false),
                Id = table.Column<Guid>(nullable: false),
                ParentId = table.Column<Guid>(nullable: true),
                Name = table.Column<string>(maxLength: 200, nullable: false),
                Description = table.Column<string>(maxLength: 2000, nullable: false),
                Enabled = table.Column<bool>(nullable: false),
                RequiresManagerialApproval = table.Column<bool>(nullable: false),
                Consent = table.Column<byte>(nullable: false),
                SinglePrompt = table.Column<bool>(nullable: false),
            },
            constraints: table =>
            {
                table.PrimaryKey("PK_technician_group", row => new { row.OrganizationId, row.Id });
                table.ForeignKey("FK_technician_group_organization_OrganizationId", row => row.OrganizationId, "organization", "Id", onDelete: ReferentialAction.Restrict);
                table.ForeignKey(
                    "FK_technician_group_technician_group_OrganizationId_ParentId", row => new { row.OrganizationId, row.ParentId }, "technician_group", ["OrganizationId", "Id"], onDelete: ReferentialAction.Restrict);
            });
        migration.CreateIndex("IX_technician_group_OrganizationId_ParentId", "technician_group", ["OrganizationId", "ParentId"]);
    }

    private static void Membership(MigrationBuilder migration)
    {
        migration.CreateTable(
            "membership",
            table => new
            {
                OrganizationId = table.Column<Guid>(nullable: false),
                Group = table.Column<Guid>(nullable: false),
                Person = table.Column<Guid>(nullable: false),
            },
            constraints: table =>
            {
                table.PrimaryKey("PK_membership", row => new { row.OrganizationId, row.Group, row.Person });
                table.ForeignKey("FK_membership_organization_OrganizationId", row => row.OrganizationId, "organization", "Id", onDelete: ReferentialAction.Restrict);
                table.ForeignKey(
                    "FK_membership_technician_group_OrganizationId_Group", row => new { row.OrganizationId, row.Group }, "technician_group", ["OrganizationId", "Id"], onDelete: ReferentialAction.Restrict);
                table.ForeignKey(
                    "FK_membership_person_OrganizationId_Person", row => new { row.OrganizationId, row.Person }, "person", ["OrganizationId", "Id"], onDelete: ReferentialAction.Restrict);
            });
        migration.CreateIndex("IX_membership_OrganizationId_Person", "membership", ["OrganizationId", "Person"]);
    }

    private static void GroupManager(MigrationBuilder migration)
    {
        migration.CreateTable(
            "group_manager",
            table => new
            {
                OrganizationId = table.Column<Guid>(nullable: false),
                Group = table.Column<Guid>(nullable: false),
                Person = table.Column<Guid>(nullable: false),
            },
            constraints: table =>
            {
                table.PrimaryKey("PK_group_manager", row => new { row.OrganizationId, row.Group, row.Person });
                table.ForeignKey("FK_group_manager_organization_OrganizationId", row => row.OrganizationId, "organization", "Id", onDelete: ReferentialAction.Restrict);
                table.ForeignKey(
                    "FK_group_manager_technician_group_OrganizationId_Group", row => new { row.OrganizationId, row.Group }, "technician_group", ["OrganizationId", "Id"], onDelete: ReferentialAction.Restrict);
                table.ForeignKey(
                    "FK_group_manager_person_OrganizationId_Person", row => new { row.OrganizationId, row.Person }, "person", ["OrganizationId", "Id"], onDelete: ReferentialAction.Restrict);
            });
        migration.CreateIndex("IX_group_manager_OrganizationId_Person", "group_manager", ["OrganizationId", "Person"]);
    }

    private static void GroupAdministrator(MigrationBuilder migration)
    {
        migration.CreateTable(
            "group_administrator",
            table => new
            {
                OrganizationId = table.Column<Guid>(nullable: false),
                Group = table.Column<Guid>(nullable: false),
                Person = table.Column<Guid>(nullable: false),
            },
            constraints: table =>
            {
                table.PrimaryKey("PK_group_administrator", row => new { row.OrganizationId, row.Group, row.Person });
                table.ForeignKey("FK_group_administrator_organization_OrganizationId", row => row.OrganizationId, "organization", "Id", onDelete: ReferentialAction.Restrict);
                table.ForeignKey(
                    "FK_group_administrator_technician_group_OrganizationId_Group", row => new { row.OrganizationId, row.Group }, "technician_group", ["OrganizationId", "Id"], onDelete: ReferentialAction.Restrict);
                table.ForeignKey(
                    "FK_group_administrator_person_OrganizationId_Person", row => new { row.OrganizationId, row.Person }, "person", ["OrganizationId", "Id"], onDelete: ReferentialAction.Restrict);
            });
        migration.CreateIndex("IX_group_administrator_OrganizationId_Person", "group_administrator", ["OrganizationId", "Person"]);
    }

    private static void GroupPermission(MigrationBuilder migration)
    {
        migration.CreateTable(
            "group_permission",
            table => new
            {
                OrganizationId = table.Column<Guid>(nullable: false),
                Group = table.Column<Guid>(nullable: false),
                Permission = table.Column<byte>(nullable: false),
                Value = table.Column<byte>(nullable: false),
                Locked = table.Column<bool>(nullable: false),
            },
            constraints: table =>
            {
                table.PrimaryKey("PK_group_permission", row => new { row.OrganizationId, row.Group, row.Permission });
                table.ForeignKey("FK_group_permission_organization_OrganizationId", row => row.OrganizationId, "organization", "Id", onDelete: ReferentialAction.Restrict);
                table.ForeignKey(
                    "FK_group_permission_technician_group_OrganizationId_Group", row => new { row.OrganizationId, row.Group }, "technician_group", ["OrganizationId", "Id"], onDelete: ReferentialAction.Restrict);
            });
    }

    private static void DeviceGroup(MigrationBuilder migration)
    {
        migration.CreateTable(
            "device_group",
            table => new
            {
                OrganizationId = table.Column<Guid>(nullable: false),
                Id = table.Column<Guid>(nullable: false),
                ParentId = table.Column<Guid>(nullable: true),
                Name = table.Column<string>(maxLength: 200, nullable: false),
            },
            constraints: table =>
            {
                table.PrimaryKey("PK_device_group", row => new { row.OrganizationId, row.Id });
                table.ForeignKey("FK_device_group_organization_OrganizationId", row => row.OrganizationId, "organization", "Id", onDelete: ReferentialAction.Restrict);
                table.ForeignKey(
                    "FK_device_group_device_group_OrganizationId_ParentId", row => new { row.OrganizationId, row.ParentId }, "device_group", ["OrganizationId", "Id"], onDelete: ReferentialAction.Restrict);
            });
        migration.CreateIndex("IX_device_group_OrganizationId_ParentId", "device_group", ["OrganizationId", "ParentId"]);
    }

    private static void Device(MigrationBuilder migration)
    {
        migration.CreateTable(
            "device",
            table => new
            {
                OrganizationId = table.Column<Guid>(nullable: false),
                Id = table.Column<Guid>(nullable: false),
                Group = table.Column<Guid>(nullable: false),
                Name = table.Column<string>(maxLength: 253, nullable: false),
                Description = table.Column<string>(maxLength: 2000, nullable: false),
                Enabled = table.Column<bool>(nullable: false),
                Protocol = table.Column<byte>(nullable: false),
                Host = table.Column<string>(maxLength: 253, nullable: false),
                Port = table.Column<int>(nullable: false),
                HostKey = table.Column<string>(maxLength: 4000, nullable: false),
            },
            constraints: table =>
            {
                table.PrimaryKey("PK_device", row => new { row.OrganizationId, row.Id });
                table.ForeignKey("FK_device_organization_OrganizationId", row => row.OrganizationId, "organization", "Id", onDelete: ReferentialAction.Restrict);
                table.ForeignKey(
                    "FK_device_device_group_OrganizationId_Group", row => new { row.OrganizationId, row.Group }, "device_group", ["OrganizationId", "Id"], onDelete: ReferentialAction.Restrict);
            });
        migration.CreateIndex("IX_device_OrganizationId_Group", "device", ["OrganizationId", "Group"]);
        migration.CreateIndex("IX_device_OrganizationId_Name", "device", ["OrganizationId", "Name"], unique: true);
    }

    private static void DeviceAccount(MigrationBuilder migration)
    {
        migration.CreateTable(
            "device_account",
            table => new
            {
                OrganizationId = table.Column<Guid>(nullable: false),
                Device = table.Column<Guid>(nullable: false),
                Name = table.Column<string>(maxLength: 64, nullable: false),
                IsDefault = table.Column<bool>(nullable: false),
            },
            constraints: table =>
            {
                table.PrimaryKey("PK_device_account", row => new { row.OrganizationId, row.Device, row.Name });
                table.ForeignKey("FK_device_account_organization_OrganizationId", row => row.OrganizationId, "organization", "Id", onDelete: ReferentialAction.Restrict);
                table.ForeignKey(
                    "FK_device_account_device_OrganizationId_Device", row => new { row.OrganizationId, row.Device }, "device", ["OrganizationId", "Id"], onDelete: ReferentialAction.Restrict);
            });
    }

    private static void Role(MigrationBuilder migration)
    {
        migration.CreateTable(
            "role",
            table => new
            {
                OrganizationId = table.Column<Guid>(nullable: false),
                Id = table.Column<Guid>(nullable: false),
                Name = table.Column<string>(maxLength: 200, nullable: false),
                Purpose = table.Column<byte>(nullable: false),
                Permissions = table.Column<long>(nullable: false),
            },
            constraints: table =>
            {
                table.PrimaryKey("PK_role", row => new { row.OrganizationId, row.Id });
                table.ForeignKey("FK_role_organization_OrganizationId", row => row.OrganizationId, "organization", "Id", onDelete: ReferentialAction.Restrict);
            });
    }

    private static void AccessGrant(MigrationBuilder migration)
    {
        migration.CreateTable(
            "access_grant",
            table => new
            {
                OrganizationId = table.Column<Guid>(nullable: false),
                Id = table.Column<Guid>(nullable: false),
                Subject = table.Column<string>(nullable: false),
                Scope = table.Column<string>(nullable: false),
                Role = table.Column<Guid>(nullable: false),
                Accounts = table.Column<string>(nullable: false),
                Window = table.Column<string>(nullable: false),
            },
            constraints: table =>
            {
                table.PrimaryKey("PK_access_grant", row => new { row.OrganizationId, row.Id });
                table.ForeignKey("FK_access_grant_organization_OrganizationId", row => row.OrganizationId, "organization", "Id", onDelete: ReferentialAction.Restrict);
            });
    }

    private static void Setting(MigrationBuilder migration)
    {
        migration.CreateTable(
            "setting",
            table => new
            {
                OrganizationId = table.Column<Guid>(nullable: false),
                Node = table.Column<string>(nullable: false),
                Setting = table.Column<byte>(nullable: false),
                Value = table.Column<string>(maxLength: 4000, nullable: false),
                Touched = table.Column<long>(nullable: false),
            },
            constraints: table =>
            {
                table.PrimaryKey("PK_setting", row => new { row.OrganizationId, row.Node, row.Setting });
                table.ForeignKey("FK_setting_organization_OrganizationId", row => row.OrganizationId, "organization", "Id", onDelete: ReferentialAction.Restrict);
            });
    }

    private static void PolicyChange(MigrationBuilder migration)
    {
        migration.CreateTable(
            "policy_change",
            table => new
            {
                OrganizationId = table.Column<Guid>(nullable: false),
                Version = table.Column<long>(nullable: false),
                At = table.Column<long>(nullable: false),
                Actor = table.Column<Guid>(nullable: false),
                Summary = table.Column<string>(nullable: false),
                Delta = table.Column<string>(nullable: false),
            },
            constraints: table =>
            {
                table.PrimaryKey("PK_policy_change", row => new { row.OrganizationId, row.Version });
                table.ForeignKey("FK_policy_change_organization_OrganizationId", row => row.OrganizationId, "organization", "Id", onDelete: ReferentialAction.Restrict);
            });
    }

    private static void AuditRecord(MigrationBuilder migration)
    {
        migration.CreateTable(
            "audit_record",
            table => new
            {
                OrganizationId = table.Column<Guid>(nullable: false),
                Id = table.Column<long>(nullable: false),
                At = table.Column<long>(nullable: false),
                Kind = table.Column<string>(maxLength: 64, nullable: false),
                Actor = table.Column<Guid>(nullable: true),
                ActorLogin = table.Column<string>(maxLength: 64, nullable: false),
                Channel = table.Column<string>(maxLength: 16, nullable: false),
                Source = table.Column<string>(maxLength: 45, nullable: true),
                Subject = table.Column<string>(maxLength: 400, nullable: false),
                SubjectId = table.Column<Guid>(nullable: true),
                Outcome = table.Column<byte>(nullable: false),
                Details = table.Column<string>(nullable: false),
                Correlation = table.Column<string>(maxLength: 64, nullable: false),
            },
            constraints: table =>
            {
                table.PrimaryKey("PK_audit_record", row => new { row.OrganizationId, row.Id });
                table.ForeignKey("FK_audit_record_organization_OrganizationId", row => row.OrganizationId, "organization", "Id", onDelete: ReferentialAction.Restrict);
            });
    }
}
