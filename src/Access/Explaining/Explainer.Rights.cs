using System.Globalization;

namespace Countersign.Access;

internal sealed partial class Explainer
{
    /// <summary>Grants, ceiling, recording and prerequisites; false: something wanted is lacking, and the sentences say what.</summary>
    private bool SayRights(PersonNode person, DeviceNode device)
    {
        var account = PolicySnapshot.AccountOf(_question, device);
        var granted = _snapshot.GrantedWithEvidence(_question, person, device, account);
        var effective = Reach.Effective(person, _model.RulesOf(device), granted);
        var asked = Asked(device);
        var needed = PermissionCatalogue.WithPrerequisites(asked);
        SayGrants(person, device, account, needed);
        SayPreapproved(person, device);
        SayNotGranted(person, device, account, needed - granted);
        if (!person.IsOwner)
        {
            foreach (var permission in (needed & granted) - person.Ceiling) SayAboveCeiling(person, permission);
        }

        if (_model.RulesOf(device).Recording == RecordingRule.Required && (needed & granted).Intersects(PermissionCatalogue.Unrecordable))
        {
            var setting = _model.RulesOf(device)[SettingKind.Recording];
            var refused = Describe.Labels(needed & PermissionCatalogue.Unrecordable);
            Say(
                $"Recording is required on {device.Row.Name}{_veil.Source(device, setting.Source)}, and {refused} can't be recorded.",
                KeyOf(setting));
        }

        foreach (var permission in asked - effective)
        {
            var unmet = PermissionCatalogue.Has(permission) ? PermissionCatalogue.Get(permission).Prerequisites - effective : PermissionSet.None;
            if (!unmet.IsEmpty) Say($"{Describe.Label(permission)} needs {Describe.Labels(unmet)}.");
        }

        if (effective.Covers(asked)) return true;
        SayRequest(person, device);
        return false;
    }

    /// <summary>What is wanted; and, said aloud, the right to be alone at a screen.</summary>
    private PermissionSet Asked(DeviceNode device)
    {
        if (_question.EndUser != EndUserPresence.NobodyLoggedOn || !_question.Wanted.Intersects(PermissionCatalogue.Of(ConsentKind.Screen)))
        {
            return _question.Wanted;
        }
        Say($"Nobody is logged on at {device.Row.Name}, so that a screen session needs {Describe.Label(Permission.UnattendedAccess)}.");
        return _question.Wanted.With(Permission.UnattendedAccess);
    }

    /// <summary>What gives what is needed; and where nobody is asked for consent because the person may skip it, what gives that.</summary>
    private void SayGrants(PersonNode person, DeviceNode device, in AccountAsked account, PermissionSet needed)
    {
        if (person.IsOwner)
        {
            Say("The owner holds every permission on devices but Skip consent.", person.Row.Key);
            return;
        }

        var sparing = IsSparedAsking() ? PermissionSet.Of(Permission.SkipConsent) : PermissionSet.None;
        foreach (var grant in GrantsOn(person, device))
        {
            var inForce = grant.InForce(_question.At);
            var given = grant.Permissions & person.Grantable & (inForce ? needed | sparing : needed);
            if (given.IsEmpty || !grant.IsForAnyOf(device) || !(grant.IsFor(account) || given.Intersects(PermissionCatalogue.ForEveryAccount))) continue;
            var next = grant.NextChange(_question.At);
            var sentence = $"{Sentence(person, grant)} gives {Describe.Labels(given)}";
            if (inForce) Say(next is { } end ? $"{sentence} until {Write(end)}." : $"{sentence}.", Cites(person, grant));
            else Say(next is { } start ? $"{sentence}, but not before {Write(start)}." : $"{sentence}, but its time is over.", Cites(person, grant));
        }
    }

    private void SayPreapproved(PersonNode person, DeviceNode device)
    {
        if (_question.Preapprovals.IsDefaultOrEmpty) return;
        foreach (var request in _question.Preapprovals)
        {
            var what = string.Create(CultureInfo.InvariantCulture, $"Request #{request.Number}, approved ahead,");
            if (!request.IsFor(_question.Subject, device.Id)) Say($"{what} is for somebody or something else.");
            else if (!request.IsFor(PolicySnapshot.AccountOf(_question, device).Name)) Say($"{what} is for the account {request.Account} only.");
            else if (!request.IsOpen(_question.At)) Say($"{what} is not in force at {Write(_question.At)}.");
            else Say($"{what} gives {Describe.Labels(request.GivenTo(person))} for the account {request.Account}{HowLong(request)}.");
        }
    }

    private string HowLong(PreapprovedRequest request) => request.Time is RequestTime.FromFirstUse { IsPending: true } waiting
        ? $" for {Write(waiting.Duration)} from its first use, which has to be before {Write(waiting.LatestStart)}"
        : request.NextChange(_question.At) is { } end ? $" until {Write(end)}" : "";

    private void SayNotGranted(PersonNode person, DeviceNode device, in AccountAsked account, PermissionSet missing)
    {
        if (missing.IsEmpty) return;
        var forAccount = account.Name is null ? "" : $" for the account {account.Name}";
        if (person.IsOwner) Say($"Nothing gives the owner {Describe.Labels(missing)} on {device.Row.Name}.");
        else Say($"No grant in force gives {person.Row.Name} {Describe.Labels(missing)} on {device.Row.Name}{forAccount}.", person.Row.Key);
        foreach (var grant in GrantsOn(person, device))
        {
            var elsewhere = grant.Permissions & person.Grantable & missing;
            if (!elsewhere.IsEmpty && !grant.IsFor(account) && grant.InForce(_question.At))
            {
                Say($"{Sentence(person, grant)} is for {Describe.Accounts(grant.Row.Accounts)} only.", Cites(person, grant));
            }
        }
    }

    private void SayAboveCeiling(PersonNode person, Permission permission)
    {
        var label = Describe.Label(permission);
        foreach (var group in person.Groups)
        {
            var path = _veil.Path(group);
            var membership = Describe.Membership(person, group);
            switch (group.Resolve(permission))
            {
                case null:
                    Say($"Everyone has no value for {label}, which counts as denied to members of {path}.", [.. membership]);
                    break;
                case { Value: PolicyValue.Deny } row:
                    var source = _model.TechnicianGroups.GetValueOrDefault(row.Group)!;
                    Say($"{_veil.Path(source)} denies {label}{(row.Locked ? ", locked" : "")}, which binds members of {path}.", [row.Key, .. membership]);
                    break;
                case { } when !group.IsEnabled:
                    var disabled = group.Upwards().Last(above => !above.Row.Enabled);
                    Say($"{_veil.Path(disabled)} is disabled, so that {path} allows nothing.", [disabled.Row.Key, .. membership]);
                    break;
                case { } row:
                    Say($"{path} allows {label}, but a locked deny is never exceeded.", [row.Key, .. membership]);
                    break;
            }
        }
    }

    private void SayRequest(PersonNode person, DeviceNode device)
    {
        if (_decision.Kind == DecisionKind.MayBeRequested)
        {
            var roles = string.Join(" or ", _snapshot.Supplying(_question, person, device).Select(role => role.Name));
            Say($"{person.Row.Name} may request the role {roles} on {device.Row.Name}.");
        }
    }

    private IEnumerable<CompiledGrant> GrantsOn(PersonNode person, DeviceNode device) =>
        person.IsOwner
            ? []
            : _model.GrantsOf(person).Where(grant => _model.Covers(grant.Row.Scope, device)).OrderBy(grant => grant.Row.Id.Value);

    private string Sentence(PersonNode person, CompiledGrant grant)
    {
        var to = grant.Row.Subject.Kind == SubjectKind.TechnicianGroup ? _veil.Path(_model.TechnicianGroups.GetValueOrDefault(new(grant.Row.Subject.Id))!) : person.Row.Name;
        return $"The role {_veil.Role(grant.Role)}, granted to {to} on {_veil.Scope(grant.Row.Scope)} for {Describe.Accounts(grant.Row.Accounts)},";
    }

    /// <summary>The grant, its role if it is a row, and the memberships through which it reaches the person.</summary>
    private RowKey[] Cites(PersonNode person, CompiledGrant grant)
    {
        var keys = new List<RowKey> { grant.Row.Key };
        if (!SystemRoles.IsSystem(grant.Role.Id)) keys.Add(grant.Role.Key);
        if (grant.Row.Subject.Kind == SubjectKind.TechnicianGroup)
        {
            var subject = _model.TechnicianGroups.GetValueOrDefault(new(grant.Row.Subject.Id))!;
            keys.Add(subject.Row.Key);
            foreach (var group in person.DirectMemberships.Where(group => group.IsEnabled && group.IsAtOrBelow(subject)))
            {
                keys.AddRange(Describe.Membership(person, group));
            }
        }

        return [.. keys];
    }
}
