namespace Countersign.Access;

/// <summary>The settings in force at a node, read once, with where each comes from. Nodes without overrides share their parent's.</summary>
internal sealed class DeviceRules
{
    private readonly EffectiveSetting[] _values;

    private DeviceRules(EffectiveSetting[] values)
    {
        _values = values;
        foreach (var value in values) Read(value);
    }

    public RemoteControlApproval Consent { get; private set; } = null!;

    public bool RequiresApproval { get; private set; }

    public RecordingRule Recording { get; private set; }

    public TimeSpan? MaxSession { get; private set; }

    public TimeSpan? IdleTimeout { get; private set; }

    public TimeSpan? EndWarning { get; private set; }

    /// <summary>Null: always.</summary>
    public WeeklyHours? SessionHours { get; private set; }

    /// <summary>Only the organization has these, so that they are the same at every node.</summary>
    public ApprovalSettings Approving { get; private set; } = new(AutoApprove: false, ExpireAfter: null, TimeSpan.Zero, Once: true, ReasonRequired: false);

    /// <summary>Null: for ever. The organization's, as well.</summary>
    public TimeSpan? RecordingRetention { get; private set; }

    public EffectiveSetting this[SettingKind kind] => _values[(int)kind - 1];

    /// <summary>The organization's: its own values, the defaults where it has none.</summary>
    public static DeviceRules ForOrganization(IReadOnlyDictionary<SettingKind, SettingRow> own)
    {
        var defaults = new DeviceRules([.. Settings.All.Select(kind => new EffectiveSetting(kind, Settings.Default(kind), SettingNode.Organization))]);
        return defaults.With(own);
    }

    public DeviceRules With(IReadOnlyDictionary<SettingKind, SettingRow> own) =>
        own.Count == 0
            ? this
            : new([.. _values.Select(value => own.TryGetValue(value.Setting, out var row) ? new(value.Setting, row.Value, row.Node) : value)]);

    private void Read(EffectiveSetting setting)
    {
        var problem = "";
        switch (setting.Setting)
        {
            case SettingKind.RemoteControlApproval:
                if (Settings.TryConsent(setting.Value, out var consent, out problem)) Consent = consent;
                break;
            case SettingKind.ManagerialApproval:
                RequiresApproval = setting.Value == "required";
                break;
            case SettingKind.Recording:
                Recording = setting.Value switch { "off" => RecordingRule.Off, "on" => RecordingRule.On, _ => RecordingRule.Required };
                break;
            case SettingKind.MaxSession:
                if (Settings.TryDuration(setting.Value, out var longest, out problem)) MaxSession = longest;
                break;
            case SettingKind.IdleTimeout:
                if (Settings.TryDuration(setting.Value, out var idle, out problem)) IdleTimeout = idle;
                break;
            case SettingKind.EndWarning:
                if (Settings.TryDuration(setting.Value, out var warning, out problem)) EndWarning = warning;
                break;
            case SettingKind.SessionHours:
                if (Settings.TryHours(setting.Value, out var hours, out problem)) SessionHours = hours;
                break;
            case SettingKind.Notifications:
                break;
            case SettingKind.AutoApproveWhenRequesterIsApprover:
                Approving = Approving with { AutoApprove = setting.Value == "true" };
                break;
            case SettingKind.ApprovalStatusChangeToExpire:
                if (Settings.TryDuration(setting.Value, out var expiry, out problem)) Approving = Approving with { ExpireAfter = expiry };
                break;
            case SettingKind.ApprovalValidFor:
                if (Settings.TryValidity(setting.Value, out var valid, out problem)) Approving = Approving with { ValidFor = valid.For, Once = valid.Once };
                break;
            case SettingKind.ApprovalReasonRequired:
                Approving = Approving with { ReasonRequired = setting.Value == "true" };
                break;
            case SettingKind.RecordingRetention:
                if (Settings.TryRetention(setting.Value, out var retention, out problem)) RecordingRetention = retention;
                break;
        }

        // Rows are checked when they are compiled; a value that can't be read must never pass for a default.
        if (problem.Length > 0) throw new PolicyException($"{setting.Setting} from {setting.Source.Kind} {setting.Source.Id}: {problem}");
    }
}
