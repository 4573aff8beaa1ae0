using Countersign.Access;

namespace Countersign.Sessions.Tests;

public sealed class AdmissionTests
{
    [Fact]
    public async Task What_policy_allows_is_written_down_and_then_admitted()
    {
        await using var world = new World();
        var admitted = await world.AdmittedAsync();
        await using var session = admitted.Session;

        var opening = world.Begun.ShouldHaveSingleItem();
        opening.ShouldSatisfyAllConditions(
            () => opening.Device.ShouldBe(World.Web), () => opening.Account.ShouldBe("root"), () => opening.At.ShouldBe(World.Start),
            () => opening.PolicyVersion.ShouldBe(world.Snapshot.Version));
        admitted.Connection.Device.ShouldBe(World.WebRow);
        world.Sessions.Of(opening.Organization).ShouldHaveSingleItem().ShouldBeSameAs(session);
    }

    [Fact]
    public async Task A_device_that_may_not_be_seen_and_one_that_is_not_there_are_refused_alike()
    {
        await using var world = new World();
        var hidden = (await world.AskAsync(World.Nora, "web01")).ShouldBeOfType<AdmissionResult.Refused>();
        var absent = (await world.AskAsync(World.Nora, "web02")).ShouldBeOfType<AdmissionResult.Refused>();
        var absentForTina = (await world.AskAsync(World.Tina, "web02")).ShouldBeOfType<AdmissionResult.Refused>();

        hidden.Message.ShouldBe("there is no device web01 that you may reach");
        absent.ShouldBe(hidden with { Message = "there is no device web02 that you may reach" });
        absentForTina.ShouldBe(absent);
        world.Begun.ShouldBeEmpty();
        world.Refused.Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_device_that_may_be_seen_is_refused_with_the_reason()
    {
        await using var world = new World();
        var refused = (await world.AskAsync(World.Tina, "web01", kind: SessionKind.Files)).ShouldBeOfType<AdmissionResult.Refused>();
        refused.Message.ShouldStartWith("you may use none of ");
        refused.Message.ShouldEndWith(" on web01");
    }

    [Fact]
    public async Task A_refusal_names_approvers_and_of_the_rules_no_more_than_the_person_may_see()
    {
        await using var world = new World();
        var everyone = world.Snapshot.All<TechnicianGroupRow>().Single();
        var group = new TechnicianGroupRow(new(Guid.NewGuid()), everyone.Id, "Under investigation", "", true, true, GroupConsent.None, false);
        world.Change(new(null, group), new(null, new MembershipRow(group.Id, World.Tina)), new(null, new GroupManagerRow(group.Id, World.Nora)));
        var refused = (await world.AskAsync(World.Tina, "web01")).ShouldBeOfType<AdmissionResult.Refused>();
        refused.Message.ShouldBe("web01 needs approval. The group … requires managerial approval. It can be given by Nora.");
        world.Change(new RowChange(null, new GroupAdministratorRow(everyone.Id, World.Tina)));
        (await world.AskAsync(World.Tina, "web01")).ShouldBeOfType<AdmissionResult.Refused>().Message.ShouldContain("The group Under investigation requires");
    }

    [Fact]
    public async Task An_account_that_the_grant_does_not_name_is_refused()
    {
        await using var world = new World();
        world.Change(new RowChange(null, new DeviceAccountRow(World.Web, "admin", IsDefault: false)));
        (await world.AskAsync(World.Tina, "web01", "admin")).ShouldBeOfType<AdmissionResult.Refused>();
        await using var session = (await world.AskAsync(World.Tina, "web01", "root")).ShouldBeOfType<AdmissionResult.Admitted>().Session;
        (await world.AskAsync(World.Tina, "web01", "nobody")).ShouldBeOfType<AdmissionResult.Refused>();
    }

    [Fact]
    public async Task A_session_that_can_not_be_written_down_does_not_start()
    {
        await using var world = new World { LedgerFault = new IOException("the disk is full") };
        await Should.ThrowAsync<IOException>(() => world.AdmittedAsync());
        world.Sessions.Of(world.Snapshot.Organization).ShouldBeEmpty();
    }

    [Fact]
    public async Task While_nothing_can_be_written_down_the_connection_is_refused_with_that_as_the_reason()
    {
        await using var world = new World { LedgerFault = new LedgerAwayException(new IOException("database is locked")) };
        (await world.AskAsync(World.Tina, "web01")).ShouldBeOfType<AdmissionResult.Refused>().Message.ShouldContain("can't be written down now");
        world.Sessions.Of(world.Snapshot.Organization).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_proof_works_once()
    {
        await using var world = new World();
        var admitted = await world.AdmittedAsync();
        await using var session = admitted.Session;
        admitted.Connection.TryUse().ShouldBeTrue();
        admitted.Connection.TryUse().ShouldBeFalse();
    }

    [Fact]
    public async Task The_proof_is_worth_nothing_after_its_time()
    {
        await using var world = new World();
        var admitted = await world.AdmittedAsync();
        await using var session = admitted.Session;
        world.Time.Advance(AuthorizedConnection.Lifetime + TimeSpan.FromTicks(1));
        admitted.Connection.TryUse().ShouldBeFalse();
    }

    [Fact]
    public async Task The_proof_is_worth_nothing_once_the_session_has_ended()
    {
        await using var world = new World();
        var admitted = await world.AdmittedAsync();
        await using var session = admitted.Session;
        session.Finish(EndReason.Terminated, "terminated by Olga");
        admitted.Connection.TryUse().ShouldBeFalse();
    }

    [Fact]
    public void Nobody_else_can_make_the_proof() =>
        typeof(AuthorizedConnection).GetConstructors(System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.Instance).ShouldBeEmpty();
}
