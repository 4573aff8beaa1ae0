using System.Net;

namespace Countersign.Access;

/// <summary>What is in hand, approvals and preapproved access: what counts of it, and what it adds to the answer.</summary>
public sealed partial class PolicySnapshot
{
    internal PermissionSet GrantedWithEvidence(in AccessQuestion question, PersonNode person, DeviceNode device, in AccountAsked account) =>
        ReachWithEvidence(question, person, device, account, question.At).Granted;

    private Reach ReachWithEvidence(
        in AccessQuestion question,
        PersonNode person,
        DeviceNode device,
        in AccountAsked account,
        DateTimeOffset at)
    {
        var reach = Reach.Of(_model, person, device, account, at);
        if (question.Preapprovals.IsDefaultOrEmpty) return reach;
        var (granted, anywhere, timeless, next) = reach;
        foreach (var request in question.Preapprovals)
        {
            if (!request.IsFor(person.Id, device.Id)) continue;
            next = Reach.Earlier(next, request.NextChange(at));
            if (!request.IsOpen(at)) continue;

            var given = request.GivenTo(person);
            if (device.HasAccount(request.Account)) anywhere |= given;
            if (request.IsFor(account.Name)) granted |= given;
        }

        return new(granted | (anywhere & PermissionCatalogue.ForEveryAccount), anywhere, timeless, next);
    }

    /// <summary>
    /// What approved requests in hand let the connection hold; null: none of them fits. One request has to fit alone, with all of the steps that
    /// rules ask for now. For a session that runs neither the time to begin matters any more nor what rules have come to ask for since: what is in hand let it in.
    /// </summary>
    /// <param name="relies">It is preapproved access that stands for the approval.</param>
    private PermissionSet? Covered(in AccessQuestion question, PersonNode person, DeviceNode device, in AccountAsked account, PermissionSet needed, Moment moment, out bool relies)
    {
        PermissionSet? covered = null;
        var preapproved = Preapproved(question, account, needed, question.At);
        relies = preapproved is not null && (moment == Moment.Running ? !question.BeganInsisted : HasAllSteps(null, person, device, insisting: true));
        if (relies) covered = preapproved;
        if (question.Approvals.IsDefaultOrEmpty || account.Name is null) return covered;
        var alone = false;
        foreach (var approved in question.Approvals)
        {
            if (!Fits(approved, question, account.Name) || !approved.Covered.Covers(needed)) continue;
            if (moment == Moment.Opening && !approved.IsOpen(question.At)) continue;
            if (moment == Moment.Running ? !approved.IsBeside : HasAllSteps(approved, person, device, insisting: false))
            {
                covered = (covered ?? PermissionSet.None) | approved.Covered;
                alone = true;
            }
            else if (preapproved is { } given && (moment == Moment.Running || HasAllSteps(approved, person, device, insisting: true)))
            {
                // It has the steps that a workflow insists on, and preapproved access stands for the rest: what both cover, as long as that lasts.
                covered = (covered ?? PermissionSet.None) | (given & approved.Covered);
                relies = true;
            }
        }

        // An approval given at connect time lets in and ends nothing afterwards.
        if (alone) relies = false;
        return covered;
    }

    /// <summary>
    /// The question of a connection that is let in, as it is asked again while that runs, whatever becomes of the rules: whether they asked for an approval at
    /// all is noted, and whether a workflow insisted on its steps; of the approvals those are kept that let in, by themselves or together with preapproved access.
    /// What was in hand beside them counts for nothing later, either.
    /// </summary>
    public AccessQuestion AsBegun(AccessQuestion question)
    {
        if (!_model.People.TryGetValue(question.Subject, out var person) || !_model.Devices.TryGetValue(question.Device, out var device)) return question;
        if (!_model.NeedsApproval(person, device)) return question with { BeganUnasked = true, BeganInsisted = false, Approvals = [] };
        question = question with { BeganUnasked = false, BeganInsisted = !HasAllSteps(null, person, device, insisting: true) };
        if (question.Approvals.IsDefaultOrEmpty || device.Asked(question.Account).Name is not { } account) return question with { Approvals = [] };

        // What is wanted may be had in several ways, each by another piece: which of them a piece covers is looked at whenever it is asked about.
        var isAhead = !question.Preapprovals.IsDefaultOrEmpty
            && question.Preapprovals.Any(request => request.IsFor(question.Subject, question.Device, account) && request.IsOpen(question.At));
        var letIn =
            from approved in question.Approvals
            where Fits(approved, question, account) && approved.IsOpen(question.At)
            let isAlone = HasAllSteps(approved, person, device, insisting: false)
            where isAlone || (isAhead && Completes(approved, person, device))
            select approved with { IsBeside = !isAlone };
        return question with { Approvals = [.. letIn] };
    }

    /// <summary>What preapproved access that is open gives on the account, as far as each piece of it covers all that is needed; null: none does.</summary>
    private static PermissionSet? Preapproved(in AccessQuestion question, in AccountAsked account, PermissionSet needed, DateTimeOffset at)
    {
        PermissionSet? given = null;
        if (question.Preapprovals.IsDefaultOrEmpty) return given;
        foreach (var request in question.Preapprovals)
        {
            if (!request.IsFor(question.Subject, question.Device) || !request.IsFor(account.Name) || !request.IsOpen(at) || !request.Covered.Covers(needed)) continue;
            given = (given ?? PermissionSet.None) | request.Covered;
        }

        return given;
    }

    private static bool Fits(ApprovedRequest approved, in AccessQuestion question, string account) =>
        approved.Person == question.Subject
        && approved.Device == question.Device
        && string.Equals(approved.Account, account, StringComparison.Ordinal)
        && IsSame(approved.Source, question.Source);

    /// <summary>An IPv4 address is one, however it is dressed.</summary>
    private static bool IsSame(IPAddress? one, IPAddress? other) =>
        one is null || other is null ? one == other : one.Equals(other) || Bare(one).Equals(Bare(other));

    private static IPAddress Bare(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    /// <param name="approved">Null: nothing is in hand.</param>
    /// <param name="insisting">Preapproved access stands for all but the steps of workflows that insist.</param>
    private bool HasAllSteps(ApprovedRequest? approved, PersonNode person, DeviceNode device, bool insisting)
    {
        foreach (var workflow in person.Workflows)
        {
            if ((insisting && !workflow.Row.InsistsWhenPreapproved) || !_model.Applies(workflow, person, device)) continue;
            for (var index = 0; index < workflow.Steps.Length; index++)
            {
                if (approved is null || !approved.Satisfies(workflow.StepId(index))) return false;
            }
        }

        if (insisting) return true;
        foreach (var group in person.Groups)
        {
            if (group.ApprovalRule is not { } rule || _model.IsReplaced(group, rule, person, device)) continue;
            if (approved is null || !approved.Satisfies(StepOf(group, rule))) return false;
        }

        var rules = _model.RulesOf(device);
        if (!rules.RequiresApproval || _model.HasWorkflow(person, device)) return true;
        return approved is not null && approved.Satisfies(StepOf(rules[SettingKind.ManagerialApproval]));
    }

    private static DateTimeOffset? NextChange(in AccessQuestion question)
    {
        DateTimeOffset? next = null;
        if (question.Approvals.IsDefaultOrEmpty) return next;
        foreach (var approved in question.Approvals) next = Reach.Earlier(next, approved.NextChange(question.At));
        return next;
    }

    /// <summary>Why an approved request in hand does not let the connection begin; null: it does.</summary>
    internal string? WhyNotCounted(ApprovedRequest approved, in AccessQuestion question, PersonNode person, DeviceNode device)
    {
        if (approved.Person != question.Subject || approved.Device != question.Device) return "it is for somebody or something else";
        var account = device.Asked(question.Account);
        if (!string.Equals(approved.Account, account.Name, StringComparison.Ordinal)) return "it is for another account";
        if (!Fits(approved, question, approved.Account)) return "it was asked for from another address";
        if (!approved.Covered.Covers(Needed(question))) return "it covers less than is wanted";
        if (!approved.IsOpen(question.At)) return "its time to connect is not now";
        if (HasAllSteps(approved, person, device, insisting: false)) return null;
        var preapproved = Preapproved(question, account, Needed(question), question.At) is not null;
        return preapproved && Completes(approved, person, device) ? null : "a step that is asked for now was not approved";
    }

    /// <summary>It has the steps that workflows insist on, and lacks others, which preapproved access stands for.</summary>
    private bool Completes(ApprovedRequest approved, PersonNode person, DeviceNode device) =>
        !HasAllSteps(null, person, device, insisting: true)
        && HasAllSteps(approved, person, device, insisting: true)
        && !HasAllSteps(approved, person, device, insisting: false);
}
