using System.Net;
using Countersign.Access;
using Countersign.Server.Platform.Persistence;
using Countersign.Sessions;
using Countersign.Sessions.Recording;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Countersign.Server.Features.Sessions;

/// <summary>One session, from its beginning on; the end is filled in when it has come.</summary>
internal sealed class SessionRecord
{
    public required OrganizationId OrganizationId { get; init; }

    public required Guid Id { get; init; }

    public required PersonId Person { get; init; }

    public required string Login { get; init; }

    public required DeviceId Device { get; init; }

    public required string DeviceName { get; init; }

    public required string Account { get; init; }

    public required SessionKind Kind { get; init; }

    public required string Command { get; init; }

    public required IPAddress? Source { get; init; }

    public required DateTimeOffset Started { get; init; }

    public required long PolicyVersion { get; init; }

    /// <summary>Null while it runs.</summary>
    public DateTimeOffset? Ended { get; set; }

    public EndReason? Reason { get; set; }

    public string Detail { get; set; } = "";

    public int? ExitStatus { get; set; }

    public long BytesIn { get; set; }

    public long BytesOut { get; set; }

    /// <summary>Null while it runs.</summary>
    public RecordingState? Recording { get; set; }

    /// <summary>Of what is whole of the recording, in bytes; null: there is none.</summary>
    public long? RecordingSize { get; set; }

    /// <summary>Over these bytes, in hexadecimal digits.</summary>
    public string? RecordingHash { get; set; }

    /// <summary>In microseconds, up to the last event that plays.</summary>
    public long? RecordingLength { get; set; }

    /// <summary>When the recording was deleted; what the row says of it stays. Null: it is kept.</summary>
    public DateTimeOffset? RecordingGone { get; set; }
}

internal sealed class SessionRecordMapping : IEntityTypeConfiguration<SessionRecord>
{
    public const string KeptRecordings = "IX_session_kept_recordings";

    /// <summary>The same in every database that EF speaks to.</summary>
    public const string AreKept = "\"RecordingSize\" IS NOT NULL AND \"RecordingGone\" IS NULL";

    public void Configure(EntityTypeBuilder<SessionRecord> builder)
    {
        builder.ToTable("session");
        builder.HasKey(row => new { row.OrganizationId, row.Id });
        builder.Property(row => row.Login).HasMaxLength(64);
        builder.Property(row => row.DeviceName).HasMaxLength(253);
        builder.Property(row => row.Account).HasMaxLength(64);
        builder.Property(row => row.Command).HasMaxLength(4096);
        builder.Property(row => row.Source).HasMaxLength(45);
        builder.Property(row => row.Detail).HasMaxLength(400);
        builder.Property(row => row.RecordingHash).HasMaxLength(64);
        builder.HasIndex(row => new { row.OrganizationId, row.Ended });
        builder.HasIndex(row => new { row.OrganizationId, row.Ended }, KeptRecordings).HasFilter(AreKept);
        builder.HasOne<Organization>().WithMany().HasForeignKey(row => row.OrganizationId).OnDelete(DeleteBehavior.Restrict);
    }
}

[DbContext(typeof(CountersignDb))]
[Migration("20261121120000_Sessions")]
internal sealed class SessionsMigration : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.CreateTable("session", table => new
        {
            OrganizationId = table.Column<Guid>(nullable: false),
            Id = table.Column<Guid>(nullable: false),
            Person = table.Column<Guid>(nullable: false),
            Login = table.Column<string>(maxLength: 64, nullable: false),
            Device = table.Column<Guid>(nullable: false),
            DeviceName = table.Column<string>(maxLength: 253, nullable: false),
            Account = table.Column<string>(maxLength: 64, nullable: false),
            Kind = table.Column<byte>(nullable: false),
            Command = table.Column<string>(maxLength: 4096, nullable: false),
            Source = table.Column<string>(maxLength: 45, nullable: true),
            Started = table.Column<long>(nullable: false),
            PolicyVersion = table.Column<long>(nullable: false),
            Ended = table.Column<long>(nullable: true),
            Reason = table.Column<byte>(nullable: true),
            Detail = table.Column<string>(maxLength: 400, nullable: false),
            ExitStatus = table.Column<int>(nullable: true),
            BytesIn = table.Column<long>(nullable: false),
            BytesOut = table.Column<long>(nullable: false),
        }, constraints: table =>
        {
            table.PrimaryKey("PK_session", row => new { row.OrganizationId, row.Id });
            table.ForeignKey("FK_session_organization_OrganizationId", row => row.OrganizationId, "organization", "Id", onDelete: ReferentialAction.Restrict);
        });
        migrationBuilder.CreateIndex("IX_session_OrganizationId_Ended", "session", ["OrganizationId", "Ended"]);
    }

    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.DropTable("session");
}

[DbContext(typeof(CountersignDb))]
[Migration("20261121230000_SessionRecordings")]
internal sealed class SessionRecordingsMigration : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.AddColumn<byte>("Recording", "session", nullable: true);
        migrationBuilder.AddColumn<long>("RecordingSize", "session", nullable: true);
        migrationBuilder.AddColumn<string>("RecordingHash", "session", maxLength: 64, nullable: true);
    }

    protected override void Down(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.DropColumn("RecordingHash", "session");
        migrationBuilder.DropColumn("RecordingSize", "session");
        migrationBuilder.DropColumn("Recording", "session");
    }
}

[DbContext(typeof(CountersignDb))]
[Migration("20261122001000_KeptRecordings")]
internal sealed class KeptRecordingsMigration : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.AddColumn<long>("RecordingLength", "session", nullable: true);
        migrationBuilder.AddColumn<long>("RecordingGone", "session", nullable: true);
        migrationBuilder.CreateIndex(SessionRecordMapping.KeptRecordings, "session", ["OrganizationId", "Ended"], filter: SessionRecordMapping.AreKept);
    }

    protected override void Down(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.DropIndex(SessionRecordMapping.KeptRecordings, "session");
        migrationBuilder.DropColumn("RecordingGone", "session");
        migrationBuilder.DropColumn("RecordingLength", "session");
    }
}
