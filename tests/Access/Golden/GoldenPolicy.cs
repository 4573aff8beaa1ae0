using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;

namespace Countersign.Access.Tests.Golden;

/// <summary>
/// Policy as the golden files write it, one statement a line, each kind with its own pattern. Every organization has the owner olga and the group
/// Everyone before the first line.
/// </summary>
internal sealed partial class GoldenPolicy
{
    private readonly Dictionary<RowKey, PolicyRow> _rows = [];
    private readonly Dictionary<string, Guid> _ids = new(StringComparer.Ordinal);
    private readonly Dictionary<long, ApprovedRequest> _requests = [];
    private readonly Dictionary<long, PreapprovedRequest> _preapprovals = [];

    public GoldenPolicy(IEnumerable<GoldenLine> lines)
    {
        var (olga, everyone) = (NewId("person olga"), NewId("technician group Everyone"));
        foreach (var change in PolicySnapshot.Bootstrap(Sample.Organization, new(olga), "olga", "Olga", "", new(everyone)).Changes) Put(change.After!);
        foreach (var line in lines) Read(line);
    }

    public IReadOnlyCollection<PolicyRow> Rows => _rows.Values;

    /// <summary>What requests in hand call whatever is not there.</summary>
    public const string Nowhere = "nowhere";

    private static readonly Guid Gone = new("90000000-0000-0000-0000-00000000901e");

    /// <summary>Approvals for connections among the requests of these numbers.</summary>
    public IEnumerable<ApprovedRequest> Approvals(IEnumerable<string> numbers) =>
        numbers.Select(Number).Where(_requests.ContainsKey).Select(number => _requests[number]);

    /// <summary>Access that was approved ahead among the requests of these numbers.</summary>
    public IEnumerable<PreapprovedRequest> Preapprovals(IEnumerable<string> numbers) =>
        numbers.Select(Number).Where(number => !_requests.ContainsKey(number)).Select(number => _preapprovals[number]);

    public Guid? Find(string kind, string name) => _ids.TryGetValue($"{kind} {name}", out var id) ? id : null;

    /// <summary>A request in hand may be of somebody, or for something, that is not there: <c>nowhere</c>.</summary>
    private Guid OrGone(string kind, string name) => name == Nowhere ? Gone : Get(kind, name);

    public PersonId Person(string name) => new(Get("person", name));

    public DeviceId Device(string name) => new(Get("device", name));

    public TechnicianGroupId TechnicianGroup(string name) => new(Get("technician group", name));

    public DeviceGroupId DeviceGroup(string name) => new(Get("device group", name));

    public RoleId Role(string name) =>
        SystemRoles.All.FirstOrDefault(role => role.Name == name)?.Id ?? new(Get("role", name));

    /// <summary>The name that the file gave it; an id that it did not name is an error of the test.</summary>
    public string NameOf(Guid id) => _ids.Single(named => named.Value == id).Key is var key && key.StartsWith("technician group ", StringComparison.Ordinal)
        ? key["technician group ".Length..]
        : key.StartsWith("device group ", StringComparison.Ordinal) ? key["device group ".Length..] : key[(key.IndexOf(' ', StringComparison.Ordinal) + 1)..];

    public static DateTimeOffset Instant(string text) =>
        DateTimeOffset.ParseExact(text, ["yyyy-MM-ddTHH:mmZ", "yyyy-MM-ddTHH:mm:ssZ", "yyyy-MM-ddTHH:mm:ss.fffffffZ"], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);

    public static PermissionSet Permissions(string text) => text == "nothing" ? PermissionSet.None : PermissionSet.Of([.. List(text).Select(name => Enum.Parse<Permission>(name))]);

    public SettingNode Node(string name) => name == "the organization"
        ? SettingNode.Organization
        : Find("device", name) is { } device ? SettingNode.Of(new DeviceId(device)) : SettingNode.Of(DeviceGroup(name));

    /// <summary>Reads <c>anna gets Shell on web01, as root, from …, to …, hours …</c> into a grant; null: the text is something else.</summary>
    public GrantRow? Grant(string text, Guid id)
    {
        var match = GrantText().Match(text);
        if (!match.Success) return null;
        var (who, where) = (match.Groups["who"].Value, match.Groups["where"].Value);
        var subject = Find("person", who) is { } person ? GrantSubject.To(new PersonId(person)) : GrantSubject.To(TechnicianGroup(who));
        var scope = where switch
        {
            "all devices" => GrantScope.AllDevices,
            "the section Team" => GrantScope.Team,
            "the section Quick Support" => GrantScope.QuickSupport,
            _ => Find("device", where) is { } device ? GrantScope.Of(new DeviceId(device)) : GrantScope.Of(DeviceGroup(where)),
        };
        var accounts = match.Groups["as"].Value switch
        {
            "" => GrantAccounts.Default,
            "any account" => GrantAccounts.Any,
            var names => new GrantAccounts(AccountRule.Named, string.Join(',', names.Split(" or ").Order(StringComparer.Ordinal))),
        };
        DateTimeOffset? Bound(string name) => match.Groups[name].Success ? Instant(match.Groups[name].Value) : null;
        return new(new(id), subject, scope, Role(match.Groups["role"].Value), accounts, new(Bound("from"), Bound("to"), match.Groups["hours"].Value));
    }

    /// <summary>Reads <c>2 of managers of Support, mia, then 1 of the device's approvers</c> into the text of a workflow's steps.</summary>
    public string WorkflowSteps(string text) => Access.WorkflowSteps.Write(text.Split(", then ").Select(step =>
    {
        var (needed, approvers) = step.Split(" of ", 2) is [var count, var who] ? (int.Parse(count, CultureInfo.InvariantCulture), who) : throw new FormatException(step);
        return new WorkflowStep(needed, null, [.. List(approvers).Select(Approver)]);
    }));

    private Approver Approver(string text)
    {
        if (text == "the device's approvers") return new(ApproverKind.DeviceApprovers);
        if (text.StartsWith("managers of ", StringComparison.Ordinal)) return new(ApproverKind.Managers, TechnicianGroup(text["managers of ".Length..]).Value);
        if (text.StartsWith("members of ", StringComparison.Ordinal)) return new(ApproverKind.Members, TechnicianGroup(text["members of ".Length..]).Value);
        return new(ApproverKind.Person, Person(text).Value);
    }

    private string Externals(string text) => Access.ExternalGroups.Write(ExternalGroupIds(text));

    /// <summary>Reads <c>Partners, Vendors</c> or <c>nobody from outside</c>.</summary>
    public IReadOnlyList<ExternalGroupId> ExternalGroupIds(string text) =>
        text == "nobody from outside" ? [] : [.. List(text).Select(name => new ExternalGroupId(Get("external group", name)))];

    private string Option(string text) =>
        text.StartsWith("named ", StringComparison.Ordinal) ? $"named:{string.Join(',', List(text["named ".Length..]).Select(name => TechnicianGroup(name).Value).Order())}" : text;

    private static RequestTime Time(GroupCollection match)
    {
        if (match["fixedfrom"].Success) return new RequestTime.Fixed(Instant(match["fixedfrom"].Value), Instant(match["fixedto"].Value));
        var duration = TimeSpan.FromMinutes(int.Parse(match["minutes"].Value, CultureInfo.InvariantCulture));
        if (!match["latest"].Success) return new RequestTime.FromApproval(duration);
        return new RequestTime.FromFirstUse(duration, Instant(match["latest"].Value), match["used"].Success ? Instant(match["used"].Value) : null);
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    public Guid NewId(string named = "")
    {
        var id = new Guid(0x901d, 0, 0, 0, 0, 0, 0, 0, 0, (byte)(_ids.Count >> 8), (byte)_ids.Count);
        _ids.Add(named.Length > 0 ? named : $"unnamed {_ids.Count}", id);
        return id;
    }

    private void Read(GoldenLine line)
    {
        foreach (var (pattern, read) in Statements())
        {
            if (pattern.Match(line.Text) is not { Success: true } match) continue;
            try
            {
                read(match.Groups);
            }
            catch (Exception problem) when (problem is KeyNotFoundException or ArgumentException or FormatException)
            {
                throw line.Error(problem.Message);
            }

            return;
        }

        throw line.Error("no such statement");
    }

    private IEnumerable<(Regex Pattern, Action<GroupCollection> Read)> Statements() =>
    [
        (People(), match => AddPeople(match["kind"].Value == "contact" ? PersonKind.Contact : PersonKind.Technician, List(match["names"].Value))),
        (Group(), match => Put(new TechnicianGroupRow(
            new(NewId($"technician group {match["name"]}")), TechnicianGroup(match["above"] is { Success: true } above ? above.Value : "Everyone"),
            match["name"].Value, "", true, false, GroupConsent.None, false))),
        (Members(), match => PutEach(match, (group, person) => new MembershipRow(group, person))),
        (Managers(), match => PutEach(match, (group, person) => new GroupManagerRow(group, person))),
        (Administrators(), match => PutEach(match, (group, person) => new GroupAdministratorRow(group, person))),
        (Value(), match =>
        {
            var value = match["value"].Value == "allow" ? PolicyValue.Allow : PolicyValue.Deny;
            foreach (var permission in Permissions(match["names"].Value))
                Put(new GroupPermissionRow(TechnicianGroup(match["group"].Value), permission, value, match["locked"].Success) { Option = Option(match["option"].Value) });
        }),
        (ExternalGroup(), match =>
        {
            var group = new ExternalGroupRow(new(NewId($"external group {match["name"].Value}")), match["name"].Value, "");
            Put(group);
            foreach (var name in match["names"].Success ? List(match["names"].Value) : []) Put(new ExternalMemberRow(group.Id, Person(name)));
        }),
        (ApprovesExternals(), match => ChangeGroup(match["name"].Value, row => row with { ApprovedExternals = Externals(match["groups"].Value) })),
        (PromptsOnce(), match => ChangeGroup(match["name"].Value, row => row with { SinglePrompt = true })),
        (MembersApproveText(), match => ChangeGroup(match["name"].Value, row => row with { MembersApprove = true })),
        (WorkflowText(), match => Put(new WorkflowRow(
            new(NewId($"workflow {match["name"]}")), TechnicianGroup(match["group"].Value), DeviceGroup(match["devices"].Value), match["name"].Value,
            WorkflowSteps(match["steps"].Value), match["later"].Success, !match["leaves"].Success, match["insists"].Success))),
        (PreapprovalText(), match => _preapprovals.Add(Number(match["number"].Value), new(
            Number(match["number"].Value), new(OrGone("person", match["who"].Value)), [.. List(match["devices"].Value).Select(name => new DeviceId(OrGone("device", name)))], match["account"].Value,
            Permissions(match["names"].Value), Instant(match["at"].Value), Time(match), []))),
        (Silence(), match =>
        {
            foreach (var permission in Permissions(match["names"].Value)) _rows.Remove(new(PolicyTable.GroupPermission, TechnicianGroup("Everyone").Value, default, permission.ToString()));
        }),
        (DeviceGroupText(), match => Put(new DeviceGroupRow(
            new(NewId($"device group {match["name"]}")), match["above"] is { Success: true } above ? DeviceGroup(above.Value) : null, match["name"].Value))),
        (DeviceText(), match => AddDevice(match["name"].Value, DeviceGroup(match["group"].Value), match["accounts"].Success ? List(match["accounts"].Value) : [], match["none"].Success)),
        (RoleText(), match => Put(new RoleRow(
            new(NewId($"role {match["name"]}")), match["name"].Value, RolePurpose.DevicesAndGroups, Permissions(match["names"].Value)))),
        (Setting(), match => PutSetting(Node(match["node"].Value), Enum.Parse<SettingKind>(match["setting"].Value), match["value"].Value)),
        (RequestText(), match => AddRequest(match)),
        (Disabled(), match => Disable(match["name"].Value)),
        (Invited(), match => Change<PersonRow>(PolicyTable.Person, Person(match["name"].Value).Value, row => row with { State = PersonState.Invited })),
        (Approves(), match => ChangeGroup(match["name"].Value, row => row with { RequiresManagerialApproval = true })),
        (Asks(), match => ChangeGroup(match["name"].Value, row => row with { Consent = match["what"].Value == "asks" ? GroupConsent.Ask : GroupConsent.Notify })),
        (GrantText(), match => Put(Grant(match[0].Value, NewId())!)),
    ];

    private void AddPeople(PersonKind kind, IEnumerable<string> names)
    {
        foreach (var name in names) Put(new PersonRow(new(NewId($"person {name}")), kind, name, char.ToUpperInvariant(name[0]) + name[1..], "", PersonState.Activated, PersonStatus.Active));
    }

    private void AddDevice(string name, DeviceGroupId group, IReadOnlyList<string> accounts, bool withoutDefault)
    {
        var id = new DeviceId(NewId($"device {name}"));
        Put(new DeviceRow(id, group, name, "", true, "127.0.0.1"));
        Put(new DeviceServiceRow(id, ServiceProtocol.Ssh, 22, ""));
        foreach (var account in accounts) Put(new DeviceAccountRow(id, account, !withoutDefault && account == accounts[0]));
    }

    private void PutSetting(SettingNode node, SettingKind kind, string value)
    {
        // Roles are named, here as elsewhere.
        if (kind == SettingKind.AccessRequestRoles && value != "none") value = string.Join(',', value.Split(", ").Select(Role));
        if (!Settings.TryCanonical(kind, value, out var canonical, out var problem)) throw new FormatException(problem);
        Put(new SettingRow(node, kind, canonical, 1));
    }

    private void AddRequest(GroupCollection match)
    {
        var number = long.Parse(match["number"].Value, CultureInfo.InvariantCulture);
        _requests.Add(number, new(
            number,
            new(OrGone("person", match["who"].Value)),
            new(OrGone("device", match["device"].Value)),
            match["account"].Value,
            Permissions(match["names"].Value),
            match["source"].Success ? IPAddress.Parse(match["source"].Value) : null,
            Instant(match["at"].Value),
            match["until"].Success ? Instant(match["until"].Value) : null,
            match["steps"].Value == "nothing" ? [] : [.. match["steps"].Value.Split(" and ").Select(Step)])
        {
            IsBeside = match["beside"].Success,
        });
    }

    /// <summary><c>Support</c>, <c>Support through Juniors</c>, <c>the device side at Servers</c>.</summary>
    private ApprovalStepId Step(string text)
    {
        if (text.StartsWith("the device side at ", StringComparison.Ordinal))
        {
            var name = text["the device side at ".Length..];
            if (name == Nowhere) return new(ApprovalStepKind.Device, OrGone("device", name));
            var node = Node(name);
            return new((ApprovalStepKind)(node.Kind - SettingNodeKind.Organization + ApprovalStepKind.Organization), node.Id);
        }

        if (StepOfWorkflow().Match(text) is { Success: true } step)
        {
            var workflow = new WorkflowId(OrGone("workflow", step.Groups["name"].Value));
            return ApprovalStepId.OfWorkflow(workflow, int.Parse(step.Groups["number"].Value, CultureInfo.InvariantCulture));
        }

        var parts = text.Split(" through ");
        return new(ApprovalStepKind.TechnicianGroup, OrGone("technician group", parts[0]), OrGone("technician group", parts[^1]));
    }

    private void Disable(string name)
    {
        if (Find("person", name) is { } person) Change<PersonRow>(PolicyTable.Person, person, row => row with { Status = PersonStatus.Disabled });
        else if (Find("device", name) is { } device) Change<DeviceRow>(PolicyTable.Device, device, row => row with { Enabled = false });
        else ChangeGroup(name, row => row with { Enabled = false });
    }

    private void ChangeGroup(string name, Func<TechnicianGroupRow, TechnicianGroupRow> change) =>
        Change(PolicyTable.TechnicianGroup, TechnicianGroup(name).Value, change);

    private void Change<T>(PolicyTable table, Guid id, Func<T, T> change)
        where T : PolicyRow => Put(change((T)_rows[new(table, id)]));

    private void PutEach(GroupCollection match, Func<TechnicianGroupId, PersonId, PolicyRow> row)
    {
        foreach (var name in List(match["names"].Value)) Put(row(TechnicianGroup(match["group"].Value), Person(name)));
    }

    private void Put(PolicyRow row) => _rows[row.Key] = row;

    private Guid Get(string kind, string name) => Find(kind, name) ?? throw new KeyNotFoundException($"there is no {kind} '{name}'");

    private static ImmutableArray<string> List(string text) => [.. text.Split(", ")];

    [GeneratedRegex("^(?<kind>technician|contact)s? (?<names>[a-z]+(, [a-z]+)*)$")]
    private static partial Regex People();

    [GeneratedRegex("^technician group (?<name>[A-Z][A-Za-z ]*?)( below (?<above>[A-Z][A-Za-z ]*))?$")]
    private static partial Regex Group();

    [GeneratedRegex("^members of (?<group>[^:]+): (?<names>.+)$")]
    private static partial Regex Members();

    [GeneratedRegex("^managers of (?<group>[^:]+): (?<names>.+)$")]
    private static partial Regex Managers();

    [GeneratedRegex("^administrators of (?<group>[^:]+): (?<names>.+)$")]
    private static partial Regex Administrators();

    [GeneratedRegex("^policy of (?<group>[^:]+): (?<value>allow|deny) (?<names>[A-Za-z0-9]+(, (?!locked)[A-Za-z0-9]+)*)(?<locked>, locked)?(; as (?<option>.+))?$")]
    private static partial Regex Value();

    [GeneratedRegex("^external group (?<name>[A-Z][A-Za-z]*)(: (?<names>[a-z]+(, [a-z]+)*))?$")]
    private static partial Regex ExternalGroup();

    [GeneratedRegex("^(?<name>[A-Z][A-Za-z ]*) approves (?<groups>nobody from outside|[A-Z][A-Za-z]*(, [A-Z][A-Za-z]*)*)$")]
    private static partial Regex ApprovesExternals();

    [GeneratedRegex("^(?<name>[A-Z][A-Za-z ]*) asks the end user once for all$")]
    private static partial Regex PromptsOnce();

    [GeneratedRegex("^(?<name>[A-Z][A-Za-z ]*) lets its members approve$")]
    private static partial Regex MembersApproveText();

    [GeneratedRegex("^workflow (?<name>[A-Z][A-Za-z]*) for (?<group>[A-Z][A-Za-z ]*?) on (?<devices>[A-Z][A-Za-z ]*?): (?<steps>[^;]+)(?<later>; counting for later steps)?(?<leaves>; leaving preapproval out)?(?<insists>; insisting)?$")]
    private static partial Regex WorkflowText();

    [GeneratedRegex("^step (?<number>[0-9]+) of (?<name>[A-Z][A-Za-z]*)$")]
    private static partial Regex StepOfWorkflow();

    [GeneratedRegex("^access (?<number>[0-9]+): (?<who>[a-z]+) on (?<devices>[a-z0-9., -]+?) as (?<account>[a-z]+), (?<names>[A-Za-z0-9, ]+?), approved (?<at>[0-9TZ:.-]+), (from (?<fixedfrom>[0-9TZ:.-]+) to (?<fixedto>[0-9TZ:.-]+)|for (?<minutes>[0-9]+) minutes from (approval|first use before (?<latest>[0-9TZ:.-]+)(, used (?<used>[0-9TZ:.-]+))?))$")]
    private static partial Regex PreapprovalText();

    [GeneratedRegex("^Everyone says nothing of (?<names>.+)$")]
    private static partial Regex Silence();

    [GeneratedRegex("^device group (?<name>[A-Z][A-Za-z ]*?)( below (?<above>[A-Z][A-Za-z ]*))?$")]
    private static partial Regex DeviceGroupText();

    [GeneratedRegex("^device (?<name>[a-z0-9.-]+) in (?<group>[A-Z][A-Za-z ]*?), (accounts? (?<accounts>[a-z]+(, [a-z]+)*)(?<none>; none is the default)?|no accounts)$")]
    private static partial Regex DeviceText();

    [GeneratedRegex("^role (?<name>[^:]+): (?<names>.+)$")]
    private static partial Regex RoleText();

    [GeneratedRegex("^setting at (?<node>[^:]+): (?<setting>[A-Za-z]+) is (?<value>.+)$")]
    private static partial Regex Setting();

    [GeneratedRegex("^request (?<number>[0-9]+): (?<who>[a-z]+) on (?<device>[a-z0-9.-]+) as (?<account>[a-z]+), (?<names>[A-Za-z0-9, ]+?)(, from (?<source>[0-9a-f.:]+))?, approved (?<at>[0-9TZ:.-]+)(, open until (?<until>[0-9TZ:.-]+))?, for (?<steps>.+?)(?<beside>, beside access approved ahead)?$")]
    private static partial Regex RequestText();

    [GeneratedRegex("^(?<name>[A-Za-z0-9. -]+?) is disabled$")]
    private static partial Regex Disabled();

    [GeneratedRegex("^(?<name>[a-z]+) is invited$")]
    private static partial Regex Invited();

    [GeneratedRegex("^(?<name>[A-Z][A-Za-z ]*) requires managerial approval$")]
    private static partial Regex Approves();

    [GeneratedRegex("^(?<name>[A-Z][A-Za-z ]*) (?<what>asks|notifies) the end user$")]
    private static partial Regex Asks();

    [GeneratedRegex("^(?<who>[A-Za-z ]+) gets (?<role>[A-Z][A-Za-z ]*?) on (?<where>[A-Za-z0-9. -]+?)(, as (?<as>[a-z ]+))?(, from (?<from>[0-9TZ:.-]+))?(, to (?<to>[0-9TZ:.-]+))?(, hours (?<hours>.+))?$")]
    private static partial Regex GrantText();
}
