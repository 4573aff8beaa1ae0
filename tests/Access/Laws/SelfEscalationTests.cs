namespace Countersign.Access.Tests;

/// <summary>Law 10, over random organizations and commands, judged by the naive model.</summary>
public class SelfEscalationTests
{
    [Fact]
    public void Law_10_what_somebody_short_of_master_administrator_does_gives_nobody_more_than_they_hold()
    {
        var carriedOut = 0;
        Draw.Check(250, organization =>
        {
            var before = organization.Compile();
            var naive = organization.Naive();
            for (var attempt = 0; attempt < 40; attempt++)
            {
                var at = organization.Instant();
                var actor = organization.Pick(organization.People);
                if (actor == organization.Owner) continue;
                if (before.Plan(RandomCommand.From(organization), actor, at) is not PlanResult.Planned { Delta: { Changes.Count: > 0 } delta }) continue;
                carriedOut++;
                var after = before.Apply(delta);
                Judge(organization, naive, new(after.All<PolicyRow>()), after, actor, delta.Summary);
            }
        });
        carriedOut.ShouldBeGreaterThan(100);
    }

    private static void Judge(RandomOrganization organization, NaivePolicy before, NaivePolicy after, PolicySnapshot changed, PersonId actor, string summary)
    {
        var master = organization.Row<PersonRow>(new(PolicyTable.Person, actor.Value));
        foreach (var person in organization.People)
        {
            if (person == organization.Owner || changed.Person(person) is not { } row) continue;
            if (after.GroupConsent(row) < before.GroupConsent(row)) (after.GroupConsent(row) >= before.GroupConsent(master)).ShouldBeTrue(summary);
            foreach (var device in organization.Devices)
            {
                if (changed.Device(device) is not { } place) continue;
                var was = organization.Row<DeviceRow>(new(PolicyTable.Device, device.Value));
                if (before.NeedsApproval(row, was) && !after.NeedsApproval(row, place)) before.NeedsApproval(master, was).ShouldBeFalse(summary);
                foreach (var account in organization.Rows.OfType<DeviceAccountRow>().Where(account => account.Device == device))
                {
                    if (changed.Find(account.Key) is null) continue;
                    var at = organization.Instant();
                    var now = place.Enabled ? after.Effective(person, device, account.Name, at) : default;
                    var gained = was.Enabled ? now - before.Effective(person, device, account.Name, at) : now;
                    var held = before.Effective(actor, device, account.Name, at);
                    held.Covers(gained).ShouldBeTrue($"{summary} gives {row.Name} {gained - held} on {place.Name} as {account.Name}");
                }
            }
        }
    }
}
