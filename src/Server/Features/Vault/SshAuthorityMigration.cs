using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Countersign.Server.Features.Vault;

/// <summary>The keys that certify others.</summary>
[DbContext(typeof(CountersignDb))]
[Migration("20261128193000_SshAuthority")]
internal sealed class SshAuthorityMigration : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.CreateTable(
        "ssh_authority",
        table => new
        {
            OrganizationId = table.Column<Guid>(nullable: false),
            Id = table.Column<Guid>(nullable: false),
            Purpose = table.Column<byte>(nullable: false),
            PublicKey = table.Column<byte[]>(nullable: false),
            Ciphertext = table.Column<byte[]>(nullable: false),
            Created = table.Column<long>(nullable: false),
        },
        constraints: table => table.PrimaryKey("PK_ssh_authority", row => new { row.OrganizationId, row.Id }));

    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.DropTable("ssh_authority");
}
