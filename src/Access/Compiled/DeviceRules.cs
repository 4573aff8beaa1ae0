namespace Countersign.Access;

/// <summary>One value of a setting, read.</summary>
/// <param name="Value">What the text says, of a type for each kind; see <see cref="DeviceRules"/>.</param>
internal sealed record ParsedSetting(SettingRow Row, object? Value)
{
    public SettingKind Kind => Row.Setting;

    public EffectiveSetting Effective => new(Row.Setting, Row.Value, Row.Node);

    /// <exception cref="PolicyException">The text is not a value in canonical form: it must never pass for a default.</exception>
    public static ParsedSetting Read(SettingRow row, PolicyPool pool)
    {
        var (kind, text, problem) = (row.Setting, row.Value, "");
        object? value = kind switch
        {
            SettingKind.RemoteControlApproval => Settings.TryConsent(text, out var consent, out problem) ? consent : null,
            SettingKind.ManagerialApproval => text == "required",
            SettingKind.Recording => text switch { "off" => RecordingRule.Off, "on" => RecordingRule.On, _ => RecordingRule.Required },
            SettingKind.MaxSession or SettingKind.IdleTimeout or SettingKind.EndWarning or SettingKind.ApprovalStatusChangeToExpire or SettingKind.AccessRequestLongest =>
                Settings.TryDuration(text, out var duration, out problem) ? duration : null,
            SettingKind.AccessRequestRoles => Settings.TryRoles(text, out var roles, out problem) ? roles : null,
            SettingKind.RecordingRetention or SettingKind.PasswordAge => Settings.TryDays(text, out var days, out problem) ? days : null,
            SettingKind.AllowedNetworks => Settings.TryNetworks(text, out var networks, out problem) ? networks : null,
            SettingKind.PasswordStrength => text[0] - '0',
            SettingKind.SignInLifetime => Settings.TryLifetime(text, out var lifetime, out problem) ? lifetime : null,
            SettingKind.SignInIdle => Settings.TryIdle(text, out var idle, out problem) ? idle : null,
            SettingKind.HostKeyTrust => text == "firstUse" ? HostKeyTrust.FirstUse : HostKeyTrust.Pinned,
            SettingKind.TrustedHostAuthorities => Settings.TryAuthorities(text, out var authorities, out problem) ? authorities : null,
            SettingKind.SessionHours => text == "always" ? null : pool.Hours(text, out problem),
            SettingKind.AutoApproveWhenRequesterIsApprover or SettingKind.ApprovalReasonRequired or SettingKind.TwoFactorRequired => text == "true",
            SettingKind.Notifications => NotificationRules.TryParse(text, out var told, out problem) ? told : null,
            SettingKind.ApprovalReasonPattern or SettingKind.ApprovalReasonWords => text == "none" ? null : text,
            SettingKind.ApprovalValidFor => Settings.TryValidity(text, out var validity, out problem) ? validity : null,
            _ => null,
        };
        if (problem.Length > 0) throw new PolicyException($"{kind} from {row.Node.Kind} {row.Node.Id}: {problem}");
        return new(row, value);
    }
}

/// <summary>The settings in force at a node, read once, with where each comes from. Nodes without overrides share their parent's.</summary>
internal sealed class DeviceRules
{
    private readonly ParsedSetting[] _values;

    private DeviceRules(ParsedSetting[] values, ParsedSetting[] own, DeviceRules? above)
    {
        _values = values;
        Above = above;
        Consent = (RemoteControlApproval)Of(SettingKind.RemoteControlApproval)!;
        RequiresApproval = (bool)Of(SettingKind.ManagerialApproval)!;
        Recording = (RecordingRule)Of(SettingKind.Recording)!;
        MaxSession = (TimeSpan?)Of(SettingKind.MaxSession);
        IdleTimeout = (TimeSpan?)Of(SettingKind.IdleTimeout);
        EndWarning = (TimeSpan?)Of(SettingKind.EndWarning);
        SessionHours = (WeeklyHours?)Of(SettingKind.SessionHours);
        SignIn = above is not null && own.All(setting => !IsOfSignIn(setting.Kind)) ? above.SignIn : new(
            (bool)Of(SettingKind.TwoFactorRequired)!,
            (NetworkList?)Of(SettingKind.AllowedNetworks),
            (int)Of(SettingKind.PasswordStrength)!,
            (TimeSpan?)Of(SettingKind.PasswordAge),
            (TimeSpan)Of(SettingKind.SignInLifetime)!,
            (TimeSpan?)Of(SettingKind.SignInIdle));
    }

    /// <summary>Those that these were made from.</summary>
    public DeviceRules? Above { get; }

    public RemoteControlApproval Consent { get; }

    public bool RequiresApproval { get; }

    public RecordingRule Recording { get; }

    public TimeSpan? MaxSession { get; }

    public TimeSpan? IdleTimeout { get; }

    public TimeSpan? EndWarning { get; }

    /// <summary>Null: always.</summary>
    public WeeklyHours? SessionHours { get; }

    public NotificationRules Notifications => (NotificationRules)Of(SettingKind.Notifications)!;

    /// <summary>Only the organization has these, so that they are the same at every node; every question asks for them.</summary>
    public SignInSettings SignIn { get; }

    /// <summary>The organization's, too.</summary>
    public ApprovalSettings Approving
    {
        get
        {
            var (validFor, once) = ((TimeSpan, bool))Of(SettingKind.ApprovalValidFor)!;
            return new(
                (bool)Of(SettingKind.AutoApproveWhenRequesterIsApprover)!,
                (TimeSpan?)Of(SettingKind.ApprovalStatusChangeToExpire),
                validFor,
                once,
                (bool)Of(SettingKind.ApprovalReasonRequired)!)
            {
                ReasonPattern = (string?)Of(SettingKind.ApprovalReasonPattern),
                ReasonWords = (string?)Of(SettingKind.ApprovalReasonWords),
            };
        }
    }

    /// <summary>The roles that may be asked for ahead, and for how long at most (null: as long as they like). The organization's.</summary>
    public IReadOnlyList<RoleId> RequestRoles => (IReadOnlyList<RoleId>)Of(SettingKind.AccessRequestRoles)!;

    public TimeSpan? RequestLongest => (TimeSpan?)Of(SettingKind.AccessRequestLongest);

    /// <summary>Null: for ever. The organization's, as well.</summary>
    public TimeSpan? RecordingRetention => (TimeSpan?)Of(SettingKind.RecordingRetention);

    /// <summary>The organization's, as well.</summary>
    public HostTrust HostTrust => new((HostKeyTrust)Of(SettingKind.HostKeyTrust)!, (IReadOnlyList<string>)Of(SettingKind.TrustedHostAuthorities)!);

    public EffectiveSetting this[SettingKind kind] => _values[(int)kind - 1].Effective;

    private static DeviceRules Defaults { get; } =
        new([.. Settings.All.Select(kind => ParsedSetting.Read(new(SettingNode.Organization, kind, Settings.Default(kind), 0), PolicyPool.Empty.Next()))], [], null);

    /// <summary>The organization's: its own values, the defaults where it has none.</summary>
    public static DeviceRules ForOrganization(ParsedSetting[] own) => Defaults.With(own);

    public DeviceRules With(ParsedSetting[] own)
    {
        if (own.Length == 0) return this;
        var values = (ParsedSetting[])_values.Clone();
        foreach (var setting in own) values[(int)setting.Kind - 1] = setting;
        return new(values, own, this);
    }

    private static bool IsOfSignIn(SettingKind kind) => kind is >= SettingKind.TwoFactorRequired and <= SettingKind.SignInIdle;

    private object? Of(SettingKind kind) => _values[(int)kind - 1].Value;
}
