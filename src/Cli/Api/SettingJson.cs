using System.Text.Json.Serialization;

namespace Countersign.Cli.Api;

/// <param name="Kind">organization, deviceGroup, device.</param>
/// <param name="Name">Null: it is not the caller's to see, or it is the organization.</param>
internal sealed record SettingSource(string? Kind, string? Id, string? Name);

/// <param name="Name">As it stands in paths.</param>
/// <param name="Own">Whether the node itself has it.</param>
internal sealed record Setting([property: JsonPropertyName("setting")] string? Name, string? Value, SettingSource? Source, bool? Own);

internal sealed record Settings(IReadOnlyList<Setting>? Items, long? Version);

internal sealed record SettingValue(string Value);

/// <param name="Cleared">The nodes below whose own values are gone.</param>
internal sealed record ForcedSetting(IReadOnlyList<SettingSource>? Cleared);
