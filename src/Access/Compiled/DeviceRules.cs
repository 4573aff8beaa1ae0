namespace Countersign.Access;

/// <summary>One value of a setting, read.</summary>
/// <param name="Value">What the text says, of a type for each kind; see <see cref="DeviceRules"/>.</param>
internal sealed record ParsedSetting(EffectiveSetting Effective, object? Value)
{
    public SettingKind Kind => Effective.Setting;

    /// <exception cref="PolicyException">The text is not a value in canonical form: it must never pass for a default.</exception>
    public static ParsedSetting Read(SettingKind kind, string text, SettingNode source)
    {
        var problem = "";
        object? value = kind switch
        {
            SettingKind.RemoteControlApproval => Settings.TryConsent(text, out var consent, out problem) ? consent : null,
            SettingKind.ManagerialApproval => text == "required",
            SettingKind.Recording => text switch { "off" => RecordingRule.Off, "on" => RecordingRule.On, _ => RecordingRule.Required },
            SettingKind.MaxSession or SettingKind.IdleTimeout or SettingKind.EndWarning or SettingKind.ApprovalStatusChangeToExpire =>
                Settings.TryDuration(text, out var duration, out problem) ? duration : null,
            SettingKind.SessionHours => Settings.TryHours(text, out var hours, out problem) ? hours : null,
            SettingKind.AutoApproveWhenRequesterIsApprover or SettingKind.ApprovalReasonRequired => text == "true",
            SettingKind.ApprovalValidFor => Settings.TryValidity(text, out var validity, out problem) ? validity : null,
            _ => null,
        };
        if (problem.Length > 0) throw new PolicyException($"{kind} from {source.Kind} {source.Id}: {problem}");
        return new(new(kind, text, source), value);
    }
}

/// <summary>The settings in force at a node, read once, with where each comes from. Nodes without overrides share their parent's.</summary>
internal sealed class DeviceRules
{
    private readonly ParsedSetting[] _values;

    private DeviceRules(ParsedSetting[] values)
    {
        _values = values;
        Consent = (RemoteControlApproval)Of(SettingKind.RemoteControlApproval)!;
        RequiresApproval = (bool)Of(SettingKind.ManagerialApproval)!;
        Recording = (RecordingRule)Of(SettingKind.Recording)!;
        MaxSession = (TimeSpan?)Of(SettingKind.MaxSession);
        IdleTimeout = (TimeSpan?)Of(SettingKind.IdleTimeout);
        EndWarning = (TimeSpan?)Of(SettingKind.EndWarning);
        SessionHours = (WeeklyHours?)Of(SettingKind.SessionHours);
    }

    public RemoteControlApproval Consent { get; }

    public bool RequiresApproval { get; }

    public RecordingRule Recording { get; }

    public TimeSpan? MaxSession { get; }

    public TimeSpan? IdleTimeout { get; }

    public TimeSpan? EndWarning { get; }

    /// <summary>Null: always.</summary>
    public WeeklyHours? SessionHours { get; }

    /// <summary>Only the organization has these, so that they are the same at every node.</summary>
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
                (bool)Of(SettingKind.ApprovalReasonRequired)!);
        }
    }

    public EffectiveSetting this[SettingKind kind] => _values[(int)kind - 1].Effective;

    private static DeviceRules Defaults { get; } =
        new([.. Settings.All.Select(kind => ParsedSetting.Read(kind, Settings.Default(kind), SettingNode.Organization))]);

    /// <summary>The organization's: its own values, the defaults where it has none.</summary>
    public static DeviceRules ForOrganization(ParsedSetting[] own) => Defaults.With(own);

    public DeviceRules With(ParsedSetting[] own)
    {
        if (own.Length == 0) return this;
        var values = (ParsedSetting[])_values.Clone();
        foreach (var setting in own) values[(int)setting.Kind - 1] = setting;
        return new(values);
    }

    private object? Of(SettingKind kind) => _values[(int)kind - 1].Value;
}
