namespace Countersign.Access.Tests;

public class SettingsTests
{
    [Fact]
    public void Every_default_is_in_canonical_form()
    {
        foreach (var kind in Settings.All)
        {
            Settings.TryCanonical(kind, Settings.Default(kind), out var canonical, out _).ShouldBeTrue();
            canonical.ShouldBe(Settings.Default(kind));
        }
    }

    [Theory]
    [InlineData(
        SettingKind.RemoteControlApproval,
        "terminal=ask",
        "screen=notify; terminal=ask; files=off; web=off; actions=off; unanswered=refuse; answer=30s")]
    [InlineData(
        SettingKind.RemoteControlApproval,
        "answer=60s;unanswered=connect;screen=ask",
        "screen=ask; terminal=off; files=off; web=off; actions=off; unanswered=connect; answer=1m")]
    [InlineData(SettingKind.ManagerialApproval, "required", "required")]
    [InlineData(SettingKind.Recording, "off", "off")]
    [InlineData(SettingKind.MaxSession, "90m", "90m")]
    [InlineData(SettingKind.MaxSession, "120m", "2h")]
    [InlineData(SettingKind.MaxSession, "none", "none")]
    [InlineData(SettingKind.ApprovalStatusChangeToExpire, "none", "none")]
    [InlineData(SettingKind.ApprovalValidFor, "60m;often", "1h; often")]
    [InlineData(SettingKind.ApprovalReasonRequired, "true", "true")]
    [InlineData(SettingKind.RecordingRetention, "none", "none")]
    [InlineData(SettingKind.RecordingRetention, "2555d", "2555d")]
    [InlineData(SettingKind.RecordingRetention, "007d", "7d")]
    [InlineData(SettingKind.ApprovalReasonPattern, "none", "none")]
    [InlineData(SettingKind.ApprovalReasonPattern, "^(OPS|NET)-[0-9]{1,6}\\b", "^(OPS|NET)-[0-9]{1,6}\\b")]
    [InlineData(SettingKind.ApprovalReasonPattern, "\\d{4}", "\\d{4}")]
    [InlineData(SettingKind.ApprovalReasonWords, " a ticket such as OPS-7 ", "a ticket such as OPS-7")]
    [InlineData(SettingKind.SessionHours, "UTC;Mon 08:00-09:00", "UTC; Mon 08:00-09:00")]
    [InlineData(SettingKind.HostKeyTrust, "firstUse", "firstUse")]
    [InlineData(SettingKind.TrustedHostAuthorities, "ssh-rsa BBBB the old one,ssh-ed25519  AAAA, ssh-rsa BBBB", "ssh-ed25519 AAAA, ssh-rsa BBBB")]
    public void Values_have_one_spelling(SettingKind kind, string text, string expected)
    {
        Settings.TryCanonical(kind, text, out var canonical, out var problem).ShouldBeTrue(problem);
        canonical.ShouldBe(expected);
        Settings.TryCanonical(kind, expected, out var again, out _).ShouldBeTrue();
        again.ShouldBe(expected);
    }

    [Theory]
    [InlineData(SettingKind.RemoteControlApproval, "screen=off")]
    [InlineData(SettingKind.RemoteControlApproval, "terminal=perhaps")]
    [InlineData(SettingKind.RemoteControlApproval, "terminal=ask; terminal=off")]
    [InlineData(SettingKind.RemoteControlApproval, "printer=ask")]
    [InlineData(SettingKind.RemoteControlApproval, "terminal")]
    [InlineData(SettingKind.RemoteControlApproval, "answer=1s")]
    [InlineData(SettingKind.RemoteControlApproval, "answer=none")]
    [InlineData(SettingKind.RemoteControlApproval, "unanswered=maybe")]
    [InlineData(SettingKind.ManagerialApproval, "yes")]
    [InlineData(SettingKind.Recording, "")]
    [InlineData(SettingKind.MaxSession, "0m")]
    [InlineData(SettingKind.MaxSession, "-5m")]
    [InlineData(SettingKind.MaxSession, "366d")]
    [InlineData(SettingKind.MaxSession, "99999999d")]
    [InlineData(SettingKind.MaxSession, "5")]
    [InlineData(SettingKind.SessionHours, "never")]
    [InlineData(SettingKind.AutoApproveWhenRequesterIsApprover, "yes")]
    [InlineData(SettingKind.ApprovalReasonPattern, "")]
    [InlineData(SettingKind.ApprovalReasonPattern, "(")]
    [InlineData(SettingKind.ApprovalReasonPattern, "(?=a)b")]
    [InlineData(SettingKind.ApprovalReasonPattern, "(a)\\1")]
    [InlineData(SettingKind.ApprovalReasonPattern, "a{100000}")]
    [InlineData(SettingKind.ApprovalReasonPattern, "(((a{0,100}){0,100}){0,100})")]
    [InlineData(SettingKind.ApprovalReasonPattern, "(.*a){200}")]
    [InlineData(SettingKind.ApprovalReasonPattern, "a\nb")]
    [InlineData(SettingKind.ApprovalReasonWords, "")]
    [InlineData(SettingKind.ApprovalReasonWords, "a\u001b[2J")]
    [InlineData(SettingKind.ApprovalReasonWords, "a\u202eb")]
    [InlineData(SettingKind.ApprovalValidFor, "1h")]
    [InlineData(SettingKind.ApprovalValidFor, "none; once")]
    [InlineData(SettingKind.ApprovalStatusChangeToExpire, "30")]
    [InlineData(SettingKind.RecordingRetention, "0d")]
    [InlineData(SettingKind.RecordingRetention, "-1d")]
    [InlineData(SettingKind.RecordingRetention, "12h")]
    [InlineData(SettingKind.RecordingRetention, "36526d")]
    [InlineData(SettingKind.RecordingRetention, "")]
    [InlineData(SettingKind.HostKeyTrust, "always")]
    [InlineData(SettingKind.TrustedHostAuthorities, "")]
    [InlineData(SettingKind.TrustedHostAuthorities, "ssh-ed25519")]
    [InlineData(SettingKind.TrustedHostAuthorities, "ssh-ed25519 AAAA,")]
    [InlineData(SettingKind.TrustedHostAuthorities, "a AAAA,b AAAA,c AAAA,d AAAA,e AAAA,f AAAA,g AAAA,h AAAA,i AAAA")]
    [InlineData((SettingKind)99, "on")]
    public void What_says_nothing_is_refused_and_says_why(SettingKind kind, string text)
    {
        Settings.TryCanonical(kind, text, out var canonical, out var problem).ShouldBeFalse();
        canonical.ShouldBeNull();
        problem.ShouldNotBeEmpty();
    }
}
