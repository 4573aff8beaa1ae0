using System.Net;
using static Countersign.Access.Permission;

namespace Countersign.Access.Tests;

public class AllocationTests
{
    [Fact]
    public void A_decision_allocates_nothing()
    {
        var sample = new Sample();
        var tina = sample.Technician("tina");
        var group = sample.Group("Support");
        sample.Member(tina, group);
        sample.Grant(GrantSubject.To(group), GrantScope.AllDevices, SystemRoles.FullDeviceAccess.Id, GrantAccounts.Any);
        sample.Grant(GrantSubject.To(tina), GrantScope.Of(sample.Web01), sample.Role(Terminal), new(AccountRule.Named, "deploy,root"));
        sample.Grant(
            GrantSubject.To(tina),
            GrantScope.Of(sample.Servers),
            sample.Role(Chat),
            window: new(null, Sample.Noon.AddDays(9), "Europe/Berlin; Mon-Fri 08:00-18:00"));
        sample.Set(SettingNode.Organization, SettingKind.SessionHours, "America/New_York; Mon-Fri 00:00-24:00");
        sample.Change(group, row => row with { RequiresManagerialApproval = true });
        sample.Set(SettingNode.Organization, SettingKind.AllowedNetworks, "10.0.0.0/8, 127.0.0.0/8, ::/0");
        var snapshot = sample.Snapshot;
        var approvable = sample.Question(tina, [Terminal]) with { Source = IPAddress.Loopback };
        var approved = new ApprovedRequest(
            1, tina, sample.Web01, "deploy", PermissionSet.Of(Terminal), IPAddress.Parse("127.0.0.1"), Sample.Noon, null,
            [.. snapshot.ApprovalSteps(approvable).Select(step => step.Id)]);
        snapshot.Decide(approvable with { Approvals = [approved] }).Kind.ShouldBe(DecisionKind.Allowed);
        AccessQuestion[] questions =
        [
            sample.Question(tina, [Terminal]),
            sample.Question(tina, [Chat], account: "root"),
            sample.Question(tina, [Terminal], account: "nobody"),
            sample.Question(tina, [Terminal], new(Guid.NewGuid())),
            sample.Question(sample.Olga, [Tunnel, SkipConsent]),
            approvable with { Approvals = [approved with { Account = "root" }, approved] },
        ];
        questions = [sample.Question(tina, [Terminal]), .. questions.Select(question => question with { Source = IPAddress.Loopback })];
        foreach (var question in questions) snapshot.Decide(question);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var round = 0; round < 100; round++)
        {
            foreach (ref readonly var question in questions.AsSpan()) snapshot.Decide(question);
        }

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }
}
