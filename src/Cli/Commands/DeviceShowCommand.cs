using System.CommandLine;
using Countersign.Cli.Api;
using Countersign.Cli.Shown;

namespace Countersign.Cli.Commands;

/// <summary>One device.</summary>
internal static class DeviceShowCommand
{
    public static Command Create(CommonOptions common)
    {
        var name = Named();
        var command = new DocumentedCommand(
            "show", "Shows a device: its services, accounts, tags and group. Host, ports and what is pinned are for those who may change it.", "countersign devices show web1", "countersign devices show web1 --json") { name };
        command.SetAction((parsed, cancellation) => Telling.RunAsync(
            common,
            parsed,
            (client, stop) => NamedThings.DeviceAsync(client, parsed.GetRequiredValue(name), stop),
            async (device, client, output, stop) =>
            {
                var groups = new KnownNames();
                await groups.ReadGroupsAsync(client, GroupTree.OfDevices, stop);
                Show(output, device);
                if (device.Group is { } group) output.Line($"group: {groups[group]}");
            },
            cancellation));
        return command;
    }

    public static Argument<string> Named() => new("DEVICE") { Description = "The device's name or ID." };

    public static void Show(Output output, Device device)
    {
        output.Line($"{device.Name}: {DevicesCommand.StateOf(device)}{(device.Host is { } host ? $", at {host}" : "")}");
        if (device.Description is { Length: > 0 } description) output.Line(description);
        foreach (var service in device.Services ?? []) output.Line($"service {ServiceText.Place(service)}{(ServiceText.Pin(service) is { Length: > 0 } pin ? $": {pin}" : "")}");
        if (device.Services is not { Count: > 0 }) output.Line("no service: it can't be reached");
        output.Line(device.Accounts is { Count: > 0 } ? $"accounts: {DevicesCommand.AccountsOf(device)}" : "no account");
        if (device.Tags is { Count: > 0 } tags) output.Line($"tags: {string.Join(' ', tags)}");
        if (device.HostKeyAlert is { } alert) output.Note(DevicesCommand.Alert(output, device.Name ?? "", alert));
    }
}
