namespace Countersign.Access;

internal sealed partial class SelfEscalation
{
    private string? OverDevices(IEnumerable<DeviceNode> devices)
    {
        foreach (var device in devices)
        {
            if (!_before.Devices.TryGetValue(device.Id, out var earlier))
            {
                if (BringsLooserSetting(device)) return $"It would bring back {_veil.Name(device)} with a setting of its own that is looser than what is asked there: that is for master administrators.";
                continue;
            }

            // A first account may be chosen freely: to choose the default one again, one after the other would be taken off.
            if (earlier.Accounts.Length > 0 && device.Accounts.Length == 0)
                return $"It would take the last account off {_veil.Name(device)}, which is for master administrators: make another one the default first.";
            if (_after.RulesOf(device) != _before.RulesOf(earlier) && Loosened(earlier, device) is { } loosened) return loosened;
            if (IsReachedAlike(earlier, device)) continue;
            if (_before.NeedsApproval(_actor, earlier) && _after.Workflows.Values.Any(workflow => IsOn(_before, workflow, earlier) != IsOn(_after, workflow, device)))
            {
                return $"It would change the workflows that count on {_veil.Name(device)}, and you are not free of approvals there yourself.";
            }
            foreach (var person in ReachedAnew(earlier, device))
            {
                if (!person.IsOwner && Reached(earlier, device, person) is { } reached) return reached;
            }
        }

        return null;
    }

    /// <summary>
    /// Everybody to whom a grant may bring more on the device than it did, each once: those whom such a grant is for. No further than it is asked for: the first
    /// who would get too much is enough.
    /// </summary>
    private IEnumerable<PersonNode> ReachedAnew(DeviceNode earlier, DeviceNode device)
    {
        var isAnswersSame = string.Equals(earlier.DefaultAccount, device.DefaultAccount, StringComparison.Ordinal);
        var found = new HashSet<PersonId>();
        foreach (var grant in _after.GrantsOn(device))
        {
            if (isAnswersSame && earlier.Row.Enabled && _before.Covers(grant.Row.Scope, earlier) && !ComesByAccount(grant, earlier, device)) continue;
            if (grant.Row.Subject.Kind == SubjectKind.Person)
            {
                if (found.Add(new(grant.Row.Subject.Id))) yield return _after.People.GetValueOrDefault(new(grant.Row.Subject.Id))!;
                continue;
            }

            foreach (var member in _after.MembersOf(_after.TechnicianGroups.GetValueOrDefault(new(grant.Row.Subject.Id))!))
            {
                if (found.Add(member.Id)) yield return member;
            }
        }
    }

    private bool IsReachedAlike(DeviceNode earlier, DeviceNode device) =>
        (earlier.Row.Enabled || !device.Row.Enabled)
        && (ReferenceEquals(_before.GroupOf(earlier), _after.GroupOf(device))
            || _before.GroupOf(earlier).Upwards().Select(group => group.Id).SequenceEqual(_after.GroupOf(device).Upwards().Select(group => group.Id)))
        && earlier.Accounts.AsSpan().SequenceEqual(device.Accounts);

    /// <summary>Named for an account that was not there, it gives what counts for every account now, those that were there included.</summary>
    private static bool ComesByAccount(CompiledGrant grant, DeviceNode earlier, DeviceNode device) =>
        grant.Permissions.Intersects(PermissionCatalogue.ForEveryAccount) && grant.IsForAnyOf(device) && !grant.IsForAnyOf(earlier);

    private static bool IsOn(PolicyModel model, WorkflowRow workflow, DeviceNode device) => model.Covers(GrantScope.Of(workflow.Devices), device);

    /// <summary>Grants that come to apply to the device, account by account; the actor has to hold what they bring.</summary>
    private string? Reached(DeviceNode earlier, DeviceNode device, PersonNode person)
    {
        var all = _after.GrantsOf(person).Aggregate(PermissionSet.None, (set, grant) => set | grant.Permissions);
        foreach (var name in device.Accounts.Where(account => IsMeasured(earlier, account)).Select(account => account.Name).Append(null))
        {
            var (asked, askedEarlier) = (Asked(device, name), Asked(earlier, name));
            foreach (var grant in _after.GrantsOf(person))
            {
                if (!device.Row.Enabled || !_after.Covers(grant.Row.Scope, device)) continue;
                var given = Given(grant, device, asked);
                if (earlier.Row.Enabled && _before.Covers(grant.Row.Scope, earlier)) given -= Given(grant, earlier, askedEarlier);
                if (given.IsEmpty) continue;
                var held = HeldOn(earlier, askedEarlier, grant) | (HeldOn(earlier, AccountAsked.TheDeviceItself, grant) - PermissionCatalogue.Connections);
                var uncovered = Flowing(person, given, all) - held;
                if (!uncovered.IsEmpty)
                {
                    return $"It would give {_veil.Name(person)} {Describe.Labels(uncovered)} on {_veil.Name(device)}, which you don't hold there yourself.";
                }
            }
        }

        return null;
    }

    /// <summary>
    /// Whom an account lets in that comes as the default one, the default rule says: it is another account that the rule is moved to, as if it had been there
    /// before. The first account of a device is what the device lacked.
    /// </summary>
    private static bool IsMeasured(DeviceNode earlier, DeviceAccountRow account) => earlier.HasAccount(account.Name) || (account.IsDefault && earlier.Accounts.Length > 0);

    /// <summary>What the actor holds on the account whenever the grant is for. What is no connection is of the device, whatever the account.</summary>
    private PermissionSet HeldOn(DeviceNode device, AccountAsked account, CompiledGrant grant) =>
        Held(scope => _before.Covers(scope, device), own => own.IsFor(account) && CoversWindow(own, grant))
        | (Held(scope => _before.Covers(scope, device), own => own.IsForAnyOf(device) && CoversWindow(own, grant)) & PermissionCatalogue.ForEveryAccount);

    /// <summary>What a grant gives on the account; what counts for every account it gives if it is for any that is there.</summary>
    private static PermissionSet Given(CompiledGrant grant, DeviceNode device, AccountAsked account) =>
        grant.IsFor(account) ? grant.Permissions
        : grant.IsForAnyOf(device) ? grant.Permissions & PermissionCatalogue.ForEveryAccount
        : PermissionSet.None;

    private static AccountAsked Asked(DeviceNode device, string? name) =>
        name is null ? AccountAsked.TheDeviceItself : device.Asked(name);

    private string? Loosened(DeviceNode earlier, DeviceNode device)
    {
        var (was, now) = (_before.RulesOf(earlier), _after.RulesOf(device));

        if (EndsDutyToRecord(was, now))
        {
            return $"Only master administrators may end the duty to record on {_veil.Name(device)}.";
        }
        var looser = IsLooser(was, now);
        if (looser && earlier.Row.Group != device.Row.Group && !HoldsSecurity(earlier))
        {
            return $"It would take {_veil.Name(device)} out of a setting that binds there, which needs {Describe.Label(Permission.ManageSecurity)} on it.";
        }

        return looser && (Binds(_before, earlier) || Binds(_after, device)) ? $"It would loosen a setting on {_veil.Name(device)} that binds you too." : null;
    }

    /// <summary>Recording that is no longer required gives Tunnel back to whoever was granted it, which is more than a restriction less.</summary>
    private static bool EndsDutyToRecord(DeviceRules was, DeviceRules now) => was.Recording == RecordingRule.Required && now.Recording != RecordingRule.Required;

    private static bool IsLooser(DeviceRules was, DeviceRules now) =>
        LoosensConsent(was.Consent, now.Consent)
        || (was.RequiresApproval && !now.RequiresApproval)
        || now.Recording < was.Recording
        || IsLonger(now.MaxSession, was.MaxSession)
        || IsLonger(now.IdleTimeout, was.IdleTimeout)
        || (was.SessionHours is { } hours && (now.SessionHours is null || !hours.Covers(now.SessionHours)));

    /// <summary>What clearing a setting needs, moving away from it needs as well; at whatever time, since a move is for all times.</summary>
    private bool HoldsSecurity(DeviceNode device) =>
        Held(scope => _before.Covers(scope, device), own => own.Window is null && own.IsFor(AccountAsked.TheDeviceItself)).Contains(Permission.ManageSecurity);

    private static bool LoosensConsent(RemoteControlApproval was, RemoteControlApproval now)
    {
        var hurried = now.TimeToAnswer < was.TimeToAnswer;
        for (var kind = ConsentKind.Screen; kind <= ConsentKind.Actions; kind++)
        {
            if (now.For(kind) < was.For(kind) || (hurried && now.For(kind) == ConsentMode.AskThenConnect)) return true;
        }

        return false;
    }

    private static bool IsLonger(TimeSpan? now, TimeSpan? was) => was is { } limit && (now is not { } time || time > limit);

    /// <summary>
    /// Whether anything lets the actor connect to the device, or ask to, at any time: its settings bind them then. What was approved ahead for them does so on the devices
    /// that it is for, whatever becomes of the right to ask; a place is none of these, and what comes to it is looked at as it comes.
    /// </summary>
    private bool Binds(PolicyModel model, DeviceNode device) =>
        Held(scope => model.Covers(scope, device), _ => true).Intersects(Connecting) || Array.Exists(_inHand, request => request.IsFor(_actor.Id, device.Id));
}
