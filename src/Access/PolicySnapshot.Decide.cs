namespace Countersign.Access;

public sealed partial class PolicySnapshot
{
    /// <summary>
    /// Answers the one question. Anything unknown, missing or contradictory denies. A device that is not there is evaluated like one that
    /// is, so that neither content nor time tells which it was. Allocates nothing, unless access that has not begun is in hand,
    /// or what it needs of a version is asked for the first time and made then.
    /// </summary>
    public AccessDecision Decide(in AccessQuestion question) => Answer(question, Moment.Opening, Ends.Told);

    /// <summary>
    /// Whether a session that was allowed may go on: as <see cref="Decide"/>, but for what binds only the next connection. An approval rule, a consent or a
    /// recording setting that is new ends nothing that runs; a sign-in rule that the session's sign-in does not meet ends it at once. Who was let in by an approval
    /// has it in hand, and is answered no more than it covers; where it let in only beside preapproved access, no more than both cover, and no longer than that
    /// lasts. Where none was needed when it began, none is needed now; where one was, what let in has to be in hand still. The question is that of <see cref="AsBegun"/>.
    /// </summary>
    public AccessDecision DecideRunning(in AccessQuestion question) => Answer(question, Moment.Running, Ends.Told);

    private enum Moment : byte
    {
        Opening,
        Running,
    }

    private enum Ends : byte
    {
        Told,

        /// <summary>Only whether it is allowed matters.</summary>
        LeftOut,
    }

    /// <summary>The steps of the decision, with the numbers that the access model gives them.</summary>
    private AccessDecision Answer(in AccessQuestion question, Moment moment, Ends ends)
    {
        // Both are looked up before either is needed, so that one waits for memory while the other does.
        var isPerson = _model.People.TryGetValue(question.Subject, out var person);
        var known = _model.Devices.TryGetValue(question.Device, out var found);

        // Step 1: who asks, and how they signed in. What else may stand in the way comes after step 3, so that no time tells which device is there.
        if (!isPerson) return Refusal(DenialReason.UnknownSubject);
        if (!person!.TakesPart) return Refusal(DenialReason.SubjectTakesNoPart);
        if (SignIn.Hindrance(question.Source, question.SignIn) is not DenialReason.None and var unmet) return Refusal(unmet);

        // Steps 2 and 3: granted, effective.
        var device = found ?? _model.Phantom;
        var rules = _model.RulesOf(device);
        var account = AccountOf(question, device);
        var reach = ReachWithEvidence(question, person, device, account, question.At);
        var effective = Effective(person, rules, reach.Granted, moment);
        var needed = Needed(question);

        var connection = IsConnection(question.Wanted);
        var hoursChange = connection ? rules.SessionHours?.NextChange(question.At) : null;
        var next = Reach.Earlier(reach.Next, Reach.Earlier(hoursChange, connection ? NextChange(question) : null));
        var visible = known && !Reach.Effective(person, rules, reach.OnAnyAccount).IsEmpty;

        // Step 1, the rest.
        var hindrance = Hindrance(question, device, rules, connection);
        var reason = known ? hindrance : DenialReason.UnknownDevice;
        if (reason != DenialReason.None) return Refusal(DecisionKind.Denied, reason, next, visible);

        // Step 4: what is lacking may be requested, or not.
        if (!effective.Covers(needed))
        {
            var kind = MayRequest(person, rules, account, reach.Granted, effective, needed) ? DecisionKind.MayBeRequested : DecisionKind.Denied;
            return Refusal(kind, WhyLacking(person, rules, reach.Granted, needed - effective), next, visible);
        }

        // Step 5: approvals.
        var relies = false;
        if (connection && MayNeedApproval(person, rules) && !IsApproved(question, person, device, account, needed, moment, ref effective, out relies))
        {
            return Refusal(DecisionKind.NeedsApproval, DenialReason.ApprovalNeeded, next, visible);
        }

        // Step 6: consent.
        var consent = connection ? ConsentFor(question, person, rules, effective) : ConsentMode.Off;
        if (consent == ConsentMode.AskOrRefuse && moment == Moment.Opening && question.EndUser != EndUserPresence.CanBeAsked)
        {
            return Refusal(DecisionKind.Denied, DenialReason.ConsentImpossible, next, visible);
        }

        // Step 7: allowed, and until when.
        if (ends == Ends.LeftOut) return new(DecisionKind.Allowed, DenialReason.None, effective, Until: null, next, visible);
        var closing = relies ? WindowRelied(question, account, needed) : null;
        var (pending, lasting) = Waiting(question, device, account, moment);
        closing = Reach.Earlier(closing, hoursChange);
        var until = Effective(person, rules, reach.Timeless, moment).Covers(needed)
            ? closing
            : EndOfStretch(question, person, device, account, needed, pending, reach.Next, closing);
        return new(DecisionKind.Allowed, DenialReason.None, effective, until, next, visible)
        {
            Lasting = lasting,
            Consent = consent,
            Recording = rules.Recording,
            MaxSession = rules.MaxSession,
            IdleTimeout = rules.IdleTimeout,
            EndWarning = rules.EndWarning,
            Options = person.Options,
        };
    }

    /// <summary>Whether it is worth a look: mostly nobody has to approve anything.</summary>
    private static bool MayNeedApproval(PersonNode person, DeviceRules rules) => person.NeedsApproval || rules.RequiresApproval || person.Workflows.Length > 0;

    /// <summary>False: an approval is needed and none is in hand. Where one is needed, what holds becomes what it covers.</summary>
    /// <param name="relies">Whether a preapproved window is what covers.</param>
    private bool IsApproved(
        in AccessQuestion question, PersonNode person, DeviceNode device, in AccountAsked account, PermissionSet needed, Moment moment, ref PermissionSet effective, out bool relies)
    {
        relies = false;
        if (!_model.NeedsApproval(person, device) || (moment == Moment.Running && question.BeganUnasked)) return true;
        if (Covered(question, person, device, account, needed, moment, out relies) is not { } covered) return false;
        effective = PermissionCatalogue.WithoutUnmet(effective & covered);
        return true;
    }

    private static AccessDecision Refusal(DenialReason reason) => Refusal(DecisionKind.Denied, reason, null, visible: false);

    private static AccessDecision Refusal(DecisionKind kind, DenialReason reason, DateTimeOffset? next, bool visible) =>
        new(kind, reason, PermissionSet.None, Until: null, next, visible);

    /// <summary>What recording forbids is refused when a connection begins.</summary>
    private static PermissionSet Effective(PersonNode person, DeviceRules rules, PermissionSet granted, Moment moment) =>
        moment == Moment.Opening ? Reach.Effective(person, rules, granted) : Reach.WithinCeiling(person, granted);

    /// <summary>Session hours, approvals and consent bind connections: a question that wants anything beyond <em>Other options</em>.</summary>
    private static bool IsConnection(PermissionSet wanted) => wanted.Intersects(PermissionCatalogue.Connections);

    /// <summary>What is wanted; and for a screen that nobody sits at, the right to be there alone.</summary>
    internal static PermissionSet Needed(in AccessQuestion question) =>
        question.EndUser == EndUserPresence.NobodyLoggedOn && question.Wanted.Intersects(PermissionCatalogue.Of(ConsentKind.Screen))
            ? question.Wanted.With(Permission.UnattendedAccess)
            : question.Wanted;

    /// <summary>
    /// Where none is named: of a connection the default one, since it goes to some account; of everything else none, since it is the device itself that it is about,
    /// as it is where policy is changed. A grant for named accounts gives nothing on the device itself, whichever of them is the default one.
    /// </summary>
    internal static AccountAsked AccountOf(in AccessQuestion question, DeviceNode device) =>
        question.Account is null && !IsConnection(question.Wanted) ? AccountAsked.TheDeviceItself : device.Asked(question.Account);

    /// <summary>What stands in everybody's way, whatever they were granted.</summary>
    private static DenialReason Hindrance(in AccessQuestion question, DeviceNode device, DeviceRules rules, bool connection)
    {
        if (!device.Enabled) return DenialReason.DeviceDisabled;

        // A connection goes to some account; other questions may be about the device as such, which may have none yet.
        if (question.Account is { } name ? !device.HasAccount(name) : connection && device.DefaultAccount is null) return DenialReason.UnknownAccount;
        if (question.Wanted.IsEmpty) return DenialReason.NothingWanted;
        return connection && rules.SessionHours is { } hours && !hours.IsOpen(question.At) ? DenialReason.OutsideSessionHours : DenialReason.None;
    }

    /// <summary>Whether an approved request for a role that may be requested would supply what is missing.</summary>
    private bool MayRequest(PersonNode person, DeviceRules rules, in AccountAsked account, PermissionSet granted, PermissionSet effective, PermissionSet needed)
    {
        if (!effective.Contains(Permission.RequestAccess)) return false;
        foreach (var role in _model.Requestable)
        {
            if (Reach.Effective(person, rules, granted | OnRequest(role, person, account)).Covers(needed)) return true;
        }

        return false;
    }

    /// <summary>Of the roles that may be requested those that would supply what is missing.</summary>
    internal IEnumerable<RoleRow> Supplying(AccessQuestion question, PersonNode person, DeviceNode device)
    {
        var account = AccountOf(question, device);
        var granted = GrantedWithEvidence(question, person, device, account);
        return RequestableRoles.Where(role => Reach.Effective(person, _model.RulesOf(device), granted | OnRequest(role.Permissions, person, account)).Covers(Needed(question)));
    }

    /// <summary>What a role would give the person that is requested: for an account, and of the device itself what counts for all of them.</summary>
    private static PermissionSet OnRequest(PermissionSet role, PersonNode person, in AccountAsked account) =>
        role & person.Requestable & (account.Name is null ? PermissionCatalogue.ForEveryAccount : PermissionCatalogue.OnDevices);

    private static DenialReason WhyLacking(PersonNode person, DeviceRules rules, PermissionSet granted, PermissionSet lacking)
    {
        if (!granted.Covers(lacking)) return DenialReason.NotGranted;
        if (!person.Ceiling.Covers(lacking)) return DenialReason.AboveCeiling;
        return rules.Recording == RecordingRule.Required && lacking.Intersects(PermissionCatalogue.Unrecordable)
            ? DenialReason.RecordingForbids
            : DenialReason.PrerequisiteMissing;
    }

    /// <summary>The strictest consent that is still to be obtained, over the kinds of session that are wanted.</summary>
    private static ConsentMode ConsentFor(in AccessQuestion question, PersonNode person, DeviceRules rules, PermissionSet effective)
    {
        var strictest = ConsentMode.Off;
        for (var kind = ConsentKind.Screen; kind <= ConsentKind.Actions; kind++)
        {
            if (!question.Wanted.Intersects(PermissionCatalogue.Of(kind)) || IsGiven(question, kind)) continue;
            var mode = ConsentFor(person, rules, kind, effective);
            if (question.ConsentFloor is { } floor && floor.For(kind) > mode) mode = floor.For(kind);
            if (mode > strictest) strictest = mode;
        }

        return strictest;
    }

    /// <summary>The end user has agreed to sessions of that kind.</summary>
    internal static bool IsGiven(in AccessQuestion question, ConsentKind kind)
    {
        if (question.Consents.IsDefaultOrEmpty) return false;
        foreach (var consent in question.Consents)
        {
            if (consent.Person == question.Subject && consent.Device == question.Device && consent.Kind == kind) return true;
        }

        return false;
    }

    private static ConsentMode ConsentFor(PersonNode person, DeviceRules rules, ConsentKind kind, PermissionSet effective)
    {
        if (effective.Contains(Permission.SkipConsent)) return kind == ConsentKind.Screen ? ConsentMode.Notify : ConsentMode.Off;
        var fromDevice = rules.Consent.For(kind);
        var fromGroups = person.Consent switch
        {
            GroupConsent.None => ConsentMode.Off,
            GroupConsent.Notify => ConsentMode.Notify,
            _ => ConsentMode.AskOrRefuse,
        };
        return fromDevice > fromGroups ? fromDevice : fromGroups;
    }
}
