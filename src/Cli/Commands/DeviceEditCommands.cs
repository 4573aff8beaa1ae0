using System.CommandLine;
using Countersign.Cli.Api;
using Countersign.Cli.Shown;

namespace Countersign.Cli.Commands;

/// <summary>One device: shown, added, changed.</summary>
internal static class DeviceEditCommands
{
    public static Command CreateShow(CommonOptions common)
    {
        var name = Named();
        var command = new DocumentedCommand(
            "show", "Shows a device: its services, accounts and tags. Host, ports and what is pinned are for those who may change it.", "countersign devices show web1", "countersign devices show web1 --json") { name };
        command.SetAction(async (parsed, cancellation) =>
        {
            var output = common.OutputFor(parsed);
            if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
            using var client = api;
            if (!(await FindAsync(client, parsed.GetRequiredValue(name), cancellation)).TryGet(out var reply, out failure)) return output.Fail(failure);
            if (output.IsJson) output.Json(reply.Json);
            else Show(output, reply.Value);
            return ExitCode.Ok;
        });
        return command;
    }

    public static Command CreateAdd(CommonOptions common)
    {
        var name = new Argument<string>("NAME") { Description = "a-z, 0-9, dot and dash." };
        var group = new Option<string>("--group") { Description = "The name or ID of the device group that it is in.", HelpName = "GROUP", Required = true };
        var host = new Option<string>("--host") { Description = "Where the server reaches it: a host name or an address.", HelpName = "HOST", Required = true };
        var (services, accounts, tags) = (Services(), Accounts(), Tags());
        var description = Description();
        var command = new DocumentedCommand(
            "add",
            "Adds a device. Without --service it has one by ssh at port 22, to which nothing is pinned yet.",
            "countersign devices add web1 --group Servers --host 192.0.2.10 --account root",
            "countersign devices add web1 --group Servers --host 192.0.2.10 --service \"ssh:22=ssh-ed25519 AAAAC3Nza…\" --account root",
            "countersign devices add pc7 --group Office --host pc7.example.org --service ssh --service rdp:3389 --service vnc")
        {
            name, group, host, services, accounts, tags, description,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var output = common.OutputFor(parsed);
            if (!ServiceText.Read(parsed.GetValue(services) is { Length: > 0 } given ? given : ["ssh"]).TryGet(out var read, out var failure)) return output.Fail(failure);
            if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out failure)) return output.Fail(failure);
            using var client = api;
            if (!(await NamedThings.GroupAsync(client, parsed.GetRequiredValue(group), cancellation)).TryGet(out var inside, out failure)) return output.Fail(failure);
            var device = new NewDevice(
                inside, parsed.GetRequiredValue(name), parsed.GetValue(description) ?? "", parsed.GetRequiredValue(host), read, parsed.GetValue(accounts) ?? [], parsed.GetValue(tags) ?? []);
            if (!(await client.PostAsync("devices", device, ApiJson.Default.NewDevice, ApiJson.Default.Device, cancellation)).TryGet(out var reply, out failure)) return output.Fail(failure);
            if (output.IsJson) output.Json(reply.Json);
            else output.Line($"Added {reply.Value.Name}.");
            return ExitCode.Ok;
        });
        return command;
    }

    public static Command CreateEdit(CommonOptions common)
    {
        var name = Named();
        var group = new Option<string?>("--group") { Description = "The name or ID of the device group that it moves to.", HelpName = "GROUP" };
        var rename = new Option<string?>("--rename") { Description = "Another name.", HelpName = "NAME" };
        var host = new Option<string?>("--host") { Description = "Another host name or address. The stored secrets are dropped.", HelpName = "HOST" };
        var enabled = new Option<bool?>("--enabled") { Description = "true or false: whether anybody gets in.", HelpName = "BOOL" };
        var removed = new Option<string[]>("--remove-service") { Description = "The protocol of a service that goes. Repeatable.", HelpName = "PROTOCOL" };
        var (services, accounts, tags) = (Services(), Accounts(), Tags());
        var description = Description();
        var command = new DocumentedCommand(
            "edit",
            "Changes a device; what is not named stays. A service takes the place of the one of its protocol. Another host, and whatever changes of the services, drops the stored secrets.",
            "countersign devices edit web1 --service ssh:2022",
            "countersign devices edit web1 --service \"ssh=ssh-ed25519 AAAAC3Nza…\"",
            "countersign devices edit web1 --service https:8443=sha256:9f86d081… --remove-service vnc",
            "countersign devices edit web1 --enabled false")
        {
            name, group, rename, host, enabled, services, removed, accounts, tags, description,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var output = common.OutputFor(parsed);
            if (!ServiceText.Read(parsed.GetValue(services) ?? []).TryGet(out var put, out var failure)) return output.Fail(failure);
            if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out failure)) return output.Fail(failure);
            using var client = api;
            if (!(await FindAsync(client, parsed.GetRequiredValue(name), cancellation)).TryGet(out var found, out failure)) return output.Fail(failure);
            string? inside = null;
            if (parsed.GetValue(group) is { } moved && !(await NamedThings.GroupAsync(client, moved, cancellation)).TryGet(out inside, out failure)) return output.Fail(failure);
            var gone = parsed.GetValue(removed) ?? [];
            var change = new DeviceChange(
                inside, parsed.GetValue(rename), parsed.GetValue(description), parsed.GetValue(enabled), parsed.GetValue(host),
                put.Count + gone.Length == 0 ? null : ServiceText.Edit(found.Value.Services ?? [], put, gone),
                parsed.GetValue(accounts) is { Length: > 0 } all ? all : null, parsed.GetValue(tags) is { Length: > 0 } marks ? marks : null);
            if (!(await client.PatchAsync($"devices/{Uri.EscapeDataString(found.Value.Id ?? "")}", change, found.Value.Version ?? 0, ApiJson.Default.DeviceChange, ApiJson.Default.Device, cancellation)).TryGet(out var reply, out failure)) return output.Fail(failure);
            if (output.IsJson) output.Json(reply.Json);
            else Show(output, reply.Value);
            return ExitCode.Ok;
        });
        return command;
    }

    public static Command CreateHostKey(CommonOptions common)
    {
        var name = Named();
        var command = new DocumentedCommand(
            "host-key",
            "Shows the host key that a device's service by ssh shows now, and on the error stream its fingerprint. Compare that with what its own people say before you pin it.",
            "countersign devices host-key web1",
            "countersign devices edit web1 --service \"ssh=$(countersign devices host-key web1)\"")
        {
            name,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var output = common.OutputFor(parsed);
            if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
            using var client = api;
            if (!(await NamedThings.DevicesAsync(client, [parsed.GetRequiredValue(name)], cancellation)).TryGet(out var ids, out failure)) return output.Fail(failure);
            if (!(await client.PostAsync("devices/host-key", new HostKeyWanted(ids[0]), ApiJson.Default.HostKeyWanted, ApiJson.Default.HostKeyShown, cancellation)).TryGet(out var reply, out failure)) return output.Fail(failure);
            if (output.IsJson)
            {
                output.Json(reply.Json);
                return ExitCode.Ok;
            }

            output.Line(reply.Value.HostKey ?? "");
            output.Note(reply.Value.Fingerprint ?? "");
            return ExitCode.Ok;
        });
        return command;
    }

    private static Argument<string> Named() => new("NAME") { Description = "The device's name or ID." };

    private static Option<string[]> Services() => new("--service")
    {
        Description = "ssh, rdp, vnc, http or https, with its port unless it is the usual one, and what it has to show: the host key of ssh, or the hash of a certificate (sha256:…). Repeatable.",
        HelpName = ServiceText.Help,
    };

    private static Option<string[]> Accounts() => new("--account") { Description = "All accounts there, the default one first. Repeatable.", HelpName = "ACCOUNT" };

    private static Option<string[]> Tags() => new("--tag") { Description = "All its tags. Repeatable.", HelpName = "TAG" };

    private static Option<string?> Description() => new("--description") { Description = "One line.", HelpName = "TEXT" };

    private static async Task<Answer<Reply<Device>>> FindAsync(ApiClient client, string name, CancellationToken cancellation)
    {
        if (!(await NamedThings.DevicesAsync(client, [name], cancellation)).TryGet(out var ids, out var failure)) return failure;
        return await client.GetAsync($"devices/{Uri.EscapeDataString(ids[0])}", ApiJson.Default.Device, cancellation);
    }

    private static void Show(Output output, Device device)
    {
        output.Line($"{device.Name}: {DevicesCommand.StateOf(device)}{(device.Host is { } host ? $", at {host}" : "")}");
        if (device.Description is { Length: > 0 } description) output.Line(description);
        foreach (var service in device.Services ?? []) output.Line($"service {ServiceText.Place(service)}{(ServiceText.Pin(service) is { Length: > 0 } pin ? $": {pin}" : "")}");
        if (device.Services is not { Count: > 0 }) output.Line("no service: it can't be reached");
        output.Line($"accounts: {DevicesCommand.AccountsOf(device)}");
        if (device.Tags is { Count: > 0 } tags) output.Line($"tags: {string.Join(' ', tags)}");
        if (device.HostKeyAlert is { } alert) output.Note(DevicesCommand.Alert(output, device.Name ?? "", alert));
    }
}
