using Countersign.Access;
using Countersign.Server.Features.Identity;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Tests.Identity;

/// <summary>What is planned before the writer's turn carries no right, and no sign-in, that has ended when the turn comes.</summary>
public sealed class PlannedAheadTests
{
    [Fact]
    public async Task A_right_that_ends_before_the_writer_s_turn_carries_no_plan()
    {
        await using var lab = await IdentityLab.StartAsync();
        var caller = await AdministratorAsync(lab, new(null, lab.Clock.GetUtcNow() + TimeSpan.FromSeconds(5)));
        var (outcome, made) = await PlanBehindAsync(lab, caller, _ => lab.Clock.Advance(TimeSpan.FromSeconds(5)));
        outcome.ShouldBeOfType<PolicyOutcome.Refused>().Reason.ShouldBeOfType<PlanResult.Forbidden>();
        made.ShouldBe(2);
    }

    [Fact]
    public async Task A_right_that_lasts_carries_its_plan_however_long_the_writer_is_at_something_else()
    {
        await using var lab = await IdentityLab.StartAsync();
        var caller = await AdministratorAsync(lab, new(null, lab.Clock.GetUtcNow() + TimeSpan.FromSeconds(61)));
        var (outcome, made) = await PlanBehindAsync(lab, caller, _ => lab.Clock.Advance(TimeSpan.FromMinutes(1)));
        outcome.ShouldBeOfType<PolicyOutcome.Applied>();
        made.ShouldBe(1);
    }

    [Fact]
    public async Task Where_the_clock_is_set_back_it_is_planned_again()
    {
        await using var lab = await IdentityLab.StartAsync();
        var caller = await AdministratorAsync(lab, new(lab.Clock.GetUtcNow(), null));
        var (outcome, made) = await PlanBehindAsync(lab, caller, _ => lab.Clock.Set(TimeSpan.FromSeconds(-1)));
        outcome.ShouldBeOfType<PolicyOutcome.Refused>().Reason.ShouldBeOfType<PlanResult.Forbidden>();
        made.ShouldBe(2);
    }

    [Fact]
    public async Task A_sign_in_that_ends_before_the_writer_s_turn_carries_no_plan()
    {
        await using var lab = await IdentityLab.StartAsync();
        var caller = await AdministratorAsync(lab, GrantWindow.Always);
        (await PlanBehindAsync(lab, caller, db => db.Set<ApiToken>().Where(row => row.Id == caller.TokenId).ExecuteDelete())).Outcome.ShouldBeOfType<PolicyOutcome.SignInEnded>();

        caller = await CallerAsync(lab);
        (await PlanBehindAsync(lab, caller with { Read = lab.Get<PolicySource>().Current(lab.Organization)!.Version }, db => db.Set<ApiToken>().Where(row => row.Id == caller.TokenId).ExecuteDelete()))
            .Outcome.ShouldBeOfType<PolicyOutcome.SignInEnded>();

        caller = await CallerAsync(lab);
        (await PlanBehindAsync(lab, caller, _ => lab.Clock.Advance(TimeSpan.FromDays(400)))).Outcome.ShouldBeOfType<PolicyOutcome.SignInEnded>();
    }

    [Fact]
    public async Task A_rule_that_is_made_before_the_writer_s_turn_binds_who_planned_before_it()
    {
        await using var lab = await IdentityLab.StartAsync();
        var caller = await AdministratorAsync(lab, GrantWindow.Always);
        Task? ruling = null;
        var (outcome, _) = await PlanBehindAsync(
            lab,
            caller,
            _ => { },
            () => ruling = lab.Get<PolicyWriter>().ApplyAsync(
                lab.AsAnn with { Strength = SignInStrength.TwoFactor }, new PolicyCommand.SetSetting(SettingNode.Organization, SettingKind.TwoFactorRequired, "true"), IdentityLab.Stop));
        await ruling!;
        outcome.ShouldBeOfType<PolicyOutcome.SignInEnded>();
    }

    /// <summary>Tom, who administers the team within the window.</summary>
    private static async Task<Caller> AdministratorAsync(IdentityLab lab, GrantWindow window)
    {
        var granting = new PolicyCommand.AddGrant(new(Guid.NewGuid()), GrantSubject.To(lab.Tom.Id), GrantScope.Team, SystemRoles.TeamAdministrator.Id, GrantAccounts.Default, window);
        (await lab.Get<PolicyWriter>().ApplyAsync(lab.AsAnn, granting, IdentityLab.Stop)).ShouldBeOfType<PolicyOutcome.Applied>();
        return await CallerAsync(lab);
    }

    private static async Task<Caller> CallerAsync(IdentityLab lab)
    {
        await lab.TokenOfAsync("tom");
        await using var db = lab.Get<Database>().Read(lab.Organization);
        var token = await db.Set<ApiToken>().SingleAsync(row => row.Person == lab.Tom.Id, IdentityLab.Stop);
        return new(lab.Organization, lab.Tom.Id, "tom", TokenScopes.Write, token.Id, System.Net.IPAddress.Loopback, SignInStrength.OneFactor, "");
    }

    /// <summary>Planned while the writer is held; what happens, happens before its turn.</summary>
    /// <param name="before">Takes its place on the writer before the plan does.</param>
    private static async Task<(PolicyOutcome Outcome, int Made)> PlanBehindAsync(IdentityLab lab, Caller caller, Action<CountersignDb> meanwhile, Action? before = null)
    {
        var (entered, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        var held = lab.Get<WriteQueue>().WriteAsync(
            lab.Organization,
            async (db, _) =>
            {
                entered.SetResult();
                await go.Task;
                meanwhile(db);
            },
            IdentityLab.Stop);
        await entered.Task;
        before?.Invoke();
        var made = 0;
        var command = new PolicyCommand.AddDeviceGroup(new(Guid.NewGuid()), null, "Long");
        var applying = lab.Get<PolicyWriter>().ApplyPlannedAheadAsync(
            caller,
            (_, _, _) =>
            {
                made++;
                return ValueTask.FromResult<PolicyCommand?>(command);
            },
            IdentityLab.Stop);
        made.ShouldBe(1);
        go.SetResult();
        await held;
        return (await applying, made);
    }
}
