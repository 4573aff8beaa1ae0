using System.Text.Json.Serialization;

namespace Countersign.Cli.Api;

internal sealed record DeviceAccount(string? Name, bool? Default);

/// <param name="Port">Null, like what is pinned, for whoever may not change the device.</param>
internal sealed record DeviceService(string? Protocol, int? Port, string? HostKey, string? Certificate);

internal sealed record Device(
    string? Id,
    string? Group,
    string? Name,
    string? Description,
    bool? Enabled,
    string? Host,
    IReadOnlyList<DeviceService>? Services,
    IReadOnlyList<DeviceAccount>? Accounts,
    IReadOnlyList<string>? Tags,
    IReadOnlyList<string>? Permissions,
    string? State,
    HostKeyAlert? HostKeyAlert,
    long? Version);

internal sealed record HostKeyAlert(string? Fingerprint, DateTimeOffset? First, long? Refused);

internal sealed record NewDevice(
    string Group, string Name, string Description, string Host, IReadOnlyList<DeviceService> Services, IReadOnlyList<string> Accounts, IReadOnlyList<string> Tags);

internal sealed record HostKeyWanted(string Device);

internal sealed record HostKeyShown(string? HostKey, string? Fingerprint);

/// <summary>What is null stays as it is.</summary>
internal sealed record DeviceChange(
    string? Group, string? Name, string? Description, bool? Enabled, string? Host, IReadOnlyList<DeviceService>? Services, IReadOnlyList<string>? Accounts, IReadOnlyList<string>? Tags);

/// <param name="Action">move, enable, disable, tag, untag, delete, putServices, removeServices.</param>
/// <param name="Group">With move only.</param>
/// <param name="Tags">With tag and untag only.</param>
/// <param name="Services">With putServices only.</param>
/// <param name="Protocols">With removeServices only.</param>
internal sealed record DeviceBulk(
    IReadOnlyList<string> Devices, string Action, string? Group = null, IReadOnlyList<string>? Tags = null, IReadOnlyList<DeviceService>? Services = null, IReadOnlyList<string>? Protocols = null);

/// <param name="Changed">Devices that are not as they were.</param>
internal sealed record DeviceBulkDone(int? Changed);

/// <summary>Not a record: its text form would show the secret.</summary>
internal sealed class AccountChange
{
    public string? Password { get; init; }

    public string? PrivateKey { get; init; }

    public bool? Certificate { get; init; }

    /// <summary>In place of a secret, where the change is only shown.</summary>
    public string? Kind { get; init; }
}

/// <param name="Parent">Null: it is at the top.</param>
/// <param name="AllDevices">Those in all groups below it, too.</param>
internal sealed record DeviceGroup(string? Id, string? Parent, string? Name, int? Devices, int? AllDevices, long? Version);

/// <summary>What is null stays as it is; of a new one, it is at the top.</summary>
internal sealed record DeviceGroupChange(string? Name, string? Parent);

/// <summary>To the top, for which null is written.</summary>
internal sealed record DeviceGroupToTop(string? Name, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Parent = null);
