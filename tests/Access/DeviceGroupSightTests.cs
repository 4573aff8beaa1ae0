using static Countersign.Access.Permission;

namespace Countersign.Access.Tests;

/// <summary>
/// Which device groups somebody sees, asked about many of them, and that what is below a group is not gone through again and again for that: going through it
/// allocates for each group, which is counted here.
/// </summary>
public class DeviceGroupSightTests
{
    private const int Groups = 1000;
    private const int Depth = 4;

    private readonly Sample _sample = new();
    private readonly DeviceGroupId _top;
    private readonly DeviceGroupId _unseen;
    private readonly List<DeviceGroupId> _groups = [];
    private readonly PersonId _tina;

    public DeviceGroupSightTests()
    {
        (_top, _unseen) = (_sample.DeviceGroup("Clients"), _sample.DeviceGroup("Others"));
        _tina = _sample.Technician("tina");
        for (var group = 0; group < Groups; group++)
        {
            // Each of four below the one before it, so that the same devices are below several groups.
            var above = group % Depth != 0 ? _groups[^1] : group / Depth % 2 == 0 ? _top : _unseen;
            _groups.Add(_sample.DeviceGroup($"G{group}", above));
            var device = _sample.Device($"d{group}", _groups[^1], "root");
            if (group == Depth - 1) _sample.Grant(_tina, device, Terminal);
        }
    }

    [Fact]
    public void A_group_is_seen_by_what_is_seen_below_it_whatever_was_asked_before()
    {
        var (policy, random) = (_sample.Snapshot, new Random(20261129));
        var asked = policy.DeviceGroupsSeenBy(_tina, Sample.Noon);
        for (var round = 0; round < 500; round++)
        {
            var group = random.Next(4) == 0 ? _top : _groups[random.Next(2) == 0 ? random.Next(Depth) : random.Next(Groups)];
            asked(group).ShouldBe(group == _top || _groups.IndexOf(group) < Depth, $"{group}");
            asked(group).ShouldBe(policy.MaySeeDeviceGroup(_tina, group, Sample.Noon));
        }

        asked(new(_sample.Next())).ShouldBeFalse();
    }

    [Fact]
    public void Whatever_was_found_out_of_groups_is_not_found_out_again()
    {
        var asked = _sample.Snapshot.DeviceGroupsSeenBy(_tina, Sample.Noon);
        AskAll();
        BytesFor(AskAll).ShouldBeLessThan(Groups, "going through what is below a group takes more than a byte for each");

        void AskAll()
        {
            asked(_top);
            asked(_unseen);
            foreach (var group in _groups) asked(group);
        }
    }

    [Theory]
    [InlineData("seen")]
    [InlineData("not there")]
    public void A_row_more_that_is_refused_costs_nothing_for_all_that_is_below_its_group(string which)
    {
        var policy = _sample.Snapshot;
        var (few, many) = (Rows(100), Rows(300));
        Plan(few);
        (BytesFor(() => Plan(many)) - BytesFor(() => Plan(few))).ShouldBeLessThan(200 * Groups * 16, "going through what is below a group takes more than that for each row");

        PolicyCommand.Several Rows(int count) => new(
            "Imported.",
            [.. Enumerable.Range(0, count).Select(PolicyCommand (row) => new PolicyCommand.AddDevice(new(_sample.Next()), which == "seen" ? _top : _unseen, $"n{row}", "", "localhost", ["root"]))]);

        void Plan(PolicyCommand.Several several)
        {
            var refused = policy.Plan(several, _tina, Sample.Noon).ShouldBeOfType<PlanResult.SomeRefused>();
            refused.Steps.Count.ShouldBe(several.Commands.Count);
            refused.Steps[^1].Reason.ShouldBeOfType(which == "seen" ? typeof(PlanResult.Forbidden) : typeof(PlanResult.NotFound));
        }
    }

    private static long BytesFor(Action work)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        work();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
