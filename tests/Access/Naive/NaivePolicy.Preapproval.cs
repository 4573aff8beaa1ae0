namespace Countersign.Access.Tests.Naive;

internal sealed partial class NaivePolicy
{
    /// <summary>An approved request is a provider like a grant, of a copy of its role, which is one for devices; to a contact, too.</summary>
    private PermissionSet PreapprovedOn(PersonRow person, DeviceRow device, string? account, DateTimeOffset at, IEnumerable<PreapprovedRequest> inHand)
    {
        var given = PermissionSet.None;
        foreach (var request in inHand.Where(request => IsFor(request, person, device) && IsInForce(request, at)))
        {
            if (!AccountsOf(device).Contains(request.Account)) continue;
            var gives = request.Permissions & NaiveCatalogue.For('D');
            given |= request.Account == account ? gives : gives & CountForEveryAccount;
        }

        return given;
    }

    /// <summary>The set of devices was frozen at approval.</summary>
    private static bool IsFor(PreapprovedRequest request, PersonRow person, DeviceRow device) =>
        request.Person == person.Id && request.Devices.Contains(device.Id);

    /// <summary>In the window, half open; never before it was approved.</summary>
    private static bool IsInForce(PreapprovedRequest request, DateTimeOffset at)
    {
        var (from, to) = Window(request);
        return request.ApprovedAt <= at && from <= at && at < to;
    }

    /// <summary>A fixed window, a duration from approval, or a duration from first use with a latest start.</summary>
    private static (DateTimeOffset From, DateTimeOffset To) Window(PreapprovedRequest request) => request.Time switch
    {
        RequestTime.Fixed time => (time.From, time.To),
        RequestTime.FromApproval time => (request.ApprovedAt, request.ApprovedAt + time.Duration),
        RequestTime.FromFirstUse { FirstUsed: { } used } time => (used, used + time.Duration),
        RequestTime.FromFirstUse time => (request.ApprovedAt, time.LatestStart),
        _ => throw new ArgumentException("a kind of time that the specification does not know", nameof(request)),
    };

    /// <summary>What is in hand for the connection, in force, and covers all that is needed.</summary>
    private static List<PreapprovedRequest> Fitting(AccessQuestion question, PersonRow person, DeviceRow device, string? account, PermissionSet needed) =>
    [
        .. question.Preapprovals.Where(request => IsFor(request, person, device)
            && request.Account == account
            && IsInForce(request, question.At)
            && NaiveCatalogue.WithNeeded(request.Permissions).Covers(needed)),
    ];

    /// <summary>
    /// What the connection may hold by what is in hand; null: an approval is missing. An approval asked for at connect time has all steps. In the window
    /// of preapproved access managerial approval counts as given, under whatever rules, unless a workflow says not.
    /// </summary>
    private PermissionSet? Covered(AccessQuestion question, PersonRow person, DeviceRow device, string? account, PermissionSet needed, IReadOnlyList<NaiveStep> steps)
    {
        var ways = new List<PermissionSet>();
        foreach (var request in question.Approvals.Where(request => Satisfies(request, question, account, needed, steps)))
            ways.Add(NaiveCatalogue.WithNeeded(request.Permissions));
        var insisted = steps.Where(Insists).ToList();
        foreach (var preapproved in Fitting(question, person, device, account, needed))
        {
            var gives = NaiveCatalogue.WithNeeded(preapproved.Permissions);
            if (insisted.Count == 0) ways.Add(gives);
            foreach (var request in question.Approvals.Where(request => insisted.Count > 0 && Satisfies(request, question, account, needed, insisted)))
                ways.Add(gives & NaiveCatalogue.WithNeeded(request.Permissions));
        }

        return ways.Count == 0 ? null : ways.Aggregate((all, one) => all | one);
    }

    /// <summary>With RequestAccess one may ask.</summary>
    public bool MayAsk(PersonRow person, DeviceRow device, DateTimeOffset at) => TakesPart(person) && Effective(person, device, null, at).Contains(Permission.RequestAccess);

    /// <summary>A copy of the role, as far as it would be effective.</summary>
    public PermissionSet WouldHold(PersonRow person, DeviceRow device, string account, PermissionSet role, DateTimeOffset at) =>
        AccountsOf(device).Contains(account) ? Within(person, device, Granted(person, device, account, at) | OnRequest(person, role & NaiveCatalogue.For('D'))) & role : PermissionSet.None;

    /// <summary>What may be asked for on the device at any time, as far as it could be had.</summary>
    public string MayAskFor(PersonRow person, DeviceRow device)
    {
        var asks = person.Kind == PersonKind.Owner || Bearing(person, device).Any(grant => PermissionsOf(grant.Role, RolePurpose.DevicesAndGroups).Contains(Permission.RequestAccess));
        var roles = RequestableRoles().Select(role => WithinCeiling(person, OnRequest(person, PermissionsOf(role, RolePurpose.DevicesAndGroups)))).Where(role => !role.IsEmpty);
        return asks && IsWithinCeiling(person, Permission.RequestAccess) ? string.Join("; ", roles.Select(role => role.ToString()).Distinct().Order(StringComparer.Ordinal)) : "";
    }

    private bool Insists(NaiveStep step) => step.Id.Kind == ApprovalStepKind.Workflow && _workflows.Single(row => row.Id.Value == step.Id.Rule).InsistsWhenPreapproved;

    /// <summary>Before a duration from first use has begun, a duration: where the answer would be another without such access, after which it is another.</summary>
    public TimeSpan? Lasting(AccessQuestion question) => Lasting(question, runs: false);

    /// <summary>The same of a session that runs.</summary>
    public TimeSpan? LastingRunning(AccessQuestion question) => Lasting(question, runs: true);

    private TimeSpan? Lasting(AccessQuestion question, bool runs)
    {
        var pending = Pending(question);
        if (Decide(question with { Preapprovals = [.. question.Preapprovals.Except(pending)] }, runs).Kind == DecisionKind.Allowed) return null;
        var (person, device) = (Person(question.Subject)!, Device(question.Device)!);
        var own = pending.Where(request => IsFor(request, person, device) && request.Account == AccountOf(question, device) && IsInForce(request, question.At)).ToList();
        return own.Select(Duration).Order().Select(time => (TimeSpan?)time)
            .FirstOrDefault(time => Decide(question with { Preapprovals = [.. question.Preapprovals.Except(own.Where(request => Duration(request) <= time))] }, runs).Kind != DecisionKind.Allowed);
    }

    private static TimeSpan Duration(PreapprovedRequest request) => ((RequestTime.FromFirstUse)request.Time).Duration;

    private static List<PreapprovedRequest> Pending(AccessQuestion question) =>
        [.. question.Preapprovals.Where(request => request.Time is RequestTime.FromFirstUse { FirstUsed: null })];

    /// <summary>The end of the preapproved window relied on; null: the approval was not needed, or is another.</summary>
    private DateTimeOffset? ReliedOn(AccessQuestion question, PersonRow person, DeviceRow device, string? account, bool runs)
    {
        if (!NaiveCatalogue.IsConnection(question.Wanted) || (runs && question.BeganUnasked)) return null;
        var (steps, needed) = (Steps(person, device, question.At), Needed(question));
        if (steps.Count == 0 || question.Approvals.Any(LetsInAlone)) return null;
        var ends = Fitting(question, person, device, account, needed).Select(request => Window(request).To).ToList();
        return ends.Count == 0 ? null : ends.Max();

        bool LetsInAlone(ApprovedRequest request) => runs
            ? !request.IsBeside && IsFor(request, question, account) && NaiveCatalogue.WithNeeded(request.Permissions).Covers(needed)
            : Satisfies(request, question, account, needed, steps);
    }
}
