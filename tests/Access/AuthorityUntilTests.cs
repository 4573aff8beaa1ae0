namespace Countersign.Access.Tests;

public class AuthorityUntilTests
{
    private readonly Sample _sample = new();
    private readonly PersonId _tina;

    public AuthorityUntilTests() => _tina = _sample.Technician("tina");

    [Fact]
    public void What_somebody_may_administer_holds_until_the_first_grant_that_reaches_them_comes_or_goes()
    {
        Until(Sample.Noon).ShouldBeNull();
        _sample.Grant(GrantSubject.To(_tina), GrantScope.Team, SystemRoles.TeamAdministrator.Id, window: new(null, Sample.Noon.AddHours(2)));
        Until(Sample.Noon).ShouldBe(Sample.Noon.AddHours(2));
        _sample.Grant(GrantSubject.To(_sample.Everyone), GrantScope.Of(_sample.Servers), SystemRoles.FullDeviceAccess.Id, window: new(Sample.Noon.AddHours(1), null));
        Until(Sample.Noon).ShouldBe(Sample.Noon.AddHours(1));
        Until(Sample.Noon.AddHours(1)).ShouldBe(Sample.Noon.AddHours(2));
        Until(Sample.Noon.AddHours(2)).ShouldBeNull();

        _sample.Snapshot.IsMasterAdministrator(_tina, Sample.Noon.AddHours(2).AddTicks(-1)).ShouldBeTrue();
        _sample.Snapshot.IsMasterAdministrator(_tina, Sample.Noon.AddHours(2)).ShouldBeFalse();
    }

    [Fact]
    public void Grants_that_reach_others_and_who_takes_no_part_change_nothing()
    {
        var group = _sample.Group("Support");
        _sample.Grant(GrantSubject.To(group), GrantScope.Of(_sample.Servers), SystemRoles.FullDeviceAccess.Id, window: new(null, Sample.Noon.AddHours(1)));
        Until(Sample.Noon).ShouldBeNull();
        _sample.Member(_tina, group);
        Until(Sample.Noon).ShouldBe(Sample.Noon.AddHours(1));
        _sample.Disable(_tina);
        Until(Sample.Noon).ShouldBeNull();
        _sample.Snapshot.AuthorityHoldsUntil(new(Guid.NewGuid()), Sample.Noon).ShouldBeNull();
    }

    private DateTimeOffset? Until(DateTimeOffset at) => _sample.Snapshot.AuthorityHoldsUntil(_tina, at);
}
