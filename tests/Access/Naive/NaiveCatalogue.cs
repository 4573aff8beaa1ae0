namespace Countersign.Access.Tests.Naive;

/// <summary>The table of permissions, typed once more from the specification.</summary>
internal static class NaiveCatalogue
{
    /// <summary>Name, where it may appear and whether groups restrict it (D, I, A, G), the kind of session that it makes, what it needs.</summary>
    private const string Table = """
        = Actions
        ScreenView D I G screen
        ScreenControl D I G screen needs ScreenView
        FileManager D I G files
        SendFiles D I G files
        ReceiveFiles D I G files
        ManageFiles D I G files needs FileManager
        Terminal D I G terminal
        WebAccess D G web
        Tunnel D G web
        WakeUp D G
        Reboot D I G actions
        LockUnlock D G actions
        UnattendedAccess D I G
        ConnectOnLan D G
        DeployScripts D I G actions
        RunEmbeddedScripts D I G actions
        = Session options
        Chat D I G
        ChatToggle D I G
        Calls D I G
        SyncClipboard D I G
        BlackScreen D G actions
        SendUrls D I G
        ViewSystemInformation D I G
        RecordSessions D I G
        ScreenCapture D I G
        ShareOwnScreen D I G
        RequestCredentials D I G
        TransferSessions D I G
        HoldSessions D I G
        Collaborate D I G
        InviteExternal D I G
        ConfigureMobile D I G
        Click2Fix D I G
        ClassicMobileDisplay D I G
        SkipConsent D G
        = Invitations
        OwnInvitations I
        AllInvitations I
        StartPrivateSessions I G
        DeployCallingCard I G
        EditQueueFields I G
        InstallationRequest I G
        CameraStreaming I G
        = Other options
        ScreenPreview D I
        ConnectionHistory D
        PlayRecordings D I
        DeleteRecordings D I
        SoftwareInventory D
        ModifyNotifications D
        ModifyDevice D
        DeleteDevice D
        ManageSecurity D
        WatchSessions D
        TerminateSessions D
        RequestAccess D
        AcceptAccessRequests D
        = Administrator functions
        AuditLog A
        ManageTechnicians A
        ManageBranding A
        ManageBilling A
        = Other
        PermanentAccess A
        """;

    public static IReadOnlyList<NaivePermission> All { get; } = [.. Read()];

    private static readonly Dictionary<Permission, NaivePermission> ByPermission = All.ToDictionary(entry => entry.Permission);

    public static NaivePermission Get(Permission permission) => ByPermission[permission];

    public static bool IsRestrictable(Permission permission) => Get(permission).Marks.Contains('G', StringComparison.Ordinal);

    /// <summary>Session hours, approvals and consent bind connections; what stands under <em>Other options</em> is none.</summary>
    public static bool IsConnection(PermissionSet wanted) => wanted.Any(permission => Get(permission).Heading != "Other options");

    /// <summary>What is of the device, whatever the account.</summary>
    public static PermissionSet OfNoConnection(PermissionSet set) => PermissionSet.Of([.. set.Where(permission => Get(permission).Heading == "Other options")]);

    public static PermissionSet For(char mark) =>
        PermissionSet.Of([.. All.Where(entry => entry.Marks.Contains(mark, StringComparison.Ordinal)).Select(entry => entry.Permission)]);

    /// <summary>A permission whose prerequisite is missing or denied falls with it, checked once on the final set.</summary>
    public static PermissionSet WithoutUnmet(PermissionSet set) =>
        PermissionSet.Of([.. set.Where(permission => Get(permission).Needs is not { } needed || set.Contains(needed))]);

    /// <summary>With what its members need.</summary>
    public static PermissionSet WithNeeded(PermissionSet set) =>
        PermissionSet.Of([.. set.SelectMany(permission => Get(permission).Needs is { } needed ? [permission, needed] : new[] { permission })]);

    private static IEnumerable<NaivePermission> Read()
    {
        var heading = "";
        foreach (var line in Table.Split('\n', StringSplitOptions.TrimEntries))
        {
            var words = line.Split(' ');
            if (words[0] == "=")
            {
                heading = line[2..];
                continue;
            }

            var marks = string.Concat(words.Skip(1).TakeWhile(word => word.Length == 1));
            var rest = words.Skip(1 + marks.Length).ToList();
            yield return new(
                Enum.Parse<Permission>(words[0]),
                heading,
                marks,
                rest.Count > 0 ? Enum.Parse<ConsentKind>(rest[0], ignoreCase: true) : ConsentKind.None,
                rest is [_, "needs", var needed] ? Enum.Parse<Permission>(needed) : null);
        }
    }
}

internal sealed record NaivePermission(Permission Permission, string Heading, string Marks, ConsentKind Kind, Permission? Needs);
