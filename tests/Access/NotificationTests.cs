using static Countersign.Access.Permission;

namespace Countersign.Access.Tests;

/// <summary>Anna works in Support, which mona manages. Nora may modify notifications on Servers, and sven manages security there.</summary>
public class NotificationTests
{
    private readonly Sample _sample = new();
    private readonly PersonId _anna;
    private readonly PersonId _mona;
    private readonly PersonId _nora;
    private readonly PersonId _sven;
    private readonly TechnicianGroupId _support;
    private readonly SettingNode _web01;

    public NotificationTests()
    {
        (_anna, _mona, _nora, _sven) = (_sample.Technician("anna"), _sample.Technician("mona"), _sample.Technician("nora"), _sample.Technician("sven"));
        _support = _sample.Group("Support");
        _sample.Member(_anna, _support);
        _sample.Manager(_mona, _support);
        _sample.Grant(_anna, _sample.Web01, Terminal);
        _sample.Grant(GrantSubject.To(_nora), GrantScope.Of(_sample.Servers), _sample.Role(ModifyNotifications));
        _sample.Grant(GrantSubject.To(_sven), GrantScope.Of(_sample.Servers), _sample.Role(ManageSecurity));
        _web01 = SettingNode.Of(_sample.Web01);
    }

    [Theory]
    [InlineData("none", "none")]
    [InlineData("session.ended:master,managers", "session.ended: managers, master")]
    [InlineData("request.asked: master; session.began: managers", "session.began: managers; request.asked: master")]
    [InlineData("session.began: mail:b@Example.ORG, mail:B@example.org, holders:Terminal", "session.began: holders:Terminal, mail:B@example.org, mail:b@example.org")]
    [InlineData("session.began: person:5A000000-0000-0000-0000-000000000001", "session.began: person:5a000000-0000-0000-0000-000000000001")]
    public void Rules_have_one_spelling(string text, string canonical)
    {
        NotificationRules.TryParse(text, out var rules, out var problem).ShouldBeTrue(problem);
        rules.Canonical.ShouldBe(canonical);
        NotificationRules.TryParse(canonical, out var again, out problem).ShouldBeTrue(problem);
        again.Canonical.ShouldBe(canonical);
        again.Pairs.ShouldBe(rules.Pairs, ignoreOrder: true);
    }

    [Theory]
    [InlineData("")]
    [InlineData("None")]
    [InlineData("managers")]
    [InlineData("session.began:")]
    [InlineData("session.began: managers;")]
    [InlineData("session.began: managers,")]
    [InlineData("session.begun: managers")]
    [InlineData("session.began: managers; session.began: master")]
    [InlineData("session.began: managers, managers")]
    [InlineData("session.began: managers:all")]
    [InlineData("session.began: Managers")]
    [InlineData("session.began: holders:AuditLog")]
    [InlineData("session.began: holders:1")]
    [InlineData("session.began: holders")]
    [InlineData("session.began: person:anna")]
    [InlineData("session.began: person:{5a000000-0000-0000-0000-000000000001}")]
    [InlineData("session.began: mail:ops")]
    [InlineData("session.began: mail:@example.org")]
    [InlineData("session.began: mail:ops@")]
    [InlineData("session.began: mail:ops@@example.org")]
    [InlineData("session.began: mail:a@b@example.org")]
    [InlineData("session.began: mail:ops@example.org\r\nBcc: x")]
    [InlineData("session.began: mail:o\u0000ps@example.org")]
    [InlineData("session.began: mail:o ps@example.org")]
    [InlineData("session.began: mail:<ops@example.org>")]
    [InlineData("session.began: mail:.ops@example.org")]
    [InlineData("session.began: mail:ops@-example.org")]
    [InlineData("session.began: mail:ops@example..org")]
    [InlineData("session.began: mail:öps@example.org")]
    public void What_names_no_event_or_recipient_is_refused_with_a_sentence(string text)
    {
        NotificationRules.TryParse(text, out _, out var problem).ShouldBeFalse();
        problem.ShouldEndWith(".");
    }

    [Fact]
    public void Recipients_addresses_and_the_whole_have_their_bounds()
    {
        Reads(Mails("session.began", 32, "")).ShouldBeTrue();
        Reads(Mails("session.began", 33, "")).ShouldBeFalse();
        var label = new string('a', 61);
        Reads($"session.began: mail:abcd@{label}.{label}.{label}.{label}a.").ShouldBeFalse();
        Reads($"session.began: mail:abcd@{label}.{label}.{label}.{label}a").ShouldBeTrue(); // 253
        Reads($"session.began: mail:abcdef@{label}.{label}.{label}.{label}a").ShouldBeFalse(); // 255

        // Without blanks it fits; in its canonical spelling, which is what is kept, it has to as well.
        Reads(Two(42)).ShouldBeTrue();
        Two(44).Length.ShouldBeLessThanOrEqualTo(Settings.MaxLength);
        Reads(Two(44)).ShouldBeFalse();

        static string Two(int length) =>
            string.Join(';', NotificationRules.Events.Take(2).Select(name => Mails(name, 31, new('x', length)))).Replace(" ", "", StringComparison.Ordinal);
        static bool Reads(string value) => NotificationRules.TryParse(value, out _, out _);
        static string Mails(string name, int count, string padding) =>
            $"{name}: {string.Join(", ", Enumerable.Range(0, count).Select(number => $"mail:{padding}{number}@example.org"))}";
    }

    [Fact]
    public void Only_those_who_take_part_and_see_the_device_are_told()
    {
        _sample.Set(_web01, SettingKind.Notifications, $"session.began: managers, person:{_anna}, person:{_sample.Next()}, master, mail:ops@example.org");
        Told().People.ShouldBe([_sample.Olga, _anna], ignoreOrder: true);
        Told().Addresses.ShouldBe(["ops@example.org"]);
        _sample.Grant(_mona, _sample.Web01, ConnectionHistory);
        Told().People.ShouldContain(_mona);
        _sample.Disable(_anna);
        Told().People.ShouldBe([_sample.Olga, _mona], ignoreOrder: true);
        _sample.Change(_support, group => group with { Enabled = false });
        Told().People.ShouldBe([_sample.Olga]);

        NotificationAudience Told() => _sample.Snapshot.NotificationsFor(_sample.Web01, "session.began", _anna, Sample.Noon);
    }

    [Fact]
    public void Of_what_there_is_not_nobody_is_told()
    {
        _sample.Set(_web01, SettingKind.Notifications, "session.began: managers, master, mail:ops@example.org");
        foreach (var (device, name) in new[] { (new DeviceId(_sample.Next()), "session.began"), (_sample.Web01, "session.ended"), (_sample.Web01, "nothing") })
        {
            var told = _sample.Snapshot.NotificationsFor(device, name, _anna, Sample.Noon);
            (told.People.Count + told.Addresses.Count).ShouldBe(0);
            _sample.Snapshot.NamesAnybodyFor(device, name).ShouldBeFalse();
        }

        _sample.Snapshot.NotificationsFor(_sample.Web01, "session.began", null, Sample.Noon).People.ShouldBe([_sample.Olga]);
    }

    [Fact]
    public void It_restricts_nobody_and_gives_nobody_anything()
    {
        var before = _sample.Snapshot;
        _sample.Set(_web01, SettingKind.Notifications, $"session.began: holders:Terminal, person:{_mona}");
        PolicySnapshot.Diff(before, _sample.Snapshot).Rectangles.ShouldBeEmpty();
        _sample.Snapshot.MaySeeDevice(_mona, _sample.Web01, Sample.Noon).ShouldBeFalse();
    }

    [Fact]
    public void ModifyNotifications_adds_recipients_and_nothing_else()
    {
        _sample.Set(SettingNode.Of(_sample.Servers), SettingKind.Notifications, "session.began: managers, mail:ops@example.org");
        Plan(_nora, "session.began: managers, master, mail:ops@example.org; session.ended: holders:Terminal").ShouldBeOfType<PlanResult.Planned>();
        Plan(_nora, "session.began: managers").ShouldBeOfType<PlanResult.Forbidden>();
        Plan(_nora, "none").ShouldBeOfType<PlanResult.Forbidden>();
        Plan(_nora, "session.began: managers, mail:ops@example.org, mail:nora@example.com").ShouldBeOfType<PlanResult.Forbidden>();
        Plan(_nora, "session.began: managers, mail:ops@example.org; session.ended: mail:ops@example.org").ShouldBeOfType<PlanResult.Forbidden>();
        Plan(_nora, new PolicyCommand.ForceSetting(_web01, SettingKind.Notifications, "session.began: managers, mail:ops@example.org")).ShouldBeOfType<PlanResult.Forbidden>();
        Plan(_nora, new PolicyCommand.SetSetting(_web01, SettingKind.MaxSession, "1h")).ShouldBeOfType<PlanResult.Forbidden>();
        Plan(_nora, new PolicyCommand.SetSetting(SettingNode.Organization, SettingKind.Notifications, "session.began: master")).ShouldBeOfType<PlanResult.Forbidden>();
        Plan(_anna, "session.began: managers, mail:ops@example.org, master").ShouldBeOfType<PlanResult.Forbidden>();
    }

    [Fact]
    public void ManageSecurity_takes_recipients_away_and_brings_in_no_address()
    {
        _sample.Set(SettingNode.Of(_sample.Servers), SettingKind.Notifications, "session.began: managers, mail:ops@example.org");
        Plan(_sven, "none").ShouldBeOfType<PlanResult.Planned>();
        Plan(_sven, "session.ended: mail:ops@example.org").ShouldBeOfType<PlanResult.Forbidden>();
        Plan(_sven, new PolicyCommand.ForceSetting(SettingNode.Of(_sample.Servers), SettingKind.Notifications, "session.began: master")).ShouldBeOfType<PlanResult.Planned>();
        _sample.Set(_web01, SettingKind.Notifications, "none");

        // To inherit, or to force, would have the address told of a device of which it is not told now.
        Plan(_sven, new PolicyCommand.ClearSetting(_web01, SettingKind.Notifications)).ShouldBeOfType<PlanResult.Forbidden>();
        Plan(_sven, new PolicyCommand.ForceSetting(SettingNode.Of(_sample.Servers), SettingKind.Notifications, "session.began: mail:ops@example.org")).ShouldBeOfType<PlanResult.Forbidden>();
        Plan(_sample.Olga, new PolicyCommand.ClearSetting(_web01, SettingKind.Notifications)).ShouldBeOfType<PlanResult.Planned>();
    }

    [Fact]
    public void Who_clears_takes_away_what_only_the_override_named()
    {
        _sample.Set(_web01, SettingKind.Notifications, "session.began: managers");
        Plan(_nora, new PolicyCommand.ClearSetting(_web01, SettingKind.Notifications)).ShouldBeOfType<PlanResult.Forbidden>();
        Plan(_sven, new PolicyCommand.ClearSetting(_web01, SettingKind.Notifications)).ShouldBeOfType<PlanResult.Planned>();
    }

    [Fact]
    public void To_undo_is_a_change_like_any_other()
    {
        _sample.Set(_web01, SettingKind.Notifications, "session.began: managers");
        var added = Plan(_nora, "session.began: managers, master").ShouldBeOfType<PlanResult.Planned>().Delta;
        var after = _sample.Snapshot.Apply(added);
        after.Plan(new PolicyCommand.Undo(added, new HashSet<RowKey>()), _nora, Sample.Noon).ShouldBeOfType<PlanResult.Forbidden>();
        after.Plan(new PolicyCommand.Undo(added, new HashSet<RowKey>()), _sven, Sample.Noon).ShouldBeOfType<PlanResult.Planned>();
    }

    [Fact]
    public void Who_comes_in_has_to_be_there_and_who_goes_later_is_in_nobody_s_way()
    {
        var gone = _sample.Next();
        Plan(_sample.Olga, $"session.began: person:{gone}").ShouldBeOfType<PlanResult.Invalid>().Field.ShouldBe("value");

        // Sven may see nobody but himself.
        Plan(_sven, $"session.began: person:{_anna}").ShouldBe(Plan(_sven, $"session.began: person:{gone}"));
        Plan(_sven, $"session.began: person:{_sven}").ShouldBeOfType<PlanResult.Planned>();
        _sample.Set(_web01, SettingKind.Notifications, $"session.began: person:{gone}");
        Plan(_nora, $"session.began: person:{gone}, managers").ShouldBeOfType<PlanResult.Planned>();
    }

    private PlanResult Plan(PersonId actor, string value) => Plan(actor, new PolicyCommand.SetSetting(_web01, SettingKind.Notifications, value));

    private PlanResult Plan(PersonId actor, PolicyCommand command) => _sample.Snapshot.Plan(command, actor, Sample.Noon);
}
