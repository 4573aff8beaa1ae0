using System.Collections.Immutable;
using System.Net;
using Countersign.Access;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Countersign.Server.Features.Requests;

/// <summary>
/// Where a request is. <c>waiting → approved | rejected | expired | cancelled</c>, <c>approved → used | ended | revoked</c>, and <c>used → revoked</c>
/// while sessions may live on it. Numbers are stored.
/// </summary>
internal enum RequestState : byte
{
    Waiting = 1,
    Approved = 2,
    Rejected = 3,
    Expired = 4,
    Cancelled = 5,

    /// <summary>Claimed, where an approval is good once.</summary>
    Used = 6,

    /// <summary>Its time to connect is over.</summary>
    Ended = 7,
    Revoked = 8,
}

/// <summary>
/// One request, from the question to its end: for an approval at connect time; or, where it has a kind of time, for access ahead.
/// </summary>
internal sealed class AccessRequest
{
    public required OrganizationId OrganizationId { get; init; }

    /// <summary>By which people speak of it; counted in each organization.</summary>
    public required long Number { get; init; }

    public required PersonId Person { get; init; }

    /// <summary>As it was then.</summary>
    public required string Login { get; init; }

    public required DeviceId Device { get; init; }

    public required string DeviceName { get; init; }

    public required string Account { get; init; }

    /// <summary>What is covered; of access ahead a copy of its role's.</summary>
    public required PermissionSet Permissions { get; set; }

    public required IPAddress? Source { get; init; }

    public required string Reason { get; init; }

    public required DateTimeOffset Created { get; init; }

    public required RequestState State { get; set; }

    /// <summary>When it leaves the state by itself: waiting becomes expired, approved becomes ended. Null: never.</summary>
    public DateTimeOffset? Due { get; set; }

    public DateTimeOffset? Approved { get; set; }

    /// <summary>Whether the approval is good for one connection and those that join it.</summary>
    public bool Once { get; set; }

    /// <summary>When the first connection claimed it.</summary>
    public DateTimeOffset? Claimed { get; set; }

    /// <summary>When it came to the state, and by whom; nobody: by the clock, or by itself.</summary>
    public DateTimeOffset Changed { get; set; }

    public PersonId? ChangedBy { get; set; }

    /// <summary>As it was then.</summary>
    public string ChangedByName { get; set; } = "";

    /// <summary>As <see cref="RequestActor.Channel"/>; null: it was not written down yet then.</summary>
    public string? ChangedThrough { get; set; }

    /// <summary>Since when nobody can take one of its open steps; null: somebody can take each.</summary>
    public DateTimeOffset? Blocked { get; set; }

    /// <summary>What they said to it.</summary>
    public string Comment { get; set; } = "";

    /// <summary>Counts the transitions.</summary>
    public long Version { get; set; }

    /// <summary>Null: it is for an approval at connect time, and has nothing of what follows.</summary>
    public RequestTimeKind? TimeKind { get; init; }

    public DateTimeOffset? WindowFrom { get; set; }

    public DateTimeOffset? WindowTo { get; set; }

    /// <summary>In seconds.</summary>
    public long? Duration { get; set; }

    public DateTimeOffset? LatestStart { get; set; }

    public DateTimeOffset? FirstUsed { get; set; }

    public RoleId? Role { get; set; }

    /// <summary>As it was then.</summary>
    public string? RoleName { get; set; }

    /// <summary>Asked for as a group: its devices are those that it has at approval.</summary>
    public DeviceGroupId? DeviceGroup { get; init; }

    /// <summary>Ids with commas between; none while a group's are not frozen.</summary>
    public string? DeviceList { get; set; }

    /// <summary>The request for which it asks for more time.</summary>
    public long? Extends { get; init; }

    /// <summary>What approvers have made less of: <see cref="RequestEdit"/>s as JSON.</summary>
    public string? Edits { get; set; }

    public bool IsAhead => TimeKind is not null;

    public ImmutableArray<DeviceId> Devices
    {
        get => string.IsNullOrEmpty(DeviceList) ? [] : [.. DeviceList.Split(',').Select(id => new DeviceId(Guid.ParseExact(id, "D")))];
        set => DeviceList = string.Join(',', value);
    }

    /// <exception cref="InvalidOperationException">It is not for access ahead.</exception>
    public RequestTime Time => TimeKind switch
    {
        RequestTimeKind.Fixed => new RequestTime.Fixed(WindowFrom!.Value, WindowTo!.Value),
        RequestTimeKind.FromApproval => new RequestTime.FromApproval(TimeSpan.FromSeconds(Duration!.Value)),
        RequestTimeKind.FromFirstUse => new RequestTime.FromFirstUse(TimeSpan.FromSeconds(Duration!.Value), LatestStart!.Value, FirstUsed),
        _ => throw new InvalidOperationException("It is for an approval at connect time."),
    };

    /// <summary>As evidence, once it is approved.</summary>
    public PreapprovedRequest Evidence => new(Number, Person, Devices, Account, Permissions, Approved!.Value, Time, []);
}

/// <summary>How the time of access ahead is told. Numbers are stored.</summary>
internal enum RequestTimeKind : byte
{
    /// <summary>From an instant to another, half open, however late it is approved.</summary>
    Fixed = 1,
    FromApproval = 2,

    /// <summary>From the first connection, which is before the latest start.</summary>
    FromFirstUse = 3,
}

/// <summary>One place of one step, filled by one person. It stays with the request, whoever leaves.</summary>
internal sealed class RequestApproval
{
    public required OrganizationId OrganizationId { get; init; }

    public required long Number { get; init; }

    public required ApprovalStepKind Kind { get; init; }

    public required Guid Rule { get; init; }

    public required Guid Through { get; init; }

    public required PersonId Person { get; init; }

    public required string Name { get; init; }

    public required DateTimeOffset At { get; init; }

    /// <summary>As <see cref="RequestActor.Channel"/>.</summary>
    public required string Channel { get; init; }

    public required string Comment { get; init; }

    public ApprovalStepId Step => new(Kind, Rule, Through);
}

/// <summary>A session that claimed an approved request, or joined it.</summary>
internal sealed class RequestSession
{
    public required OrganizationId OrganizationId { get; init; }

    public required Guid Session { get; init; }

    public required long Number { get; init; }
}

internal sealed class AccessRequestMapping : IEntityTypeConfiguration<AccessRequest>
{
    public void Configure(EntityTypeBuilder<AccessRequest> builder)
    {
        builder.ToTable("access_request");
        builder.HasKey(row => new { row.OrganizationId, row.Number });
        builder.Property(row => row.Number).ValueGeneratedNever();
        builder.Property(row => row.Login).HasMaxLength(64);
        builder.Property(row => row.DeviceName).HasMaxLength(253);
        builder.Property(row => row.Account).HasMaxLength(64);
        builder.Property(row => row.Source).HasMaxLength(45);
        builder.Property(row => row.Reason).HasMaxLength(400);
        builder.Property(row => row.ChangedByName).HasMaxLength(200);
        builder.Property(row => row.ChangedThrough).HasMaxLength(16);
        builder.Property(row => row.Comment).HasMaxLength(400);
        builder.Property(row => row.Version).IsConcurrencyToken();
        builder.Property(row => row.RoleName).HasMaxLength(200);
        builder.Ignore(row => row.IsAhead);
        builder.Ignore(row => row.Devices);
        builder.Ignore(row => row.Time);
        builder.Ignore(row => row.Evidence);
        builder.HasIndex(row => new { row.OrganizationId, row.State });
        builder.HasIndex(row => new { row.OrganizationId, row.Person });
        builder.HasOne<Organization>().WithMany().HasForeignKey(row => row.OrganizationId).OnDelete(DeleteBehavior.Restrict);
    }
}

internal sealed class RequestApprovalMapping : IEntityTypeConfiguration<RequestApproval>
{
    public void Configure(EntityTypeBuilder<RequestApproval> builder)
    {
        builder.ToTable("access_request_approval");
        builder.HasKey(row => new { row.OrganizationId, row.Number, row.Kind, row.Rule, row.Through, row.Person });
        builder.Ignore(row => row.Step);
        builder.Property(row => row.Name).HasMaxLength(200);
        builder.Property(row => row.Channel).HasMaxLength(16);
        builder.Property(row => row.Comment).HasMaxLength(400);
        builder.HasOne<AccessRequest>().WithMany().HasForeignKey(row => new { row.OrganizationId, row.Number }).OnDelete(DeleteBehavior.Cascade);
    }
}

internal sealed class RequestSessionMapping : IEntityTypeConfiguration<RequestSession>
{
    public void Configure(EntityTypeBuilder<RequestSession> builder)
    {
        builder.ToTable("access_request_session");
        builder.HasKey(row => new { row.OrganizationId, row.Session });
        builder.HasOne<AccessRequest>().WithMany().HasForeignKey(row => new { row.OrganizationId, row.Number }).OnDelete(DeleteBehavior.Cascade);
    }
}
