namespace Countersign.Access;

/// <summary>A wish to change policy. Ids of what is to be made are chosen by the caller, so that planning is pure.</summary>
public abstract record PolicyCommand
{
    private PolicyCommand()
    {
    }

    public sealed record AddPerson(PersonId Id, PersonKind Kind, string Login, string Name, string Mail, PersonState State) : PolicyCommand;

    public sealed record EditPerson(PersonId Id, string Name, string Mail) : PolicyCommand;

    /// <summary>What a technician or the owner says of themselves: nothing that anything is decided by.</summary>
    public sealed record EditOwnProfile(string Name) : PolicyCommand;

    /// <summary>Active or disabled; the owner's never changes.</summary>
    public sealed record SetPersonStatus(PersonId Id, PersonStatus Status) : PolicyCommand;

    /// <summary>Whoever was invited takes their place, for themselves only: the login is theirs to choose.</summary>
    public sealed record ActivatePerson(PersonId Id, string Login, string Name) : PolicyCommand;

    /// <summary>The owner makes a technician who takes part the owner, and is a technician from then on.</summary>
    public sealed record HandOver(PersonId To) : PolicyCommand;

    public sealed record DeletePerson(PersonId Id) : PolicyCommand;

    public sealed record AddTechnicianGroup(
        TechnicianGroupId Id,
        TechnicianGroupId Parent,
        string Name,
        string Description,
        bool Enabled,
        bool RequiresManagerialApproval,
        GroupConsent Consent,
        bool SinglePrompt,
        bool MembersApprove = false) : PolicyCommand;

    /// <param name="MembersApprove">Null: as it is.</param>
    /// <param name="Parent">Another parent moves the group with everything below it; null for Everyone, which can't be moved.</param>
    public sealed record EditTechnicianGroup(
        TechnicianGroupId Id,
        TechnicianGroupId? Parent,
        string Name,
        string Description,
        bool Enabled,
        bool RequiresManagerialApproval,
        GroupConsent Consent,
        bool SinglePrompt,
        bool? MembersApprove = null) : PolicyCommand;

    /// <summary>Refused while it has groups below it; memberships, managers, administrators, policy and grants go with it.</summary>
    public sealed record DeleteTechnicianGroup(TechnicianGroupId Id) : PolicyCommand;

    public sealed record AddMember(TechnicianGroupId Group, PersonId Person) : PolicyCommand;

    public sealed record RemoveMember(TechnicianGroupId Group, PersonId Person) : PolicyCommand;

    public sealed record AddManager(TechnicianGroupId Group, PersonId Person) : PolicyCommand;

    public sealed record RemoveManager(TechnicianGroupId Group, PersonId Person) : PolicyCommand;

    public sealed record AddAdministrator(TechnicianGroupId Group, PersonId Person) : PolicyCommand;

    public sealed record RemoveAdministrator(TechnicianGroupId Group, PersonId Person) : PolicyCommand;

    /// <param name="Value">Null: inherit (and then not locked).</param>
    /// <param name="Option">In the form of <see cref="PermissionOption"/>; null: as it is.</param>
    public sealed record SetGroupPermission(TechnicianGroupId Group, Permission Permission, PolicyValue? Value, bool Locked, string? Option = null) : PolicyCommand;

    public sealed record AddExternalGroup(ExternalGroupId Id, string Name, string Description) : PolicyCommand;

    public sealed record EditExternalGroup(ExternalGroupId Id, string Name, string Description) : PolicyCommand;

    /// <summary>Its memberships go with it, and no technician group approves it any more.</summary>
    public sealed record DeleteExternalGroup(ExternalGroupId Id) : PolicyCommand;

    public sealed record AddExternalMember(ExternalGroupId Group, PersonId Person) : PolicyCommand;

    public sealed record RemoveExternalMember(ExternalGroupId Group, PersonId Person) : PolicyCommand;

    /// <param name="Groups">All that the technician group approves; null: as the group above it.</param>
    public sealed record SetApprovedExternals(TechnicianGroupId Group, IReadOnlyList<ExternalGroupId>? Groups) : PolicyCommand;

    /// <param name="Steps">In the form of <see cref="WorkflowSteps"/>.</param>
    public sealed record AddWorkflow(
        WorkflowId Id,
        TechnicianGroupId Group,
        DeviceGroupId Devices,
        string Name,
        string Steps,
        bool CountsForLater,
        bool TakesPreapproved,
        bool InsistsWhenPreapproved) : PolicyCommand;

    /// <summary>For whom and for what it is stays.</summary>
    public sealed record EditWorkflow(WorkflowId Id, string Name, string Steps, bool CountsForLater, bool TakesPreapproved, bool InsistsWhenPreapproved) : PolicyCommand;

    public sealed record DeleteWorkflow(WorkflowId Id) : PolicyCommand;

    public sealed record AddDeviceGroup(DeviceGroupId Id, DeviceGroupId? Parent, string Name) : PolicyCommand;

    public sealed record EditDeviceGroup(DeviceGroupId Id, DeviceGroupId? Parent, string Name) : PolicyCommand;

    /// <summary>Refused while anything is in it; its grants and settings go with it.</summary>
    public sealed record DeleteDeviceGroup(DeviceGroupId Id) : PolicyCommand;

    /// <param name="Accounts">The first is the default one.</param>
    public sealed record AddDevice(
        DeviceId Id,
        DeviceGroupId Group,
        string Name,
        string Description,
        string Host,
        IReadOnlyList<string> Accounts) : PolicyCommand
    {
        /// <summary>At most one of a protocol.</summary>
        public IReadOnlyList<ServiceWish> Services { get; init; } = [];

        /// <summary>As <see cref="DeviceTags"/> has them.</summary>
        public IReadOnlyList<string> Tags { get; init; } = [];
    }

    /// <summary>What is null stays as it is. A new host and whatever changes of the services is in <see cref="RowChange"/> for the server to drop the stored secrets.</summary>
    public sealed record EditDevice(
        DeviceId Id,
        DeviceGroupId? Group = null,
        string? Name = null,
        string? Description = null,
        bool? Enabled = null,
        string? Host = null) : PolicyCommand
    {
        /// <summary>All of them.</summary>
        public IReadOnlyList<ServiceWish>? Services { get; init; }

        /// <summary>Besides those that it has, or those of <see cref="Services"/>, or in their place where they are of the same protocol.</summary>
        public IReadOnlyList<ServiceWish> PutServices { get; init; } = [];

        /// <summary>Those that it does not have are none to remove.</summary>
        public IReadOnlyList<ServiceProtocol> RemovedServices { get; init; } = [];

        /// <summary>All of them; the first is the default one.</summary>
        public IReadOnlyList<string>? Accounts { get; init; }

        /// <summary>All of them.</summary>
        public IReadOnlyList<string>? Tags { get; init; }

        /// <summary>Besides those that it has, or those of <see cref="Tags"/>.</summary>
        public IReadOnlyList<string> AddedTags { get; init; } = [];

        /// <summary>Those that it does not have are none to remove.</summary>
        public IReadOnlyList<string> RemovedTags { get; init; } = [];
    }

    /// <summary>
    /// The host key that a device without one has shown at its first connection, where the organization trusts that. No right over the device is asked for:
    /// it is no wish of the person's, whose connection only gave the occasion.
    /// </summary>
    public sealed record PinHostKey(DeviceId Device, string HostKey) : PolicyCommand;

    public sealed record DeleteDevice(DeviceId Id) : PolicyCommand;

    public sealed record AddAccount(DeviceId Device, string Name, bool MakeDefault = false) : PolicyCommand;

    public sealed record RemoveAccount(DeviceId Device, string Name) : PolicyCommand;

    public sealed record SetDefaultAccount(DeviceId Device, string Name) : PolicyCommand;

    public sealed record AddRole(RoleId Id, string Name, RolePurpose Purpose, PermissionSet Permissions) : PolicyCommand;

    public sealed record EditRole(RoleId Id, string Name, PermissionSet Permissions) : PolicyCommand;

    /// <summary>The grants made with it go with it.</summary>
    public sealed record DeleteRole(RoleId Id) : PolicyCommand;

    public sealed record AddGrant(GrantId Id, GrantSubject Subject, GrantScope Scope, RoleId Role, GrantAccounts Accounts, GrantWindow Window) : PolicyCommand;

    /// <summary>Who and on what stays; how and when changes.</summary>
    public sealed record EditGrant(GrantId Id, RoleId Role, GrantAccounts Accounts, GrantWindow Window) : PolicyCommand;

    public sealed record RemoveGrant(GrantId Id) : PolicyCommand;

    public sealed record SetSetting(SettingNode Node, SettingKind Setting, string Value) : PolicyCommand;

    /// <summary>Removes an override; the organization's own value goes back to the default.</summary>
    public sealed record ClearSetting(SettingNode Node, SettingKind Setting) : PolicyCommand;

    /// <summary>Writes at the node and removes every override of the setting below it.</summary>
    public sealed record ForceSetting(SettingNode Node, SettingKind Setting, string Value) : PolicyCommand;

    /// <summary>
    /// Commands that are one change: planned one after another, each on what those before it lead to and by the same rules as if it were alone. All of
    /// them or none; undone as one.
    /// </summary>
    /// <param name="Summary">One plain sentence, for the audit log and the list of changes.</param>
    /// <param name="Commands">At most <see cref="Most"/>, none of them several or an undo.</param>
    public sealed record Several(string Summary, IReadOnlyList<PolicyCommand> Commands) : PolicyCommand
    {
        public const int Most = 20_000;
    }

    /// <summary>A change turned round: every row as it was before it, refused where one was changed since; only of settings, those are left.</summary>
    /// <param name="Change">As it was stored.</param>
    /// <param name="TouchedSince">The rows that later changes have touched, also those that look the same again.</param>
    public sealed record Undo(PolicyDelta Change, IReadOnlySet<RowKey> TouchedSince) : PolicyCommand;
}

/// <summary>A service of a device as it is wished for. What is null stays as it is; for a new one it is the protocol's usual port, and nothing pinned.</summary>
/// <param name="HostKey">Of ssh only; empty: nothing is pinned.</param>
/// <param name="Certificate">Of rdp and https only; empty: nothing is pinned.</param>
public sealed record ServiceWish(ServiceProtocol Protocol, int? Port = null, string? HostKey = null, string? Certificate = null);
