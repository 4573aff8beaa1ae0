using System.Net;
using System.Text.Json;
using Countersign.Access;

namespace Countersign.Server.Tests.Api;

public sealed class WorkflowTests : FeatureTests
{
    [Fact]
    public async Task A_workflow_comes_back_as_it_was_given_changes_in_part_and_goes()
    {
        var given = (await Owner.PostAsync("/api/v1/workflows", Workflow(
            new { needed = 2, expireAfter = "90m", approvers = new object[] { new { kind = "person", id = Bob }, new { kind = "members", id = Tenant.Everyone } } },
            new { approvers = new object[] { new { kind = "deviceApprovers" } } }))).Expect(HttpStatusCode.Created);
        given.Location!.OriginalString.ShouldBe($"/api/v1/workflows/{given.Id}");
        var read = (await Owner.GetAsync($"/api/v1/workflows/{given.Id}")).Expect(HttpStatusCode.OK).Body;
        read.GetProperty("group").GetGuid().ShouldBe(Tenant.Everyone);
        read.GetProperty("devices").GetGuid().ShouldBe(Clients);
        read.GetProperty("takesPreapproved").GetBoolean().ShouldBeTrue();
        var steps = read.GetProperty("steps").EnumerateArray().ToList();
        steps[0].GetProperty("needed").GetInt32().ShouldBe(2);
        steps[0].GetProperty("expireAfter").GetString().ShouldBe("90m");
        steps[0].GetProperty("approvers")[0].GetProperty("id").GetGuid().ShouldBe(Bob);
        steps[1].GetProperty("approvers")[0].GetProperty("kind").GetString().ShouldBe("deviceApprovers");
        steps[1].GetProperty("approvers")[0].GetProperty("id").ValueKind.ShouldBe(JsonValueKind.Null);

        var edited = (await Owner.PatchAsync($"/api/v1/workflows/{given.Id}", new { name = "Other", countsForLater = true })).Expect(HttpStatusCode.OK).Body;
        edited.GetProperty("name").GetString().ShouldBe("Other");
        edited.GetProperty("countsForLater").GetBoolean().ShouldBeTrue();
        edited.GetProperty("steps").GetArrayLength().ShouldBe(2);
        (await Owner.GetAsync("/api/v1/workflows")).Items.ShouldHaveSingleItem();

        var deleted = (await Owner.DeleteAsync($"/api/v1/workflows/{given.Id}")).Expect(HttpStatusCode.OK);
        (await Owner.GetAsync($"/api/v1/workflows/{given.Id}")).Expect(HttpStatusCode.NotFound);
        (await Owner.PostAsync($"/api/v1/changes/{deleted.Version}/undo")).Expect(HttpStatusCode.OK);
        (await Owner.GetAsync($"/api/v1/workflows/{given.Id}")).Expect(HttpStatusCode.OK).Body.GetProperty("name").GetString().ShouldBe("Other");
    }

    [Fact]
    public async Task What_is_wrong_with_a_step_is_told_beside_its_field()
    {
        object[] device = [new { kind = "deviceApprovers" }];
        var fine = new { approvers = device };
        (await AddAsync()).ExpectInvalid("steps");
        (await AddAsync(Enumerable.Repeat<object>(fine, 11).ToArray())).ExpectInvalid("steps");
        (await AddAsync(fine, new { needed = 0, approvers = device })).ExpectInvalid("steps[1].needed");
        (await AddAsync(fine, new { needed = 21, approvers = device })).ExpectInvalid("steps[1].needed");
        (await AddAsync(fine, new { approvers = Array.Empty<object>() })).ExpectInvalid("steps[1].approvers");
        (await AddAsync(fine, new { approvers = new object[] { new { kind = "deviceApprovers" }, new { kind = "deviceApprovers" } } })).ExpectInvalid("steps[1].approvers");
        (await AddAsync(fine, new { approvers = new object[] { new { kind = "person" } } })).ExpectInvalid("steps[1].approvers");
        (await AddAsync(fine, new { approvers = new object[] { new { kind = "deviceApprovers", id = Bob } } })).ExpectInvalid("steps[1].approvers");
        (await AddAsync(fine, new { approvers = new object[] { new { kind = "person", id = Guid.NewGuid() } } })).ExpectInvalid("steps[1].approvers");
        (await AddAsync(new { expireAfter = "soon", approvers = device })).ExpectInvalid("steps[0].expireAfter");
        (await AddAsync(new { approvers = new object[] { new { kind = "nobody" } } })).ExpectInvalid("steps[0].approvers[0].kind");
        (await Owner.GetAsync("/api/v1/workflows")).Items.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_same_pair_twice_is_refused()
    {
        var step = new { approvers = new object[] { new { kind = "deviceApprovers" } } };
        (await AddAsync(step)).Expect(HttpStatusCode.Created);
        (await AddAsync(step)).Expect(HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task For_everybody_but_master_administrators_there_are_no_workflows()
    {
        var id = (await AddAsync(new { approvers = new object[] { new { kind = "deviceApprovers" } } })).Expect(HttpStatusCode.Created).Id;
        (await Owner.PutAsync($"/api/v1/technician-groups/{Tenant.Everyone}/administrators/{Ann}")).Expect(HttpStatusCode.OK);
        foreach (var caller in (ApiCaller[])[Tenant.As(Ann), Tenant.As(Bob)])
        {
            (await caller.GetAsync("/api/v1/workflows")).Expect(HttpStatusCode.OK).Items.ShouldBeEmpty();
            foreach (var workflow in (Guid[])[id, Guid.NewGuid()])
            {
                (await caller.GetAsync($"/api/v1/workflows/{workflow}")).Expect(HttpStatusCode.NotFound);
                (await caller.PatchAsync($"/api/v1/workflows/{workflow}", new { name = "Mine" })).Expect(HttpStatusCode.NotFound);
                (await caller.DeleteAsync($"/api/v1/workflows/{workflow}")).Expect(HttpStatusCode.NotFound);
            }
        }

        await Tenant.GrantTeamAsync(Bob, SystemRoles.TeamAdministrator.Id);
        (await Tenant.As(Bob).PatchAsync($"/api/v1/workflows/{id}", new { name = "Mine" })).Expect(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_preview_tells_who_would_need_approval()
    {
        var effects = (await Owner.PostAsync("/api/v1/workflows?preview=true", Workflow(new { approvers = new object[] { new { kind = "person", id = Bob } } })))
            .Expect(HttpStatusCode.OK).Body.GetProperty("effects");
        effects.EnumerateArray().SelectMany(one => one.GetProperty("restrictions").EnumerateArray()).Select(one => one.GetProperty("kind").GetString()).ShouldContain("approval");
        (await Owner.GetAsync("/api/v1/workflows")).Items.ShouldBeEmpty();
    }

    private Task<ApiAnswer> AddAsync(params object[] steps) => Owner.PostAsync("/api/v1/workflows", Workflow(steps));

    private object Workflow(params object[] steps) => new { group = Tenant.Everyone, devices = Clients, name = "Careful", steps };
}
