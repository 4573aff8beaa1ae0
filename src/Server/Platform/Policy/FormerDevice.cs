using System.Text.Json;
using Countersign.Access;

namespace Countersign.Server.Platform;

/// <summary>A device as changes were stored before it had services: its row held the one by ssh. Read as a row and a service, such a change is undone like any other.</summary>
internal sealed record FormerDevice(
    DeviceId Id, DeviceGroupId Group, string Name, string Description, bool Enabled, ServiceProtocol Protocol, string Host, int Port, string HostKey)
{
    public string Tags { get; init; } = "";

    private DeviceRow Device => new(Id, Group, Name, Description, Enabled, Host) { Tags = Tags };

    private DeviceServiceRow Service => new(Id, Protocol, Port, HostKey);

    public static bool Is(JsonElement? row) => row?.TryGetProperty("port", out _) == true;

    public static IEnumerable<RowChange> Split(FormerDevice? before, FormerDevice? after)
    {
        if (before?.Device != after?.Device) yield return new(before?.Device, after?.Device);
        if (before?.Service != after?.Service) yield return new(before?.Service, after?.Service);
    }
}
