using System.Globalization;

namespace Countersign.Access;

/// <summary>Puts the facts of one decision into sentences, step by step in the order of the decision; stops where the decision stopped.</summary>
internal sealed partial class Explainer
{
    private readonly PolicySnapshot _snapshot;
    private readonly PolicyModel _model;
    private readonly AccessQuestion _question;
    private readonly Veil _veil;
    private readonly AccessDecision _decision;
    private readonly List<ExplanationLine> _lines = [];

    public Explainer(PolicySnapshot snapshot, in AccessQuestion question, Veil veil)
    {
        _snapshot = snapshot;
        _model = snapshot.Model;
        _question = question;
        _veil = veil;
        _decision = snapshot.Decide(question);
    }

    public IReadOnlyList<ExplanationLine> Lines()
    {
        if (!_model.People.TryGetValue(_question.Subject, out var person))
        {
            Say("There is no such person in this organization.");
            return _lines;
        }

        if (!SayPerson(person)) return _lines;
        if (!_model.Devices.TryGetValue(_question.Device, out var device))
        {
            Say("There is no such device in this organization.");
            return _lines;
        }

        if (SayDevice(device) && SayRights(person, device)) SayConnection(person, device);
        return _lines;
    }

    private bool SayPerson(PersonNode person)
    {
        var row = person.Row;
        var kind = row.Kind switch { PersonKind.Owner => "the owner of the organization", PersonKind.Contact => "a contact", _ => "a technician" };
        if (!row.TakesPart)
        {
            var why = row.State == PersonState.Invited
                ? "invited and has not joined yet"
                : row.Status == PersonStatus.DisabledByPlan ? "disabled by the plan" : "disabled";
            Say($"{row.Name} ({row.Login}) is {kind}, but {why}.", row.Key);
            return false;
        }

        Say($"{row.Name} ({row.Login}) is {kind}, and active.", row.Key);
        switch (_snapshot.SignIn.Hindrance(_question.Source, _question.SignIn))
        {
            case DenialReason.None:
                return true;
            case DenialReason.TwoFactorMissing:
                Say($"{row.Name} signed in with one factor, and the organization requires two.", KeyOf(_model.OrganizationRules[SettingKind.TwoFactorRequired]));
                return false;
            case DenialReason.NetworkNotAllowed:
                var networks = _model.OrganizationRules[SettingKind.AllowedNetworks];
                var from = _question.Source is { } source ? $"comes from {source}" : "comes from nobody knows where";
                Say($"{row.Name} {from}, and the organization lets people in only from {networks.Value}.", KeyOf(networks));
                return false;
            default:
                Say($"{row.Name} has not signed in.");
                return false;
        }
    }

    private bool SayDevice(DeviceNode device)
    {
        switch (_decision.Reason)
        {
            case DenialReason.DeviceDisabled:
                Say($"The device {device.Row.Name} is disabled.", device.Row.Key);
                return false;
            case DenialReason.UnknownAccount:
                var account = _question.Account is { } name ? $"account {name}" : "default account";
                Say($"The device {device.Row.Name} has no {account}.", device.Row.Key);
                return false;
            case DenialReason.NothingWanted:
                Say("Nothing is wanted.");
                return false;
            case DenialReason.OutsideSessionHours:
                var hours = _model.RulesOf(device)[SettingKind.SessionHours];
                var open = $"{hours.Value}{_veil.Source(device, hours.Source)}";
                Say($"{device.Row.Name} takes connections only at {open}, and {Write(_question.At)} is outside of that.", KeyOf(hours));
                return false;
            default:
                return true;
        }
    }

    private void SayConnection(PersonNode person, DeviceNode device)
    {
        SayEvidence(person, device);
        var steps = _decision.Reason == DenialReason.ApprovalNeeded ? _snapshot.ApprovalSteps(_question, _veil) : [];
        foreach (var step in steps)
        {
            var approvers = step.Approvers.Select(id => _model.People.GetValueOrDefault(id)!.Row.Name).Concat(step.Automatic ? [person.Row.Name] : []);
            var who = step is { Automatic: true, Needed: 1 }
                ? $"{person.Row.Name} could approve it for others, which counts here"
                : step.Blocked
                ? $"{(step.Approvers.Count == 0 ? "Nobody" : "Too few people")} can approve now: a master administrator has to appoint somebody who can"
                : $"Can be approved by {string.Join(", ", approvers)}";
            Say($"{step.Rule} {who}.", [.. step.Cites]);
        }

        if (steps.Count > 0) return;
        var connects = _question.Wanted.Intersects(PermissionCatalogue.Connections);
        if (connects) SayConsent(person, device);
        if (_decision.Kind != DecisionKind.Allowed) return;
        if (connects && _model.RulesOf(device).Recording != RecordingRule.Off)
        {
            var recording = _model.RulesOf(device)[SettingKind.Recording];
            Say(
                $"Whatever of the session can be recorded on {device.Row.Name} is recorded{_veil.Source(device, recording.Source)}.",
                KeyOf(recording));
        }

        SayOtherEnds();
        var lasting = _decision.Lasting is { } time ? $" for {Write(time)} from its beginning" : "";
        var end = _decision.Until is { } until ? $"{(lasting.Length > 0 ? ", at the longest" : "")} until {Write(until)}" : "";
        Say($"Allowed{lasting}{end}.");
    }

    /// <summary>Of the permissions that hold, those that end at another time than what is wanted.</summary>
    private void SayOtherEnds()
    {
        var others = _snapshot.EndsOf(_question)
            .Where(end => (end.Until, end.Lasting) != (_decision.Until, _decision.Lasting))
            .GroupBy(end => (end.Until, end.Lasting), end => end.Permission)
            .OrderBy(group => group.Key.Until ?? DateTimeOffset.MaxValue)
            .ThenBy(group => group.Key.Lasting);
        foreach (var group in others)
        {
            PermissionSet permissions = PermissionSet.Of([.. group]);
            var (labels, hold) = (Describe.Labels(permissions), permissions.Count == 1 ? "holds" : "hold");
            if (group.Key.Lasting is { } time) Say($"{labels} {hold} for {Write(time)} from the beginning.");
            else if (group.Key.Until is { } until) Say($"{labels} {hold} until {Write(until)}.");
            else Say($"Of {labels} no end is known.");
        }
    }

    /// <summary>Approved requests in hand, where a rule asks for one.</summary>
    private void SayEvidence(PersonNode person, DeviceNode device)
    {
        if (_question.Approvals.IsDefaultOrEmpty || !_model.NeedsApproval(person, device)) return;
        if (!_question.Wanted.Intersects(PermissionCatalogue.Connections)) return;
        foreach (var approved in _question.Approvals)
        {
            var request = string.Create(CultureInfo.InvariantCulture, $"Request #{approved.Number}, approved at {Write(approved.ApprovedAt)},");
            if (_snapshot.WhyNotCounted(approved, _question, person, device) is { } why) Say($"{request} does not count: {why}.");
            else Say($"{request} covers {Describe.Labels(approved.Covered)} for the account {approved.Account}.");
        }
    }

    private void SayConsent(PersonNode person, DeviceNode device)
    {
        if (IsSparedAsking())
        {
            var spared = AskedByOwner().Count == 0 ? "nobody is asked" : "neither the organization's settings nor its groups ask";
            Say($"{person.Row.Name} holds {Describe.Label(Permission.SkipConsent)} on {device.Row.Name}: {spared}.");
        }
        else SayAsking(person, device);
        foreach (var kind in AskedByOwner())
        {
            Say($"On {device.Row.Name} itself its owner has set that the end user is {Words(_question.ConsentFloor!.For(kind))} for {Word(kind)}.");
        }

        foreach (var kind in Enum.GetValues<ConsentKind>())
        {
            if (!_question.Wanted.Intersects(PermissionCatalogue.Of(kind)) || !PolicySnapshot.IsGiven(_question, kind)) continue;
            Say($"The end user at {device.Row.Name} has agreed to {Word(kind)}, and is not asked again.");
        }

        if (_decision.Reason == DenialReason.ConsentImpossible) Say($"At {device.Row.Name} nobody can be asked now.");
    }

    /// <summary>
    /// It is a connection to which consent might belong, and the person may skip it. A refusal holds no permissions: where nobody could be asked, what is held is
    /// seen as if somebody could.
    /// </summary>
    private bool IsSparedAsking() =>
        _question.Wanted.Intersects(PermissionCatalogue.Connections)
        && (_decision.Reason == DenialReason.ConsentImpossible ? _snapshot.Decide(_question with { EndUser = EndUserPresence.CanBeAsked }) : _decision)
            .Permissions.Contains(Permission.SkipConsent);

    private List<ConsentKind> AskedByOwner() =>
    [
        .. Enum.GetValues<ConsentKind>().Where(kind =>
            kind != ConsentKind.None && _question.ConsentFloor?.For(kind) > ConsentMode.Off && _question.Wanted.Intersects(PermissionCatalogue.Of(kind))),
    ];

    private void SayAsking(PersonNode person, DeviceNode device)
    {
        var setting = _model.RulesOf(device)[SettingKind.RemoteControlApproval];
        var isOfSomeKind = false;
        for (var kind = ConsentKind.Screen; kind <= ConsentKind.Actions; kind++)
        {
            if (!_question.Wanted.Intersects(PermissionCatalogue.Of(kind))) continue;
            isOfSomeKind = true;
            var mode = _model.RulesOf(device).Consent.For(kind);
            if (mode == ConsentMode.Off) continue;
            var source = _veil.Source(device, setting.Source);
            Say($"On {device.Row.Name} the end user is {Words(mode)} for {Word(kind)}{source}.", KeyOf(setting));
        }

        if (person.Consent != GroupConsent.None && isOfSomeKind)
        {
            var (through, asking) = person.Groups
                .SelectMany(group => group.Upwards().Select(above => (Through: group, Asking: above)))
                .First(pair => pair.Asking.Row.Consent == person.Consent);
            var what = person.Consent == GroupConsent.Notify ? "told" : "asked, and nobody connects unanswered";
            Say($"For members of {_veil.Path(asking)} the end user is {what}.", [asking.Row.Key, .. Describe.Membership(person, through)]);
        }
    }

    private void Say(string text, params RowKey[] cites) => _lines.Add(new(text, [.. cites.Where(_veil.Shows)]));

    private static RowKey KeyOf(EffectiveSetting setting) => new SettingRow(setting.Source, setting.Setting, setting.Value, 0).Key;

    private static string Write(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);

    private static string Write(TimeSpan time) => time.Ticks % TimeSpan.TicksPerMinute != 0
        ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.###} seconds")
        : time == TimeSpan.FromMinutes(1) ? "1 minute" : string.Create(CultureInfo.InvariantCulture, $"{time.TotalMinutes:0} minutes");

    private static string Words(ConsentMode mode) => mode switch
    {
        ConsentMode.Notify => "told",
        ConsentMode.AskThenConnect => "asked, with connecting if nobody answers,",
        ConsentMode.AskOrRefuse => "asked, without connecting if nobody answers,",
        _ => "not asked",
    };

    private static string Word(ConsentKind kind) => kind switch
    {
        ConsentKind.Screen => "the screen",
        ConsentKind.Terminal => "the terminal",
        ConsentKind.Files => "files",
        ConsentKind.Web => "web and tunnels",
        ConsentKind.Actions => "actions",
        _ => "nothing",
    };
}
