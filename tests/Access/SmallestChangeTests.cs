using static Countersign.Access.Permission;

namespace Countersign.Access.Tests;

public class SmallestChangeTests
{
    private readonly Sample _sample = new();
    private readonly PersonId _tina;
    private readonly TechnicianGroupId _support;
    private readonly TechnicianGroupId _night;

    public SmallestChangeTests()
    {
        _tina = _sample.Technician("tina");
        _support = _sample.Group("Support");
        _night = _sample.Group("Night", _support);
        _sample.Member(_tina, _night);
    }

    [Fact]
    public void Two_locks_in_one_chain_are_both_taken_off()
    {
        _sample.Grant(_tina, _sample.Web01, Terminal);
        _sample.Grant(GrantSubject.To(_night), GrantScope.Of(_sample.Web01), _sample.Role(Terminal));
        _sample.Deny(_sample.Everyone, Terminal, locked: true);
        _sample.Deny(_support, Terminal, locked: true);
        Texts(Terminal).ShouldBe(["Unlock Terminal Mode at Everyone.", "Allow Terminal Mode at Support, not locked."]);
    }

    [Fact]
    public void Two_roles_are_granted_where_none_has_all_that_is_wanted()
    {
        _sample.Role(ManageSecurity, Chat);
        var grants = Changes(ManageSecurity, AcceptAccessRequests).Select(change => change.Command.ShouldBeOfType<PolicyCommand.AddGrant>()).ToList();
        grants.Count.ShouldBe(2);
        grants.Select(grant => grant.Id).Distinct().Count().ShouldBe(2);
        grants.Select(grant => _sample.Snapshot.Role(grant.Role)!.Permissions).Aggregate((all, some) => all | some).Covers(PermissionSet.Of(ManageSecurity, AcceptAccessRequests)).ShouldBeTrue();
    }

    [Fact]
    public void A_permission_and_what_it_needs_come_by_one_role_where_there_is_one()
    {
        _sample.Role(ScreenControl);
        _sample.Role(ScreenView);
        Texts(ScreenControl).ShouldBe(["Grant Only device connection on web01 to Tina."]);

        _sample.Grant(_tina, _sample.Web01, ScreenControl);
        var role = _sample.Snapshot.Role(Changes(ScreenControl).ShouldHaveSingleItem().Command.ShouldBeOfType<PolicyCommand.AddGrant>().Role)!;
        role.Permissions.ShouldBe(PermissionSet.Of(ScreenView));
    }

    [Fact]
    public void Every_request_in_hand_is_a_change_of_its_own()
    {
        ApprovedRequest Request(long number) => new(number, _sample.Olga, _sample.Web01, "deploy", PermissionSet.Of(Terminal), null, Sample.Noon, null, [Step()]);
        _sample.Set(SettingNode.Of(_sample.Web01), SettingKind.ManagerialApproval, "required");
        var question = _sample.Question(_sample.Olga, [Terminal]);
        Texts(question with { Approvals = [Request(7)] }).ShouldBe(["Revoke request #7."]);
        Texts(question with { Approvals = [Request(7), Request(8)] }).ShouldBe(["Revoke request #7.", "Revoke request #8."]);
        _sample.Snapshot.SmallestChange(question with { Approvals = [Request(7), Request(8), Request(9)] }, Fresh, TestContext.Current.CancellationToken).ShouldBeNull();
    }

    [Fact]
    public void Nobody_is_told_to_ask_where_nobody_can_approve()
    {
        _sample.Grant(_tina, _sample.Web01, Terminal);
        _sample.Change(_night, row => row with { RequiresManagerialApproval = true });
        Texts(Terminal).ShouldBe(["Take Tina out of Support / Night."]);
        _sample.Manager(_sample.Olga, _night);
        Texts(Terminal).ShouldBe(["Approve a request for the connection to web01."]);

        // Nor ahead of time.
        var sample = new Sample();
        sample.Set(SettingNode.Of(sample.Web01), SettingKind.ManagerialApproval, "required");
        sample.Snapshot.ApprovalSteps(sample.Question(sample.Olga, [Terminal])).ShouldHaveSingleItem().Blocked.ShouldBeTrue();
        sample.Snapshot.SmallestChange(sample.Question(sample.Olga, [Terminal]), () => new(sample.Next()), TestContext.Current.CancellationToken).ShouldBeNull();
    }

    [Fact]
    public void Access_ahead_of_time_stands_for_an_approval_that_nobody_can_give()
    {
        _sample.Grant(_tina, _sample.Web01, Terminal, RequestAccess);
        _sample.Change(_sample.Everyone, row => row with { RequiresManagerialApproval = true });
        Texts(Terminal).ShouldBe(["Approve a request for Only device connection on web01."]);
    }

    [Fact]
    public void To_be_spared_a_consent_is_suggested_with_the_approval_that_has_to_cover_it()
    {
        _sample.Grant(_tina, _sample.Web01, Terminal, SkipConsent);
        _sample.Set(SettingNode.Of(_sample.Web01), SettingKind.RemoteControlApproval, "terminal=ask");
        _sample.Set(SettingNode.Of(_sample.Web01), SettingKind.ManagerialApproval, "required");
        Texts(Terminal).ShouldBe(["Approve a request for the connection to web01, with Skip consent."]);
    }

    [Fact]
    public void A_permission_that_needs_another_is_denied_with_it()
    {
        _sample.Grant(_tina, _sample.Web01, ScreenControl, ScreenView);
        foreach (var _ in Enumerable.Range(0, 3)) _sample.Grant(_tina, _sample.Web01, ScreenView);
        Changes(ScreenControl).ShouldHaveSingleItem();
    }

    /// <summary>To hold it on the default account is not to hold it on the device itself, which such a question is about.</summary>
    [Fact]
    public void What_is_held_for_a_named_account_is_not_taken_for_held_on_the_device_itself()
    {
        _sample.Grant(GrantSubject.To(_tina), GrantScope.Of(_sample.Web01), _sample.Role(ConnectionHistory), new(AccountRule.Named, "deploy"));
        _sample.Decide(_tina, ConnectionHistory).Kind.ShouldBe(DecisionKind.Denied);
        Changes(ConnectionHistory).ShouldHaveSingleItem().Text.ShouldStartWith("Grant ");
    }

    [Fact]
    public void A_search_is_bounded_and_ends_with_whoever_asked()
    {
        // Each of twelve groups denies it, locked: two changes are not enough, and there are a great many pairs of them.
        for (var count = 0; count < 12; count++)
        {
            var group = _sample.Group($"Denying {count}");
            _sample.Deny(group, Terminal, locked: true);
            _sample.Member(_tina, group);
        }

        for (var count = 0; count < 5; count++) _sample.Role(Terminal, (Permission)(20 + count));
        var (policy, question, tried) = (_sample.Snapshot, _sample.Question(_tina, [Terminal]), 0);
        GrantId Counted()
        {
            tried++;
            return Fresh();
        }

        policy.SmallestChange(question, Counted, TestContext.Current.CancellationToken).ShouldBeNull();
        tried.ShouldBeInRange(1, 100);
        using var left = new CancellationTokenSource();
        left.Cancel();
        Should.Throw<OperationCanceledException>(() => policy.SmallestChange(question, Fresh, left.Token));
    }

    private GrantId Fresh() => new(_sample.Next());

    private ApprovalStepId Step() => _sample.Snapshot.ApprovalSteps(_sample.Question(_sample.Olga, [Terminal])).ShouldHaveSingleItem().Id;

    private IReadOnlyList<ElementaryChange> Changes(params Permission[] wanted) => _sample.Snapshot.SmallestChange(_sample.Question(_tina, wanted), Fresh, TestContext.Current.CancellationToken).ShouldNotBeNull().Changes;

    private List<string> Texts(params Permission[] wanted) => Texts(_sample.Question(_tina, wanted));

    private List<string> Texts(AccessQuestion question) => [.. _sample.Snapshot.SmallestChange(question, Fresh, TestContext.Current.CancellationToken).ShouldNotBeNull().Changes.Select(change => change.Text)];
}
