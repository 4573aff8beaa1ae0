using Countersign.Access.Tests.Naive;

namespace Countersign.Access.Tests;

/// <summary>
/// Holds what one person did, in one change or in several one after another, to law 10: from what was there before the first to what is there after the
/// last, by the naive model. What counts for new is what <em>What is new stands where it comes to</em> of the access model says: a device as it first
/// came, with its accounts and nothing of its own, and the first account of a device that has none are judged as if they had been there. The owner holds all on devices
/// and over the team as it is; restrictions bind them like anybody.
/// </summary>
internal sealed class EscalationJudge
{
    private static readonly ConsentKind[] Kinds = [.. Enum.GetValues<ConsentKind>().Where(kind => kind != ConsentKind.None)];

    private readonly NaivePolicy _before;
    private readonly NaivePolicy _after;
    private readonly PersonRow _actor;
    private readonly string _what;
    private readonly Dictionary<ApprovalStepKind, int> _looked;
    private readonly bool _isOne;

    private EscalationJudge(NaivePolicy before, NaivePolicy after, PersonRow actor, string what, Dictionary<ApprovalStepKind, int> looked, int changes)
    {
        (_before, _after, _actor, _what, _looked) = (before, after, actor, what, looked);
        _isOne = changes == 1;
    }

    /// <param name="run">What the actor did, in order.</param>
    /// <param name="looked">Counts the steps whose approvers were compared.</param>
    public static EscalationJudge Of(PolicySnapshot before, IReadOnlyList<PolicyDelta> run, PersonRow actor, string what, Dictionary<ApprovalStepKind, int> looked)
    {
        var after = run.Aggregate(before, (policy, delta) => policy.Apply(delta));

        // In each group a device that is there all the time and has nothing of its own: it is bound by what the group asks.
        var probes = before.All<DeviceGroupRow>().Where(group => after.Find(group.Key) is not null).SelectMany(Probe).ToList();

        // Who was invited and joins takes what was kept for them by whoever invited them: as if they had been in.
        actor = actor with { State = PersonState.Activated };
        var rows = before.All<PolicyRow>().Select(row => row.Key == actor.Key ? actor : row);
        return new(new([.. rows, .. New(before, run), .. probes]), new([.. after.All<PolicyRow>(), .. probes]), actor, what, looked, run.Count);
    }

    private static IEnumerable<PolicyRow> Probe(DeviceGroupRow group)
    {
        var bytes = group.Id.Value.ToByteArray();
        bytes[7] ^= 0xff;
        var id = new DeviceId(new(bytes));
        return [new DeviceRow(id, group.Id, $"probe of {group.Name}", "", true, "localhost"), new DeviceAccountRow(id, "a", IsDefault: true), new DeviceAccountRow(id, "b", IsDefault: false)];
    }

    private static List<PolicyRow> New(PolicySnapshot before, IReadOnlyList<PolicyDelta> run)
    {
        var came = new List<PolicyRow>();
        var there = before.All<DeviceRow>().Select(device => device.Id).ToHashSet();
        var withAccounts = before.All<DeviceAccountRow>().Select(account => account.Device).ToHashSet();
        foreach (var delta in run)
        {
            var added = delta.Changes.Where(change => change.Before is null).Select(change => change.After).ToList();
            var devices = added.OfType<DeviceRow>().Where(device => there.Add(device.Id)).Select(device => device.Id).ToHashSet();
            came.AddRange(added.OfType<DeviceRow>().Where(device => devices.Contains(device.Id)));
            came.AddRange(added.OfType<DeviceAccountRow>().Where(account => devices.Contains(account.Device) || (account.IsDefault && !withAccounts.Contains(account.Device))));
            withAccounts.UnionWith(added.OfType<DeviceAccountRow>().Select(account => account.Device));
        }

        return came;
    }

    public void Look(DateTimeOffset[] instants)
    {
        foreach (var person in _after.People)
        {
            foreach (var at in instants)
            {
                foreach (var permission in person.Kind == PersonKind.Owner ? PermissionSet.None : NaiveCatalogue.For('A'))
                {
                    if (_after.HoldsOverTeam(person, permission, at) && _before.Person(person.Id) is { } was && !_before.HoldsOverTeam(was, permission, at))
                        _before.HoldsOverTeam(_actor, permission, at).ShouldBeTrue($"{_what} gives {person.Name} {permission}");
                }

                var invites = _after.HeldOverQuickSupport(person, at) - (_before.Person(person.Id) is { } earlier ? _before.HeldOverQuickSupport(earlier, at) : PermissionSet.None);
                (invites - _before.HeldOverQuickSupport(_actor, at)).ShouldBe(PermissionSet.None, $"{_what} gives {person.Name} {invites} over Quick Support at {at:O}");
                foreach (var device in _after.Devices) Look(person, device, at);
            }

            if (_before.Person(person.Id) is { } bound) LookAtOptions(person, bound);
        }
    }

    /// <summary>How what is allowed before and after may be used; who may not use it themselves frees nobody.</summary>
    private void LookAtOptions(PersonRow person, PersonRow bound)
    {
        foreach (var permission in PermissionOption.Having)
        {
            if (!_after.IsWithinCeiling(person, permission) || !_before.IsWithinCeiling(bound, permission)) continue;
            var (was, now) = (_before.Option(bound, permission), _after.Option(person, permission));
            if (was.Covers(now)) continue;
            (_before.IsWithinCeiling(_actor, permission) && _before.Option(_actor, permission).Covers(now))
                .ShouldBeTrue($"{_what} lets {person.Name} use {permission} more freely");
        }
    }

    private void Look(PersonRow person, DeviceRow device, DateTimeOffset at)
    {
        var was = _before.Device(device.Id).ShouldNotBeNull();
        foreach (var account in person.Kind == PersonKind.Owner ? [] : _after.AccountsAt(device))
        {
            // One that is added beside others is judged as if it had been there, too.
            var then = _before.WithAccount(was, account);
            var had = then.Person(person.Id) is { } earlier ? then.Held(earlier, was, account, at) : PermissionSet.None;
            var gained = _after.Held(person, device, account, at) - had;
            var excess = gained - then.Effective(_actor, was, account, at) - NaiveCatalogue.OfNoConnection(then.Effective(_actor, was, null, at));
            excess.ShouldBe(PermissionSet.None, $"{_what} gives {person.Name} {excess} on {device.Name} as {account} at {at:O}");
        }

        if (_before.Person(person.Id) is { } bound) LookAtRestrictions(person, bound, device, was, at);
    }

    private void LookAtRestrictions(PersonRow person, PersonRow bound, DeviceRow device, DeviceRow was, DateTimeOffset at)
    {
        // ManageSecurity may loosen what does not bind its holder. Who gave up their own access on the way is not bound in the end.
        var binds = (_isOne && _before.IsBound(_actor, was)) || (_after.Person(_actor.Id) is { } later && _after.IsBound(later, device));
        foreach (var kind in Kinds)
        {
            var (asked, asks) = (_before.Consent(bound, was, kind, skips: false), _after.Consent(person, device, kind, skips: false));
            if (asks >= asked) continue;
            var least = binds ? _before.Consent(_actor, was, kind, skips: false) : ConsentMode.Off;

            // What groups say binds the actor wherever they connect.
            if (_after.GroupConsent(person) < _before.GroupConsent(bound)) least = (ConsentMode)Math.Max((int)least, (int)_before.GroupConsent(_actor));
            (asks >= least).ShouldBeTrue($"{_what} frees {person.Name} of asking for {kind} on {device.Name}");
        }

        var freed = _before.Rules(bound, was, at).Except(_after.Rules(person, device, at)).Where(rule => binds || rule != Guid.Empty);
        freed.Intersect(_before.Rules(_actor, was, at)).ShouldBeEmpty($"{_what} frees {person.Name} of an approval on {device.Name}");
        if (_after.SinglePrompt(person) && !_before.SinglePrompt(bound)) _before.SinglePrompt(_actor).ShouldBeTrue($"{_what} has {person.Name} ask once for all");
        if (_after.Approves(person) is { } approved && _before.Approves(bound) is { } were && _before.Approves(_actor) is { } own)
            approved.Except(were).Except(own).ShouldBeEmpty($"{_what} lets {person.Name} invite people from outside");
        if (person.Id == _actor.Id) LookAtApprovers(person, device, was, at);
        if (device.Group != was.Group && _after.IsLooser(device, _before, was)) _before.MayManageSecurity(_actor, was, at).ShouldBeTrue($"{_what} takes {device.Name} out of a setting");
        if (binds) _after.IsLooser(device, _before, was).ShouldBeFalse($"{_what} loosens what everybody is bound by on {device.Name}");
    }

    /// <summary>
    /// To make an approver for a group's rule or a workflow that binds oneself, or oneself one whose place fills itself, is to free oneself. Who
    /// accepts requests on the device does so by a permission, which is looked at as such.
    /// </summary>
    private void LookAtApprovers(PersonRow person, DeviceRow device, DeviceRow was, DateTimeOffset at)
    {
        var steps = _before.Steps(_actor, was, at)
            .Where(step => step.Id.Kind is ApprovalStepKind.TechnicianGroup or ApprovalStepKind.Workflow)
            .ToDictionary(step => step.Id);
        foreach (var step in _after.Steps(person, device, at))
        {
            if (!steps.TryGetValue(step.Id, out var then)) continue;
            var accepting = step.NamesDevice ? _after.DeviceApprovers(device, at).Select(one => one.Id).ToHashSet() : [];
            step.Approvers.Except(then.Approvers).Except(accepting).ShouldBeEmpty($"{_what} makes approvers for {person.Name}");
            if (step.Automatic && !accepting.Contains(person.Id)) then.Automatic.ShouldBeTrue($"{_what} lets {person.Name} approve for themselves");
            _looked[step.Id.Kind] = _looked.GetValueOrDefault(step.Id.Kind) + 1;
        }
    }
}
