using System.Collections.Immutable;
using Countersign.Access;

namespace Countersign.Server.Features.Requests;

/// <summary>Which devices a request for access ahead is about, and which steps that makes.</summary>
internal static class AheadDevices
{
    /// <summary>The one step of all devices whose own approvers decide: it stays the same when an approver takes some of them out.</summary>
    private static readonly ApprovalStepId OwnApprovers = new(ApprovalStepKind.Device, Guid.Empty);

    /// <summary>Those that it is about now; while it waits, as far as the requester may still ask for them.</summary>
    public static ImmutableArray<DeviceId> Of(PolicySnapshot policy, AccessRequest request, DateTimeOffset at)
    {
        if (request.State != RequestState.Waiting) return request.Devices;
        var devices = request.DeviceGroup is { } group && request.Devices.IsEmpty ? policy.DevicesIn(group).Select(device => device.Id) : request.Devices;
        return [.. devices.Where(device => MayBeAsked(policy, request.Person, device, request.Account, at))];
    }

    public static bool MayBeAsked(PolicySnapshot policy, PersonId requester, DeviceId device, string account, DateTimeOffset at) =>
        policy.MayRequestAccess(requester, device, at) && policy.AccountsOf(device).Any(row => row.Name == account);

    /// <summary>Its steps under the policy of now.</summary>
    /// <param name="veil">For the sentences that name the rules.</param>
    public static IReadOnlyList<ApprovalStep> Steps(PolicySnapshot policy, AccessRequest request, DateTimeOffset at, Veil veil)
    {
        var devices = Of(policy, request, at);
        return Combined(devices, device => policy.PreapprovalSteps(request.Person, device, at, veil), policy, request.DeviceGroup is null ? Common.All : Common.AllOrAny);
    }

    /// <summary>
    /// What is approved for good: of a group those for which each step, a workflow's as well, was taken by as many as it needs who can take it for that very
    /// device.
    /// </summary>
    public static ImmutableArray<DeviceId> Frozen(PolicySnapshot policy, AccessRequest request, IReadOnlyList<RequestApproval> approvals, DateTimeOffset at)
    {
        var devices = Of(policy, request, at);
        return request.DeviceGroup is null
            ? devices
            : [.. devices.Where(device => policy.PreapprovalSteps(request.Person, device, at).All(step => IsTaken(request, step, approvals)))];
    }

    private static bool IsTaken(AccessRequest request, ApprovalStep step, IReadOnlyList<RequestApproval> approvals)
    {
        var id = step.Id.Kind == ApprovalStepKind.Device ? OwnApprovers : step.Id;
        return approvals
            .Where(approval => approval.Step == id && (step.Approvers.Contains(approval.Person) || (step.Automatic && approval.Person == request.Person)))
            .Select(approval => approval.Person)
            .Distinct()
            .Count() >= step.Needed;
    }

    /// <summary>
    /// The fewest requests that can be decided: one for all devices under the same workflows whose steps somebody can take for all of them; where nobody
    /// can, one for each set of approvers. The owner, who can everywhere, does not count: else all that is mixed would be theirs alone to decide.
    /// </summary>
    public static IReadOnlyList<ImmutableArray<DeviceId>> Split(PolicySnapshot policy, PersonId requester, IEnumerable<DeviceId> devices, DateTimeOffset at)
    {
        var parts = new List<ImmutableArray<DeviceId>>();
        var each = devices.Select(device => (Device: device, Steps: policy.PreapprovalSteps(requester, device, at))).ToList();
        foreach (var rule in each.GroupBy(one => string.Join(';', one.Steps.Select(step => step.Id.Kind == ApprovalStepKind.Device ? OwnApprovers : step.Id)), StringComparer.Ordinal))
        {
            ImmutableArray<DeviceId> all = [.. rule.Select(one => one.Device)];
            if (Combined(all, device => policy.PreapprovalSteps(requester, device, at), policy, Common.All).All(step => step.Approvers.Count(person => !IsOwner(policy, person)) + (step.Automatic ? 1 : 0) >= step.Needed)) parts.Add(all);
            else
            {
                parts.AddRange(rule
                    .GroupBy(one => string.Join(';', one.Steps.Select(step => string.Join(',', step.Approvers) + (step.Automatic ? "+" : ""))), StringComparer.Ordinal)
                    .Select(one => one.Select(device => device.Device).ToImmutableArray()));
            }
        }

        return parts;
    }

    private enum Common
    {
        /// <summary>Who takes a step has to be able to for every device.</summary>
        All,

        /// <summary>So as well; and where nobody but the owner can, for some.</summary>
        AllOrAny,
    }

    private static IReadOnlyList<ApprovalStep> Combined(
        IReadOnlyList<DeviceId> devices, Func<DeviceId, IReadOnlyList<ApprovalStep>> steps, PolicySnapshot policy, Common common)
    {
        // Nothing is left: nobody can approve that.
        if (devices.Count == 0) return [new(OwnApprovers, "None of its devices may be asked for any more.", [], Automatic: false, [])];
        return
        [
            .. from device in devices
            from step in steps(device)
            group step by step.Id.Kind == ApprovalStepKind.Device ? OwnApprovers : step.Id into same
            select Combine(policy, same.Key, [.. same], common),
        ];
    }

    private static bool IsOwner(PolicySnapshot policy, PersonId person) => policy.Person(person) is { Kind: PersonKind.Owner };

    private static ApprovalStep Combine(PolicySnapshot policy, ApprovalStepId id, IReadOnlyList<ApprovalStep> same, Common common)
    {
        var first = same[0];
        IEnumerable<PersonId> approvers = first.Approvers;
        foreach (var step in same) approvers = approvers.Intersect(step.Approvers).ToList();
        if (common == Common.AllOrAny && approvers.All(person => IsOwner(policy, person))) approvers = same.SelectMany(step => step.Approvers).Distinct();
        return first with
        {
            Id = id,
            Rule = id == OwnApprovers && same.Count > 1 ? "Access ahead of time is approved by who accepts requests on all of its devices." : first.Rule,
            Approvers = [.. approvers.OrderBy(person => person.Value)],
            Automatic = same.All(step => step.Automatic),
        };
    }
}
