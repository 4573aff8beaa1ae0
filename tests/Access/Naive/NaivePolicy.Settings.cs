using System.Globalization;

namespace Countersign.Access.Tests.Naive;

internal sealed partial class NaivePolicy
{
    /// <summary>A node has its own value or inherits; the organization always has one. Every read returns value and source.</summary>
    public (string Value, SettingNode Source) Setting(SettingNode node, SettingKind kind)
    {
        foreach (var above in Upwards(node))
        {
            if (_settings.GetValueOrDefault((above, kind)) is { } own) return (own.Value, above);
        }

        return (Default(kind), SettingNode.Organization);
    }

    private (string Value, SettingNode Source) Setting(DeviceRow device, SettingKind kind) => Setting(SettingNode.Of(device.Id), kind);

    /// <summary>Organization → device group → … → device, from the node upwards.</summary>
    private IEnumerable<SettingNode> Upwards(SettingNode node)
    {
        if (node.Kind == SettingNodeKind.Device) yield return node;
        var group = node.Kind switch
        {
            SettingNodeKind.Device => _devicesById[new(node.Id)].Group,
            SettingNodeKind.DeviceGroup => new DeviceGroupId(node.Id),
            _ => (DeviceGroupId?)null,
        };
        foreach (var above in Upwards(group)) yield return SettingNode.Of(above.Id);
        yield return SettingNode.Organization;
    }

    private static string Default(SettingKind kind) => kind switch
    {
        SettingKind.RemoteControlApproval => "screen=notify; terminal=off; files=off; web=off; actions=off; unanswered=refuse; answer=30s",
        SettingKind.ManagerialApproval => "not",
        SettingKind.Recording => "on",
        SettingKind.MaxSession => "none",
        SettingKind.IdleTimeout => "30m",
        SettingKind.EndWarning => "5m",
        SettingKind.SessionHours => "always",
        SettingKind.Notifications => "none",
        SettingKind.AutoApproveWhenRequesterIsApprover => "false",
        SettingKind.ApprovalStatusChangeToExpire => "30m",
        SettingKind.ApprovalValidFor => "1h; once",
        SettingKind.ApprovalReasonRequired => "false",
        SettingKind.AccessRequestRoles => SystemRoles.OnlyDeviceConnection.Id.ToString(),
        SettingKind.AccessRequestLongest => "30d",
        SettingKind.TwoFactorRequired => "false",
        SettingKind.AllowedNetworks => "none",
        SettingKind.PasswordStrength => "3",
        SettingKind.PasswordAge => "none",
        SettingKind.SignInLifetime => "12h",
        SettingKind.SignInIdle => "30m",
        SettingKind.HostKeyTrust => "pinned",
        SettingKind.TrustedHostAuthorities => "none",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "the specification names no default"),
    };

    private RecordingRule Recording(DeviceRow device) => Setting(device, SettingKind.Recording).Value switch
    {
        "off" => RecordingRule.Off,
        "on" => RecordingRule.On,
        _ => RecordingRule.Required,
    };

    private TimeSpan? Duration(DeviceRow device, SettingKind kind)
    {
        var text = Setting(device, kind).Value;
        if (text == "none") return null;
        var count = int.Parse(text[..^1], CultureInfo.InvariantCulture);
        return text[^1] switch
        {
            's' => TimeSpan.FromSeconds(count),
            'm' => TimeSpan.FromMinutes(count),
            'h' => TimeSpan.FromHours(count),
            'd' => TimeSpan.FromDays(count),
            _ => throw new FormatException(text),
        };
    }

    private bool HoursAreOpen(DeviceRow device, DateTimeOffset at) =>
        Setting(device, SettingKind.SessionHours).Value is var hours && (hours == "always" || new NaiveHours(hours).IsOpen(at));

    /// <summary>The device's own setting for a kind of session.</summary>
    private ConsentMode Asked(DeviceRow device, ConsentKind kind)
    {
        var parts = Setting(device, SettingKind.RemoteControlApproval).Value.Split("; ").Select(part => part.Split('=')).ToList();
        string Of(string name) => parts.Single(part => part[0] == name)[1];
        return Of(kind.ToString().ToLowerInvariant()) switch
        {
            "off" => ConsentMode.Off,
            "notify" => ConsentMode.Notify,
            _ => Of("unanswered") == "connect" ? ConsentMode.AskThenConnect : ConsentMode.AskOrRefuse,
        };
    }
}
