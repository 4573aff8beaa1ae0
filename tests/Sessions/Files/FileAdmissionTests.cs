using Countersign.Access;
using Countersign.Sessions.Files;

namespace Countersign.Sessions.Tests.Files;

/// <summary>A session of files begins with any of the file permissions, is held to what there is of them, and ends with the last.</summary>
public sealed class FileAdmissionTests : IAsyncDisposable
{
    private readonly World _world = new();

    [Theory]
    [InlineData(Permission.FileManager)]
    [InlineData(Permission.SendFiles)]
    [InlineData(Permission.ReceiveFiles)]
    public async Task One_of_them_is_enough_and_gives_no_other(Permission only)
    {
        Hold(only);
        await using var session = (await AskAsync()).ShouldBeOfType<AdmissionResult.Admitted>().Session;
        session.Permissions.ShouldBe(PermissionSet.Of(only));
    }

    [Fact]
    public async Task Without_any_of_them_it_does_not_begin()
    {
        Hold(Permission.Terminal, Permission.ManageFiles);
        (await AskAsync()).ShouldBeOfType<AdmissionResult.Refused>().Message.ShouldBe(
            "you may use none of File manager, Send files, Receive files, Manage files on web01");
    }

    [Fact]
    public async Task What_is_lost_is_gone_at_once_what_is_gained_is_there_at_once_and_the_last_one_ends_it()
    {
        Hold(Permission.FileManager, Permission.SendFiles, Permission.ManageFiles);
        var session = (await AskAsync()).ShouldBeOfType<AdmissionResult.Admitted>().Session;
        Hold(Permission.SendFiles, Permission.ReceiveFiles, Permission.ManageFiles);
        session.Permissions.ShouldBe(PermissionSet.Of(Permission.SendFiles, Permission.ReceiveFiles));
        Hold(Permission.FileManager, Permission.SendFiles);
        session.Permissions.ShouldBe(PermissionSet.Of(Permission.FileManager, Permission.SendFiles));
        session.Ending.IsCancellationRequested.ShouldBeFalse();
        Hold(Permission.Terminal);
        session.End!.Value.Reason.ShouldBe(EndReason.PermissionRevoked);
        await session.DisposeAsync();
        using var journal = _world.Journals.Open(_world.Snapshot.Organization, session.Opening.Id)!;
        var lines = new List<string>();
        while (await journal.Reader.ReadAsync(TestContext.Current.CancellationToken) is { Count: > 0 } read)
            lines.AddRange(read.Select(line => System.Text.Encoding.UTF8.GetString(line.Span)));
        lines.Count(line => line.Contains("\"event\":\"rights\"", StringComparison.Ordinal)).ShouldBe(2);
    }

    [Fact]
    public async Task Windows_that_close_one_after_the_other_take_their_permission_and_the_last_ends_it()
    {
        Hold(Permission.SendFiles);
        var role = new RoleRow(new(Guid.NewGuid()), "Receiving", RolePurpose.DevicesAndGroups, PermissionSet.Of(Permission.ReceiveFiles));
        _world.Change(new(null, role), new(null, _world.TinasGrant with { Id = new(Guid.NewGuid()), Role = role.Id, Window = new(null, World.Start.AddMinutes(5)) }));
        _world.Change(new RowChange(_world.TinasGrant, _world.TinasGrant with { Window = new(null, World.Start.AddMinutes(10)) }));
        await using var session = (await AskAsync()).ShouldBeOfType<AdmissionResult.Admitted>().Session;
        session.Permissions.Count.ShouldBe(2);
        session.Deadline!.Value.At.ShouldBe(World.Start.AddMinutes(10));
        _world.Time.Advance(TimeSpan.FromMinutes(5));
        session.Permissions.ShouldBe(PermissionSet.Of(Permission.SendFiles));
        session.Ending.IsCancellationRequested.ShouldBeFalse();
        _world.Time.Advance(TimeSpan.FromMinutes(5));
        session.End!.Value.Reason.ShouldBe(EndReason.WindowOver);
    }

    [Fact]
    public async Task Approval_is_asked_for_what_is_held_and_gives_what_was_approved()
    {
        Hold(Permission.FileManager, Permission.SendFiles);
        _world.Set(SettingKind.ManagerialApproval, "required");
        (await AskAsync()).ShouldBeOfType<AdmissionResult.Refused>().Decision.ShouldBe(DecisionKind.NeedsApproval);
        _world.Approved.Add(new(
            1, World.Tina, World.Web, "root", PermissionSet.Of(Permission.SendFiles), null, World.Start, World.Start.AddHours(1), [new(ApprovalStepKind.Organization, Guid.Empty)]));
        await using var session = (await AskAsync()).ShouldBeOfType<AdmissionResult.Admitted>().Session;
        session.Permissions.ShouldBe(PermissionSet.Of(Permission.SendFiles));

        // A session that runs is not asked for approvals any more: it may do no more than it was let in for all the same.
        Hold(Permission.FileManager, Permission.SendFiles, Permission.ReceiveFiles);
        session.Permissions.ShouldBe(PermissionSet.Of(Permission.SendFiles));
    }

    [Fact]
    public async Task What_is_gained_comes_and_goes_with_its_window()
    {
        Hold(Permission.SendFiles);
        await using var session = (await AskAsync()).ShouldBeOfType<AdmissionResult.Admitted>().Session;
        var role = new RoleRow(new(Guid.NewGuid()), "Receiving", RolePurpose.DevicesAndGroups, PermissionSet.Of(Permission.ReceiveFiles));
        var window = new GrantWindow(World.Start.AddMinutes(5), World.Start.AddMinutes(10));
        _world.Change(new(null, role), new(null, _world.TinasGrant with { Id = new(Guid.NewGuid()), Role = role.Id, Window = window }));
        session.Permissions.ShouldBe(PermissionSet.Of(Permission.SendFiles));
        _world.Time.Advance(TimeSpan.FromMinutes(5));
        session.Permissions.ShouldBe(PermissionSet.Of(Permission.SendFiles, Permission.ReceiveFiles));
        _world.Time.Advance(TimeSpan.FromMinutes(5));
        session.Permissions.ShouldBe(PermissionSet.Of(Permission.SendFiles));
        session.Ending.IsCancellationRequested.ShouldBeFalse();
    }

    [Fact]
    public async Task What_was_approved_ahead_adds_to_what_is_held_and_goes_with_its_time()
    {
        Hold(Permission.SendFiles);
        _world.Preapproved.Add(new(
            7, World.Tina, [World.Web], "root", PermissionSet.Of(Permission.ReceiveFiles), World.Start, new RequestTime.Fixed(World.Start, World.Start.AddMinutes(10)), []));
        await using var session = (await AskAsync()).ShouldBeOfType<AdmissionResult.Admitted>().Session;
        session.Permissions.ShouldBe(PermissionSet.Of(Permission.SendFiles, Permission.ReceiveFiles));
        _world.Time.Advance(TimeSpan.FromMinutes(10));
        session.Permissions.ShouldBe(PermissionSet.Of(Permission.SendFiles));
        session.Ending.IsCancellationRequested.ShouldBeFalse();
    }

    [Fact]
    public async Task A_window_that_stands_for_an_approval_ends_its_own_permission_though_another_s_goes_on()
    {
        Hold(Permission.SendFiles, Permission.ReceiveFiles);
        _world.Set(SettingKind.ManagerialApproval, "required");
        Approve(7, Permission.SendFiles, 5);
        Approve(8, Permission.ReceiveFiles, 10);
        await using var session = (await AskAsync()).ShouldBeOfType<AdmissionResult.Admitted>().Session;
        session.Permissions.ShouldBe(PermissionSet.Of(Permission.SendFiles, Permission.ReceiveFiles));
        session.Deadline!.Value.At.ShouldBe(World.Start.AddMinutes(10));
        _world.Time.Advance(TimeSpan.FromMinutes(5));
        session.Permissions.ShouldBe(PermissionSet.Of(Permission.ReceiveFiles));

        // Nothing but a window that is open brings it back, as it would let in a connection that begins.
        _world.Set(SettingKind.Recording, "off");
        session.Permissions.ShouldBe(PermissionSet.Of(Permission.ReceiveFiles));
        _world.Sessions.Extend(session.Opening.Organization, Approve(9, Permission.SendFiles, 20), "more");
        session.Permissions.ShouldBe(PermissionSet.Of(Permission.SendFiles, Permission.ReceiveFiles));
        session.Deadline!.Value.At.ShouldBe(World.Start.AddMinutes(20));
        _world.Time.Advance(TimeSpan.FromMinutes(5));
        session.Permissions.ShouldBe(PermissionSet.Of(Permission.SendFiles));
        _world.Time.Advance(TimeSpan.FromMinutes(10));
        session.End!.Value.Reason.ShouldBe(EndReason.WindowOver);
    }

    /// <summary>A mode beyond 777 shows only as the file comes; who may manage files may set it.</summary>
    [Theory]
    [InlineData("scp -t x", true)]
    [InlineData("scp -r -t x", true)]
    [InlineData("scp -f x", false)]
    public async Task Who_holds_Manage_files_has_it_in_a_session_that_sends_by_scp(string command, bool has)
    {
        FileCommand.TryParse(command, out var parsed).ShouldBeTrue();
        Hold(Permission.FileManager, Permission.SendFiles, Permission.ReceiveFiles, Permission.ManageFiles);
        await using var session = (await AskAsync(parsed)).ShouldBeOfType<AdmissionResult.Admitted>().Session;
        session.Permissions.Contains(Permission.ManageFiles).ShouldBe(has);
        if (command != "scp -t x") return;
        Hold(Permission.SendFiles);
        session.Permissions.ShouldBe(PermissionSet.Of(Permission.SendFiles));
        session.End.ShouldBeNull();
        Hold(Permission.ReceiveFiles);
        session.End!.Value.Reason.ShouldBe(EndReason.PermissionRevoked);
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private PreapprovedRequest Approve(long number, Permission permission, int minutes)
    {
        var request = new PreapprovedRequest(
            number, World.Tina, [World.Web], "root", PermissionSet.Of(permission), World.Start, new RequestTime.Fixed(World.Start, World.Start.AddMinutes(minutes)), []);
        _world.Preapproved.Add(request);
        return request;
    }

    private ValueTask<AdmissionResult> AskAsync(FileCommand command) => _world.Admission.AskAsync(
        new(_world.Snapshot.Organization, World.Tina, "tina", SignInStrength.OneFactor, null, "web01", null, SessionKind.Files, command.Command) { FileCommand = command },
        TestContext.Current.CancellationToken);

    private ValueTask<AdmissionResult> AskAsync() => _world.AskAsync(World.Tina, "web01", kind: SessionKind.Files);

    private void Hold(params ReadOnlySpan<Permission> permissions)
    {
        var role = _world.Snapshot.All<RoleRow>().Single(row => row.Name == "Shell");
        _world.Change(new RowChange(role, role with { Permissions = PermissionSet.Of(permissions) }));
    }
}
