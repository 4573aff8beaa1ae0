using Countersign.Access;
using Countersign.Server.Features.Identity;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Countersign.Server.Features.Invitations;

/// <summary>What is told of the link that somebody was sent last; whether it is good still, its <see cref="Mail.MailedLink"/> says. It goes when they have used it, and with them.</summary>
internal sealed class Invitation
{
    public required OrganizationId OrganizationId { get; init; }

    public required PersonId Person { get; init; }

    public required string Mail { get; set; }

    public required PersonId SentBy { get; set; }

    public required DateTimeOffset Sent { get; set; }

    /// <summary>Not good any more from then on.</summary>
    public required DateTimeOffset Expires { get; set; }

    /// <summary>The mail that it went with.</summary>
    public required Guid Letter { get; set; }
}

internal sealed class InvitationMapping : IEntityTypeConfiguration<Invitation>
{
    public void Configure(EntityTypeBuilder<Invitation> builder)
    {
        builder.ToTable("invitation");
        builder.HasKey(row => new { row.OrganizationId, row.Person });
        builder.Property(row => row.Mail).HasMaxLength(Names.MostOfMail);
        builder.HasOne<PersonRow>().WithMany().HasForeignKey(row => new { row.OrganizationId, row.Person }).OnDelete(DeleteBehavior.Cascade);
    }
}

[DbContext(typeof(CountersignDb))]
[Migration("20261128210000_Invitations")]
internal sealed class InvitationsMigration : Migration
{
    private static readonly string[] _person = ["OrganizationId", "Id"];

    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.CreateTable(
            "invitation",
            table => new
            {
                OrganizationId = table.Column<Guid>(nullable: false),
                Person = table.Column<Guid>(nullable: false),
                Hash = table.Column<byte[]>(maxLength: OneTimeToken.HashLength, nullable: true),
                Mail = table.Column<string>(maxLength: Names.MostOfMail, nullable: false),
                SentBy = table.Column<Guid>(nullable: false),
                Sent = table.Column<long>(nullable: false),
                Expires = table.Column<long>(nullable: false),
                Letter = table.Column<Guid>(nullable: false),
            },
            constraints: table =>
            {
                table.PrimaryKey("PK_invitation", row => new { row.OrganizationId, row.Person });
                table.ForeignKey(
                    "FK_invitation_person_OrganizationId_Person", row => new { row.OrganizationId, row.Person }, "person", _person,
                    onDelete: ReferentialAction.Cascade);
            });
        migrationBuilder.CreateIndex("IX_invitation_Hash", "invitation", "Hash", unique: true);
    }

    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.DropTable("invitation");
}
