namespace Countersign.Access.Tests.Naive;

/// <summary>What both implementations say; the instant of the next change is left out, since either may look sooner than it must.</summary>
internal readonly record struct NaiveAnswer(DecisionKind Kind, DenialReason Reason, bool Visible)
{
    public PermissionSet Permissions { get; init; }

    public ConsentMode Consent { get; init; }

    public RecordingRule Recording { get; init; }

    public TimeSpan? MaxSession { get; init; }

    public TimeSpan? IdleTimeout { get; init; }

    public TimeSpan? EndWarning { get; init; }

    public static NaiveAnswer Of(AccessDecision decision) => new(decision.Kind, decision.Reason, decision.Visible)
    {
        Permissions = decision.Permissions,
        Consent = decision.Consent,
        Recording = decision.Recording,
        MaxSession = decision.MaxSession,
        IdleTimeout = decision.IdleTimeout,
        EndWarning = decision.EndWarning,
    };
}

internal sealed partial class NaivePolicy
{
    /// <summary>The seven steps of the decision, in order.</summary>
    public NaiveAnswer Decide(AccessQuestion question) => Decide(question, runs: false);

    /// <summary>
    /// A session that runs: approval rules, consent and recording bind at the next connection. Where an approval was needed, what it was let in by is in hand, and what
    /// that does not cover is not answered by it. Where none was needed then, none is needed now.
    /// </summary>
    public NaiveAnswer DecideRunning(AccessQuestion question) => Decide(question, runs: true);

    private NaiveAnswer Decide(AccessQuestion question, bool runs)
    {
        var (person, device) = (Person(question.Subject), Device(question.Device));
        var rule = SignInRule(question);
        var visible = rule == DenialReason.None && person is not null && device is not null && TakesPart(person)
            && !OnAnyAccount(person, device, question.At, question.Preapprovals).IsEmpty;
        NaiveAnswer Answer(DecisionKind kind, DenialReason reason) => new(kind, reason, visible);
        NaiveAnswer Denied(DenialReason reason) => Answer(DecisionKind.Denied, reason);

        // 1. Who asks, how they signed in, what there is, and when.
        if (person is null) return Denied(DenialReason.UnknownSubject);
        if (!TakesPart(person)) return Denied(DenialReason.SubjectTakesNoPart);
        if (rule != DenialReason.None) return Denied(rule);
        if (device is null) return Denied(DenialReason.UnknownDevice);
        if (!device.Enabled) return Denied(DenialReason.DeviceDisabled);
        var connects = NaiveCatalogue.IsConnection(question.Wanted);
        var account = AccountOf(question, device);
        if (account is null ? connects : !AccountsOf(device).Contains(account)) return Denied(DenialReason.UnknownAccount);
        if (question.Wanted.IsEmpty) return Denied(DenialReason.NothingWanted);
        if (connects && !HoursAreOpen(device, question.At)) return Denied(DenialReason.OutsideSessionHours);

        // 2. and 3. What is granted, and what of it is effective.
        var granted = Granted(person, device, account, question.At, question.Preapprovals);
        var effective = runs ? NaiveCatalogue.WithoutUnmet(WithinCeiling(person, granted)) : Within(person, device, granted);

        // 4. What it lacks may be there to be asked for.
        var needed = Needed(question);
        if (!effective.Covers(needed))
        {
            if (effective.Contains(Permission.RequestAccess) && CouldBeSupplied(person, device, account, granted, needed))
                return Answer(DecisionKind.MayBeRequested, Lack(person, runs ? null : device, granted, needed));
            return Denied(Lack(person, runs ? null : device, granted, needed));
        }

        // 5. Approvals that must be in hand and are not. Where they were needed, the verdict holds only what they cover.
        var steps = connects && !(runs && question.BeganUnasked) ? Steps(person, device, question.At) : [];
        if (steps.Count > 0)
        {
            var covered = runs ? CoveredBefore(question, person, device, account, needed) : Covered(question, person, device, account, needed, steps);
            if (covered is not { } some) return Answer(DecisionKind.NeedsApproval, DenialReason.ApprovalNeeded);
            effective = NaiveCatalogue.WithoutUnmet(effective & some);
        }

        // 6. Consent that can't be had.
        var consent = Consent(person, device, question, effective.Contains(Permission.SkipConsent));
        if (!runs && consent == ConsentMode.AskOrRefuse && question.EndUser != EndUserPresence.CanBeAsked) return Denied(DenialReason.ConsentImpossible);

        // 7. Allowed, this much.
        return Answer(DecisionKind.Allowed, DenialReason.None) with
        {
            Permissions = effective,
            Consent = consent,
            Recording = Recording(device),
            MaxSession = Duration(device, SettingKind.MaxSession),
            IdleTimeout = Duration(device, SettingKind.IdleTimeout),
            EndWarning = Duration(device, SettingKind.EndWarning),
        };
    }

    /// <summary>What is wanted; and UnattendedAccess for a screen session while nobody is logged on.</summary>
    private static PermissionSet Needed(AccessQuestion question)
    {
        var screen = question.Wanted.Contains(Permission.ScreenView) || question.Wanted.Contains(Permission.ScreenControl);
        return screen && question.EndUser == EndUserPresence.NobodyLoggedOn ? question.Wanted.With(Permission.UnattendedAccess) : question.Wanted;
    }

    /// <summary>The one named; else the default one for a connection, and none where it is the device itself that the question is about.</summary>
    private string? AccountOf(AccessQuestion question, DeviceRow device) =>
        question.Account ?? (NaiveCatalogue.IsConnection(question.Wanted) ? DefaultAccount(device) : null);

    /// <summary>A role that may be requested would supply it within the ceiling: for an account, as requests are.</summary>
    private bool CouldBeSupplied(PersonRow person, DeviceRow device, string? account, PermissionSet granted, PermissionSet needed) =>
        RequestableRoles().Select(role => OnRequest(person, PermissionsOf(role, RolePurpose.DevicesAndGroups)))
            .Any(gives => Within(person, device, granted | (account is null ? gives & CountForEveryAccount : gives)).Covers(needed));

    /// <summary>Nothing gives the owner SkipConsent.</summary>
    private static PermissionSet OnRequest(PersonRow person, PermissionSet gives) => person.Kind == PersonKind.Owner ? gives.Without(Permission.SkipConsent) : gives;

    /// <summary>Unless changed, <em>Only device connection</em>.</summary>
    private IEnumerable<RoleId> RequestableRoles() => Setting(SettingNode.Organization, SettingKind.AccessRequestRoles).Value is var roles && roles == "none"
        ? []
        : roles.Split(',').Select(id => new RoleId(Guid.Parse(id)));

    /// <summary>The first of the steps from granted to effective at which something needed is not there any more.</summary>
    /// <param name="device">Null: what it has recorded is of no matter.</param>
    private DenialReason Lack(PersonRow person, DeviceRow? device, PermissionSet granted, PermissionSet needed)
    {
        if (!granted.Covers(needed)) return DenialReason.NotGranted;
        if (!WithinCeiling(person, granted).Covers(needed)) return DenialReason.AboveCeiling;
        if (device is not null && !Recordable(device, WithinCeiling(person, granted)).Covers(needed)) return DenialReason.RecordingForbids;
        return DenialReason.PrerequisiteMissing;
    }

    /// <summary>
    /// The end of the unbroken stretch in which all that is needed is effective and session hours are open; null: none within the days that
    /// weekly hours are looked through, nor at any window's end.
    /// </summary>
    public DateTimeOffset? Until(AccessQuestion question) => Until(question, runs: false);

    /// <summary>The same of a session that runs.</summary>
    public DateTimeOffset? UntilRunning(AccessQuestion question) => Until(question, runs: true);

    private DateTimeOffset? Until(AccessQuestion question, bool runs)
    {
        // Access that has not begun carries nothing that rests on something else.
        var begun = question with { Preapprovals = [.. question.Preapprovals.Except(Pending(question))] };
        if (Decide(begun, runs).Kind == DecisionKind.Allowed) question = begun;
        var (person, device) = (Person(question.Subject)!, Device(question.Device)!);
        var account = AccountOf(question, device);
        var connects = NaiveCatalogue.IsConnection(question.Wanted);
        var reliedOn = ReliedOn(question, person, device, account, runs);
        foreach (var at in MayChange(question, device))
        {
            var granted = Granted(person, device, account, at, question.Preapprovals);
            var effective = runs ? NaiveCatalogue.WithoutUnmet(WithinCeiling(person, granted)) : Within(person, device, granted);
            if (at >= reliedOn || !effective.Covers(Needed(question)) || (connects && !HoursAreOpen(device, at))) return at;
        }

        return null;
    }

    /// <summary>Instants after that of the question at which anything about the device may change with time alone, in order.</summary>
    public IEnumerable<DateTimeOffset> MayChange(AccessQuestion question, DeviceRow device)
    {
        var windows = _grants.Where(grant => Covers(grant.Scope, device)).Select(grant => grant.Window).ToList();
        var hours = windows.Select(window => (Hours: window.Hours, From: window.From > question.At ? window.From.Value : question.At))
            .Append((Hours: Setting(device, SettingKind.SessionHours).Value, From: question.At))
            .Where(one => one.Hours is not ("" or "always"));
        var instants = windows.SelectMany(window => new[] { window.From, window.To }).OfType<DateTimeOffset>()
            .Concat(hours.Distinct().SelectMany(one => new NaiveHours(one.Hours).MayChange(one.From)))
            .Concat(FarChanges(windows, question.At))
            .Concat(question.Preapprovals.SelectMany(request => new[] { request.ApprovedAt, Window(request).From, Window(request).To }))
            .Concat(question.Approvals.SelectMany(request => new[] { request.ApprovedAt, request.OpenUntil }).OfType<DateTimeOffset>());
        return instants.Where(at => at > question.At).Distinct().Order();
    }

    /// <summary>Where one window ends beyond the days that hours are looked through, others may end a little later.</summary>
    private static IEnumerable<DateTimeOffset> FarChanges(List<GrantWindow> windows, DateTimeOffset at) =>
        from end in windows.Select(window => window.To).OfType<DateTimeOffset>().Where(end => end > at.AddDays(9))
        from hours in windows.Select(window => window.Hours).Where(hours => hours.Length > 0).Distinct()
        from change in new NaiveHours(hours).MayChange(end)
        select change;
}
