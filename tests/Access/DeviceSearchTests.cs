using Countersign.Access.Tests.Naive;

namespace Countersign.Access.Tests;

public class DeviceSearchTests
{
    private readonly Sample _sample = new();

    [Theory]
    [InlineData(null, "db01 web01 web02")]
    [InlineData("  ", "db01 web01 web02")]
    [InlineData("WEB", "web01 web02")]
    [InlineData("web shop", "web01")]
    [InlineData("\"the SHOP\"", "web01")]
    [InlineData("\"shop the\"", "")]
    [InlineData("tag:linux", "db01 web01")]
    [InlineData("tag:lin", "")]
    [InlineData("tag:lin*", "db01 web01")]
    [InlineData("tag:inux*", "")]
    [InlineData("tag:prod", "web01")]
    [InlineData("prod", "db01 web01")]
    [InlineData("Tag:Linux -", "")]
    [InlineData("tag:", "db01 web01 web02")]
    [InlineData("host:10.1.", "web02")]
    [InlineData("10.1", "web02")]
    [InlineData("group:york", "web01")]
    [InlineData("group:\"new york\" tag:linux", "web01")]
    [InlineData("group:servers", "db01 web01 web02")]
    [InlineData("group:nowhere", "")]
    public void Words_fit_names_descriptions_tags_hosts_and_groups(string? text, string found)
    {
        Furnish();
        Search(_sample.Olga, text).ShouldBe(found);
    }

    [Fact]
    public void A_search_is_bounded_and_quotes_need_no_end()
    {
        DeviceQuery.TryParse(new string('x', DeviceQuery.Longest), out _, out _).ShouldBeTrue();
        DeviceQuery.TryParse(new string('x', DeviceQuery.Longest + 1), out _, out var problem).ShouldBeFalse();
        problem.ShouldNotBeEmpty();
        DeviceQuery.TryParse(string.Join(' ', Enumerable.Repeat("x", DeviceQuery.MostWords + 1)), out _, out _).ShouldBeFalse();
        Furnish();
        Search(_sample.Olga, "\"the shop").ShouldBe("web01");
    }

    [Fact]
    public void A_host_is_found_only_by_who_may_change_the_device()
    {
        Furnish();
        var tom = _sample.Technician("tom");
        _sample.Grant(tom, _sample.Web01, Permission.Terminal);
        Search(tom, "web01").ShouldBe("web01");
        Search(tom, "127.0.0.1").ShouldBeEmpty();
        Search(tom, "host:127").ShouldBeEmpty();
        Search(_sample.Technician("nobody"), null).ShouldBeEmpty();
        _sample.Grant(tom, _sample.Web01, Permission.ModifyDevice);
        Search(tom, "127.0.0.1").ShouldBe("web01");
    }

    [Fact]
    public void Groups_are_searched_directly_or_with_all_below_them_and_pages_go_on_behind_a_name()
    {
        Furnish();
        var policy = _sample.Snapshot;
        Names(policy.Search(_sample.Olga, DeviceQuery.Everything.In(_sample.Servers, null), Sample.Noon)).ShouldBe("db01 web02");
        Names(policy.Search(_sample.Olga, DeviceQuery.Everything.In(null, _sample.Servers), Sample.Noon)).ShouldBe("db01 web01 web02");
        Names(policy.Search(_sample.Olga, DeviceQuery.Everything.In(null, new(_sample.Next())), Sample.Noon)).ShouldBeEmpty();
        Names(policy.Search(_sample.Olga, DeviceQuery.Everything, Sample.Noon, after: "db01")).ShouldBe("web01 web02");
        Names(policy.Search(_sample.Olga, DeviceQuery.Everything, Sample.Noon, after: "web0")).ShouldBe("web01 web02");
    }

    [Fact]
    public void Everybody_finds_exactly_what_they_may_see_before_and_after_a_change()
    {
        var found = 0;
        Draw.Check(120, organization =>
        {
            var policy = organization.Compile();
            for (var change = 0; change < 3; change++)
            {
                var at = organization.Instant();
                var naive = new NaivePolicy(policy.All<PolicyRow>());
                foreach (var person in policy.All<PersonRow>())
                {
                    var expected = policy.All<DeviceRow>().Where(device => naive.MaySee(person, device, at)).Select(device => device.Name).Order(StringComparer.Ordinal);
                    var names = policy.Search(person.Id, DeviceQuery.Everything, at).Select(device => device.Name).ToList();
                    names.ShouldBe(expected);
                    found += names.Count;
                }

                if (policy.Plan(RandomCommand.From(organization), organization.Owner, at) is PlanResult.Planned { Delta: var delta }) policy = policy.Apply(delta);
            }
        });
        found.ShouldBeGreaterThan(1000);
    }

    [Fact]
    public void Groups_are_counted_as_everybody_sees_them()
    {
        var counted = 0;
        Draw.Check(120, organization =>
        {
            var policy = organization.Compile();
            var naive = organization.Naive();
            var at = organization.Instant();
            var parents = policy.All<DeviceGroupRow>().ToDictionary(group => group.Id, group => group.ParentId);
            foreach (var person in policy.All<PersonRow>())
            {
                var seen = policy.All<DeviceRow>().Where(device => naive.MaySee(person, device, at)).ToList();
                var tree = policy.DeviceTree(person.Id, at);
                tree.Select(listing => listing.Group.Id).ShouldBe(policy.All<DeviceGroupRow>().Select(group => group.Id).Where(group => policy.MaySeeDeviceGroup(person.Id, group, at)), ignoreOrder: true);
                foreach (var listing in tree)
                {
                    listing.Devices.ShouldBe(seen.Count(device => device.Group == listing.Group.Id));
                    listing.AllDevices.ShouldBe(seen.Count(device => IsAtOrBelow(device.Group, listing.Group.Id)));
                    counted += listing.Devices;
                }

                if (tree.Count > 0) policy.DeviceTree(person.Id, at, tree[0].Group.Id).ShouldBe(tree.Where(listing => IsAtOrBelow(listing.Group.Id, tree[0].Group.Id)), ignoreOrder: true);
            }

            bool IsAtOrBelow(DeviceGroupId? group, DeviceGroupId top)
            {
                for (; group is { } one; group = parents[one])
                {
                    if (one == top) return true;
                }

                return false;
            }
        });
        counted.ShouldBeGreaterThan(500);
    }

    private void Furnish()
    {
        var york = _sample.DeviceGroup("New York", _sample.Servers);
        _sample.Put(_sample.Snapshot.Device(_sample.Web01)! with { Group = york, Description = "The shop", Tags = "linux,prod" });
        var (web02, db01) = (_sample.Device("web02", _sample.Servers, "root"), _sample.Device("db01", _sample.Servers, "root"));
        _sample.Put(_sample.Snapshot.Device(web02)! with { Host = "10.1.2.3" });
        _sample.Put(_sample.Snapshot.Device(db01)! with { Tags = "linux,preprod" });
    }

    private string Search(PersonId person, string? text)
    {
        DeviceQuery.TryParse(text, out var query, out var problem).ShouldBeTrue(problem);
        return Names(_sample.Snapshot.Search(person, query, Sample.Noon));
    }

    private static string Names(IEnumerable<DeviceRow> devices) => string.Join(' ', devices.Select(device => device.Name));
}
