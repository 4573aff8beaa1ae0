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
