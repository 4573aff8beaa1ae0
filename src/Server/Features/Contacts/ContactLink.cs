using Countersign.Access;
using Countersign.Server.Features.Identity;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Countersign.Server.Features.Contacts;

/// <summary>The link that a contact was mailed last to sign in with; a later one takes its place, and using it removes it.</summary>
internal sealed class ContactLink
{
    public required OrganizationId OrganizationId { get; init; }

    public required PersonId Person { get; init; }

    /// <summary><see cref="OneTimeToken.Hash"/>, unique on the server.</summary>
    public required byte[] Hash { get; init; }

    /// <summary>Not good any more from then on.</summary>
    public required DateTimeOffset Expires { get; init; }
}

internal sealed class ContactLinkMapping : IEntityTypeConfiguration<ContactLink>
{
    public void Configure(EntityTypeBuilder<ContactLink> builder)
    {
        builder.ToTable("contact_link");
        builder.HasKey(row => new { row.OrganizationId, row.Person });
        builder.Property(row => row.Hash).HasMaxLength(OneTimeToken.HashLength);
        builder.HasIndex(row => row.Hash).IsUnique();
        builder.HasOne<PersonRow>().WithMany().HasForeignKey(row => new { row.OrganizationId, row.Person }).OnDelete(DeleteBehavior.Cascade);
    }
}

[DbContext(typeof(CountersignDb))]
[Migration("20261128220000_Contacts")]
internal sealed class ContactsMigration : Migration
{
    private static readonly string[] _person = ["OrganizationId", "Id"];

    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.CreateTable(
            "contact_link",
            table => new
            {
                OrganizationId = table.Column<Guid>(nullable: false),
                Person = table.Column<Guid>(nullable: false),
                Hash = table.Column<byte[]>(maxLength: OneTimeToken.HashLength, nullable: false),
                Expires = table.Column<long>(nullable: false),
            },
            constraints: table =>
            {
                table.PrimaryKey("PK_contact_link", row => new { row.OrganizationId, row.Person });
                table.ForeignKey(
                    "FK_contact_link_person_OrganizationId_Person", row => new { row.OrganizationId, row.Person }, "person", _person,
                    onDelete: ReferentialAction.Cascade);
            });
        migrationBuilder.CreateIndex("IX_contact_link_Hash", "contact_link", "Hash", unique: true);
    }

    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.DropTable("contact_link");
}
