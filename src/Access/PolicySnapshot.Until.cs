using System.Collections.Immutable;
using System.Numerics;

namespace Countersign.Access;

/// <summary>Until when an answer holds.</summary>
public sealed partial class PolicySnapshot
{
    /// <summary>
    /// How often one provider is followed by the next in a search for the end of an unbroken stretch. Windows that take turns for ever have none.
    /// </summary>
    private const int MostFollowed = 256;

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

    /// <summary>When the first of the needed permissions, or of those that they need, is not granted any more; null: no end is known.</summary>
    /// <param name="nextChange">Before that nothing about it changes.</param>
    /// <param name="closing">When it ends at the latest.</param>
    private DateTimeOffset? EndOfStretch(
        in AccessQuestion question,
        PersonNode person,
        DeviceNode device,
        in AccountAsked account,
        PermissionSet needed,
        Pending pending,
        DateTimeOffset? nextChange,
        DateTimeOffset? closing)
    {
        if (question.Preapprovals.IsDefaultOrEmpty)
        {
            // Mostly nothing takes over from what ends first.
            if (nextChange is not { } change || closing <= change) return closing;
            if (!Reach.WithinCeiling(person, Reach.Of(_model, person, device, account, change).Granted).Covers(needed)) return change;
        }

        var end = closing;
        for (var bits = PermissionCatalogue.WithPrerequisites(needed).Bits; bits != 0; bits &= bits - 1)
        {
            var permission = (Permission)BitOperations.TrailingZeroCount(bits);
            end = Reach.Earlier(end, EndOfStretch(question, person, device, account, permission, pending, end));
        }

        return end;
    }

    /// <summary>Goes on from the provider that lasts longest to the one that lasts longest when it ends: what comes and goes in between does not matter.</summary>
    /// <param name="limit">Nothing later is of interest.</param>
    private DateTimeOffset? EndOfStretch(
        in AccessQuestion question, PersonNode person, DeviceNode device, in AccountAsked account, Permission permission, Pending pending, DateTimeOffset? limit)
    {
        var at = question.At;
        for (var followed = 0; followed < MostFollowed && !(limit <= at); followed++)
        {
            var lasts = Reach.Lasts(_model, person, device, account, permission, at);
            if (!question.Preapprovals.IsDefaultOrEmpty)
            {
                foreach (var request in question.Preapprovals)
                {
                    if (Lasts(request, question, person, device, account, permission, pending, at) is { } longer && longer > lasts) lasts = longer;
                }
            }

            if (lasts == DateTimeOffset.MaxValue) return null;
            if (lasts <= at) return at;
            at = lasts;
        }

        return null;
    }

    /// <summary>How long a request that is open gives the permission; null: it doesn't.</summary>
    /// <param name="pending">Access that has not begun carries nothing that rests on something else.</param>
    private static DateTimeOffset? Lasts(
        PreapprovedRequest request,
        in AccessQuestion question,
        PersonNode person,
        DeviceNode device,
        in AccountAsked account,
        Permission permission,
        Pending pending,
        DateTimeOffset at)
    {
        if (!request.IsFor(person.Id, device.Id) || !request.GivenTo(person).Contains(permission) || !device.HasAccount(request.Account)) return null;
        if (!request.IsFor(account.Name) && !PermissionCatalogue.ForEveryAccount.Contains(permission)) return null;
        if (!IsWaiting(request) || pending == Pending.Counts) return request.IsOpen(at) ? request.Time.Closes(request.ApprovedAt) : null;
        return pending == Pending.Stays && request.IsOpen(question.At) ? DateTimeOffset.MaxValue : null;
    }

    /// <summary>The end of the preapproved window that stands for an approval: the latest of those that do; null: none of them has begun.</summary>
    private static DateTimeOffset? WindowRelied(in AccessQuestion question, in AccountAsked account, PermissionSet needed)
    {
        DateTimeOffset? closing = null;
        foreach (var request in question.Preapprovals)
        {
            if (!request.IsFor(question.Subject, question.Device) || !request.IsFor(account.Name) || !request.IsOpen(question.At) || !request.Covered.Covers(needed)) continue;
            if (IsWaiting(request)) continue;
            var closes = request.Time.Closes(request.ApprovedAt);
            if (closing is null || closes > closing) closing = closes;
        }

        return closing;
    }

    /// <summary>
    /// How access that has not begun is looked at to find the end; and where the answer would be another without it, how long what is wanted will hold: as
    /// long as what has not run out by then would be allowed by itself. No duration is known of what it gives on other accounts than its own.
    /// </summary>
    private (Pending Pending, TimeSpan? Lasting) Waiting(in AccessQuestion question, DeviceNode device, in AccountAsked account, Moment moment)
    {
        if (!IsAnyWaiting(question)) return (Pending.Ignored, null);
        var begun = question with { Preapprovals = question.Preapprovals.RemoveAll(IsWaiting) };
        if (Answer(begun, moment, Ends.LeftOut).Kind == DecisionKind.Allowed) return (Pending.Ignored, null);
        var durations = new SortedSet<TimeSpan>();
        foreach (var request in question.Preapprovals)
        {
            if (IsOnAccount(request, question, device, account) && request.Time is RequestTime.FromFirstUse { IsPending: true } waiting) durations.Add(waiting.Duration);
        }

        foreach (var duration in durations)
        {
            var left = question with { Preapprovals = Left(question, device, account, duration) };
            if (Answer(left, moment, Ends.LeftOut).Kind != DecisionKind.Allowed) return (Pending.Stays, duration);
        }

        return (Pending.Counts, null);
    }

    /// <summary>The requests in hand without those that would have run out so long after their first use.</summary>
    private static ImmutableArray<PreapprovedRequest> Left(in AccessQuestion question, DeviceNode device, in AccountAsked account, TimeSpan after)
    {
        var left = ImmutableArray.CreateBuilder<PreapprovedRequest>(question.Preapprovals.Length);
        foreach (var request in question.Preapprovals)
        {
            var isOver = request.Time is RequestTime.FromFirstUse { IsPending: true } waiting && waiting.Duration <= after && IsOnAccount(request, question, device, account);
            if (!isOver) left.Add(request);
        }

        return left.DrainToImmutable();
    }

    private static bool IsOnAccount(PreapprovedRequest request, in AccessQuestion question, DeviceNode device, in AccountAsked account) =>
        request.IsFor(question.Subject, device.Id) && request.IsFor(account.Name) && request.IsOpen(question.At);

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
