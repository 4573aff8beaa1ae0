namespace Countersign.Access;

/// <summary>
/// One row of an organization's policy. Rows are the whole truth about policy: the database stores them as they are, a
/// <see cref="PolicySnapshot"/> is compiled from them, and a <see cref="PolicyDelta"/> is a list of rows before and after.
/// A row never holds a secret, nor anything that is not policy (requests, sessions, presence).
/// </summary>
public abstract record PolicyRow
{
    private protected PolicyRow()
    {
    }

    /// <summary>What identifies the row within its organization; never changes while the row lives.</summary>
    public abstract RowKey Key { get; }
}

/// <summary>The written list of the tables that are policy. Numbers are stored in deltas and are never reused.</summary>
public enum PolicyTable : byte
{
    Person = 1,
    TechnicianGroup = 2,
    Membership = 3,
    GroupManager = 4,
    GroupAdministrator = 5,
    GroupPermission = 6,
    DeviceGroup = 7,
    Device = 8,
    DeviceAccount = 9,
    Role = 10,
    Grant = 11,
    Setting = 12,
    Workflow = 13,
    ExternalGroup = 14,
    ExternalMember = 15,
    DeviceService = 16,
}

/// <summary>A row's identity: its table, one or two ids, and for some tables a name or number (account, service, permission, setting).</summary>
public readonly record struct RowKey(PolicyTable Table, Guid Id, Guid Id2 = default, string Part = "")
{
    /// <summary>For messages: the table, and what of the identity there is.</summary>
    public override string ToString() => $"{Table} {Id}{(Id2 == default ? "" : $" {Id2}")}{(Part.Length == 0 ? "" : $" {Part}")}";
}

public enum PersonKind : byte
{
    Owner = 1,
    Technician = 2,
    Contact = 3,
}

public enum PersonState : byte
{
    /// <summary>Can be configured, takes part in nothing.</summary>
    Invited = 1,
    Activated = 2,
}

public enum PersonStatus : byte
{
    Active = 1,
    Disabled = 2,
    DisabledByPlan = 3,
}

/// <param name="Login">Unique on the server; <see cref="Names.IsLogin"/>.</param>
/// <param name="Name">What people call them, at most 200 characters.</param>
/// <param name="Mail">Mail address or empty.</param>
public sealed record PersonRow(PersonId Id, PersonKind Kind, string Login, string Name, string Mail, PersonState State, PersonStatus Status) : PolicyRow
{
    public override RowKey Key => new(PolicyTable.Person, Id.Value);

    /// <summary>Activated and active: the only people who take part in anything.</summary>
    public bool TakesPart => State == PersonState.Activated && Status == PersonStatus.Active;
}

/// <summary>Consent that a technician group asks of the end user, whatever the device's own setting says.</summary>
public enum GroupConsent : byte
{
    /// <summary>The group adds nothing.</summary>
    None = 0,
    Notify = 1,

    /// <summary>Ask, and don't connect when nobody answers.</summary>
    Ask = 2,
}

/// <param name="ParentId">Null only for the root, Everyone.</param>
public sealed record TechnicianGroupRow(
    TechnicianGroupId Id,
    TechnicianGroupId? ParentId,
    string Name,
    string Description,
    bool Enabled,
    bool RequiresManagerialApproval,
    GroupConsent Consent,
    bool SinglePrompt) : PolicyRow
{
    public override RowKey Key => new(PolicyTable.TechnicianGroup, Id.Value);

    /// <summary>The rule of this group is for members to approve, not for managers.</summary>
    public bool MembersApprove { get; init; }

    /// <summary>
    /// The external groups whose members may be invited into sessions by members of this one, in the form of <see cref="ExternalGroups"/>; empty: none.
    /// Null: as the group above says, and at Everyone none.
    /// </summary>
    public string? ApprovedExternals { get; init; }
}

/// <summary>People from outside the organization, put together so that technician groups can approve them as a whole.</summary>
/// <param name="Name">Unique in the organization.</param>
public sealed record ExternalGroupRow(ExternalGroupId Id, string Name, string Description) : PolicyRow
{
    public override RowKey Key => new(PolicyTable.ExternalGroup, Id.Value);
}

/// <param name="Person">A contact.</param>
public sealed record ExternalMemberRow(ExternalGroupId Group, PersonId Person) : PolicyRow
{
    public override RowKey Key => new(PolicyTable.ExternalMember, Group.Value, Person.Value);
}

public sealed record MembershipRow(TechnicianGroupId Group, PersonId Person) : PolicyRow
{
    public override RowKey Key => new(PolicyTable.Membership, Group.Value, Person.Value);
}

/// <summary>Who approves for the group.</summary>
public sealed record GroupManagerRow(TechnicianGroupId Group, PersonId Person) : PolicyRow
{
    public override RowKey Key => new(PolicyTable.GroupManager, Group.Value, Person.Value);
}

/// <summary>Who runs the branch below the group.</summary>
public sealed record GroupAdministratorRow(TechnicianGroupId Group, PersonId Person) : PolicyRow
{
    public override RowKey Key => new(PolicyTable.GroupAdministrator, Group.Value, Person.Value);
}

/// <summary>
/// Steps that stand in the place of approval rules when members of a technician group reach devices of a device group: the device's rule, and
/// the rules of the technician group and those above it.
/// </summary>
/// <param name="Steps">In order, in the form of <see cref="WorkflowSteps"/>.</param>
/// <param name="CountsForLater">An approval counts for later steps that the same person can take, too.</param>
/// <param name="TakesPreapproved">Requests for access ahead of time take these steps; false: the device's approvers decide about them.</param>
/// <param name="InsistsWhenPreapproved">Preapproved access does not stand for these steps: they are asked for at connect time all the same.</param>
public sealed record WorkflowRow(
    WorkflowId Id,
    TechnicianGroupId Group,
    DeviceGroupId Devices,
    string Name,
    string Steps,
    bool CountsForLater,
    bool TakesPreapproved,
    bool InsistsWhenPreapproved) : PolicyRow
{
    public override RowKey Key => new(PolicyTable.Workflow, Id.Value);
}

public enum PolicyValue : byte
{
    Allow = 1,
    Deny = 2,
}

/// <summary>An explicit value of one permission at a group; no row means <em>inherit</em>. Only an explicit value can be locked.</summary>
public sealed record GroupPermissionRow(TechnicianGroupId Group, Permission Permission, PolicyValue Value, bool Locked) : PolicyRow
{
    /// <summary>In the form of <see cref="PermissionOption"/>, for the permissions that have options; empty: the default.</summary>
    // A change that was stored before there were options has none.
    public string Option { get; init => field = value ?? ""; } = "";

    public override RowKey Key => new(PolicyTable.GroupPermission, Group.Value, default, Permission.ToString());
}

/// <param name="ParentId">Null for a group directly below the organization.</param>
public sealed record DeviceGroupRow(DeviceGroupId Id, DeviceGroupId? ParentId, string Name) : PolicyRow
{
    public override RowKey Key => new(PolicyTable.DeviceGroup, Id.Value);
}

/// <summary>An endpoint device: reached from the gateway at a host, by its services.</summary>
/// <param name="Group">The one group that it is in.</param>
/// <param name="Name">Unique in the organization; <see cref="Names.IsDevice"/>.</param>
public sealed record DeviceRow(
    DeviceId Id,
    DeviceGroupId Group,
    string Name,
    string Description,
    bool Enabled,
    string Host) : PolicyRow
{
    /// <summary>In the form of <see cref="DeviceTags"/>; empty: none.</summary>
    // A change that was stored before there were tags has none.
    public string Tags { get; init => field = value ?? ""; } = "";

    public override RowKey Key => new(PolicyTable.Device, Id.Value);
}

/// <summary>What a device is spoken to by, at its host: one service of a protocol. A device without any is not reached.</summary>
/// <param name="Port">1 to 65535.</param>
/// <param name="Pin">What it has to show, in the form of <see cref="ServiceProtocols.TryPin"/>; empty: nothing is pinned.</param>
public sealed record DeviceServiceRow(DeviceId Device, ServiceProtocol Protocol, int Port, string Pin) : PolicyRow
{
    public override RowKey Key => KeyOf(Device, Protocol);

    public static RowKey KeyOf(DeviceId device, ServiceProtocol protocol) => new(PolicyTable.DeviceService, device.Value, default, protocol.ToString());
}

/// <summary>An account on a device. Its secret is not policy and lives in the vault.</summary>
/// <param name="Name">The account's name at the device, 1 to 64 characters, no control characters; matched exactly.</param>
public sealed record DeviceAccountRow(DeviceId Device, string Name, bool IsDefault) : PolicyRow
{
    public override RowKey Key => new(PolicyTable.DeviceAccount, Device.Value, default, Name);
}

public enum RolePurpose : byte
{
    DevicesAndGroups = 1,
    Invitations = 2,
    Administration = 3,
}

/// <summary>A custom role. System roles are not rows: see <see cref="SystemRoles"/>.</summary>
public sealed record RoleRow(RoleId Id, string Name, RolePurpose Purpose, PermissionSet Permissions) : PolicyRow
{
    public override RowKey Key => new(PolicyTable.Role, Id.Value);
}

public enum SubjectKind : byte
{
    /// <summary>A technician or a contact.</summary>
    Person = 1,
    TechnicianGroup = 2,
}

public readonly record struct GrantSubject(SubjectKind Kind, Guid Id)
{
    public static GrantSubject To(PersonId person) => new(SubjectKind.Person, person.Value);

    public static GrantSubject To(TechnicianGroupId group) => new(SubjectKind.TechnicianGroup, group.Value);
}

public enum ScopeKind : byte
{
    Device = 1,
    DeviceGroup = 2,
    AllDevices = 3,
    QuickSupport = 4,
    Team = 5,
}

/// <param name="Id">The device's or device group's id; empty for the other kinds.</param>
public readonly record struct GrantScope(ScopeKind Kind, Guid Id = default)
{
    public static GrantScope AllDevices => new(ScopeKind.AllDevices);

    public static GrantScope Team => new(ScopeKind.Team);

    public static GrantScope QuickSupport => new(ScopeKind.QuickSupport);

    public static GrantScope Of(DeviceId device) => new(ScopeKind.Device, device.Value);

    public static GrantScope Of(DeviceGroupId group) => new(ScopeKind.DeviceGroup, group.Value);
}

public enum AccountRule : byte
{
    /// <summary>The device's default account only.</summary>
    Default = 1,

    /// <summary>The accounts in <see cref="GrantAccounts.Names"/>.</summary>
    Named = 2,
    Any = 3,
}

/// <param name="Names">Sorted, distinct; empty unless the rule is <see cref="AccountRule.Named"/>. Comma-separated account names.</param>
public readonly record struct GrantAccounts(AccountRule Rule, string Names = "")
{
    public static GrantAccounts Default => new(AccountRule.Default);

    public static GrantAccounts Any => new(AccountRule.Any);
}

/// <summary>When a grant is in force: from–to instants (half open, either end may be missing), and weekly hours if there are any.</summary>
/// <param name="Hours">Weekly hours in a named time zone in the form of <see cref="WeeklyHours"/>; empty: always.</param>
public sealed record GrantWindow(DateTimeOffset? From, DateTimeOffset? To, string Hours = "")
{
    public static GrantWindow Always { get; } = new(null, null);
}

public sealed record GrantRow(GrantId Id, GrantSubject Subject, GrantScope Scope, RoleId Role, GrantAccounts Accounts, GrantWindow Window) : PolicyRow
{
    public override RowKey Key => new(PolicyTable.Grant, Id.Value);
}

/// <summary>Settings of the device side, and from 9 on those that only the organization has; numbers are stored.</summary>
public enum SettingKind : byte
{
    RemoteControlApproval = 1,
    ManagerialApproval = 2,
    Recording = 3,
    MaxSession = 4,
    IdleTimeout = 5,
    EndWarning = 6,
    SessionHours = 7,
    Notifications = 8,
    AutoApproveWhenRequesterIsApprover = 9,
    ApprovalStatusChangeToExpire = 10,
    ApprovalValidFor = 11,
    ApprovalReasonRequired = 12,
    RecordingRetention = 13,
    ApprovalReasonPattern = 14,
    ApprovalReasonWords = 15,
    AccessRequestRoles = 16,
    AccessRequestLongest = 17,
    TwoFactorRequired = 18,
    AllowedNetworks = 19,
    PasswordStrength = 20,
    PasswordAge = 21,
    SignInLifetime = 22,
    SignInIdle = 23,
    HostKeyTrust = 24,
    TrustedHostAuthorities = 25,
}

public enum SettingNodeKind : byte
{
    Organization = 1,
    DeviceGroup = 2,
    Device = 3,
}

/// <param name="Id">Empty for the organization.</param>
public readonly record struct SettingNode(SettingNodeKind Kind, Guid Id = default)
{
    public static SettingNode Organization => new(SettingNodeKind.Organization);

    public static SettingNode Of(DeviceGroupId group) => new(SettingNodeKind.DeviceGroup, group.Value);

    public static SettingNode Of(DeviceId device) => new(SettingNodeKind.Device, device.Value);
}

/// <summary>An override of one setting at one node, or the organization's own value; no row means <em>inherited</em>.</summary>
/// <param name="Value">The value in the canonical form of its kind: see <see cref="Settings"/>.</param>
/// <param name="Touched">The policy version of the last change to this setting at this node; a forced removal that is undone compares it.</param>
public sealed record SettingRow(SettingNode Node, SettingKind Setting, string Value, long Touched) : PolicyRow
{
    public override RowKey Key => new(PolicyTable.Setting, Node.Id, default, $"{Node.Kind}/{Setting}");
}
