using Countersign.Access;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Countersign.Server.Features.Vault;

/// <summary>What an authority certifies keys for. One purpose's key signs nothing of the other. Numbers are stored.</summary>
internal enum AuthorityPurpose : byte
{
    /// <summary>For the gateway, at the accounts of devices.</summary>
    Accounts = 1,

    /// <summary>For technicians, at the SSH front door.</summary>
    FrontDoor = 2,
}

/// <summary>A key that certifies others, of one organization.</summary>
internal sealed class SshAuthority
{
    public required OrganizationId OrganizationId { get; init; }

    public required Guid Id { get; init; }

    public required AuthorityPurpose Purpose { get; init; }

    /// <summary>As on the wire.</summary>
    public required byte[] PublicKey { get; init; }

    /// <summary>The private key in an <see cref="Envelope"/> that opens only in this row.</summary>
    public required byte[] Ciphertext { get; init; }

    public required DateTimeOffset Created { get; init; }
}

internal sealed class SshAuthorityMapping : IEntityTypeConfiguration<SshAuthority>
{
    public void Configure(EntityTypeBuilder<SshAuthority> builder)
    {
        builder.ToTable("ssh_authority");
        builder.HasKey(row => new { row.OrganizationId, row.Id });
    }
}
