using System.Globalization;

namespace Countersign.Access.Tests.Golden;

/// <summary>
/// A policy and a question as a golden case: what a failing law shows is what can be put into a chapter. Rows that every organization begins with
/// are left out, and names are made up.
/// </summary>
internal sealed class GoldenWriter
{
    private static readonly string[] Logins =
    [
        "anna", "ben", "cleo", "dora", "emil", "finn", "gina", "hugo", "ines", "jan", "kai", "lena", "mona", "nils", "otto", "pia", "quin", "rosa", "sven", "tom",
    ];

    private readonly Dictionary<Guid, string> _names = [];
    private readonly List<PolicyRow> _rows;

    public GoldenWriter(IEnumerable<PolicyRow> rows)
    {
        _rows = [.. rows];
        var people = 0;
        foreach (var person in All<PersonRow>()) _names.Add(person.Id.Value, person.Kind == PersonKind.Owner ? "olga" : Logins[people++]);
        foreach (var group in All<TechnicianGroupRow>()) _names.Add(group.Id.Value, group.ParentId is null ? "Everyone" : $"Group {Letter()}");
        foreach (var group in All<DeviceGroupRow>()) _names.Add(group.Id.Value, $"Devices {Letter()}");
        foreach (var device in All<DeviceRow>()) _names.Add(device.Id.Value, $"d{_names.Count}");
        foreach (var role in All<RoleRow>()) _names.Add(role.Id.Value, $"Role {Letter()}");
        foreach (var workflow in All<WorkflowRow>()) _names.Add(workflow.Id.Value, $"Workflow{Letter()}");
        foreach (var group in All<ExternalGroupRow>()) _names.Add(group.Id.Value, $"External{Letter()}");
        foreach (var role in SystemRoles.All) _names.Add(role.Id.Value, role.Name);

        string Letter() => $"{(char)('A' + (_names.Count / 26))}{(char)('A' + (_names.Count % 26))}";
    }

    public IEnumerable<string> Policy() =>
    [
        .. All<PersonRow>().Where(row => row.Kind != PersonKind.Owner).SelectMany(Write),
        .. All<ExternalGroupRow>().Select(Write),
        .. All<TechnicianGroupRow>().SelectMany(Write),
        .. All<MembershipRow>().Select(row => $"members of {Of(row.Group.Value)}: {Of(row.Person.Value)}"),
        .. All<GroupManagerRow>().Select(row => $"managers of {Of(row.Group.Value)}: {Of(row.Person.Value)}"),
        .. All<GroupAdministratorRow>().Select(row => $"administrators of {Of(row.Group.Value)}: {Of(row.Person.Value)}"),
        .. All<GroupPermissionRow>().Where(row => row.Value != PolicyValue.Allow || row.Locked || row.Option.Length > 0 || Of(row.Group.Value) != "Everyone").Select(Write),
        .. PermissionCatalogue.Restrictable.Where(IsMissing).Select(permission => $"Everyone says nothing of {permission}"),
        .. All<DeviceGroupRow>().Select(row => $"device group {Of(row.Id.Value)}{(row.ParentId is { } above ? $" below {Of(above.Value)}" : "")}"),
        .. All<DeviceRow>().SelectMany(Write),
        .. All<WorkflowRow>().Select(Write),
        .. All<RoleRow>().Select(row => $"role {Of(row.Id.Value)}: {row.Permissions}"),
        .. All<GrantRow>().Select(Write),
        .. All<SettingRow>().Where(row => row.Node != SettingNode.Organization || row.Value != Settings.Default(row.Setting))
            .Select(row => $"setting at {(row.Node == SettingNode.Organization ? "the organization" : Of(row.Node.Id))}: {row.Setting} is {Value(row)}"),
    ];

    private string Value(SettingRow row) => row is { Setting: SettingKind.AccessRequestRoles, Value: not "none" }
        ? string.Join(", ", row.Value.Split(',').Select(id => Of(Guid.Parse(id))))
        : row.Value;

    public IEnumerable<string> Requests(AccessQuestion question) => [.. Approvals(question), .. Preapprovals(question)];

    private IEnumerable<string> Preapprovals(AccessQuestion question) => question.Preapprovals.Select(request =>
        $"access {request.Number}: {Of(request.Person.Value)} on {string.Join(", ", request.Devices.Select(device => Of(device.Value)))} as {request.Account}"
        + $", {Write(request.Permissions)}, approved {Write(request.ApprovedAt)}, "
        + request.Time switch
        {
            RequestTime.Fixed time => $"from {Write(time.From)} to {Write(time.To)}",
            RequestTime.FromApproval time => $"for {time.Duration.TotalMinutes} minutes from approval",
            RequestTime.FromFirstUse time => $"for {time.Duration.TotalMinutes} minutes from first use before {Write(time.LatestStart)}{(time.FirstUsed is { } used ? $", used {Write(used)}" : "")}",
            _ => throw new ArgumentException("a kind of time that cannot be written", nameof(question)),
        });

    private IEnumerable<string> Approvals(AccessQuestion question) => question.Approvals.Select(request =>
        $"request {request.Number}: {Of(request.Person.Value)} on {Of(request.Device.Value)} as {request.Account}, {Write(request.Permissions)}"
        + $"{(request.Source is { } source ? $", from {source}" : "")}, approved {Write(request.ApprovedAt)}{(request.OpenUntil is { } until ? $", open until {Write(until)}" : "")}"
        + $", for {(request.Steps.IsEmpty ? "nothing" : string.Join(" and ", request.Steps.Select(Write)))}{(request.IsBeside ? ", beside access approved ahead" : "")}");

    public string Write(AccessQuestion question) =>
        $"{(_names.TryGetValue(question.Subject.Value, out var who) ? who : "nobody")} wants {Write(question.Wanted)}"
        + $" on {(_names.TryGetValue(question.Device.Value, out var device) ? device : "nowhere")}"
        + $"{(question.Account is { } account ? $" as {account}" : "")} at {Write(question.At)}{(question.Source is { } source ? $" from {source}" : "")}"
        + (question.SignIn == SignInStrength.TwoFactor ? ", signed in with two factors" : "")
        + question.EndUser switch
        {
            EndUserPresence.CanBeAsked => ", with somebody there to be asked",
            EndUserPresence.NobodyLoggedOn => ", with nobody logged on",
            _ => "",
        }
        + (question.SignIn == SignInStrength.None ? ", without having signed in" : "")
        + (question.BeganUnasked ? ", which needed no approval when it began" : "")
        + (question.BeganInsisted ? ", for which a workflow insisted when it began" : "")
        + (InHand(question) is { Length: > 0 } numbers ? $", with requests {numbers} in hand" : "")
        + (question.ConsentFloor is null ? "" : ", on a device that asks by itself")
        + (question.Consents.IsEmpty ? "" : $", with consent to {string.Join(" and ", question.Consents.Select(consent => consent.Kind.ToString().ToLowerInvariant()))} given to {Of(question.Consents[0].Person.Value)}");

    private static string InHand(AccessQuestion question) =>
        string.Join(" and ", [.. question.Approvals.Select(request => request.Number), .. question.Preapprovals.Select(request => request.Number)]);

    private IEnumerable<string> Write(PersonRow row)
    {
        yield return $"{(row.Kind == PersonKind.Contact ? "contact" : "technician")} {Of(row.Id.Value)}";
        if (row.State == PersonState.Invited) yield return $"{Of(row.Id.Value)} is invited";
        if (row.Status != PersonStatus.Active) yield return $"{Of(row.Id.Value)} is disabled";
    }

    private string Write(ExternalGroupRow row)
    {
        var members = All<ExternalMemberRow>().Where(member => member.Group == row.Id).Select(member => Of(member.Person.Value)).ToList();
        return $"external group {Of(row.Id.Value)}{(members.Count == 0 ? "" : $": {string.Join(", ", members)}")}";
    }

    private IEnumerable<string> Write(TechnicianGroupRow row)
    {
        var name = Of(row.Id.Value);
        if (row.ParentId is { } above) yield return $"technician group {name}{(Of(above.Value) == "Everyone" ? "" : $" below {Of(above.Value)}")}";
        if (row.ApprovedExternals is { } externals)
        {
            Access.ExternalGroups.TryRead(externals, out var approved).ShouldBeTrue(externals);
            yield return $"{name} approves {(approved!.Value.IsEmpty ? "nobody from outside" : string.Join(", ", approved.Value.Select(group => Of(group.Value))))}";
        }

        if (row.SinglePrompt) yield return $"{name} asks the end user once for all";
        if (row.MembersApprove) yield return $"{name} lets its members approve";
        if (!row.Enabled) yield return $"{name} is disabled";
        if (row.RequiresManagerialApproval) yield return $"{name} requires managerial approval";
        if (row.Consent != GroupConsent.None) yield return $"{name} {(row.Consent == GroupConsent.Ask ? "asks" : "notifies")} the end user";
    }

    private string Write(GroupPermissionRow row) =>
        $"policy of {Of(row.Group.Value)}: {(row.Value == PolicyValue.Allow ? "allow" : "deny")} {row.Permission}{(row.Locked ? ", locked" : "")}"
        + (row.Option.Length == 0 ? "" : $"; as {Option(row.Option)}");

    private string Option(string text) =>
        text.StartsWith("named:", StringComparison.Ordinal) ? $"named {string.Join(", ", text["named:".Length..].Split(',').Select(id => Of(Guid.Parse(id))))}" : text;

    private IEnumerable<string> Write(DeviceRow row)
    {
        var accounts = All<DeviceAccountRow>().Where(account => account.Device == row.Id).OrderByDescending(account => account.IsDefault).ToList();
        var written = accounts.Count == 0
            ? "no accounts"
            : $"accounts {string.Join(", ", accounts.Select(account => account.Name))}{(accounts[0].IsDefault ? "" : "; none is the default")}";
        yield return $"device {Of(row.Id.Value)} in {Of(row.Group.Value)}, {written}";
        if (!row.Enabled) yield return $"{Of(row.Id.Value)} is disabled";
    }

    private string Write(GrantRow row)
    {
        var scope = row.Scope.Kind switch
        {
            ScopeKind.AllDevices => "all devices",
            ScopeKind.Team => "the section Team",
            ScopeKind.QuickSupport => "the section Quick Support",
            _ => Of(row.Scope.Id),
        };
        var accounts = row.Accounts.Rule switch
        {
            AccountRule.Any => ", as any account",
            AccountRule.Named => $", as {row.Accounts.Names.Replace(",", " or ", StringComparison.Ordinal)}",
            _ => "",
        };
        return $"{Of(row.Subject.Id)} gets {Of(row.Role.Value)} on {scope}{accounts}"
            + $"{(row.Window.From is { } from ? $", from {Write(from)}" : "")}{(row.Window.To is { } to ? $", to {Write(to)}" : "")}"
            + $"{(row.Window.Hours.Length > 0 ? $", hours {row.Window.Hours}" : "")}";
    }

    private string Write(WorkflowRow row)
    {
        WorkflowSteps.TryParse(row.Steps, out var steps, out var problem).ShouldBeTrue(problem);
        var written = steps!.Value.Select(step => $"{step.Needed} of {string.Join(", ", step.Approvers.Select(Write))}");
        return $"workflow {Of(row.Id.Value)} for {Of(row.Group.Value)} on {Of(row.Devices.Value)}: {string.Join(", then ", written)}"
            + $"{(row.CountsForLater ? "; counting for later steps" : "")}{(row.TakesPreapproved ? "" : "; leaving preapproval out")}{(row.InsistsWhenPreapproved ? "; insisting" : "")}";
    }

    private string Write(Approver approver) => approver.Kind switch
    {
        ApproverKind.Managers => $"managers of {Of(approver.Id)}",
        ApproverKind.Members => $"members of {Of(approver.Id)}",
        ApproverKind.Person => Of(approver.Id),
        _ => "the device's approvers",
    };

    private string Write(ApprovalStepId step) => step.Kind switch
    {
        ApprovalStepKind.Workflow => $"step {step.Through.ToString("N")[..8].TrimStart('0')} of {Of(step.Rule)}",
        ApprovalStepKind.Organization => "the device side at the organization",
        ApprovalStepKind.TechnicianGroup => $"{Of(step.Rule)} through {Of(step.Through)}",
        _ => $"the device side at {Of(step.Rule)}",
    };

    private static string Write(PermissionSet set) => set.IsEmpty ? "nothing" : set.ToString();

    private static string Write(DateTimeOffset at) =>
        at.UtcDateTime.ToString(at.Ticks % TimeSpan.TicksPerMinute == 0 ? "yyyy-MM-ddTHH:mmZ" : "yyyy-MM-ddTHH:mm:ss.fffffffZ", CultureInfo.InvariantCulture);

    private bool IsMissing(Permission permission) => !All<GroupPermissionRow>().Any(row => row.Permission == permission && Of(row.Group.Value) == "Everyone");

    private IEnumerable<T> All<T>() => _rows.OfType<T>();

    /// <summary>A request in hand may be of somebody, or for something, that is not there.</summary>
    private string Of(Guid id) => _names.GetValueOrDefault(id, GoldenPolicy.Nowhere);
}
