using Countersign.Access;
using Countersign.Server.Platform;

namespace Countersign.Server.Tests.Platform;

/// <summary>Changes that were stored when a device's row held its one service.</summary>
public sealed class FormerDeviceTests
{
    private const string Group = "00000000-0000-0000-0000-000000000001";
    private const string Device = "00000000-0000-0000-0000-000000000002";
    private const string Former = $$"""{"id":"{{Device}}","group":"{{Group}}","name":"web1","description":"","enabled":true,"protocol":1,"host":"192.0.2.1","port":22,"hostKey":"","tags":"linux"}""";

    private static readonly DeviceRow _device = new(new(new(Device)), new(new(Group)), "web1", "", true, "192.0.2.1") { Tags = "linux" };
    private static readonly DeviceServiceRow _ssh = new(new(new(Device)), ServiceProtocol.Ssh, 22, "");

    [Fact]
    public void What_was_added_or_deleted_is_a_device_and_its_service()
    {
        DeltaJson.Read($$"""[{"table":8,"after":{{Former}}}]""").ShouldBe([new(null, _device), new(null, _ssh)]);
        DeltaJson.Read($$"""[{"table":8,"before":{{Former}}}]""").ShouldBe([new(_device, null), new(_ssh, null)]);
    }

    [Fact]
    public void What_was_changed_is_the_row_that_it_would_be_of_now()
    {
        DeltaJson.Read(Change(Former.Replace("\"port\":22", "\"port\":2022", StringComparison.Ordinal))).ShouldBe([new(_ssh, _ssh with { Port = 2022 })]);
        DeltaJson.Read(Change(Former.Replace("web1", "web2", StringComparison.Ordinal))).ShouldBe([new(_device, _device with { Name = "web2" })]);
        DeltaJson.Read(Change(Former.Replace("192.0.2.1", "192.0.2.2", StringComparison.Ordinal).Replace("\"hostKey\":\"\"", "\"hostKey\":\"ssh-ed25519 AAAA\"", StringComparison.Ordinal)))
            .ShouldBe([new(_device, _device with { Host = "192.0.2.2" }), new(_ssh, _ssh with { Pin = "ssh-ed25519 AAAA" })]);
    }

    [Fact]
    public void What_is_stored_now_is_read_as_it_is()
    {
        RowChange[] changes = [new(_device, _device with { Name = "web2" }), new(_ssh, null), new(null, new DeviceServiceRow(_device.Id, ServiceProtocol.Https, 8443, "sha256:" + new string('0', 64)))];
        DeltaJson.Read(DeltaJson.Write(new(new(Guid.NewGuid()), 1, "", changes))).ShouldBe(changes);
    }

    private static string Change(string after) => $$"""[{"table":8,"before":{{Former}},"after":{{after}}}]""";
}
