using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Countersign.Access;

/// <summary>What is asked of the end user, from least to most: the order is that of strictness.</summary>
public enum ConsentMode : byte
{
    Off = 0,
    Notify = 1,

    /// <summary>Ask, and connect if nobody answers.</summary>
    AskThenConnect = 2,

    /// <summary>Ask, and don't connect if nobody answers.</summary>
    AskOrRefuse = 3,
}

public enum RecordingRule : byte
{
    Off = 0,

    /// <summary>What can be recorded is.</summary>
    On = 1,

    /// <summary>What can't be recorded is refused.</summary>
    Required = 2,
}

/// <summary>The value of <see cref="SettingKind.RemoteControlApproval"/>.</summary>
/// <param name="TimeToAnswer">Whole seconds, 5 to 600.</param>
public sealed record RemoteControlApproval(
    ConsentMode Screen,
    ConsentMode Terminal,
    ConsentMode Files,
    ConsentMode Web,
    ConsentMode Actions,
    TimeSpan TimeToAnswer)
{
    /// <summary>The fallback of every <em>ask</em>; told by the modes too, unless none of them asks.</summary>
    public bool ConnectsUnanswered { get; init; }

    /// <summary>Somebody is asked for something.</summary>
    internal bool Asks => Screen > ConsentMode.Notify || Terminal > ConsentMode.Notify || Files > ConsentMode.Notify || Web > ConsentMode.Notify || Actions > ConsentMode.Notify;

    /// <summary>The same, where nobody connects without at least that.</summary>
    internal RemoteControlApproval AtLeast(ConsentMode least) => this with
    {
        Screen = Stricter(Screen, least),
        Terminal = Stricter(Terminal, least),
        Files = Stricter(Files, least),
        Web = Stricter(Web, least),
        Actions = Stricter(Actions, least),
    };

    private static ConsentMode Stricter(ConsentMode one, ConsentMode other) => one > other ? one : other;

    public ConsentMode For(ConsentKind kind) => kind switch
    {
        ConsentKind.Screen => Screen,
        ConsentKind.Terminal => Terminal,
        ConsentKind.Files => Files,
        ConsentKind.Web => Web,
        ConsentKind.Actions => Actions,
        _ => ConsentMode.Off,
    };
}

/// <summary>How an organization approves: its own settings, which no node below overrides.</summary>
/// <param name="AutoApprove">A requester who could take a step fills one place of it.</param>
/// <param name="ExpireAfter">How long a request waits; null: for ever.</param>
/// <param name="ValidFor">How long after approval a connection may begin.</param>
/// <param name="Once">One connection claims the approval, and others only join it; false: as often as wanted.</param>
/// <param name="ReasonRequired">The requester says why.</param>
public sealed record ApprovalSettings(bool AutoApprove, TimeSpan? ExpireAfter, TimeSpan ValidFor, bool Once, bool ReasonRequired)
{
    /// <summary>What every reason has to hold, such as a ticket's number: see <see cref="Access.ReasonPattern"/>. With it a reason is required. Null: any will do.</summary>
    public string? ReasonPattern { get; init; }

    /// <summary>The organization's own words for what the reason has to be; null: it has none.</summary>
    public string? ReasonWords { get; init; }

    /// <summary>What a requester is asked for; empty: nothing but a reason.</summary>
    public string ReasonAsked => ReasonWords ?? (ReasonPattern is null ? "" : $"one that fits {ReasonPattern}");

    /// <summary>Whether a request may be made with this reason; empty: with none.</summary>
    public bool Accepts(string reason)
    {
        if (reason.Length == 0) return !ReasonRequired && ReasonPattern is null;
        return ReasonPattern is null || Access.ReasonPattern.IsIn(reason, ReasonPattern);
    }
}

/// <summary>
/// The values of settings as text, each in one canonical spelling:
/// <list type="bullet">
/// <item><c>screen=notify; terminal=off; files=off; web=off; actions=off; unanswered=refuse; answer=30s</c> for RemoteControlApproval:
/// modes <c>off</c> (not for the screen), <c>notify</c>, <c>ask</c>; unanswered <c>refuse</c> or <c>connect</c>; what is left out has its default;</item>
/// <item><c>required</c> or <c>not</c> for ManagerialApproval;</item>
/// <item><c>off</c>, <c>on</c> or <c>required</c> for Recording;</item>
/// <item><c>none</c> or a duration such as <c>90s</c>, <c>30m</c>, <c>8h</c>, <c>2d</c> for MaxSession, IdleTimeout and EndWarning;</item>
/// <item><c>always</c> or what <see cref="WeeklyHours"/> takes for SessionHours;</item>
/// <item><c>none</c> or what <see cref="NotificationRules"/> takes for Notifications, such as <c>session.refused: managers, mail:ops@example.org</c>;</item>
/// <item><c>true</c> or <c>false</c> for AutoApproveWhenRequesterIsApprover and ApprovalReasonRequired;</item>
/// <item><c>none</c> or a regular expression for ApprovalReasonPattern: see <see cref="ReasonPattern"/>;</item>
/// <item><c>none</c> or a line of at most 200 characters for ApprovalReasonWords;</item>
/// <item><c>none</c> or a duration for ApprovalStatusChangeToExpire;</item>
/// <item>a duration and <c>once</c> or <c>often</c> for ApprovalValidFor, such as <c>1h; once</c>;</item>
/// <item><c>none</c> or ids of roles for AccessRequestRoles, and <c>none</c> or a duration for AccessRequestLongest;</item>
/// <item><c>none</c> (for ever) or a number of days for RecordingRetention and PasswordAge, such as <c>90d</c>;</item>
/// <item><c>true</c> or <c>false</c> for TwoFactorRequired;</item>
/// <item><c>none</c> (anywhere) or what <see cref="NetworkList"/> takes for AllowedNetworks;</item>
/// <item><c>2</c>, <c>3</c> or <c>4</c> for PasswordStrength;</item>
/// <item>a duration from 5m to 30d for SignInLifetime, and <c>none</c> or one from 1m on for SignInIdle;</item>
/// <item><c>pinned</c> or <c>firstUse</c> for HostKeyTrust;</item>
/// <item><c>none</c> or public keys as <c>type base64</c>, with commas between, for TrustedHostAuthorities.</item>
/// </list>
/// </summary>
public static class Settings
{
    /// <summary>Longest text that is looked at.</summary>
    public const int MaxLength = 4000;

    /// <summary>In days: a hundred years.</summary>
    private const int MostDays = 36_525;

    private static readonly (string Name, ConsentKind Kind)[] Kinds =
    [
        ("screen", ConsentKind.Screen),
        ("terminal", ConsentKind.Terminal),
        ("files", ConsentKind.Files),
        ("web", ConsentKind.Web),
        ("actions", ConsentKind.Actions),
    ];

    private static readonly (char Unit, int Seconds)[] Units = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

    public static IReadOnlyList<SettingKind> All { get; } = Enum.GetValues<SettingKind>();

    /// <summary>Those that a node of this kind can have, or inherit.</summary>
    public static IEnumerable<SettingKind> At(SettingNodeKind node) => All.Where(kind => node == SettingNodeKind.Organization || !IsOfOrganization(kind));

    /// <summary>Whether only the organization itself has it.</summary>
    public static bool IsOfOrganization(SettingKind kind) => kind is >= SettingKind.AutoApproveWhenRequesterIsApprover and <= SettingKind.TrustedHostAuthorities;

    /// <summary>The organization's value unless it is changed, in canonical form.</summary>
    public static string Default(SettingKind kind) => kind switch
    {
        SettingKind.RemoteControlApproval => "screen=notify; terminal=off; files=off; web=off; actions=off; unanswered=refuse; answer=30s",
        SettingKind.ManagerialApproval => "not",
        SettingKind.Recording => "on",
        SettingKind.MaxSession => "none",
        SettingKind.IdleTimeout => "30m",
        SettingKind.EndWarning => "5m",
        SettingKind.SessionHours => "always",
        SettingKind.Notifications or SettingKind.ApprovalReasonPattern or SettingKind.ApprovalReasonWords => "none",
        SettingKind.AutoApproveWhenRequesterIsApprover or SettingKind.ApprovalReasonRequired => "false",
        SettingKind.ApprovalStatusChangeToExpire => "30m",
        SettingKind.ApprovalValidFor => "1h; once",
        SettingKind.RecordingRetention => "none",
        SettingKind.AccessRequestRoles => SystemRoles.OnlyDeviceConnection.Id.ToString(),
        SettingKind.AccessRequestLongest => "30d",
        SettingKind.TwoFactorRequired => "false",
        SettingKind.AllowedNetworks or SettingKind.PasswordAge => "none",
        SettingKind.PasswordStrength => "3",
        SettingKind.SignInLifetime => "12h",
        SettingKind.SignInIdle => "30m",
        SettingKind.HostKeyTrust => "pinned",
        SettingKind.TrustedHostAuthorities => "none",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "no such setting"),
    };

    /// <summary>Brings a value to its canonical spelling.</summary>
    /// <param name="problem">One sentence that says what is wrong with the text; empty if nothing is.</param>
    public static bool TryCanonical(SettingKind kind, string text, [NotNullWhen(true)] out string? canonical, out string problem)
    {
        canonical = null;
        problem = "";
        if (text.Length > MaxLength) problem = $"A setting's value has at most {MaxLength} characters.";
        else canonical = kind switch
        {
            SettingKind.RemoteControlApproval => TryConsent(text, out var consent, out problem) ? Write(consent) : null,
            SettingKind.ManagerialApproval => OneOf(text, ["required", "not"], out problem),
            SettingKind.Recording => OneOf(text, ["off", "on", "required"], out problem),
            SettingKind.MaxSession or SettingKind.IdleTimeout or SettingKind.EndWarning =>
                TryDuration(text, out var duration, out problem) ? Write(duration) : null,
            SettingKind.SessionHours => TryHours(text, out var hours, out problem) ? hours?.ToString() ?? "always" : null,
            SettingKind.Notifications => NotificationRules.TryParse(text, out var told, out problem) ? told.Canonical : null,
            SettingKind.AutoApproveWhenRequesterIsApprover or SettingKind.ApprovalReasonRequired or SettingKind.TwoFactorRequired => OneOf(text, ["true", "false"], out problem),
            SettingKind.ApprovalStatusChangeToExpire => TryDuration(text, out var expiry, out problem) ? Write(expiry) : null,
            SettingKind.ApprovalValidFor => TryValidity(text, out var validity, out problem) ? $"{Write(validity.For)}; {(validity.Once ? "once" : "often")}" : null,
            SettingKind.AccessRequestRoles => TryRoles(text, out var roles, out problem) ? Write(roles) : null,
            SettingKind.AccessRequestLongest => TryDuration(text, out var longest, out problem) ? Write(longest) : null,
            SettingKind.RecordingRetention or SettingKind.PasswordAge => TryDays(text, out var days, out problem) ? Write(days) : null,
            SettingKind.AllowedNetworks => TryNetworks(text, out var networks, out problem) ? networks?.ToString() ?? "none" : null,
            SettingKind.PasswordStrength => OneOf(text, ["2", "3", "4"], out problem),
            SettingKind.SignInLifetime => TryLifetime(text, out var lifetime, out problem) ? Write(lifetime) : null,
            SettingKind.SignInIdle => TryIdle(text, out var idle, out problem) ? Write(idle) : null,
            SettingKind.HostKeyTrust => OneOf(text, ["pinned", "firstUse"], out problem),
            SettingKind.TrustedHostAuthorities => TryAuthorities(text, out var authorities, out problem) ? authorities.Count == 0 ? "none" : string.Join(", ", authorities) : null,
            SettingKind.ApprovalReasonPattern => ReasonPattern.TryRead(text, out problem) ? text : null,
            SettingKind.ApprovalReasonWords => TryWords(text, out problem),
            _ => null,
        };
        if (canonical is null && problem.Length == 0) problem = "There is no such setting.";
        return canonical is not null;
    }

    internal static bool TryConsent(string text, [NotNullWhen(true)] out RemoteControlApproval? value, out string problem)
    {
        value = null;
        var modes = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var part in text.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var pair = part.Split('=', StringSplitOptions.TrimEntries);
            if (pair.Length != 2 || !modes.TryAdd(pair[0], pair[1]))
            {
                problem = "Write each of screen, terminal, files, web, actions, unanswered and answer at most once, as name=value, with semicolons between.";
                return false;
            }
        }

        problem = "After unanswered= comes refuse or connect.";
        if (!modes.Remove("unanswered", out var fallback)) fallback = "refuse";
        if (fallback is not ("refuse" or "connect")) return false;
        problem = "After answer= comes a time from 5s to 10m.";
        if (!modes.Remove("answer", out var answer)) answer = "30s";
        if (!TryDuration(answer, out var time, out _) || time is not { TotalSeconds: >= 5 and <= 600 }) return false;

        Span<ConsentMode> found = stackalloc ConsentMode[Kinds.Length];
        for (var index = 0; index < Kinds.Length; index++)
        {
            var (name, kind) = Kinds[index];
            problem = kind == ConsentKind.Screen ? "After screen= comes notify or ask." : $"After {name}= comes off, notify or ask.";
            if (!modes.Remove(name, out var mode)) mode = kind == ConsentKind.Screen ? "notify" : "off";
            if (mode is not ("off" or "notify" or "ask") || (kind == ConsentKind.Screen && mode == "off")) return false;
            found[index] = mode switch
            {
                "off" => ConsentMode.Off,
                "notify" => ConsentMode.Notify,
                _ => fallback == "connect" ? ConsentMode.AskThenConnect : ConsentMode.AskOrRefuse,
            };
        }

        problem = "Only screen, terminal, files, web, actions, unanswered and answer can be set.";
        if (modes.Count > 0) return false;
        problem = "";
        value = new(found[0], found[1], found[2], found[3], found[4], time.Value)
        {
            ConnectsUnanswered = fallback == "connect",
        };
        return true;
    }

    /// <param name="value">Whole seconds, at most 365 days; null: <c>none</c>.</param>
    /// <param name="problem">One sentence that says what is wrong with the text; empty if nothing is.</param>
    public static bool TryDuration(string text, out TimeSpan? value, out string problem)
    {
        value = null;
        problem = "";
        if (text == "none") return true;
        foreach (var (unit, seconds) in Units)
        {
            if (text.Length is < 2 or > 9 || text[^1] != unit) continue;
            if (!int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var count)) break;
            if (count == 0 || (long)count * seconds > 365L * 86_400) break;
            value = TimeSpan.FromSeconds((long)count * seconds);
            return true;
        }

        problem = "Write none or a duration such as 90s, 30m, 8h or 2d, at most 365 days.";
        return false;
    }

    /// <param name="value">Null: always.</param>
    internal static bool TryHours(string text, out WeeklyHours? value, out string problem)
    {
        value = null;
        problem = "";
        return text == "always" || WeeklyHours.TryParse(text, out value, out problem);
    }

    /// <summary>Whether a stored value is one, and in canonical form.</summary>
    internal static bool IsCanonical(SettingKind kind, string text, out string problem)
    {
        if (!TryCanonical(kind, text, out var canonical, out problem)) return false;
        if (!string.Equals(canonical, text, StringComparison.Ordinal)) problem = $"'{text}' is not in canonical form";
        return problem.Length == 0;
    }

    internal static bool TryValidity(string text, out (TimeSpan For, bool Once) value, out string problem)
    {
        value = default;
        problem = "Write a duration and once or often, such as 1h; once.";
        var parts = text.Split(';', StringSplitOptions.TrimEntries);
        if (parts.Length != 2 || parts[1] is not ("once" or "often") || !TryDuration(parts[0], out var time, out _) || time is null) return false;
        problem = "";
        value = (time.Value, parts[1] == "once");
        return true;
    }

    internal static bool TryRoles(string text, out IReadOnlyList<RoleId> value, out string problem)
    {
        problem = "Write none, or up to 20 ids of roles with commas between.";
        value = [];
        if (text == "none")
        {
            problem = "";
            return true;
        }

        var roles = new SortedSet<Guid>();
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            if (!Guid.TryParseExact(part, "D", out var id) || roles.Count >= 20) return false;
            roles.Add(id);
        }

        problem = "";
        value = [.. roles.Select(id => new RoleId(id))];
        return true;
    }

    /// <param name="value">Null: anywhere.</param>
    internal static bool TryNetworks(string text, out NetworkList? value, out string problem)
    {
        value = null;
        problem = "";
        return text == "none" || NetworkList.TryParse(text, out value, out problem);
    }

    internal static bool TryLifetime(string text, [NotNullWhen(true)] out TimeSpan? value, out string problem)
    {
        problem = TryDuration(text, out value, out _) && value is { TotalMinutes: >= 5, TotalDays: <= 30 } ? "" : "Write a duration from 5m to 30d.";
        return problem.Length == 0;
    }

    /// <param name="value">Null: however long.</param>
    internal static bool TryIdle(string text, out TimeSpan? value, out string problem)
    {
        problem = TryDuration(text, out value, out _) && value is null or { TotalMinutes: >= 1, TotalDays: <= 30 } ? "" : "Write none or a duration from 1m to 30d.";
        return problem.Length == 0;
    }

    internal static bool TryAuthorities(string text, out IReadOnlyList<string> value, out string problem)
    {
        const int Most = 8;
        problem = $"Write none, or up to {Most} public keys, each its type and its base64 text, with commas between.";
        value = [];
        if (text != "none")
        {
            var keys = new SortedSet<string>(StringComparer.Ordinal);
            foreach (var part in text.Split(','))
            {
                if (!ServiceProtocols.TryPin(ServiceProtocol.Ssh, part, out var key, out _) || key.Length == 0 || keys.Count >= Most) return false;
                keys.Add(key);
            }

            value = [.. keys];
        }

        problem = "";
        return true;
    }

    /// <param name="value">Null: for ever.</param>
    internal static bool TryDays(string text, out TimeSpan? value, out string problem)
    {
        value = null;
        problem = "";
        if (text == "none") return true;
        if (text.Length is >= 2 and <= 6 && text[^1] == 'd' && int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var days)
            && days is >= 1 and <= MostDays)
        {
            value = TimeSpan.FromDays(days);
            return true;
        }

        problem = $"Write none, or a number of days from 1d to {MostDays}d.";
        return false;
    }

    private static string? TryWords(string text, out string problem)
    {
        const int Most = 200;
        var words = text.Trim();
        problem = words.Length is 0 or > Most || !Fields.IsPlain(words) ? $"Write none or 1 to {Most} characters on one line." : "";
        return problem.Length == 0 ? words : null;
    }

    private static string? OneOf(string text, string[] values, out string problem)
    {
        var known = Array.IndexOf(values, text) >= 0;
        problem = known ? "" : $"Write {string.Join(" or ", values)}.";
        return known ? text : null;
    }

    internal static string Write(IReadOnlyList<RoleId> roles) => roles.Count == 0 ? "none" : string.Join(',', roles);

    internal static string Write(RemoteControlApproval value)
    {
        var modes = Kinds.Select(entry => $"{entry.Name}={Word(value.For(entry.Kind))}");
        return $"{string.Join("; ", modes)}; unanswered={(value.ConnectsUnanswered ? "connect" : "refuse")}; answer={Write(value.TimeToAnswer)}";
    }

    private static string Word(ConsentMode mode) => mode switch
    {
        ConsentMode.Off => "off",
        ConsentMode.Notify => "notify",
        _ => "ask",
    };

    /// <summary>In the one spelling that <see cref="TryDuration"/> reads.</summary>
    public static string Write(TimeSpan? duration)
    {
        if (duration is not { } time) return "none";
        var total = (long)time.TotalSeconds;
        var (unit, seconds) = Units.First(entry => total % entry.Seconds == 0);
        return string.Create(CultureInfo.InvariantCulture, $"{total / seconds}{unit}");
    }
}
