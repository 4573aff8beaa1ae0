using System.Collections.Immutable;

namespace Countersign.Access;

/// <summary>
/// Access that was asked for ahead and approved, as evidence in a question: a provider of what its role gave when it was asked for, to one person
/// on a set of devices that is frozen, for one account, within its time. Within that time managerial approval counts as given, too.
/// </summary>
/// <param name="Number">By which people speak of it.</param>
/// <param name="Devices">As they were when it was approved; a group is never kept.</param>
/// <param name="Permissions">A copy of the role's: what becomes of the role later does not matter.</param>
/// <param name="Steps">What approvers have taken.</param>
public sealed record PreapprovedRequest(
    long Number,
    PersonId Person,
    ImmutableArray<DeviceId> Devices,
    string Account,
    PermissionSet Permissions,
    DateTimeOffset ApprovedAt,
    RequestTime Time,
    ImmutableArray<ApprovalStepId> Steps)
{
    /// <summary>What a connection may hold where it stands for an approval: its role, with what that needs. It gives the role alone.</summary>
    public PermissionSet Covered => PermissionCatalogue.WithPrerequisites(Permissions);

    /// <summary>What it gives of that.</summary>
    internal PermissionSet GivenTo(PersonNode person) => Permissions & person.Requestable;

    public bool IsFor(PersonId person, DeviceId device, string account) => IsFor(person, device) && IsFor(account);

    internal bool IsFor(PersonId person, DeviceId device) => Person == person && !Devices.IsDefault && Devices.AsSpan().Contains(device);

    internal bool IsFor(string? account) => string.Equals(Account, account, StringComparison.Ordinal);

    /// <summary>Whether connections may begin on it at that instant; also before a first use.</summary>
    public bool IsOpen(DateTimeOffset at) => at >= ApprovedAt && at >= Time.Opens(ApprovedAt) && at < Time.Closes(ApprovedAt);

    /// <summary>The next instant at which it opens or closes.</summary>
    internal DateTimeOffset? NextChange(DateTimeOffset at)
    {
        var (opens, closes) = (Time.Opens(ApprovedAt), Time.Closes(ApprovedAt));
        if (opens < ApprovedAt) opens = ApprovedAt;
        if (closes <= opens || at >= closes) return null;
        return at < opens ? opens : closes;
    }
}

/// <summary>When preapproved access is in force.</summary>
public abstract record RequestTime
{
    private RequestTime()
    {
    }

    internal abstract DateTimeOffset Opens(DateTimeOffset approvedAt);

    /// <summary>Not included. Before a first use: its latest start.</summary>
    public abstract DateTimeOffset Closes(DateTimeOffset approvedAt);

    /// <summary>Half open, however late it is approved.</summary>
    public sealed record Fixed(DateTimeOffset From, DateTimeOffset To) : RequestTime
    {
        internal override DateTimeOffset Opens(DateTimeOffset approvedAt) => From;

        public override DateTimeOffset Closes(DateTimeOffset approvedAt) => To;
    }

    public sealed record FromApproval(TimeSpan Duration) : RequestTime
    {
        internal override DateTimeOffset Opens(DateTimeOffset approvedAt) => approvedAt;

        public override DateTimeOffset Closes(DateTimeOffset approvedAt) => approvedAt + Duration;
    }

    /// <param name="LatestStart">The first use is before this instant, or there is none.</param>
    /// <param name="FirstUsed">Null: not yet.</param>
    public sealed record FromFirstUse(TimeSpan Duration, DateTimeOffset LatestStart, DateTimeOffset? FirstUsed) : RequestTime
    {
        /// <summary>It has not begun: an answer that relies on it holds for a duration and not until an instant.</summary>
        public bool IsPending => FirstUsed is null;

        internal override DateTimeOffset Opens(DateTimeOffset approvedAt) => FirstUsed ?? approvedAt;

        public override DateTimeOffset Closes(DateTimeOffset approvedAt) => FirstUsed is { } used ? used + Duration : LatestStart;
    }
}
