using static Countersign.Access.Permission;

namespace Countersign.Access.Tests;

public class WindowTests
{
    private readonly Sample _sample = new();
    private readonly PersonId _tina;

    public WindowTests() => _tina = _sample.Technician("tina");

    [Fact]
    public void A_window_is_half_open()
    {
        Grant(new(Sample.Noon, Sample.Noon.AddHours(1)));
        Decide(Sample.Noon.AddTicks(-1)).Kind.ShouldBe(DecisionKind.Denied);
        Decide(Sample.Noon.AddTicks(-1)).ReevaluateAt.ShouldBe(Sample.Noon);
        Decide(Sample.Noon.AddTicks(-1)).Visible.ShouldBeFalse();
        Decide(Sample.Noon).Kind.ShouldBe(DecisionKind.Allowed);
        Decide(Sample.Noon).Until.ShouldBe(Sample.Noon.AddHours(1));
        Decide(Sample.Noon.AddHours(1).AddTicks(-1)).Kind.ShouldBe(DecisionKind.Allowed);
        Decide(Sample.Noon.AddHours(1)).Kind.ShouldBe(DecisionKind.Denied);
        Decide(Sample.Noon.AddHours(1)).ReevaluateAt.ShouldBeNull();
    }

    [Fact]
    public void Windows_that_meet_make_one_stretch()
    {
        Grant(new(null, Sample.Noon.AddHours(1)));
        Grant(new(Sample.Noon.AddHours(1), Sample.Noon.AddHours(3)));
        Grant(new(Sample.Noon.AddHours(2), Sample.Noon.AddHours(4)));
        Grant(new(Sample.Noon.AddHours(5), null));
        var decision = Decide(Sample.Noon);
        decision.Until.ShouldBe(Sample.Noon.AddHours(4));
        decision.ReevaluateAt.ShouldBe(Sample.Noon.AddHours(1));
    }

    [Fact]
    public void Without_an_end_there_is_none()
    {
        Grant(new(null, Sample.Noon.AddHours(1)));
        Grant(GrantWindow.Always);
        Decide(Sample.Noon).Until.ShouldBeNull();
        Decide(Sample.Noon).ReevaluateAt.ShouldBe(Sample.Noon.AddHours(1));
    }

    [Fact]
    public void Day_and_night_that_take_turns_have_no_end()
    {
        Grant(new(null, null, "UTC; Mon-Sun 08:00-20:00"));
        Grant(new(null, null, "UTC; Mon-Sun 20:00-08:00"));
        Decide(Sample.Noon).Until.ShouldBeNull();
        Decide(Sample.Noon).ReevaluateAt.ShouldBe(Sample.At("2026-01-05T20:00:00Z"));
    }

    [Fact]
    public void Weekly_hours_and_instants_bind_together()
    {
        Grant(new(Sample.At("2026-01-06T09:00:00Z"), Sample.At("2026-01-07T10:00:00Z"), "UTC; Mon-Fri 08:00-18:00"));
        Decide(Sample.Noon).ReevaluateAt.ShouldBe(Sample.At("2026-01-06T09:00:00Z"));
        Decide(Sample.At("2026-01-06T09:00:00Z")).Until.ShouldBe(Sample.At("2026-01-06T18:00:00Z"));
        Decide(Sample.At("2026-01-06T18:00:00Z")).Kind.ShouldBe(DecisionKind.Denied);
        Decide(Sample.At("2026-01-07T09:00:00Z")).Until.ShouldBe(Sample.At("2026-01-07T10:00:00Z"));
        Decide(Sample.At("2026-01-08T09:00:00Z")).Kind.ShouldBe(DecisionKind.Denied);
    }

    [Fact]
    public void The_first_of_the_wanted_permissions_to_stop_ends_the_stretch()
    {
        _sample.Grant(_tina, _sample.Web01, Terminal);
        _sample.Grant(GrantSubject.To(_tina), GrantScope.Of(_sample.Web01), _sample.Role(Chat), window: new(null, Sample.Noon.AddHours(1)));
        _sample.Decide(_tina, Terminal, Chat).Until.ShouldBe(Sample.Noon.AddHours(1));
        _sample.Decide(_tina, Terminal).Until.ShouldBeNull();
    }

    [Fact]
    public void A_prerequisite_that_stops_ends_what_needs_it()
    {
        _sample.Grant(_tina, _sample.Web01, ScreenControl);
        _sample.Grant(GrantSubject.To(_tina), GrantScope.Of(_sample.Web01), _sample.Role(ScreenView), window: new(null, Sample.Noon.AddHours(1)));
        _sample.Decide(_tina, ScreenControl).Until.ShouldBe(Sample.Noon.AddHours(1));
    }

    private void Grant(GrantWindow window) => _sample.Grant(GrantSubject.To(_tina), GrantScope.Of(_sample.Web01), _sample.Role(Terminal), window: window);

    private AccessDecision Decide(DateTimeOffset at) => _sample.Snapshot.Decide(_sample.Question(_tina, [Terminal], at: at));
}
