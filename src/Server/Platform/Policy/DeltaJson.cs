using System.Text.Json;
using System.Text.Json.Serialization;
using Countersign.Access;

namespace Countersign.Server.Platform;

/// <summary>A <see cref="PolicyDelta"/>'s changes as they are stored: a list of rows before and after, each with the number of its table.</summary>
internal static class DeltaJson
{
    private static readonly DeltaJsonContext Context = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        IgnoreReadOnlyProperties = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Converters =
        {
            new IdConverter<PersonId>(value => new(value), id => id.Value),
            new IdConverter<TechnicianGroupId>(value => new(value), id => id.Value),
            new IdConverter<DeviceGroupId>(value => new(value), id => id.Value),
            new IdConverter<DeviceId>(value => new(value), id => id.Value),
            new IdConverter<RoleId>(value => new(value), id => id.Value),
            new IdConverter<WorkflowId>(value => new(value), id => id.Value),
            new IdConverter<ExternalGroupId>(value => new(value), id => id.Value),
            new IdConverter<GrantId>(value => new(value), id => id.Value),
            new PermissionSetConverter(),
        },
    });

    public static string Write(PolicyDelta delta) => JsonSerializer.Serialize(
        [.. delta.Changes.Select(change => new StoredChange(change.Key.Table, Element(change.Before), Element(change.After)))],
        Context.StoredChangeArray);

    public static IReadOnlyList<RowChange> Read(string text) =>
        [.. JsonSerializer.Deserialize(text, Context.StoredChangeArray)!.SelectMany(Changes)];

    private static IEnumerable<RowChange> Changes(StoredChange change) =>
        change.Table == PolicyTable.Device && (FormerDevice.Is(change.Before) || FormerDevice.Is(change.After))
            ? FormerDevice.Split(Former(change.Before), Former(change.After))
            : [new(Row(change.Table, change.Before), Row(change.Table, change.After))];

    private static FormerDevice? Former(JsonElement? element) => (FormerDevice?)element?.Deserialize(typeof(FormerDevice), Context);

    private static JsonElement? Element(PolicyRow? row) => row is null ? null : JsonSerializer.SerializeToElement(row, row.GetType(), Context);

    private static PolicyRow? Row(PolicyTable table, JsonElement? element) =>
        element is null ? null : (PolicyRow)element.Value.Deserialize(TypeOf(table), Context)!;

    private static Type TypeOf(PolicyTable table) => table switch
    {
        PolicyTable.Person => typeof(PersonRow),
        PolicyTable.TechnicianGroup => typeof(TechnicianGroupRow),
        PolicyTable.Membership => typeof(MembershipRow),
        PolicyTable.GroupManager => typeof(GroupManagerRow),
        PolicyTable.GroupAdministrator => typeof(GroupAdministratorRow),
        PolicyTable.GroupPermission => typeof(GroupPermissionRow),
        PolicyTable.DeviceGroup => typeof(DeviceGroupRow),
        PolicyTable.Device => typeof(DeviceRow),
        PolicyTable.DeviceAccount => typeof(DeviceAccountRow),
        PolicyTable.DeviceService => typeof(DeviceServiceRow),
        PolicyTable.Role => typeof(RoleRow),
        PolicyTable.Grant => typeof(GrantRow),
        PolicyTable.Setting => typeof(SettingRow),
        PolicyTable.Workflow => typeof(WorkflowRow),
        PolicyTable.ExternalGroup => typeof(ExternalGroupRow),
        PolicyTable.ExternalMember => typeof(ExternalMemberRow),
        _ => throw new JsonException($"There is no policy table {(byte)table}."),
    };

    private sealed class IdConverter<T>(Func<Guid, T> make, Func<T, Guid> value) : JsonConverter<T>
    {
        public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => make(reader.GetGuid());

        public override void Write(Utf8JsonWriter writer, T id, JsonSerializerOptions options) => writer.WriteStringValue(value(id));
    }

    private sealed class PermissionSetConverter : JsonConverter<PermissionSet>
    {
        public override PermissionSet Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => new(reader.GetUInt64());

        public override void Write(Utf8JsonWriter writer, PermissionSet value, JsonSerializerOptions options) => writer.WriteNumberValue(value.Bits);
    }
}

internal sealed record StoredChange(PolicyTable Table, JsonElement? Before, JsonElement? After);

[JsonSerializable(typeof(StoredChange[]))]
[JsonSerializable(typeof(PersonRow))]
[JsonSerializable(typeof(TechnicianGroupRow))]
[JsonSerializable(typeof(MembershipRow))]
[JsonSerializable(typeof(GroupManagerRow))]
[JsonSerializable(typeof(GroupAdministratorRow))]
[JsonSerializable(typeof(GroupPermissionRow))]
[JsonSerializable(typeof(DeviceGroupRow))]
[JsonSerializable(typeof(DeviceRow))]
[JsonSerializable(typeof(DeviceAccountRow))]
[JsonSerializable(typeof(DeviceServiceRow))]
[JsonSerializable(typeof(FormerDevice))]
[JsonSerializable(typeof(RoleRow))]
[JsonSerializable(typeof(GrantRow))]
[JsonSerializable(typeof(SettingRow))]
[JsonSerializable(typeof(WorkflowRow))]
[JsonSerializable(typeof(ExternalGroupRow))]
[JsonSerializable(typeof(ExternalMemberRow))]
internal sealed partial class DeltaJsonContext : JsonSerializerContext;
