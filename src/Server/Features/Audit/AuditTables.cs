using Countersign.Access;
using Countersign.Audit;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Countersign.Server.Features.Audit;

/// <summary>What makes a record a leaf. Beside the record and not in it: records are inserted and never touched again.</summary>
internal sealed class AuditSeal
{
    public required OrganizationId OrganizationId { get; init; }

    /// <summary>From 1 on, without gaps.</summary>
    public required long Number { get; init; }

    public required long Record { get; init; }

    /// <summary>Of the personal part; empty where fields of it were erased.</summary>
    public required byte[] Salt { get; init; }

    /// <summary>Where fields were erased, what opens each of the others (<see cref="ExportLines.Write(IReadOnlyList{FieldOpening})"/>); else null.</summary>
    public string? Openings { get; init; }

    public required byte[] Leaf { get; init; }
}

/// <summary>How far an organization's log is sealed. Whoever moves it on has read it as it is: two sealers can't fork the log.</summary>
internal sealed class AuditHead
{
    public required OrganizationId OrganizationId { get; init; }

    public required long Size { get; set; }

    /// <summary>The largest id that is sealed.</summary>
    public required long LastRecord { get; set; }

    /// <summary><see cref="MerkleFrontier.ToBytes"/>.</summary>
    public required byte[] Frontier { get; set; }
}

internal sealed class AuditCheckpoint
{
    public required OrganizationId OrganizationId { get; init; }

    public required long Size { get; init; }

    public required DateTimeOffset At { get; init; }

    public required byte[] Root { get; init; }

    public required byte[] Key { get; init; }

    public required byte[] Signature { get; init; }

    public static AuditCheckpoint Of(Checkpoint signed) => new()
    {
        OrganizationId = new(signed.Organization),
        Size = signed.Size,
        At = signed.At,
        Root = signed.Root,
        Key = signed.Key,
        Signature = signed.Signature,
    };

    public Checkpoint Signed() => new() { Organization = OrganizationId.Value, Size = Size, At = At, Root = Root, Key = Key, Signature = Signature };
}

internal sealed class AuditSealMapping : IEntityTypeConfiguration<AuditSeal>
{
    public void Configure(EntityTypeBuilder<AuditSeal> builder)
    {
        builder.ToTable("audit_seal");
        builder.HasKey(row => new { row.OrganizationId, row.Number });
        builder.HasIndex(row => new { row.OrganizationId, row.Record }).IsUnique();
        builder.HasOne<AuditRecord>().WithMany().HasForeignKey(row => new { row.OrganizationId, row.Record }).OnDelete(DeleteBehavior.Restrict);
    }
}

internal sealed class AuditHeadMapping : IEntityTypeConfiguration<AuditHead>
{
    public void Configure(EntityTypeBuilder<AuditHead> builder)
    {
        builder.ToTable("audit_head");
        builder.HasKey(row => row.OrganizationId);
        builder.Property(row => row.OrganizationId).ValueGeneratedNever();
        builder.Property(row => row.Size).IsConcurrencyToken();
        builder.HasOne<Organization>().WithMany().HasForeignKey(row => row.OrganizationId).OnDelete(DeleteBehavior.Restrict);
    }
}

internal sealed class AuditCheckpointMapping : IEntityTypeConfiguration<AuditCheckpoint>
{
    public void Configure(EntityTypeBuilder<AuditCheckpoint> builder)
    {
        builder.ToTable("audit_checkpoint");
        builder.HasKey(row => new { row.OrganizationId, row.Size });
        builder.HasOne<Organization>().WithMany().HasForeignKey(row => row.OrganizationId).OnDelete(DeleteBehavior.Restrict);
    }
}

[DbContext(typeof(CountersignDb))]
[Migration("20261121130000_AuditSeals")]
internal sealed class AuditSealsMigration : Migration
{
    private static readonly string[] _record = ["OrganizationId", "Id"];

    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.CreateTable(
            "audit_seal",
            table => new
            {
                OrganizationId = table.Column<Guid>(nullable: false),
                Number = table.Column<long>(nullable: false),
                Record = table.Column<long>(nullable: false),
                Salt = table.Column<byte[]>(nullable: false),
                Leaf = table.Column<byte[]>(nullable: false),
            },
            constraints: table =>
            {
                table.PrimaryKey("PK_audit_seal", row => new { row.OrganizationId, row.Number });
                table.ForeignKey(
                    "FK_audit_seal_audit_record_OrganizationId_Record",
                    row => new { row.OrganizationId, row.Record },
                    "audit_record",
                    _record,
                    onDelete: ReferentialAction.Restrict);
            });
        migrationBuilder.CreateIndex("IX_audit_seal_OrganizationId_Record", "audit_seal", ["OrganizationId", "Record"], unique: true);
        migrationBuilder.CreateTable(
            "audit_head",
            table => new
            {
                OrganizationId = table.Column<Guid>(nullable: false),
                Size = table.Column<long>(nullable: false),
                LastRecord = table.Column<long>(nullable: false),
                Frontier = table.Column<byte[]>(nullable: false),
            },
            constraints: table =>
            {
                table.PrimaryKey("PK_audit_head", row => row.OrganizationId);
                table.ForeignKey("FK_audit_head_organization_OrganizationId", row => row.OrganizationId, "organization", "Id", onDelete: ReferentialAction.Restrict);
            });
        migrationBuilder.CreateTable(
            "audit_checkpoint",
            table => new
            {
                OrganizationId = table.Column<Guid>(nullable: false),
                Size = table.Column<long>(nullable: false),
                At = table.Column<long>(nullable: false),
                Root = table.Column<byte[]>(nullable: false),
                Key = table.Column<byte[]>(nullable: false),
                Signature = table.Column<byte[]>(nullable: false),
            },
            constraints: table =>
            {
                table.PrimaryKey("PK_audit_checkpoint", row => new { row.OrganizationId, row.Size });
                table.ForeignKey("FK_audit_checkpoint_organization_OrganizationId", row => row.OrganizationId, "organization", "Id", onDelete: ReferentialAction.Restrict);
            });
        migrationBuilder.CreateIndex("IX_audit_record_OrganizationId_Actor_Id", "audit_record", ["OrganizationId", "Actor", "Id"]);
        migrationBuilder.CreateIndex("IX_audit_record_OrganizationId_SubjectId_Id", "audit_record", ["OrganizationId", "SubjectId", "Id"]);
        migrationBuilder.CreateIndex("IX_audit_record_OrganizationId_Kind_Id", "audit_record", ["OrganizationId", "Kind", "Id"]);
    }

    protected override void Down(MigrationBuilder migrationBuilder)
    {
        foreach (var column in (string[])["Actor", "SubjectId", "Kind"]) migrationBuilder.DropIndex($"IX_audit_record_OrganizationId_{column}_Id", "audit_record");
        foreach (var table in (string[])["audit_checkpoint", "audit_head", "audit_seal"]) migrationBuilder.DropTable(table);
    }
}
