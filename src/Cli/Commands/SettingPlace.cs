using System.CommandLine;
using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

/// <param name="Path">Of its settings, behind <c>/api/v1/</c>.</param>
/// <param name="Name">For sentences.</param>
internal sealed record SettingNode(string Path, string Name, bool IsOrganization = false);

/// <summary>Whose settings are meant: a device group's, a device's, or without either the organization's.</summary>
internal sealed class SettingPlace
{
    public Option<string?> Group { get; } = DeviceGroupsCommand.Option("Those of a device group.");

    public Option<string?> Device { get; } = new("--device") { Description = "Those of a device. Its name or ID.", HelpName = "DEVICE" };

    public void Bind(Command command) => command.AtMostOneOf(Group, Device);

    public async Task<Answer<SettingNode>> FindAsync(ParseResult parsed, ApiClient client, CancellationToken cancellation)
    {
        if (parsed.GetValue(Group) is { } group)
        {
            return (await NamedThings.GroupAsync(client, group, cancellation)).TryGet(out var id, out var failure)
                ? new SettingNode($"settings/device-groups/{Uri.EscapeDataString(id)}", group)
                : failure;
        }

        if (parsed.GetValue(Device) is { } device)
        {
            return (await NamedThings.DevicesAsync(client, [device], cancellation)).TryGet(out var ids, out var failure)
                ? new SettingNode($"settings/devices/{Uri.EscapeDataString(ids[0])}", device)
                : failure;
        }

        return new SettingNode("settings/organization", "the organization", IsOrganization: true);
    }
}
