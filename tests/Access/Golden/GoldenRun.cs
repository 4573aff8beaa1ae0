using System.Net;
using System.Text.RegularExpressions;
using Countersign.Access.Tests.Naive;

namespace Countersign.Access.Tests.Golden;

/// <summary>One case, step by step, through the engine and through the naive model.</summary>
internal sealed partial class GoldenRun
{
    private readonly GoldenPolicy _names;
    private readonly GoldenAnswer _answer;
    private readonly List<PolicyDelta> _done = [];

    /// <summary>What runs, by who began it: as the engine keeps it, and as the naive model does.</summary>
    private readonly Dictionary<string, (AccessQuestion Engine, AccessQuestion Naive)> _running = [];
    private PolicySnapshot _engine;

    public GoldenRun(IEnumerable<GoldenLine> policy)
    {
        _names = new(policy);
        _answer = new(_names);
        _engine = PolicySnapshot.Compile(Sample.Organization, 1, _names.Rows);
    }

    private NaivePolicy Naive => new(_engine.All<PolicyRow>());

    /// <summary>Both answers, in words, and the engine's reasons.</summary>
    public (string Engine, string Naive, IReadOnlyList<string> Reasons) Answer(GoldenLine line)
    {
        try
        {
            if (Question().Match(line.Text) is { Success: true } question) return Decide(question.Groups);
            if (GoesOn().Match(line.Text) is { Success: true } going) return GoOn(going.Groups);
            if (DevicesOf().Match(line.Text) is { Success: true } devices) return ListDevices(devices.Groups["who"].Value);
            if (PeopleOf().Match(line.Text) is { Success: true } people) return ListPeople(people.Groups["device"].Value);
            if (ApprovesAhead().Match(line.Text) is { Success: true } ahead) return ApproveAhead(ahead.Groups["device"].Value, ahead.Groups["who"].Value);
            if (SettingAt().Match(line.Text) is { Success: true } setting) return Read(setting.Groups["setting"].Value, setting.Groups["node"].Value);
            if (ToldOf().Match(line.Text) is { Success: true } told) return ListTold(told.Groups);
            if (ValueAt().Match(line.Text) is { Success: true } value) return Read(Enum.Parse<Permission>(value.Groups["permission"].Value), value.Groups["group"].Value);
            if (Invites().Match(line.Text) is { Success: true } invites) return Invite(invites.Groups);
            if (Undoes().Match(line.Text) is { Success: true } undo) return Undo(_names.Person(undo.Groups["actor"].Value), undo.Groups["which"].Value);
            if (GoldenChange.Read(line.Text, _names, _engine) is var (actor, command)) return Change(_names.Person(actor), command);
        }
        catch (Exception problem) when (problem is KeyNotFoundException or ArgumentException or FormatException)
        {
            throw line.Error(problem.Message);
        }

        throw line.Error("no such question or change");
    }

    private (string Engine, string Naive, IReadOnlyList<string> Reasons) Decide(GroupCollection match)
    {
        var question = new AccessQuestion(
            _names.Find("person", match["who"].Value) is { } who ? new(who) : match["who"].Value == "nobody" ? default : _names.Person(match["who"].Value),
            _names.Find("device", match["device"].Value) is { } id ? new(id) : default,
            match["account"].Success ? match["account"].Value : null,
            GoldenPolicy.Permissions(match["names"].Value),
            match["at"].Success ? GoldenPolicy.Instant(match["at"].Value) : Sample.Noon,
            match["source"].Success ? IPAddress.Parse(match["source"].Value) : null,
            match["unsigned"].Success ? SignInStrength.None : match["twice"].Success ? SignInStrength.TwoFactor : SignInStrength.OneFactor,
            match["present"].Success ? EndUserPresence.CanBeAsked : match["absent"].Success ? EndUserPresence.NobodyLoggedOn : EndUserPresence.CannotBeAsked)
        {
            Approvals = [.. _names.Approvals(InHand(match))],
            Preapprovals = [.. _names.Preapprovals(InHand(match))],
            BeganUnasked = match["unneeded"].Success,
            BeganInsisted = match["insisted"].Success,
            Consents = [.. Consents(match)],
            ConsentFloor = match["floor"].Success ? Floor(Enum.Parse<ConsentKind>(match["floor"].Value, ignoreCase: true), match) : null,
        };
        var naive = Naive;
        if (match["runs"].Success) return Run(question, question, naive);
        var (decision, expected) = (_engine.Decide(question), naive.Decide(question));
        var steps = _engine.ApprovalSteps(question).Select(Plain);
        var naiveSteps = expected.Kind == DecisionKind.NeedsApproval ? naive.Steps(naive.Person(question.Subject)!, naive.Device(question.Device)!, question.At) : [];
        var (lasting, until) = expected.Kind == DecisionKind.Allowed ? (naive.Lasting(question), naive.Until(question)) : (null, null);
        if (match["begins"].Success && decision.Kind == DecisionKind.Allowed)
        {
            // As admission does: to the account that it went to, whichever the default one is later.
            question = question with { Account = question.Account ?? naive.DefaultAccount(question.Device) };
            _running[match["who"].Value] = (_engine.AsBegun(question), naive.AsBegun(question));
        }

        var options = decision.Options is { } some ? PermissionOption.Having.Where((decision.Permissions & question.Wanted).Contains).Where(permission => some[permission].IsStrict).ToList() : [];
        return (
            _answer.Write(NaiveAnswer.Of(decision), decision.Until, decision.Lasting, question.Wanted, steps)
                + string.Concat(options.Select(permission => $"; {permission}: {Write(decision.Options![permission])}"))
                + Once(decision.Options is { SinglePrompt: true }),
            _answer.Write(expected, lasting is null ? until : null, lasting, question.Wanted, naiveSteps)
                + string.Concat(options.Select(permission => naive.Option(naive.Person(question.Subject)!, permission).Same(decision.Options![permission])
                    ? $"; {permission}: {Write(decision.Options[permission])}"
                    : $"; {permission}: {naive.Option(naive.Person(question.Subject)!, permission)}"))
                + Once(expected.Kind == DecisionKind.Allowed && naive.SinglePrompt(naive.Person(question.Subject)!)),
            match["begins"].Success ? [] : [.. _engine.Explain(question).Lines.Select(reason => reason.Text)]);
    }

    /// <summary>What began in an earlier step, by the policy that there is now.</summary>
    private (string Engine, string Naive, IReadOnlyList<string> Reasons) GoOn(GroupCollection match)
    {
        var (question, plain) = _running[match["who"].Value];
        var at = match["at"].Success ? GoldenPolicy.Instant(match["at"].Value) : question.At;
        return Run(question with { At = at }, plain with { At = at }, Naive);
    }

    /// <summary>A session that runs.</summary>
    private (string Engine, string Naive, IReadOnlyList<string> Reasons) Run(AccessQuestion question, AccessQuestion plain, NaivePolicy naive)
    {
        var (decision, expected) = (_engine.DecideRunning(question), naive.DecideRunning(plain));
        var until = expected.Kind == DecisionKind.Allowed ? naive.UntilRunning(plain) : null;
        return (
            Write(NaiveAnswer.Of(decision), decision.Until, _engine.ApprovalSteps(question).Select(Plain)),
            Write(expected, until, expected.Kind == DecisionKind.NeedsApproval ? naive.Steps(naive.Person(question.Subject)!, naive.Device(question.Device)!, question.At) : []),
            []);

        string Write(NaiveAnswer answer, DateTimeOffset? end, IEnumerable<NaiveStep> steps) => _answer.Write(answer, end, null, question.Wanted, steps);
    }

    /// <summary>Who approves access before anybody connects.</summary>
    private (string Engine, string Naive, IReadOnlyList<string> Reasons) ApproveAhead(string device, string who)
    {
        var (person, target, naive) = (_names.Person(who), _names.Device(device), Naive);
        return (
            _answer.Write(_engine.PreapprovalSteps(person, target, Sample.Noon).Select(Plain)),
            _answer.Write(naive.PreapprovalSteps(naive.Person(person)!, naive.Device(target)!, Sample.Noon)),
            []);
    }

    private static NaiveStep Plain(ApprovalStep step) => new(step.Id, step.Approvers, step.Automatic) { Needed = step.Needed, CountsForLater = step.CountsForLater };

    private string Write(PermissionOption option) =>
        option.Text.StartsWith("named:", StringComparison.Ordinal) ? $"to {string.Join(", ", option.Named.Select(_names.NameOf).Order(StringComparer.Ordinal))}" : option.Text;

    private static string Once(bool single) => single ? "; asked once for all" : "";

    private static string[] InHand(GroupCollection match) => match["requests"].Success ? match["requests"].Value.Split(" and ") : [];

    private IEnumerable<GivenConsent> Consents(GroupCollection match) => match["kinds"].Success
        ? match["kinds"].Value.Split(" and ").Select(kind => new GivenConsent(_names.Person(match["consenting"].Value), _names.Device(match["device"].Value), Enum.Parse<ConsentKind>(kind, ignoreCase: true)))
        : [];

    /// <summary>The device itself tells of this kind of session, or asks for it and lets in or refuses when nobody answers.</summary>
    private static RemoteControlApproval Floor(ConsentKind kind, GroupCollection match)
    {
        var mode = match["tells"].Success ? ConsentMode.Notify : match["unanswered"].Success ? ConsentMode.AskThenConnect : ConsentMode.AskOrRefuse;
        ConsentMode For(ConsentKind other) => kind == other ? mode : ConsentMode.Off;
        return new(For(ConsentKind.Screen), For(ConsentKind.Terminal), For(ConsentKind.Files), For(ConsentKind.Web), For(ConsentKind.Actions), TimeSpan.FromSeconds(30));
    }

    private (string Engine, string Naive, IReadOnlyList<string> Reasons) ListDevices(string who)
    {
        var naive = Naive;
        return (
            Names(_engine.DevicesOf(_names.Person(who), Sample.Noon).Select(listing => (listing.Device.Id.Value, listing.Permissions))),
            Names(naive.DevicesOf(naive.Person(_names.Person(who))!, Sample.Noon).Select(listing => (listing.Device.Value, listing.Permissions))),
            []);
    }

    private (string Engine, string Naive, IReadOnlyList<string> Reasons) ListPeople(string device)
    {
        var naive = Naive;
        return (
            Names(_engine.PeopleOf(_names.Device(device), Sample.Noon).Select(listing => (listing.Person.Id.Value, listing.Permissions))),
            Names(naive.PeopleOf(naive.Device(_names.Device(device))!, Sample.Noon).Select(listing => (listing.Person.Value, listing.Permissions))),
            []);
    }

    private (string Engine, string Naive, IReadOnlyList<string> Reasons) ListTold(GroupCollection match)
    {
        var (device, name, concerned, naive) = (_names.Device(match["device"].Value), match["event"].Value, _names.Person(match["who"].Value), Naive);
        var (people, addresses) = naive.Told(naive.Device(device)!, name, naive.Person(concerned), Sample.Noon);
        var told = _engine.NotificationsFor(device, name, concerned, Sample.Noon);
        return (Write(told.People, told.Addresses), Write(people, addresses), []);

        string Write(IEnumerable<PersonId> some, IEnumerable<string> mails) =>
            string.Join(", ", some.Select(person => _names.NameOf(person.Value)).Order(StringComparer.Ordinal).Concat(mails)) is { Length: > 0 } all ? all : "nobody";
    }

    private (string Engine, string Naive, IReadOnlyList<string> Reasons) Invite(GroupCollection match)
    {
        var question = new AccessQuestion(
            _names.Person(match["who"].Value), _names.Device(match["device"].Value), null, PermissionSet.None, Sample.Noon, null, SignInStrength.OneFactor, EndUserPresence.CannotBeAsked);
        PersonId? contact = match["whom"].Value == "an unknown address" ? null : _names.Person(match["whom"].Value);
        return (Write(_engine.MayInvite(question, contact)), Write(Naive.MayInvite(question, contact)), []);

        static string Write(InvitationAnswer answer) => answer == InvitationAnswer.Allowed ? "allowed" : $"denied: {answer}";
    }

    private string Names(IEnumerable<(Guid Id, PermissionSet Permissions)> listed) =>
        string.Join("; ", listed.Select(one => $"{_names.NameOf(one.Id)} ({GoldenAnswer.Write(one.Permissions, PermissionSet.Of(Permission.Terminal))})").Order(StringComparer.Ordinal)) is { Length: > 0 } names
            ? names
            : "none";

    private (string Engine, string Naive, IReadOnlyList<string> Reasons) Read(string setting, string node)
    {
        var (kind, where) = (Enum.Parse<SettingKind>(setting), _names.Node(node));
        var (effective, naive) = (_engine.Setting(where, kind)!.Value, Naive.Setting(where, kind));
        return (Write(effective.Value, effective.Source), Write(naive.Value, naive.Source), []);

        string Write(string value, SettingNode source) => source == where ? $"{value}, its own" : $"{value}, inherited from {_answer.Write(source)}";
    }

    private (string Engine, string Naive, IReadOnlyList<string> Reasons) Read(Permission permission, string group)
    {
        var id = _names.TechnicianGroup(group);
        return (Write(_engine.PermissionAt(id, permission)!), Write(Naive.ValueAt(id, permission)!), []);

        string Write(GroupPermissionRow row) =>
            $"{(row.Value == PolicyValue.Allow ? "allow" : "deny")}{(row.Locked ? ", locked" : "")}, from {_names.NameOf(row.Group.Value)}";
    }

    private (string Engine, string Naive, IReadOnlyList<string> Reasons) Change(PersonId actor, PolicyCommand command)
    {
        var result = _engine.Plan(command, actor, Sample.Noon);
        var (verdict, reason) = Told(result);
        if (result is PlanResult.Planned { Delta: var delta }) Apply(delta);
        return (verdict, verdict, [reason]);
    }

    /// <summary>What the plain reading expects of an undo is that each row is again as it was, those apart that were touched since.</summary>
    private (string Engine, string Naive, IReadOnlyList<string> Reasons) Undo(PersonId actor, string which)
    {
        var place = _done.Count - (which == "last" ? 1 : 2);
        var change = _done[place];
        var touched = _done.Skip(place + 1).SelectMany(delta => delta.Changes).Select(row => row.Key).ToHashSet();
        var result = _engine.Plan(new PolicyCommand.Undo(change, touched), actor, Sample.Noon);
        var (verdict, reason) = Told(result);
        if (result is not PlanResult.Planned { Delta: var delta, Left: var left }) return (verdict, verdict, [reason]);
        Apply(delta);
        var isBack = change.Changes.Where(row => !touched.Contains(row.Key)).All(row => Equals(Untouched(_engine.Find(row.Key)), Untouched(row.Before)));
        return (verdict, isBack && left.All(touched.Contains) ? "done" : "not as it was", [reason]);
    }

    private void Apply(PolicyDelta delta)
    {
        _done.Add(delta);
        _engine = _engine.Apply(delta);
    }

    /// <summary>When a setting was touched last is not what it says.</summary>
    private static PolicyRow? Untouched(PolicyRow? row) => row is SettingRow setting ? setting with { Touched = 0 } : row;

    private static (string Verdict, string Reason) Told(PlanResult result) => result switch
    {
        PlanResult.Planned planned => ("done", planned.Delta.Summary),
        PlanResult.NotFound missing => ("not found", $"There is no such {missing.What}, or they may not see it."),
        PlanResult.Forbidden forbidden => ("forbidden", forbidden.Reason),
        PlanResult.Invalid invalid => ("invalid", invalid.Message),
        PlanResult.Conflict conflict => ("conflict", conflict.Message),
        _ => throw new InvalidOperationException("a result of a plan that is not known"),
    };

    [GeneratedRegex("^(?<who>[a-z]+) (wants|(?<begins>begins with)|(?<runs>goes on with)) (?<names>[A-Za-z0-9, ]+?) on (?<device>[a-z0-9.-]+)( as (?<account>[a-z]+))?( at (?<at>[0-9TZ:.-]+))?( from (?<source>[0-9a-f.:]+))?(?<twice>, signed in with two factors)?(?<present>, with somebody there to be asked)?(?<absent>, with nobody logged on)?(?<unsigned>, without having signed in)?(?<unneeded>, which needed no approval when it began)?(?<insisted>, for which a workflow insisted when it began)?(, with (requests?|access) (?<requests>[0-9]+( and [0-9]+)*) in hand)?(, on a device that (asks for|(?<tells>tells of)) its (?<floor>[a-z]+) itself(?<unanswered> and lets in unanswered)?)?(, with consent to (?<kinds>[a-z]+( and [a-z]+)*) given to (?<consenting>[a-z]+))?$")]
    private static partial Regex Question();

    [GeneratedRegex("^what (?<who>[a-z]+) began goes on( at (?<at>[0-9TZ:.-]+))?$")]
    private static partial Regex GoesOn();

    [GeneratedRegex("^the devices of (?<who>[a-z]+)$")]
    private static partial Regex DevicesOf();

    [GeneratedRegex("^the people of (?<device>[a-z0-9.-]+)$")]
    private static partial Regex PeopleOf();

    [GeneratedRegex("^who approves access to (?<device>[a-z0-9.-]+) ahead of time for (?<who>[a-z]+)$")]
    private static partial Regex ApprovesAhead();

    [GeneratedRegex("^the setting (?<setting>[A-Za-z]+) at (?<node>.+)$")]
    private static partial Regex SettingAt();

    [GeneratedRegex("^who is told of (?<event>[a-z.]+) by (?<who>[a-z]+) on (?<device>[a-z0-9.-]+)$")]
    private static partial Regex ToldOf();

    [GeneratedRegex("^the value of (?<permission>[A-Za-z0-9]+) at (?<group>.+)$")]
    private static partial Regex ValueAt();

    [GeneratedRegex("^(?<who>[a-z]+) invites (?<whom>[a-z]+|an unknown address) into a session on (?<device>[a-z0-9.-]+)$")]
    private static partial Regex Invites();

    [GeneratedRegex("^(?<actor>[a-z]+) undoes the (?<which>last|last but one) change$")]
    private static partial Regex Undoes();
}
