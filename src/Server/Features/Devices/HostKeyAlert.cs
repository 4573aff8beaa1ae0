using Countersign.Access;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Countersign.Server.Features.Devices;

/// <summary>A device has shown another host key than the pinned one, and nobody has confirmed a key since.</summary>
internal sealed class HostKeyAlert
{
    public required OrganizationId OrganizationId { get; init; }

    public required DeviceId Device { get; init; }

    /// <summary>What it showed last, as <c>type base64</c>.</summary>
    public required string Offered { get; set; }

    public required string Fingerprint { get; set; }

    /// <summary>When it first showed another key than the pinned one.</summary>
    public required DateTimeOffset First { get; init; }

    public required DateTimeOffset Last { get; set; }

    /// <summary>Connections that were refused for it.</summary>
    public required long Count { get; set; }
}

internal sealed class HostKeyAlertMapping : IEntityTypeConfiguration<HostKeyAlert>
{
    public void Configure(EntityTypeBuilder<HostKeyAlert> builder)
    {
        builder.ToTable("host_key_alert");
        builder.HasKey(row => new { row.OrganizationId, row.Device });
        builder.HasOne<DeviceRow>().WithMany().HasForeignKey(row => new { row.OrganizationId, row.Device }).OnDelete(DeleteBehavior.Cascade);
    }
}
