namespace Countersign.Access.Tests;

public class PermissionCatalogueTests
{
    [Fact]
    public void Every_permission_has_exactly_one_entry() =>
        PermissionCatalogue.Entries.Select(entry => entry.Permission).Order().ShouldBe(Enum.GetValues<Permission>());

    [Fact]
    public void Permissions_fit_one_machine_word() => Enum.GetValues<Permission>().ShouldAllBe(permission => (int)permission < 64);

    [Fact]
    public void Every_entry_has_a_label_of_its_own_and_a_purpose()
    {
        PermissionCatalogue.Entries.ShouldAllBe(entry => entry.Label.Length > 0 && entry.Purposes.Count > 0);
        PermissionCatalogue.Entries.Select(entry => entry.Label).ShouldBeUnique();
    }

    [Fact]
    public void Prerequisites_have_none_themselves_so_that_one_check_on_the_final_set_is_enough()
    {
        foreach (var needed in PermissionCatalogue.Entries.SelectMany(entry => entry.Prerequisites))
        {
            PermissionCatalogue.Get(needed).Prerequisites.IsEmpty.ShouldBeTrue(needed.ToString());
        }
    }

    [Fact]
    public void A_prerequisite_may_appear_wherever_what_needs_it_may()
    {
        foreach (var entry in PermissionCatalogue.Entries)
        {
            foreach (var needed in entry.Prerequisites) entry.Purposes.ShouldBeSubsetOf(PermissionCatalogue.Get(needed).Purposes);
        }
    }

    [Fact]
    public void A_permission_falls_with_its_prerequisite()
    {
        PermissionCatalogue.WithoutUnmet(PermissionSet.Of(Permission.ScreenControl, Permission.Chat)).ShouldBe(PermissionSet.Of(Permission.Chat));
        PermissionCatalogue.WithoutUnmet(PermissionSet.Of(Permission.ManageFiles, Permission.SendFiles)).ShouldBe(PermissionSet.Of(Permission.SendFiles));
        var met = PermissionSet.Of(Permission.ScreenControl, Permission.ScreenView, Permission.ManageFiles, Permission.FileManager);
        PermissionCatalogue.WithoutUnmet(met).ShouldBe(met);
    }

    [Theory]
    [InlineData(ConsentKind.Screen, "ScreenView, ScreenControl")]
    [InlineData(ConsentKind.Terminal, "Terminal")]
    [InlineData(ConsentKind.Files, "FileManager, SendFiles, ReceiveFiles, ManageFiles")]
    [InlineData(ConsentKind.Web, "WebAccess, Tunnel")]
    [InlineData(ConsentKind.Actions, "Reboot, LockUnlock, DeployScripts, RunEmbeddedScripts, BlackScreen")]
    public void Kinds_of_session_are_those_of_the_model(ConsentKind kind, string permissions) => PermissionCatalogue.Of(kind).ToString().ShouldBe(permissions);

    [Fact]
    public void What_groups_can_restrict_is_actions_session_options_and_the_deeds_of_invitations()
    {
        foreach (var entry in PermissionCatalogue.Entries)
        {
            var expected = entry.Heading is PermissionHeading.Actions or PermissionHeading.SessionOptions or PermissionHeading.Invitations;
            entry.Restrictable.ShouldBe(expected, entry.Permission.ToString());
        }
    }

    /// <summary>As the model's table has them: name, purpose, what they hold.</summary>
    [Theory]
    [InlineData(
        "Full device access", RolePurpose.DevicesAndGroups,
        "ScreenView ScreenControl FileManager SendFiles ReceiveFiles ManageFiles Terminal WebAccess Tunnel WakeUp Reboot LockUnlock UnattendedAccess ConnectOnLan DeployScripts RunEmbeddedScripts "
        + "Chat ChatToggle Calls SyncClipboard BlackScreen SendUrls ViewSystemInformation RecordSessions ScreenCapture ShareOwnScreen RequestCredentials TransferSessions HoldSessions Collaborate "
        + "InviteExternal ConfigureMobile Click2Fix ClassicMobileDisplay "
        + "ScreenPreview ConnectionHistory PlayRecordings DeleteRecordings SoftwareInventory ModifyNotifications ModifyDevice DeleteDevice WatchSessions TerminateSessions RequestAccess")]
    [InlineData(
        "Only device connection", RolePurpose.DevicesAndGroups,
        "ScreenView ScreenControl FileManager SendFiles ReceiveFiles ManageFiles Terminal WebAccess UnattendedAccess Chat SyncClipboard")]
    [InlineData("Request access", RolePurpose.DevicesAndGroups, "RequestAccess")]
    [InlineData("Accept access requests", RolePurpose.DevicesAndGroups, "AcceptAccessRequests")]
    [InlineData("All invitations", RolePurpose.Invitations, "AllInvitations " + OfInvitations)]
    [InlineData("Own invitations", RolePurpose.Invitations, "OwnInvitations " + OfInvitations)]
    [InlineData("Team administrator", RolePurpose.Administration, "ManageTechnicians")]
    [InlineData("Branding administrator", RolePurpose.Administration, "ManageBranding")]
    [InlineData("Billing administrator", RolePurpose.Administration, "ManageBilling")]
    [InlineData("Auditor", RolePurpose.Administration, "AuditLog")]
    [InlineData("Devices list", RolePurpose.Administration, "PermanentAccess")]
    public void System_roles_are_those_of_the_model(string name, RolePurpose purpose, string permissions)
    {
        var role = SystemRoles.All.Single(role => role.Name == name);
        role.Purpose.ShouldBe(purpose);
        role.Permissions.Select(permission => permission.ToString()).ShouldBe(permissions.Split(' '), ignoreOrder: true);
    }

    private const string OfInvitations =
        "ScreenView ScreenControl FileManager SendFiles ReceiveFiles ManageFiles Terminal Reboot UnattendedAccess DeployScripts RunEmbeddedScripts "
        + "Chat ChatToggle Calls SyncClipboard SendUrls ViewSystemInformation RecordSessions ScreenCapture ShareOwnScreen RequestCredentials TransferSessions HoldSessions Collaborate "
        + "InviteExternal ConfigureMobile Click2Fix ClassicMobileDisplay "
        + "StartPrivateSessions DeployCallingCard EditQueueFields InstallationRequest CameraStreaming ScreenPreview PlayRecordings";

    [Fact]
    public void There_are_no_other_system_roles() => SystemRoles.All.Count.ShouldBe(11);

    /// <summary>The wide form, the strict one, and which of them is the default.</summary>
    [Theory]
    [InlineData(Permission.Chat, "on", "off", "on")]
    [InlineData(Permission.RecordSessions, "allowed", "consent", "allowed")]
    [InlineData(Permission.TransferSessions, "any", "named:", "any")]
    [InlineData(Permission.Collaborate, "any", "named:", "any")]
    [InlineData(Permission.InviteExternal, "anyone", "approved", "approved")]
    public void Options_are_those_of_the_model(Permission permission, string wide, string strict, string standard)
    {
        PermissionOption.Widest(permission).Text.ShouldBe(wide);
        PermissionOption.Strictest(permission).Text.ShouldBe(strict);
        PermissionOption.TryParse(permission, "", out var option, out _).ShouldBeTrue();
        option!.Text.ShouldBe(standard);
    }

    [Fact]
    public void No_other_permission_has_an_option() => PermissionOption.Having.Order().ShouldBe(
        [Permission.Chat, Permission.RecordSessions, Permission.TransferSessions, Permission.Collaborate, Permission.InviteExternal], ignoreOrder: true);

    [Theory]
    [InlineData(PermissionHeading.Actions, 16)]
    [InlineData(PermissionHeading.SessionOptions, 19)]
    [InlineData(PermissionHeading.AccessToInvitations, 2)]
    [InlineData(PermissionHeading.Invitations, 5)]
    [InlineData(PermissionHeading.OtherOptions, 13)]
    [InlineData(PermissionHeading.AdministratorFunctions, 4)]
    [InlineData(PermissionHeading.Other, 1)]
    public void Headings_are_those_of_the_role_manager(PermissionHeading heading, int permissions) =>
        PermissionCatalogue.Entries.Count(entry => entry.Heading == heading).ShouldBe(permissions);

    [Fact]
    public void System_roles_hold_only_what_fits_their_purpose()
    {
        SystemRoles.All.ShouldAllBe(role => PermissionCatalogue.AllowedFor(role.Purpose).Covers(role.Permissions) && !role.Permissions.IsEmpty);
        SystemRoles.All.Select(role => role.Id).ShouldBeUnique();
        SystemRoles.All.Select(role => role.Name).ShouldBeUnique();
    }

    [Fact]
    public void System_roles_have_the_same_ids_on_every_server() =>
        SystemRoles.OnlyDeviceConnection.Id.Value.ShouldBe(Guid.Parse("5c0117e5-0001-4000-8000-000000000002"));

    [Fact]
    public void Full_device_access_spares_nobody_the_asking_and_approves_nothing()
    {
        var full = SystemRoles.FullDeviceAccess.Permissions;
        full.Contains(Permission.SkipConsent).ShouldBeFalse();
        full.Contains(Permission.AcceptAccessRequests).ShouldBeFalse();
        full.Contains(Permission.ManageSecurity).ShouldBeFalse();
        full.Count.ShouldBe(PermissionCatalogue.AllowedFor(RolePurpose.DevicesAndGroups).Count - 3);
    }
}
