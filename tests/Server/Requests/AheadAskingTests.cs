using System.Net;
using Countersign.Access;
using Countersign.Server.Features.Requests;

namespace Countersign.Server.Tests.Requests;

/// <summary>What may be asked for ahead, of whom, and how little may be left of it.</summary>
public sealed class AheadAskingTests : AheadLab
{
    [Fact]
    public async Task What_is_wrong_is_told_beside_its_field()
    {
        object fine = FromApproval("1h");
        var terminal = (await Tenant.Owner.PostAsync("/api/v1/roles", new { name = "Shell", purpose = "devicesAndGroups", permissions = new[] { "Terminal" } })).Expect(HttpStatusCode.Created).Id;
        var hidden = await Tenant.AddDeviceAsync("db1", await Tenant.AddGroupAsync("Databases"), "root");
        (await AskAsync(Window(-TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)))).ExpectInvalid("time.from");
        (await AskAsync(Window(TimeSpan.FromHours(2), TimeSpan.FromHours(1)))).ExpectInvalid("time.to");
        (await AskAsync(Window(TimeSpan.FromHours(1), TimeSpan.FromHours(1)))).ExpectInvalid("time.to");
        (await AskAsync(new { kind = "fixed" })).ExpectInvalid("time.to");
        (await AskAsync(new { kind = "fixed", to = Now.AddHours(1), duration = "1h" })).ExpectInvalid("time.duration");
        (await AskAsync(Window(TimeSpan.FromHours(1), TimeSpan.FromDays(31)))).ExpectInvalid("time.to");
        (await AskAsync(Window(TimeSpan.FromDays(2000), TimeSpan.FromDays(2001)))).ExpectInvalid("time.from");
        (await AskAsync(new { kind = "fromApproval", duration = "31d" })).ExpectInvalid("time.duration");
        (await AskAsync(new { kind = "fromApproval", duration = "none" })).ExpectInvalid("time.duration");
        (await AskAsync(new { kind = "fromApproval", duration = "1h", from = Now })).ExpectInvalid("time.from");
        (await AskAsync(new { kind = "fromApproval" })).ExpectInvalid("time.duration");
        (await AskAsync(new { kind = "fromFirstUse", duration = "1h" })).ExpectInvalid("time.latestStart");
        (await AskAsync(new { kind = "fromFirstUse", duration = "1h", latestStart = Now })).ExpectInvalid("time.latestStart");
        (await AskAsync(fine, devices: Array.Empty<Guid>())).ExpectInvalid("devices");
        var nowhere = (await AskAsync(fine, devices: new[] { Web1, Guid.NewGuid() })).ExpectInvalid("devices[1]").Text;
        (await AskAsync(fine, devices: new[] { Web1, hidden })).Text.ShouldBe(nowhere);
        (await PostAsync(new { time = fine })).ExpectInvalid("devices");
        (await PostAsync(new { time = fine, devices = new[] { Web1 }, deviceGroup = Servers })).ExpectInvalid("devices");
        var noGroup = (await PostAsync(new { time = fine, deviceGroup = Guid.NewGuid() })).ExpectInvalid("deviceGroup").Text;
        (await PostAsync(new { time = fine, deviceGroup = await Tenant.AddGroupAsync("Elsewhere") })).Text.ShouldBe(noGroup);
        (await PostAsync(new { time = fine, devices = new[] { Web1 }, role = terminal })).ExpectInvalid("role");
        (await PostAsync(new { time = fine, devices = new[] { Web1 }, account = "admin" })).ExpectInvalid("account");
        (await PostAsync(new { time = fine, devices = new[] { Web1 }, reason = "\u001b[2J" })).ExpectInvalid("reason");
        await SetAsync("approvalReasonRequired", "true");
        (await PostAsync(new { time = fine, devices = new[] { Web1 } })).ExpectInvalid("reason");
        await SetAsync("accessRequestRoles", $"{terminal},{SystemRoles.OnlyDeviceConnection.Id}");
        (await AskAsync(fine)).ExpectInvalid("role");
        (await Tenant.Owner.PutAsync($"/api/v1/technician-groups/{Tenant.Everyone}/permissions/Terminal", new { value = "deny", locked = true })).Expect(HttpStatusCode.OK);
        (await PostAsync(new { time = fine, devices = new[] { Web1 }, role = terminal, reason = "x" })).ExpectInvalid("role");
        (await Tenant.As(Ned).GetAsync("/api/v1/requests")).Items.ShouldBeEmpty();
    }

    [Fact]
    public async Task Who_may_not_ask_is_told_of_no_device()
    {
        var nobody = await Tenant.AddTechnicianAsync("nobody");
        (await AskAsync(FromApproval("1h"), nobody)).ExpectInvalid("devices[0]");
    }

    [Fact]
    public async Task Where_nobody_accepts_for_all_the_request_is_split_by_who_does()
    {
        var other = await Tenant.AddGroupAsync("Others");
        var (db1, db2) = (await Tenant.AddDeviceAsync("db1", other, "root"), await Tenant.AddDeviceAsync("db2", other, "root"));
        var dora = await Tenant.AddTechnicianAsync("dora");
        await GrantAsync(Ned, "deviceGroup", other, SystemRoles.RequestsAccess);
        await GrantAsync(dora, "deviceGroup", other, SystemRoles.AcceptsAccessRequests);
        var asked = (await AskAsync(FromApproval("1h"), devices: new[] { Web1, db1, Web2, db2 })).Expect(HttpStatusCode.Created).Items;
        var parts = asked.Select(one => one.GetProperty("ahead").GetProperty("devices").EnumerateArray().Select(device => device.GetProperty("name").GetString()).Order().ToList()).ToList();
        parts.Count.ShouldBe(2);
        parts.ShouldContain(part => part.SequenceEqual(new[] { "web1", "web2" }));
        parts.ShouldContain(part => part.SequenceEqual(new[] { "db1", "db2" }));
        var others = asked.Single(one => one.GetProperty("deviceName").GetString()!.StartsWith("db1", StringComparison.Ordinal)).GetProperty("number").GetInt64();
        (await ApproveAsync(others)).Expect(HttpStatusCode.NotFound);
        (await ApproveAsync(others, dora)).Expect(HttpStatusCode.OK).Body.GetProperty("state").GetString().ShouldBe("approved");
        (await GetsInAsync("db2")).ShouldBeTrue();
        (await GetsInAsync("web1")).ShouldBeFalse();

        // Somebody for all of them: one request.
        await GrantAsync(Max, "deviceGroup", other, SystemRoles.AcceptsAccessRequests);
        var one = (await AskAsync(FromApproval("1h"), devices: new[] { Web1, db1 })).Expect(HttpStatusCode.Created).Items.ShouldHaveSingleItem().GetProperty("number").GetInt64();
        (await ApproveAsync(one)).Expect(HttpStatusCode.NotFound);
        (await ApproveAsync(one, Max)).Expect(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Of_a_group_the_devices_are_those_that_it_has_at_approval()
    {
        var asked = (await PostAsync(new { time = FromApproval("1h"), deviceGroup = Servers })).Expect(HttpStatusCode.Created).Items.ShouldHaveSingleItem();
        var number = asked.GetProperty("number").GetInt64();
        asked.GetProperty("deviceName").GetString().ShouldBe("the group Servers");
        await Tenant.AddDeviceAsync("web3", Servers, "root");
        await Tenant.AddDeviceAsync("web4", Servers, "admin");
        (await ApproveAsync(number)).Expect(HttpStatusCode.OK).Body.GetProperty("ahead").GetProperty("devices").EnumerateArray()
            .Select(device => device.GetProperty("name").GetString()).Order().ShouldBe(["web1", "web2", "web3"]);
        await Tenant.AddDeviceAsync("web5", Servers, "root");
        (await GetsInAsync("web3")).ShouldBeTrue();
        (await GetsInAsync("web5")).ShouldBeFalse();
    }

    [Fact]
    public async Task Of_a_group_for_all_of_which_only_the_owner_accepts_any_more_just_the_approver_s_own_devices_are_approved()
    {
        var number = (await PostAsync(new { time = FromApproval("1h"), deviceGroup = Servers })).Expect(HttpStatusCode.Created).Items.ShouldHaveSingleItem().GetProperty("number").GetInt64();
        var dora = await Tenant.AddTechnicianAsync("dora");
        await GrantAsync(dora, "device", Web1, SystemRoles.AcceptsAccessRequests);
        (await ApproveAsync(number, dora)).Expect(HttpStatusCode.NotFound);
        foreach (var person in (Guid[])[Mara, Max]) (await Tenant.Owner.PostAsync($"/api/v1/technicians/{person}/disable")).Expect(HttpStatusCode.OK);
        (await ApproveAsync(number, dora, new { devices = new[] { Web1, Web2 } })).Expect(HttpStatusCode.OK).Body.GetProperty("ahead").GetProperty("devices").EnumerateArray()
            .ShouldHaveSingleItem().GetProperty("id").GetGuid().ShouldBe(Web1);
        (await GetsInAsync()).ShouldBeTrue();
        (await GetsInAsync("web2")).ShouldBeFalse();
    }

    [Fact]
    public async Task Under_a_workflow_too_who_takes_a_step_for_one_device_of_a_group_approves_no_other()
    {
        (await Tenant.Owner.PostAsync("/api/v1/workflows", new
        {
            group = Tenant.Everyone,
            devices = Servers,
            name = "Careful",
            steps = new[] { new { approvers = new object[] { new { kind = "deviceApprovers" } } } },
            takesPreapproved = true,
        })).Expect(HttpStatusCode.Created);
        var number = (await PostAsync(new { time = FromApproval("1h"), deviceGroup = Servers })).Expect(HttpStatusCode.Created).Items.ShouldHaveSingleItem().GetProperty("number").GetInt64();
        var dora = await Tenant.AddTechnicianAsync("dora");
        await GrantAsync(dora, "device", Web1, SystemRoles.AcceptsAccessRequests);
        foreach (var person in (Guid[])[Mara, Max]) (await Tenant.Owner.PostAsync($"/api/v1/technicians/{person}/disable")).Expect(HttpStatusCode.OK);
        var shown = (await ApproveAsync(number, dora)).Expect(HttpStatusCode.OK).Body;
        shown.GetProperty("state").GetString().ShouldBe("approved");
        shown.GetProperty("ahead").GetProperty("devices").EnumerateArray().ShouldHaveSingleItem().GetProperty("id").GetGuid().ShouldBe(Web1);
        (await GetsInAsync()).ShouldBeTrue();
        (await GetsInAsync("web2")).ShouldBeFalse();
    }

    [Fact]
    public async Task An_approver_leaves_less_and_everybody_sees_what_it_was()
    {
        var shell = (await Tenant.Owner.PostAsync("/api/v1/roles", new { name = "Shell", purpose = "devicesAndGroups", permissions = new[] { "Terminal" } })).Expect(HttpStatusCode.Created).Id;
        var number = await AskedAsync(Window(TimeSpan.FromHours(1), TimeSpan.FromHours(5)), devices: new[] { Web1, Web2 });
        (await ApproveAsync(number, only: new { to = Now.AddHours(6) })).ExpectInvalid("only.to");
        (await ApproveAsync(number, only: new { from = Now })).ExpectInvalid("only.from");
        (await ApproveAsync(number, only: new { role = SystemRoles.FullDeviceAccess.Id.Value })).ExpectInvalid("only.role");
        (await ApproveAsync(number, only: new { devices = Array.Empty<Guid>() })).ExpectInvalid("only.devices");
        (await ApproveAsync(number, only: new { devices = new[] { Guid.NewGuid() } })).ExpectInvalid("only.devices");
        (await ApproveAsync(number, only: new { duration = "1h" })).ExpectInvalid("only.duration");
        (await StateAsync(number)).ShouldBe("waiting");
        (await ApproveAsync(number, only: new { from = Now.AddHours(2), to = Now.AddHours(3), role = shell, devices = new[] { Web2 } })).Expect(HttpStatusCode.OK);
        var ahead = (await ShownAsync(number)).GetProperty("ahead");
        var edit = ahead.GetProperty("edits").EnumerateArray().ShouldHaveSingleItem();
        edit.GetProperty("by").GetProperty("name").GetString().ShouldBe("mara");
        edit.GetProperty("before").GetProperty("time").GetProperty("to").GetDateTimeOffset().ShouldBe(Now.AddHours(5));
        edit.GetProperty("before").GetProperty("role").GetProperty("name").GetString().ShouldBe("Only device connection");
        edit.GetProperty("before").GetProperty("devices").GetArrayLength().ShouldBe(2);
        edit.GetProperty("after").GetProperty("role").GetProperty("name").GetString().ShouldBe("Shell");
        edit.GetProperty("after").GetProperty("devices")[0].GetGuid().ShouldBe(Web2);
        (await KindsAsync()).ShouldContain("request.edited");
        Clock.Advance(TimeSpan.FromHours(2));
        (await GetsInAsync("web2")).ShouldBeTrue();
        (await GetsInAsync()).ShouldBeFalse();
        Clock.Advance(TimeSpan.FromHours(1));
        (await GetsInAsync("web2")).ShouldBeFalse();
    }

    [Fact]
    public async Task An_approval_at_connect_time_is_not_edited()
    {
        await GrantAsync(Ned, "device", Web1, SystemRoles.OnlyDeviceConnection);
        (await Tenant.Owner.PutAsync($"/api/v1/settings/devices/{Web1}/managerialApproval", new { value = "required" })).Expect(HttpStatusCode.OK);
        (await ApproveAsync(await Tenant.AskAsync(Ned, Web1), only: new { devices = new[] { Web1 } })).ExpectInvalid("only");
    }

    [Fact]
    public void Whatever_an_approver_writes_no_more_is_left_than_was_asked_for()
    {
        var random = new Random(1);
        var policy = Tenant.Policy;
        RoleId[] roles = [SystemRoles.FullDeviceAccess.Id, SystemRoles.OnlyDeviceConnection.Id, SystemRoles.RequestsAccess.Id, SystemRoles.Auditor.Id, new(Guid.NewGuid())];
        Guid[] devices = [Web1, Web2, Guid.NewGuid()];
        var actor = new RequestActor(new(Mara), "mara", "Mara", "api");
        var done = 0;
        for (var round = 0; round < 10_000; round++)
        {
            var request = Waiting((RequestTimeKind)random.Next(1, 4), random);
            var before = Extent(request);
            for (var edit = 0; edit < 3; edit++)
            {
                T? Maybe<T>(Func<T> make) where T : struct => random.Next(2) == 0 ? null : make();
                DateTimeOffset Instant() => Now.AddMinutes(random.Next(-60, 600)).AddTicks(random.Next(3));
                var less = new RequestLess(
                    Maybe(Instant), Maybe(Instant), random.Next(2) == 0 ? null : $"{random.Next(0, 400)}m", Maybe(Instant), Maybe(() => roles[random.Next(roles.Length)].Value),
                    random.Next(2) == 0 ? null : [.. Enumerable.Range(0, random.Next(4)).Select(_ => devices[random.Next(devices.Length)])]);
                var stood = Extent(request);
                if (RequestEdits.Apply(request, less, policy, actor, Now) is not null)
                {
                    Extent(request).ShouldBe(stood);
                    continue;
                }

                done++;
                var left = Extent(request);
                left.Permissions.IsEmpty.ShouldBeFalse();
                before.Permissions.Covers(left.Permissions).ShouldBeTrue();
                left.Devices.Split(',').Except(before.Devices.Split(',')).ShouldBeEmpty();
                left.Devices.ShouldNotBeEmpty();
                (left.From >= before.From || before.From is null).ShouldBeTrue();
                (left.To <= before.To || before.To is null).ShouldBeTrue();
                (left.To > left.From || left.To is null).ShouldBeTrue();
                (left.Duration <= before.Duration || before.Duration is null).ShouldBeTrue();
                (left.Latest <= before.Latest || before.Latest is null).ShouldBeTrue();
                (left.From is null, left.To is null, left.Duration is null, left.Latest is null).ShouldBe((before.From is null, before.To is null, before.Duration is null, before.Latest is null));
            }
        }

        done.ShouldBeGreaterThan(100);
    }

    private static (PermissionSet Permissions, string Devices, DateTimeOffset? From, DateTimeOffset? To, long? Duration, DateTimeOffset? Latest) Extent(AccessRequest request) =>
        (request.Permissions, request.DeviceList!, request.WindowFrom, request.WindowTo, request.Duration, request.LatestStart);

    private AccessRequest Waiting(RequestTimeKind kind, Random random) => new()
    {
        OrganizationId = Tenant.Id,
        Number = 1,
        Person = new(Ned),
        Login = "ned",
        Device = new(Web1),
        DeviceName = "web1",
        Account = "root",
        Permissions = SystemRoles.OnlyDeviceConnection.Permissions,
        Source = null,
        Reason = "",
        Created = Now,
        State = RequestState.Waiting,
        TimeKind = kind,
        WindowFrom = kind == RequestTimeKind.Fixed ? Now.AddMinutes(random.Next(60)) : null,
        WindowTo = kind == RequestTimeKind.Fixed ? Now.AddMinutes(random.Next(61, 300)) : null,
        Duration = kind == RequestTimeKind.Fixed ? null : random.Next(60, 20_000),
        LatestStart = kind == RequestTimeKind.FromFirstUse ? Now.AddMinutes(random.Next(1, 300)) : null,
        Role = SystemRoles.OnlyDeviceConnection.Id,
        RoleName = "Only device connection",
        DeviceList = $"{Web1},{Web2}",
    };

    private Task<ApiAnswer> PostAsync(object body) => Tenant.As(Ned).PostAsync("/api/v1/requests", body);
}
