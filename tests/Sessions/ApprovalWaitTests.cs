using System.Collections.Immutable;
using Countersign.Access;

namespace Countersign.Sessions.Tests;

/// <summary>A connection that needs approval: what it waits for, and what lets it in.</summary>
public sealed class ApprovalWaitTests : IAsyncDisposable
{
    private static readonly ImmutableArray<ApprovalStepId> Steps = [new(ApprovalStepKind.Organization, Guid.Empty)];

    private readonly World _world = new();
    private readonly Room _room = new();

    public ApprovalWaitTests() => Require("required");

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task An_approved_request_in_hand_lets_in_and_is_claimed_with_the_session()
    {
        _world.Approved.Add(Approved(4) with { Account = "other" });
        _world.Approved.Add(Approved(5));
        await using var session = (await AskAsync()).ShouldBeOfType<AdmissionResult.Admitted>().Session;
        _world.Begun.ShouldHaveSingleItem().Request.ShouldBe(5);
        session.Question.Asked.Approvals.ShouldHaveSingleItem().Number.ShouldBe(5);
        _room.Lines.ShouldBeEmpty();
    }

    [Fact]
    public async Task Without_one_it_waits_with_number_and_approvers_and_connects_on_approval()
    {
        var asking = AskAsync();
        asking.IsCompleted.ShouldBeFalse();
        _room.Lines[0].ShouldStartWith("request #1: web01 needs approval. ");
        _room.Lines[0].ShouldContain("It can be given by Olga.");
        _world.Approved.Add(Approved(1));
        _world.Asked[0].Decide(new(true, "approved by Olga"));
        await using var session = (await asking).ShouldBeOfType<AdmissionResult.Admitted>().Session;
        _room.Lines[^1].ShouldBe("request #1: approved by Olga");
        _world.Asked[0].Left.ShouldBeTrue();
        _world.Asked[0].Wish.Permissions.ShouldBe(PermissionSet.Of(Permission.Terminal));
    }

    [Fact]
    public async Task A_rejection_is_told()
    {
        var asking = AskAsync();
        _world.Asked[0].Decide(new(false, "rejected by Olga: not today"));
        (await asking).ShouldBeOfType<AdmissionResult.Refused>().Message.ShouldBe("request #1: rejected by Olga: not today");
        _world.Begun.ShouldBeEmpty();
    }

    [Fact]
    public async Task Leaving_leaves_the_request()
    {
        using var left = new CancellationTokenSource();
        var asking = AskAsync(left.Token);
        await left.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => asking);
        _world.Asked[0].Left.ShouldBeTrue();
    }

    [Fact]
    public async Task A_reason_that_is_required_is_asked_for_once_and_a_connection_without_one_is_refused()
    {
        _world.ReasonFits = reason => reason.Length > 0;
        (await AskAsync()).ShouldBeOfType<AdmissionResult.Refused>().Message.ShouldContain("LC_REASON");
        _room.Answer = "the disk is full";
        _room.AskedFor.ShouldHaveSingleItem();
        var asking = AskAsync();
        _world.Asked.ShouldHaveSingleItem().Reason.ShouldBe("the disk is full");
        _world.Asked[0].Decide(new(false, "expired"));
        await asking;
    }

    [Fact]
    public async Task A_reason_that_will_not_do_is_asked_for_again_in_the_organization_s_words_and_not_for_ever()
    {
        _world.ReasonFits = reason => reason == "OPS-7";
        _world.ReasonAsked = "a ticket such as OPS-7";
        _room.Answer = "please";
        (await AskAsync()).ShouldBeOfType<AdmissionResult.Refused>().Message.ShouldContain("needs approval, and a reason for it: a ticket such as OPS-7.");
        _room.AskedFor.ShouldBe(["a ticket such as OPS-7", "a ticket such as OPS-7", "a ticket such as OPS-7"]);
        _world.Asked.ShouldBeEmpty();
        _room.Answer = "OPS-7";
        var asking = AskAsync();
        _world.Asked.ShouldHaveSingleItem().Decide(new(false, "expired"));
        await asking;
    }

    [Fact]
    public async Task Where_the_desk_takes_no_more_requests_that_is_told()
    {
        _world.DeskRefuses = "64 requests of yours wait already";
        (await AskAsync()).ShouldBeOfType<AdmissionResult.Refused>().Message.ShouldBe("64 requests of yours wait already");
    }

    [Fact]
    public async Task What_the_desk_tells_meanwhile_is_shown()
    {
        var asking = AskAsync();
        _world.Asked[0].Note("nobody can approve it now");
        _room.Lines[^1].ShouldBe("nobody can approve it now");
        _world.Asked[0].Decide(new(false, "expired"));
        await asking;
    }

    [Fact]
    public async Task An_approval_that_never_counts_is_not_asked_for_without_end()
    {
        _world.OnAsked = pending => pending.Decide(new(true, "approved automatically"));
        (await AskAsync()).ShouldBeOfType<AdmissionResult.Refused>().Decision.ShouldBe(DecisionKind.NeedsApproval);
        _world.Asked.Count.ShouldBe(10);
    }

    [Fact]
    public async Task A_rule_that_falls_lets_in_and_a_right_that_is_taken_away_refuses()
    {
        var falling = AskAsync();
        Require("not");
        await using var session = (await falling).ShouldBeOfType<AdmissionResult.Admitted>().Session;
        _world.Asked[0].Left.ShouldBeTrue();
        Require("required");
        var taken = AskAsync();
        _world.Change(new RowChange(_world.TinasGrant, null));
        (await taken).ShouldBeOfType<AdmissionResult.Refused>().Decision.ShouldBe(DecisionKind.Denied);
    }

    [Fact]
    public async Task An_approval_that_is_gone_when_it_is_claimed_is_asked_for_anew()
    {
        _world.Approved.Add(Approved(7));
        _world.Approved.Add(Approved(8));
        _world.ClaimFails = number =>
        {
            _world.Approved.RemoveAll(approved => approved.Number == number);
            return number == 7;
        };
        await using var session = (await AskAsync()).ShouldBeOfType<AdmissionResult.Admitted>().Session;
        _world.Begun.ShouldHaveSingleItem().Request.ShouldBe(8);
    }

    [Fact]
    public async Task Where_an_approval_counts_and_something_else_stands_in_the_way_nobody_is_asked_again()
    {
        _world.Approved.Add(Approved(5));
        var consent = (SettingRow)_world.Snapshot.Find(new SettingRow(SettingNode.Organization, SettingKind.RemoteControlApproval, "", 0).Key)!;
        Settings.TryCanonical(SettingKind.RemoteControlApproval, "terminal=ask", out var ask, out _).ShouldBeTrue();
        _world.Change(new RowChange(consent, consent with { Value = ask, Touched = _world.Snapshot.Version + 1 }));
        (await AskAsync()).ShouldBeOfType<AdmissionResult.Refused>().Message.ShouldContain("somebody at web01 has to agree");
        _world.Asked.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_revocation_between_the_claim_and_the_list_of_sessions_ends_the_session()
    {
        _world.Approved.Add(Approved(5));
        _world.BeforeRegistration = () => _world.Revoked.Add(5);
        var admitted = (await AskAsync()).ShouldBeOfType<AdmissionResult.Admitted>();
        await using var session = admitted.Session;
        session.End!.Value.Reason.ShouldBe(EndReason.PermissionRevoked);
        admitted.Connection.TryUse().ShouldBeFalse();
    }

    [Fact]
    public async Task Where_nobody_can_approve_it_is_said_who_can_mend_that()
    {
        var olga = _world.Snapshot.PersonByLogin("olga")!;
        _world.Change(new RowChange(olga, olga with { Name = "Olga the owner" }));
        var refused = (await _world.Admission.AskAsync(Wish(olga.Id), TestContext.Current.CancellationToken)).ShouldBeOfType<AdmissionResult.Refused>();
        refused.Message.ShouldContain("Nobody can give it now: Olga the owner can appoint somebody.");
    }

    private Task<AdmissionResult> AskAsync(CancellationToken? left = null) =>
        _world.Admission.AskAsync(Wish(World.Tina), _room, left ?? TestContext.Current.CancellationToken).AsTask();

    private ConnectionWish Wish(PersonId person) =>
        new(_world.Snapshot.Organization, person, "login", SignInStrength.OneFactor, null, "web01", null, SessionKind.Shell, "");

    private static ApprovedRequest Approved(long number) => new(
        number, World.Tina, World.Web, "root", PermissionSet.Of(Permission.Terminal), null, World.Start, World.Start.AddHours(1), Steps);

    private void Require(string value)
    {
        var before = (SettingRow)_world.Snapshot.Find(new SettingRow(SettingNode.Organization, SettingKind.ManagerialApproval, "", 0).Key)!;
        _world.Change(new RowChange(before, before with { Value = value, Touched = _world.Snapshot.Version + 1 }));
    }

    private sealed class Room : IWaitingRoom
    {
        public List<string> Lines { get; } = [];

        public string Answer { get; set; } = "";

        public string Reason => "";

        public List<string> AskedFor { get; } = [];

        public ValueTask<string> AskReasonAsync(string asked, CancellationToken cancellation)
        {
            AskedFor.Add(asked);
            return new(Answer);
        }

        public void Note(string line) => Lines.Add(line);

        public void Tell(string line) => Lines.Add(line);

        public void LetIn(string line) => Lines.Add(line);
    }
}
