using System.Collections.Immutable;
using System.Net;

namespace Countersign.Access;

/// <summary>What makes an approval necessary; numbers are stored.</summary>
public enum ApprovalStepKind : byte
{
    /// <summary>A technician group's duty; <see cref="ApprovalStepId.Through"/> is the group through which it reaches the person.</summary>
    TechnicianGroup = 1,

    /// <summary>The device-side setting, at the organization, a device group or the device itself.</summary>
    Organization = 2,
    DeviceGroup = 3,
    Device = 4,

    /// <summary>A workflow's step; <see cref="ApprovalStepId.Through"/> holds which one, see <see cref="ApprovalStepId.OfWorkflow"/>.</summary>
    Workflow = 5,
}

/// <summary>
/// Which rule a step comes from. It stays the same as long as the rule stands where it stands, whoever can take the step: an approval given for
/// it stays good when managers change, and a rule that is added elsewhere is a new step.
/// </summary>
/// <param name="Rule">The group, device group, device or workflow whose rule it is; empty for the organization.</param>
public readonly record struct ApprovalStepId(ApprovalStepKind Kind, Guid Rule, Guid Through = default)
{
    /// <param name="number">From 1 on, in the order of the workflow.</param>
    public static ApprovalStepId OfWorkflow(WorkflowId workflow, int number) =>
        new(ApprovalStepKind.Workflow, workflow.Value, new(number, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
}

/// <summary>
/// A request that was approved, as evidence in a question. It counts for exactly what was asked for: one person, device, account and address, at
/// most these permissions, from its approval until <paramref name="OpenUntil"/>, and under rules all of whose steps were taken.
/// </summary>
/// <param name="Number">By which people speak of it.</param>
/// <param name="Source">The address that it was asked from; null only if that was not known, and then it fits a question without one.</param>
/// <param name="OpenUntil">Connections may begin before this instant; null: no end is known.</param>
/// <param name="Steps">What approvers have taken.</param>
public sealed record ApprovedRequest(
    long Number,
    PersonId Person,
    DeviceId Device,
    string Account,
    PermissionSet Permissions,
    IPAddress? Source,
    DateTimeOffset ApprovedAt,
    DateTimeOffset? OpenUntil,
    ImmutableArray<ApprovalStepId> Steps)
{
    /// <summary>What a connection that it lets in may hold: what was asked for, with what that needs.</summary>
    public PermissionSet Covered => PermissionCatalogue.WithPrerequisites(Permissions);

    /// <summary>
    /// It let in together with preapproved access, which stood for the steps that it lacks: what runs on both holds what both cover, and as long as that
    /// access lasts. Of no matter to a connection that begins. Set by <see cref="PolicySnapshot.AsBegun"/>.
    /// </summary>
    public bool IsBeside { get; init; }

    internal bool IsOpen(DateTimeOffset at) => ApprovedAt <= at && !(OpenUntil <= at);

    /// <summary>The next instant at which it starts or stops being open.</summary>
    internal DateTimeOffset? NextChange(DateTimeOffset at) =>
        OpenUntil <= ApprovedAt || OpenUntil <= at ? null : at < ApprovedAt ? ApprovedAt : OpenUntil;

    internal bool Satisfies(ApprovalStepId step) => !Steps.IsDefault && Steps.AsSpan().Contains(step);
}
