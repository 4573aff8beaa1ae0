using System.Collections.Frozen;
using static Countersign.Access.Permission;

namespace Countersign.Access;

/// <summary>The roles that are built in: the same ids on every server, granted like others, never changed or deleted, never rows.</summary>
public static class SystemRoles
{
    public static RoleRow FullDeviceAccess { get; } = Role(
        1,
        "Full device access",
        RolePurpose.DevicesAndGroups,
        PermissionCatalogue.AllowedFor(RolePurpose.DevicesAndGroups) - PermissionSet.Of(SkipConsent, AcceptAccessRequests, ManageSecurity));

    public static RoleRow OnlyDeviceConnection { get; } = Role(
        2,
        "Only device connection",
        RolePurpose.DevicesAndGroups,
        PermissionSet.Of(
            ScreenView,
            ScreenControl,
            FileManager,
            SendFiles,
            ReceiveFiles,
            ManageFiles,
            Terminal,
            WebAccess,
            UnattendedAccess,
            Chat,
            SyncClipboard));

    public static RoleRow RequestsAccess { get; } = Role(3, "Request access", RolePurpose.DevicesAndGroups, PermissionSet.Of(RequestAccess));

    public static RoleRow AcceptsAccessRequests { get; } =
        Role(4, "Accept access requests", RolePurpose.DevicesAndGroups, PermissionSet.Of(AcceptAccessRequests));

    public static RoleRow EveryInvitation { get; } = Role(5, "All invitations", RolePurpose.Invitations, InvitationsWith(AllInvitations));

    public static RoleRow OnlyOwnInvitations { get; } = Role(6, "Own invitations", RolePurpose.Invitations, InvitationsWith(OwnInvitations));

    public static RoleRow TeamAdministrator { get; } = Role(7, "Team administrator", RolePurpose.Administration, PermissionSet.Of(ManageTechnicians));

    public static RoleRow BrandingAdministrator { get; } =
        Role(8, "Branding administrator", RolePurpose.Administration, PermissionSet.Of(ManageBranding));

    public static RoleRow BillingAdministrator { get; } =
        Role(9, "Billing administrator", RolePurpose.Administration, PermissionSet.Of(ManageBilling));

    public static RoleRow Auditor { get; } = Role(10, "Auditor", RolePurpose.Administration, PermissionSet.Of(AuditLog));

    public static RoleRow DevicesList { get; } = Role(11, "Devices list", RolePurpose.Administration, PermissionSet.Of(PermanentAccess));

    /// <summary>In the order of the role manager.</summary>
    public static IReadOnlyList<RoleRow> All { get; } =
    [
        FullDeviceAccess,
        OnlyDeviceConnection,
        RequestsAccess,
        AcceptsAccessRequests,
        EveryInvitation,
        OnlyOwnInvitations,
        TeamAdministrator,
        BrandingAdministrator,
        BillingAdministrator,
        Auditor,
        DevicesList,
    ];

    private static readonly FrozenDictionary<RoleId, RoleRow> ById = All.ToFrozenDictionary(role => role.Id);

    public static bool IsSystem(RoleId id) => ById.ContainsKey(id);

    /// <summary>Null: no system role has that id.</summary>
    public static RoleRow? Find(RoleId id) => ById.GetValueOrDefault(id);

    private static PermissionSet InvitationsWith(Permission access) =>
        (PermissionCatalogue.AllowedFor(RolePurpose.Invitations) - PermissionSet.Of(AllInvitations, OwnInvitations, DeleteRecordings)).With(access);

    private static RoleRow Role(byte number, string name, RolePurpose purpose, PermissionSet permissions) =>
        new(new(new Guid(0x5c0117e5, 0x0001, 0x4000, 0x80, 0, 0, 0, 0, 0, 0, number)), name, purpose, permissions);
}
