using Countersign.Access;
using Countersign.Server.Features.Identity;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Countersign.Server.Features.Mail;

/// <summary>What a link is good for: nothing else. Numbers are stored.</summary>
internal enum LinkPurpose : byte
{
    /// <summary>Joining: the person chooses how they sign in.</summary>
    Join = 1,

    /// <summary>Signing in, for contacts.</summary>
    SignIn = 2,

    /// <summary>Choosing another password, for technicians who have lost theirs.</summary>
    Password = 3,
}

/// <summary>A link that somebody was mailed and that is still good, if its time is not over. One that was used, replaced or withdrawn has no row.</summary>
internal sealed class MailedLink
{
    public required OrganizationId OrganizationId { get; init; }

    public required PersonId Person { get; init; }

    public required LinkPurpose Purpose { get; init; }

    /// <summary><see cref="OneTimeToken.Hash"/>, unique on the server.</summary>
    public required byte[] Hash { get; init; }

    /// <summary>Not good any more from then on.</summary>
    public required DateTimeOffset Expires { get; init; }

    /// <summary>The mail that it goes with.</summary>
    public required Guid Letter { get; init; }
}

internal sealed class MailedLinkMapping : IEntityTypeConfiguration<MailedLink>
{
    public void Configure(EntityTypeBuilder<MailedLink> builder)
    {
        builder.ToTable("mailed_link");
        builder.HasKey(row => new { row.OrganizationId, row.Hash });
        builder.Property(row => row.Hash).HasMaxLength(OneTimeToken.HashLength);
        builder.HasIndex(row => row.Hash).IsUnique();
        builder.HasOne<PersonRow>().WithMany().HasForeignKey(row => new { row.OrganizationId, row.Person }).OnDelete(DeleteBehavior.Cascade);
    }
}

/// <summary>One table for all mailed links. Invitations that are open stay so; links by which contacts sign in live for minutes, and are asked for again.</summary>
[DbContext(typeof(CountersignDb))]
[Migration("20261128231000_MailedLinks")]
internal sealed class MailedLinksMigration : Migration
{
    private static readonly string[] _person = ["OrganizationId", "Id"];

    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.CreateTable(
            "mailed_link",
            table => new
            {
                OrganizationId = table.Column<Guid>(nullable: false),
                Person = table.Column<Guid>(nullable: false),
                Purpose = table.Column<byte>(nullable: false),
                Hash = table.Column<byte[]>(maxLength: OneTimeToken.HashLength, nullable: false),
                Expires = table.Column<long>(nullable: false),
                Letter = table.Column<Guid>(nullable: false),
            },
            constraints: table =>
            {
                table.PrimaryKey("PK_mailed_link", row => new { row.OrganizationId, row.Person, row.Purpose });
                table.ForeignKey(
                    "FK_mailed_link_person_OrganizationId_Person", row => new { row.OrganizationId, row.Person }, "person", _person,
                    onDelete: ReferentialAction.Cascade);
            });
        migrationBuilder.CreateIndex("IX_mailed_link_Hash", "mailed_link", "Hash", unique: true);
        migrationBuilder.Sql(
            """
            INSERT INTO mailed_link ("OrganizationId", "Person", "Purpose", "Hash", "Expires", "Letter")
            SELECT "OrganizationId", "Person", 1, "Hash", "Expires", "Letter" FROM invitation WHERE "Hash" IS NOT NULL
            """);
        migrationBuilder.DropIndex("IX_invitation_Hash", "invitation");
        migrationBuilder.Sql("ALTER TABLE invitation DROP COLUMN \"Hash\"");
        migrationBuilder.DropTable("contact_link");
    }

    protected override void Down(MigrationBuilder migrationBuilder) => throw new NotSupportedException("Links that were mailed since belong to no table of before.");
}
