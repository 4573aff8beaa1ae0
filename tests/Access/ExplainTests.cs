using static Countersign.Access.Permission;

namespace Countersign.Access.Tests;

public class ExplainTests
{
    private readonly Sample _sample = new();
    private readonly PersonId _tina;
    private readonly TechnicianGroupId _support;
    private readonly TechnicianGroupId _night;

    public ExplainTests()
    {
        _tina = _sample.Technician("tina");
        _support = _sample.Group("Support");
        _night = _sample.Group("Night", _support);
        _sample.Member(_tina, _night);
    }

    [Fact]
    public void An_allowed_question_names_the_grant_and_the_way_it_came()
    {
        _sample.Grant(GrantSubject.To(_support), GrantScope.Of(_sample.Servers), SystemRoles.OnlyDeviceConnection.Id);
        Texts(Terminal).ShouldBe(
        [
            "Tina (tina) is a technician, and active.",
            "The role Only device connection, granted to Support on Servers for the default account, gives Terminal Mode.",
            "Whatever of the session can be recorded on web01 is recorded (inherited from the organization).",
            "Allowed.",
        ]);
        Explain(Terminal).Lines[1].Cites.ShouldContain(new MembershipRow(_night, _tina).Key);
    }

    [Fact]
    public void What_is_missing_is_named_and_where_it_would_have_been_had()
    {
        _sample.Grant(GrantSubject.To(_tina), GrantScope.Of(_sample.Web01), SystemRoles.OnlyDeviceConnection.Id, new(AccountRule.Named, "root"));
        Texts(Terminal).ShouldBe(
        [
            "Tina (tina) is a technician, and active.",
            "No grant in force gives Tina Terminal Mode on web01 for the account deploy.",
            "The role Only device connection, granted to Tina on web01 for the accounts root, is for the accounts root only.",
        ]);
    }

    [Fact]
    public void A_window_is_told_with_its_end_or_its_beginning()
    {
        var grant = _sample.Grant(
            GrantSubject.To(_tina),
            GrantScope.Of(_sample.Web01),
            SystemRoles.OnlyDeviceConnection.Id,
            window: new(Sample.Noon.AddHours(1), null));
        Texts(Terminal)[1].ShouldEndWith("but not before 2026-01-05 13:00:00 UTC.");
        _sample.Put(_sample.Row<GrantRow>(new(PolicyTable.Grant, grant.Value)) with { Window = new(null, Sample.Noon) });
        Texts(Terminal)[1].ShouldEndWith("but its time is over.");
        _sample.Put(_sample.Row<GrantRow>(new(PolicyTable.Grant, grant.Value)) with { Window = new(null, Sample.Noon.AddHours(1)) });
        Texts(Terminal)[1].ShouldEndWith("gives Terminal Mode until 2026-01-05 13:00:00 UTC.");
        Texts(Terminal)[^1].ShouldBe("Allowed until 2026-01-05 13:00:00 UTC.");
    }

    [Fact]
    public void A_lock_is_named_with_its_group()
    {
        _sample.Grant(_tina, _sample.Web01, Terminal);
        _sample.Deny(_support, Terminal, locked: true);
        var line = Explain(Terminal).Lines[^1];
        line.Text.ShouldBe("Support denies Terminal Mode, locked, which binds members of Support / Night.");
        line.Cites.ShouldBe([new GroupPermissionRow(_support, Terminal, PolicyValue.Deny, true).Key, new MembershipRow(_night, _tina).Key]);
    }

    [Fact]
    public void A_disabled_group_is_named()
    {
        _sample.Grant(_tina, _sample.Web01, Terminal);
        _sample.Change(_support, row => row with { Enabled = false });
        Texts(Terminal)[^1].ShouldBe("Support is disabled, so that Support / Night allows nothing.");
    }

    [Fact]
    public void A_prerequisite_is_named()
    {
        _sample.Grant(_tina, _sample.Web01, ScreenControl);
        Texts(ScreenControl)[^1].ShouldBe("Screen control needs Screen view.");
    }

    [Fact]
    public void A_screen_that_nobody_sits_at_is_told_once()
    {
        _sample.Grant(_tina, _sample.Web01, ScreenView);
        var lines = _sample.Snapshot.Explain(_sample.Question(_tina, [ScreenView]) with { EndUser = EndUserPresence.NobodyLoggedOn }).Lines;
        lines.Count(line => line.Text.Contains("Nobody is logged on", StringComparison.Ordinal)).ShouldBe(1);
        lines[^1].Text.ShouldContain("Unattended access");
    }

    [Fact]
    public void What_may_be_requested_is_said()
    {
        _sample.Grant(GrantSubject.To(_tina), GrantScope.Of(_sample.Web01), SystemRoles.RequestsAccess.Id);
        Texts(Terminal)[^1].ShouldBe("Tina may request the role Only device connection on web01.");

        // Only what would do.
        _sample.Set(SettingNode.Organization, SettingKind.AccessRequestRoles, $"{SystemRoles.AcceptsAccessRequests.Id},{SystemRoles.OnlyDeviceConnection.Id}");
        Texts(Terminal)[^1].ShouldBe("Tina may request the role Only device connection on web01.");
    }

    [Fact]
    public void Approval_is_told_with_who_can_give_it()
    {
        _sample.Grant(_tina, _sample.Web01, Terminal);
        _sample.Change(_support, row => row with { RequiresManagerialApproval = true });
        Texts(Terminal)[^1].ShouldBe(
            "The group Support requires managerial approval, which reaches Tina through Support / Night. "
            + "Nobody can approve now: a master administrator has to appoint somebody who can.");
        _sample.Manager(_sample.Olga, _support);
        Texts(Terminal)[^1].ShouldEndWith("Can be approved by Olga.");
    }

    [Fact]
    public void Groups_that_the_asker_may_not_see_are_a_mark_and_to_people_from_outside_roles_are_one_too()
    {
        var role = _sample.Row<RoleRow>(new(PolicyTable.Role, _sample.Role(Terminal).Value));
        _sample.Grant(GrantSubject.To(_support), GrantScope.Of(_sample.Servers), role.Id);
        _sample.Change(_support, row => row with { RequiresManagerialApproval = true });
        var question = _sample.Question(_tina, [Terminal]);
        var own = _sample.Snapshot.Explain(question, _tina).Lines;
        own.ShouldAllBe(line => !line.Text.Contains("Support", StringComparison.Ordinal));
        own.ShouldContain(line => line.Text == $"The role {role.Name}, granted to … on Servers for the default account, gives Terminal Mode.");
        var carl = _sample.Contact("carl");
        _sample.Snapshot.Explain(question, carl).Lines.ShouldContain(line => line.Text.StartsWith("The role …, granted to …", StringComparison.Ordinal));
        own[^1].Text.ShouldStartWith("The group … requires managerial approval, which reaches Tina through … / ….");
        own.SelectMany(line => line.Cites).ShouldAllBe(key => key.Id == _tina.Value || key == role.Key);
        var all = _sample.Snapshot.Explain(question).Lines;
        _sample.Snapshot.Explain(question, _sample.Olga).Lines.Select(line => line.Text).ShouldBe(all.Select(line => line.Text));

        var ada = _sample.Technician("ada");
        _sample.Administrator(ada, _support);
        _sample.Snapshot.Explain(question, ada).Lines[^1].Text.ShouldStartWith("The group Support requires managerial approval");
    }

    [Fact]
    public void Consent_is_told_with_its_source()
    {
        _sample.Grant(_tina, _sample.Web01, Terminal);
        _sample.Set(SettingNode.Of(_sample.Servers), SettingKind.RemoteControlApproval, "terminal=ask");
        Texts(Terminal)[^2..].ShouldBe(
        [
            "On web01 the end user is asked, without connecting if nobody answers, for the terminal (inherited from Servers).",
            "At web01 nobody can be asked now.",
        ]);
    }

    [Theory]
    [InlineData(DenialReason.SubjectTakesNoPart, "Tina (tina) is a technician, but disabled.")]
    [InlineData(DenialReason.NotSignedIn, "Tina has not signed in.")]
    [InlineData(DenialReason.DeviceDisabled, "The device web01 is disabled.")]
    [InlineData(DenialReason.UnknownAccount, "The device web01 has no account oracle.")]
    [InlineData(DenialReason.UnknownDevice, "There is no such device in this organization.")]
    [InlineData(DenialReason.UnknownSubject, "There is no such person in this organization.")]
    [InlineData(DenialReason.NothingWanted, "Nothing is wanted.")]
    [InlineData(DenialReason.OutsideSessionHours, "web01 takes connections only at UTC; Tue 08:00-09:00, and 2026-01-05 12:00:00 UTC is outside of that.")]
    [InlineData(DenialReason.RecordingForbids, "Recording is required on web01, and Port forwarding can't be recorded.")]
    public void What_stands_in_the_way_of_everybody_is_said_last(DenialReason reason, string text)
    {
        _sample.Grant(_tina, _sample.Web01, Tunnel);
        var question = _sample.Question(_tina, [Tunnel]);
        switch (reason)
        {
            case DenialReason.SubjectTakesNoPart: _sample.Disable(_tina); break;
            case DenialReason.NotSignedIn: question = question with { SignIn = SignInStrength.None }; break;
            case DenialReason.DeviceDisabled: _sample.Put(_sample.Row<DeviceRow>(new(PolicyTable.Device, _sample.Web01.Value)) with { Enabled = false }); break;
            case DenialReason.UnknownAccount: question = question with { Account = "oracle" }; break;
            case DenialReason.UnknownDevice: question = question with { Device = default }; break;
            case DenialReason.UnknownSubject: question = question with { Subject = default }; break;
            case DenialReason.NothingWanted: question = question with { Wanted = default }; break;
            case DenialReason.OutsideSessionHours: _sample.Set(SettingNode.Of(_sample.Web01), SettingKind.SessionHours, "UTC; Tue 08:00-09:00"); break;
            case DenialReason.RecordingForbids: _sample.Set(SettingNode.Of(_sample.Web01), SettingKind.Recording, "required"); break;
        }

        var explanation = _sample.Snapshot.Explain(question);
        explanation.Decision.Reason.ShouldBe(reason);
        explanation.Lines[^1].Text.ShouldBe(text);
    }

    private AccessExplanation Explain(params Permission[] wanted) => _sample.Snapshot.Explain(_sample.Question(_tina, wanted));

    private string[] Texts(params Permission[] wanted) => [.. Explain(wanted).Lines.Select(line => line.Text)];
}
