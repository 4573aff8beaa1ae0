namespace Countersign.Access;

/// <summary>How the accounts are named that something is held for.</summary>
internal enum AccountsSaid : byte
{
    /// <summary>In the words of the grant: the default one, named ones, any.</summary>
    AsGranted,

    /// <summary>By the names that the device has.</summary>
    Resolved,

    /// <summary>And that one of them is the default: it is another one than on the other side, and who names no account is answered by it.</summary>
    ResolvedWithDefault,
}

/// <summary>The grants on one device, by whom they are for: mostly many people are compared on the same device, one after the other.</summary>
internal sealed class DeviceGrants(PolicyModel model, Instants instants)
{
    private DeviceNode? _device;
    private ILookup<GrantSubject, CompiledGrant> _grants = Array.Empty<CompiledGrant>().ToLookup(grant => grant.Row.Subject);

    public Instants Instants => instants;

    public PossibleApprovers Approvers { get; } = new(model);

    /// <summary>Every grant that reaches both, once.</summary>
    public IEnumerable<CompiledGrant> Between(PersonNode person, DeviceNode device)
    {
        if (_device != device) (_device, _grants) = (device, model.GrantsOn(device).ToLookup(grant => grant.Row.Subject));
        return _grants[GrantSubject.To(person.Id)].Concat(model.GroupsReaching(person).SelectMany(group => _grants[GrantSubject.To(group.Id)]));
    }
}

/// <summary>What is held, said in words that people read, and exactly for whom and when.</summary>
/// <param name="Accounts">Those that the device has, and <see cref="TheDevice"/> or <see cref="TheDefault"/> where it is for that, too.</param>
/// <param name="Window">Null: always.</param>
internal sealed record Holding(HeldPermissions Said, IReadOnlyList<string> Accounts, Window? Window)
{
    /// <summary>The device as such, where no account is meant. No account has this name, nor the other.</summary>
    public const string TheDevice = "";

    /// <summary>Whoever names no account is answered by the default one, and that is another one now.</summary>
    public const string TheDefault = "the default one\0";

    public PermissionSet Permissions => Said.Permissions;

    /// <summary>The accounts that matter to a permission. A connection goes to an account, if there is one.</summary>
    public IEnumerable<string> AccountsFor(Permission permission) =>
        Accounts.Count == 1 || !PermissionCatalogue.Connections.Contains(permission) ? Accounts : Accounts.Where(account => account != TheDevice);
}

/// <summary>What counts for one person on one device at whatever instant, in a form that can be compared.</summary>
internal sealed class PairFacts
{
    private const string Blocked = ", blocked";

    private static readonly PermissionSet Connecting = PermissionCatalogue.Connections.With(Permission.RequestAccess);

    private static readonly PermissionSet AskedAbout = Enum.GetValues<ConsentKind>()
        .Where(kind => kind != ConsentKind.None)
        .Aggregate(PermissionSet.None, (all, kind) => all | PermissionCatalogue.Of(kind));

    private PairFacts(IReadOnlyList<Holding> held, IReadOnlyList<(RestrictionKind Kind, string Text)> restrictions)
    {
        Held = held;
        Restrictions = restrictions;
    }

    public static PairFacts Nothing { get; } = new([], []);

    public IReadOnlyList<Holding> Held { get; }

    public IReadOnlyList<(RestrictionKind Kind, string Text)> Restrictions { get; }

    /// <summary>Null: who holds that connects to nothing.</summary>
    private PermissionOptions? Options { get; init; }

    private PermissionSet All => Held.Aggregate(PermissionSet.None, (all, some) => all | some.Permissions);

    /// <param name="person">Null, or one who takes no part: nothing is held.</param>
    /// <param name="accounts">Resolved: what is held is said of the accounts that the device has now, since others have come or gone.</param>
    /// <param name="grants">Of the same model.</param>
    public static PairFacts Of(PolicyModel model, PersonNode? person, DeviceNode? device, AccountsSaid accounts, DeviceGrants grants)
    {
        if (person is not { TakesPart: true } || device is not { Enabled: true }) return Nothing;
        List<Holding> held = person.IsOwner
            ? [new(new(PermissionCatalogue.OwnerOnDevices, accounts == AccountsSaid.AsGranted ? null : On(device, accounts, _ => true), GrantWindow.Always), Accounts(device, accounts, _ => true, isForDevice: true), null)]
            : HeldBy(person, grants.Between(person, device).Where(grant => grant.IsForAnyOf(device)), device, accounts);
        if (held.Count == 0) return Nothing;
        if (!held.Any(some => some.Permissions.Intersects(Connecting))) return new(held, SignInOf(model));
        var requests = held.Any(some => some.Permissions.Contains(Permission.RequestAccess)) ? Requests(model, person) : "";
        return new(held, [.. SignInOf(model), .. RestrictionsOf(model, person, device, held, grants), (RestrictionKind.Requests, requests)]) { Options = person.Options };
    }

    /// <summary>Merged by accounts and window; what holds for any account at all times is not said again.</summary>
    /// <param name="device">Of whose accounts it is said; null: a section, which has none.</param>
    public static List<Holding> HeldBy(PersonNode person, IEnumerable<CompiledGrant> grants, DeviceNode? device = null, AccountsSaid said = AccountsSaid.AsGranted)
    {
        var merged = new Dictionary<(GrantAccounts? Said, bool IsForDevice, GrantWindow When), Holding>();
        foreach (var grant in grants)
        {
            var permissions = grant.Permissions & person.Grantable & person.Ceiling;
            if (device is null)
            {
                Add(grant, null, isForDevice: true, [Holding.TheDevice], permissions);
                continue;
            }

            // What counts for every account counts for those that come, whatever accounts the grant is for.
            var anywhere = permissions & PermissionCatalogue.ForEveryAccount;
            var isForDevice = grant.IsFor(AccountAsked.TheDeviceItself);
            Add(grant, said == AccountsSaid.AsGranted ? GrantAccounts.Any : On(device, said, _ => true), isForDevice: true, Accounts(device, said, _ => true, isForDevice: true), anywhere);
            Add(grant, said == AccountsSaid.AsGranted ? grant.Row.Accounts : On(device, said, IsFor), isForDevice, Accounts(device, said, IsFor, isForDevice), permissions - anywhere);

            bool IsFor(string name) => grant.IsFor(device.Asked(name));
        }

        var always = merged.GetValueOrDefault((GrantAccounts.Any, true, GrantWindow.Always));
        return
        [
            .. merged.Values
                .Select(held => always is null || held == always ? held : held with { Said = held.Said with { Permissions = held.Permissions - always.Permissions } })
                .Where(held => !held.Permissions.IsEmpty)
                .OrderBy(held => held.Said.ToString(), StringComparer.Ordinal),
        ];

        void Add(CompiledGrant grant, GrantAccounts? accounts, bool isForDevice, IReadOnlyList<string> names, PermissionSet permissions)
        {
            if (permissions.IsEmpty) return;
            var key = (accounts, isForDevice, grant.Row.Window);
            var before = merged.TryGetValue(key, out var held) ? held.Permissions : PermissionSet.None;
            merged[key] = new(new(before | permissions, accounts, grant.Row.Window), names, grant.Window);
        }
    }

    private static List<string> Accounts(DeviceNode device, AccountsSaid said, Func<string, bool> isFor, bool isForDevice)
    {
        List<string> names = [.. device.Accounts.Select(account => account.Name).Where(isFor)];
        if (isForDevice) names.Add(Holding.TheDevice);
        if (said == AccountsSaid.ResolvedWithDefault && device.DefaultAccount is { } name && isFor(name)) names.Add(Holding.TheDefault);
        return names;
    }

    private static GrantAccounts On(DeviceNode device, AccountsSaid said, Func<string, bool> isFor)
    {
        var names = device.Accounts.Select(account => account.Name).Where(isFor).Order(StringComparer.Ordinal);
        return new(AccountRule.Named, string.Join(',', said == AccountsSaid.ResolvedWithDefault && device.DefaultAccount is { } name && isFor(name) ? names.Append("the default one") : names));
    }

    /// <returns>Null: nothing differs.</returns>
    public static AccessDifference? Compare(PairFacts before, PairFacts after, Instants instants)
    {
        var (gained, lost) = (More(before.Held, after.Held, instants), More(after.Held, before.Held, instants));
        var restrictions = new List<RestrictionDifference>();
        if (before.Restrictions.Count > 0 && after.Restrictions.Count > 0)
        {
            // Those for signing in come first: where only one side connects, they are what both have.
            foreach (var ((kind, was), (_, now)) in before.Restrictions.Zip(after.Restrictions))
            {
                if (!AreSame(kind, was, now, instants)) restrictions.Add(new(kind, was, now));
            }
        }

        if (before.Options is { } old && after.Options is { } recent)
        {
            // How something may be used that comes or goes is part of that.
            var both = before.All & after.All;
            if (old.Of(both) is var was && recent.Of(both) is var now && was != now) restrictions.Add(new(RestrictionKind.Options, was, now));
        }

        return gained.Count + lost.Count + restrictions.Count == 0 ? null : new(gained, lost, restrictions);
    }

    /// <summary>Hours are the same that are open at the same instants, however they are written.</summary>
    internal static bool AreSame(RestrictionKind kind, string was, string now, Instants instants) =>
        string.Equals(was, now, StringComparison.Ordinal) || (kind == RestrictionKind.SessionHours && instants.AreSame(was, now));

    /// <summary>What of <paramref name="after"/> is not had, for some of its accounts or at some of its instants, by all of <paramref name="before"/> together.</summary>
    public static IReadOnlyList<HeldPermissions> More(IReadOnlyList<Holding> before, IReadOnlyList<Holding> after, Instants instants)
    {
        var had = before.Aggregate(PermissionSet.None, (all, held) => all | held.Permissions);
        return [.. after.Select(held => held.Said with { Permissions = held.Permissions - Had(held) }).Where(said => !said.Permissions.IsEmpty)];

        PermissionSet Had(Holding held)
        {
            // Hours that are never open within their window give nothing.
            if (instants.Cover([], held.Window)) return held.Permissions;
            var plainly = before
                .Where(other => (other.Window is null || other.Window == held.Window) && held.Accounts.All(other.Accounts.Contains))
                .Aggregate(PermissionSet.None, (all, other) => all | other.Permissions);
            var together = ((held.Permissions & had) - plainly).Where(permission => held.AccountsFor(permission).All(account => IsHad(permission, account, held.Window)));
            return plainly | PermissionSet.Of([.. together]);
        }

        bool IsHad(Permission permission, string account, Window? window) =>
            instants.Cover([.. before.Where(other => other.Permissions.Contains(permission) && other.Accounts.Contains(account)).Select(other => other.Window)], window);
    }

    private static List<(RestrictionKind Kind, string Text)> RestrictionsOf(PolicyModel model, PersonNode person, DeviceNode device, List<Holding> held, DeviceGrants grants)
    {
        var rules = model.RulesOf(device);
        var approval = Approval(model, person, device, grants.Approvers);
        var isSpared = approval.Length == 0 && IsSpared(held, grants.Instants);
        return
        [
            (RestrictionKind.Approval, approval),
            (RestrictionKind.Consent, isSpared ? Settings.Default(SettingKind.RemoteControlApproval) : Consent(person.Consent, rules.Consent)),
            (RestrictionKind.Recording, rules[SettingKind.Recording].Value),
            (RestrictionKind.MaxSession, rules[SettingKind.MaxSession].Value),
            (RestrictionKind.IdleTimeout, rules[SettingKind.IdleTimeout].Value),
            (RestrictionKind.EndWarning, rules[SettingKind.EndWarning].Value),
            (RestrictionKind.SessionHours, rules[SettingKind.SessionHours].Value),
        ];
    }

    /// <summary>
    /// Whether SkipConsent is held whenever anything is that the end user is asked about. Where an approval is needed it counts only as far as that covers it, so that it
    /// spares nobody for sure.
    /// </summary>
    private static bool IsSpared(List<Holding> held, Instants instants)
    {
        List<Holding> sparing = [.. held.Where(some => some.Permissions.Contains(Permission.SkipConsent))];
        if (sparing.Count == 0) return false;
        return held.Where(some => some.Permissions.Intersects(AskedAbout)).All(some => some.AccountsFor(Permission.SkipConsent).All(account =>
            instants.Cover([.. sparing.Where(other => other.Accounts.Contains(account)).Select(other => other.Window)], some.Window)));
    }

    /// <summary>What binds whoever holds anything, connecting or not.</summary>
    private static IReadOnlyList<(RestrictionKind Kind, string Text)> SignInOf(PolicyModel model) =>
    [
        (RestrictionKind.TwoFactor, model.OrganizationRules[SettingKind.TwoFactorRequired].Value),
        (RestrictionKind.Networks, model.OrganizationRules[SettingKind.AllowedNetworks].Value),
    ];

    /// <summary>What roles may be asked for, as far as the person's ceiling lets them have it, and for how long.</summary>
    internal static string Requests(PolicyModel model, PersonNode person) =>
        ForAtMost(model, string.Join("; ", model.Requestable.Select(role => role & person.Ceiling & person.Requestable).Where(role => !role.IsEmpty).Distinct().OrderBy(role => role.Bits)));

    /// <summary>For how long is of no matter where nothing may be asked for.</summary>
    internal static string ForAtMost(PolicyModel model, string requests) =>
        requests.Length == 0 || model.OrganizationRules[SettingKind.AccessRequestLongest].Value is not (not "none" and var longest) ? requests : $"{requests}; for {longest} at most";

    /// <summary>The device's own rule, as it stands where there is no workflow in its place; empty: there is none.</summary>
    internal static string DeviceRule(DeviceRules rules) =>
        rules[SettingKind.ManagerialApproval] is { Value: "required", Source: var source } ? $"device rule of {source.Kind} {source.Id}" : "";

    private static string Approval(PolicyModel model, PersonNode person, DeviceNode device, PossibleApprovers approvers)
    {
        var steps = new List<string>();
        foreach (var group in person.Groups)
        {
            if (group.ApprovalRule is { } rule && !model.IsReplaced(group, rule, person, device)) steps.Add($"group {rule.Id} through {group.Id}{(approvers.Blocks(group, rule, person) ? Blocked : "")}");
        }

        if (DeviceRule(model.RulesOf(device)) is { Length: > 0 } own && !model.HasWorkflow(person, device)) steps.Add(own);
        steps.AddRange(
            from workflow in person.Workflows
            where model.Applies(workflow, person, device)
            select $"workflow {workflow.Id}: {workflow.Row.Steps}{(Enumerable.Range(0, workflow.Steps.Length).Any(index => approvers.Blocks(workflow, index, person)) ? Blocked : "")}");
        steps.Sort(StringComparer.Ordinal);
        return string.Join("; ", steps);
    }

    /// <summary>What a group's value and the device's come to together.</summary>
    internal static string Consent(GroupConsent group, RemoteControlApproval device) => group switch
    {
        GroupConsent.Ask => "ask; unanswered=refuse",
        GroupConsent.Notify => Write(device.AtLeast(ConsentMode.Notify)),
        _ => Write(device),
    };

    /// <summary>What happens without an answer is of no matter where nobody is asked.</summary>
    private static string Write(RemoteControlApproval consent) =>
        Settings.Write(consent.Asks ? consent : consent with { ConnectsUnanswered = false, TimeToAnswer = TimeSpan.FromSeconds(30) });
}
