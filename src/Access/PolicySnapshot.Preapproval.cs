namespace Countersign.Access;

/// <summary>What preapproved access in hand adds to the answer.</summary>
public sealed partial class PolicySnapshot
{
    /// <summary>How access that begins with its first use, and has not begun, is looked at.</summary>
    private enum Pending : byte
    {
        /// <summary>As it is: open until its latest start.</summary>
        Counts,

        /// <summary>As if it had begun with this question and lasted for ever.</summary>
        Stays,

        /// <summary>Not at all.</summary>
        Ignored,
    }

    /// <summary>May ask for access to the device ahead of time.</summary>
    public bool MayRequestAccess(PersonId person, DeviceId device, DateTimeOffset at) =>
        _model.Devices.TryGetValue(device, out var node) && new Authority(_model, person, at).Over(node).Contains(Permission.RequestAccess);

    /// <summary>
    /// What of a role would be effective for the person on the account, were it given to them ahead of time: within their ceiling and what the
    /// device's recording rule allows. Empty also where one of the three is not there.
    /// </summary>
    public PermissionSet WouldHold(PersonId person, DeviceId device, string account, PermissionSet role, DateTimeOffset at)
    {
        if (!_model.People.TryGetValue(person, out var who) || !_model.Devices.TryGetValue(device, out var node) || !node.HasAccount(account)) return PermissionSet.None;
        var given = PermissionCatalogue.WithPrerequisites(role);
        return Reach.Effective(who, _model.RulesOf(node), Reach.Of(_model, who, node, node.Asked(account), at).Granted | given) & given;
    }

    /// <summary>The devices of a group and of those below it; none where there is no such group.</summary>
    public IReadOnlyList<DeviceRow> DevicesIn(DeviceGroupId group) => _model.DeviceGroups.TryGetValue(group, out var node)
        ? [.. _model.Downwards(node).SelectMany(below => _model.ContentOf(below).Devices).Select(device => device.Row)]
        : [];

    internal PermissionSet GrantedWithEvidence(in AccessQuestion question, PersonNode person, DeviceNode device, in AccountAsked account) =>
        ReachWithEvidence(question, person, device, account, question.At).Granted;

    private Reach ReachWithEvidence(
        in AccessQuestion question,
        PersonNode person,
        DeviceNode device,
        in AccountAsked account,
        DateTimeOffset at,
        Pending pending = Pending.Counts)
    {
        var reach = Reach.Of(_model, person, device, account, at);
        if (question.Preapprovals.IsDefaultOrEmpty) return reach;
        var (granted, anywhere, timeless, next) = reach;
        foreach (var request in question.Preapprovals)
        {
            if (!request.IsFor(person.Id, device.Id)) continue;
            var isOpen = request.IsOpen(at);
            if (request.Time is RequestTime.FromFirstUse { IsPending: true } && pending != Pending.Counts)
            {
                if (pending == Pending.Ignored) continue;
                isOpen = request.IsOpen(question.At);
            }
            else
            {
                next = Reach.Earlier(next, request.NextChange(at));
            }

            if (!isOpen) continue;

            // Nothing gives the owner SkipConsent.
            var given = person.IsOwner ? request.Given.Without(Permission.SkipConsent) : request.Given;
            if (device.HasAccount(request.Account)) anywhere |= given;
            if (request.IsFor(account.Name)) granted |= given;
        }

        return new(granted | (anywhere & PermissionCatalogue.ForEveryAccount), anywhere, timeless, next);
    }

    /// <summary>The end of the preapproved window that stands for an approval: the latest of those that do; null: none of them has begun.</summary>
    private static DateTimeOffset? WindowRelied(in AccessQuestion question, in AccountAsked account, PermissionSet needed)
    {
        DateTimeOffset? closing = null;
        foreach (var request in question.Preapprovals)
        {
            if (!request.IsFor(question.Subject, question.Device) || !request.IsFor(account.Name) || !request.IsOpen(question.At) || !request.Given.Covers(needed)) continue;
            if (IsWaiting(request)) continue;
            var closes = request.Time.Closes(request.ApprovedAt);
            if (closing is null || closes > closing) closing = closes;
        }

        return closing;
    }

    /// <summary>
    /// How access that has not begun is looked at to find the end; and where the answer would be another without it, how long it will last. No duration is known
    /// of what it gives on other accounts than its own.
    /// </summary>
    private (Pending Pending, TimeSpan? Lasting) Waiting(in AccessQuestion question, DeviceNode device, in AccountAsked account, Moment moment)
    {
        if (!IsAnyWaiting(question)) return (Pending.Ignored, null);
        var begun = question with { Preapprovals = question.Preapprovals.RemoveAll(IsWaiting) };
        if (Answer(begun, moment).Kind == DecisionKind.Allowed) return (Pending.Ignored, null);
        TimeSpan? lasting = null;
        foreach (var request in question.Preapprovals)
        {
            if (!request.IsFor(question.Subject, device.Id) || !request.IsFor(account.Name) || !request.IsOpen(question.At)) continue;
            if (request.Time is RequestTime.FromFirstUse { IsPending: true } pending && !(pending.Duration <= lasting)) lasting = pending.Duration;
        }

        return (lasting is null ? Pending.Counts : Pending.Stays, lasting);
    }

    private static bool IsAnyWaiting(in AccessQuestion question)
    {
        if (question.Preapprovals.IsDefaultOrEmpty) return false;
        foreach (var request in question.Preapprovals)
        {
            if (IsWaiting(request)) return true;
        }

        return false;
    }

    private static bool IsWaiting(PreapprovedRequest request) => request.Time is RequestTime.FromFirstUse { IsPending: true };
}
