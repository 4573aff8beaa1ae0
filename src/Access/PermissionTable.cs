using static Countersign.Access.ConsentKind;
using static Countersign.Access.Permission;

namespace Countersign.Access;

/// <summary>
/// The table behind <see cref="PermissionCatalogue"/>, written as the model writes it: D, I, A for the purposes, G for what a group can restrict.
/// </summary>
internal static class PermissionTable
{
    public static PermissionEntry[] Build() =>
    [
        .. Under(
            PermissionHeading.Actions,
            (ScreenView, "Screen view", "DIG", Screen),
            (ScreenControl, "Screen control", "DIG", Screen),
            (FileManager, "File manager", "DIG", Files),
            (SendFiles, "Send files", "DIG", Files),
            (ReceiveFiles, "Receive files", "DIG", Files),
            (ManageFiles, "Manage files", "DIG", Files),
            (Permission.Terminal, "Terminal Mode", "DIG", ConsentKind.Terminal),
            (WebAccess, "Web access", "DG", Web),
            (Tunnel, "Port forwarding", "DG", Web),
            (WakeUp, "Wake up", "DG", None),
            (Reboot, "Reboot", "DIG", Actions),
            (LockUnlock, "Lock and unlock", "DG", Actions),
            (UnattendedAccess, "Unattended access", "DIG", None),
            (ConnectOnLan, "Connect on LAN", "DG", None),
            (DeployScripts, "Deploy scripts", "DIG", Actions),
            (RunEmbeddedScripts, "Run embedded scripts", "DIG", Actions)),
        .. Under(
            PermissionHeading.SessionOptions,
            (Chat, "Chat", "DIG", None),
            (ChatToggle, "Chat toggle", "DIG", None),
            (Calls, "Calls", "DIG", None),
            (SyncClipboard, "Synchronize clipboard", "DIG", None),
            (BlackScreen, "Black Screen and Input Lock", "DG", Actions),
            (SendUrls, "Send URLs", "DIG", None),
            (ViewSystemInformation, "View system information", "DIG", None),
            (RecordSessions, "Record sessions", "DIG", None),
            (ScreenCapture, "Screen capture", "DIG", None),
            (ShareOwnScreen, "Share own screen", "DIG", None),
            (RequestCredentials, "Request credentials", "DIG", None),
            (TransferSessions, "Transfer sessions", "DIG", None),
            (HoldSessions, "Hold sessions", "DIG", None),
            (Collaborate, "Collaborate", "DIG", None),
            (InviteExternal, "Invite external technicians", "DIG", None),
            (ConfigureMobile, "Configure mobile devices", "DIG", None),
            (Click2Fix, "Click2Fix", "DIG", None),
            (ClassicMobileDisplay, "Classic mobile display", "DIG", None),
            (SkipConsent, "Skip consent", "DG", None)),
        .. Under(
            PermissionHeading.AccessToInvitations,
            (OwnInvitations, "Own invitations", "I", None),
            (AllInvitations, "All invitations", "I", None)),
        .. Under(
            PermissionHeading.Invitations,
            (StartPrivateSessions, "Start private sessions", "IG", None),
            (DeployCallingCard, "Deploy calling card", "IG", None),
            (EditQueueFields, "Edit queue fields", "IG", None),
            (InstallationRequest, "Installation request", "IG", None),
            (CameraStreaming, "Lens", "IG", None)),
        .. Under(
            PermissionHeading.OtherOptions,
            (ScreenPreview, "Screen preview", "DI", None),
            (ConnectionHistory, "Connection history", "D", None),
            (PlayRecordings, "Play recordings", "DI", None),
            (DeleteRecordings, "Video Recording Delete", "DI", None),
            (SoftwareInventory, "Software inventory", "D", None),
            (ModifyNotifications, "Modify notifications", "D", None),
            (ModifyDevice, "Modify device", "D", None),
            (DeleteDevice, "Delete device", "D", None),
            (ManageSecurity, "Manage security", "D", None),
            (WatchSessions, "Watch sessions", "D", None),
            (TerminateSessions, "Terminate sessions", "D", None),
            (RequestAccess, "Request access", "D", None),
            (AcceptAccessRequests, "Accept access requests", "D", None)),
        .. Under(
            PermissionHeading.AdministratorFunctions,
            (AuditLog, "Audit log", "A", None),
            (ManageTechnicians, "Technicians and Team Settings", "A", None),
            (ManageBranding, "Branding", "A", None),
            (ManageBilling, "Billing", "A", None)),
        .. Under(
            PermissionHeading.Other,
            (PermanentAccess, "Permanent access", "A", None)),
    ];

    private static IEnumerable<PermissionEntry> Under(
        PermissionHeading heading,
        params (Permission Permission, string Label, string Marks, ConsentKind Consent)[] lines) =>
        lines.Select(line => new PermissionEntry(
            line.Permission,
            line.Label,
            heading,
            [.. Purposes(line.Marks)],
            line.Marks.Contains('G', StringComparison.Ordinal),
            Prerequisites(line.Permission),
            line.Consent));

    private static IEnumerable<RolePurpose> Purposes(string marks)
    {
        if (marks.Contains('D', StringComparison.Ordinal)) yield return RolePurpose.DevicesAndGroups;
        if (marks.Contains('I', StringComparison.Ordinal)) yield return RolePurpose.Invitations;
        if (marks.Contains('A', StringComparison.Ordinal)) yield return RolePurpose.Administration;
    }

    private static PermissionSet Prerequisites(Permission permission) => permission switch
    {
        ScreenControl => PermissionSet.Of(ScreenView),
        ManageFiles => PermissionSet.Of(FileManager),
        _ => PermissionSet.None,
    };
}
