using System.CommandLine;
using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

internal static class DeviceAddCommand
{
    public static Command Create(CommonOptions common)
    {
        var name = new Argument<string>("NAME") { Description = "a-z, 0-9, dot and dash." };
        var group = new Option<string>("--group") { Description = "The name, path or ID of the device group that it is in.", HelpName = "GROUP", Required = true };
        var host = new Option<string>("--host") { Description = "Where the server reaches it: a host name or an address.", HelpName = "HOST", Required = true };
        var services = ServiceText.Option($"{ServiceText.Protocols}; without a port it has the usual one. After = what it has to show: the host key of ssh, or the hash of a certificate (sha256:…). Repeatable.");
        var accounts = new Option<string[]>("--account") { Description = "An account there; the first is the default one. Repeatable.", HelpName = "ACCOUNT" };
        var tags = new Option<string[]>("--tag") { Description = "Repeatable.", HelpName = "TAG" };
        var description = new Option<string?>("--description") { Description = "One line.", HelpName = "TEXT" };
        var edit = new PolicyEdit(common);
        var command = new DocumentedCommand(
            "add",
            "Adds a device. Without --service it has one by ssh at port 22, to which nothing is pinned yet.",
            "countersign devices add web1 --group Servers --host 192.0.2.10 --account root",
            "countersign devices add web1 --group Servers --host 192.0.2.10 --service \"ssh:22=ssh-ed25519 AAAAC3Nza…\" --account root",
            "countersign devices add pc7 --group Office --host pc7.example.org --service ssh --service rdp:3389 --service vnc")
        {
            name, group, host, services, accounts, tags, description, edit.Preview,
        };
        command.SetAction((parsed, cancellation) =>
        {
            if (!ServiceText.Read(parsed.GetValue(services) is { Length: > 0 } given ? given : ["ssh"]).TryGet(out var read, out var failure)) return Task.FromResult(common.OutputFor(parsed).Fail(failure));
            return edit.RunAsync(
                parsed,
                async (client, stop) =>
                {
                    if (!(await NamedThings.GroupAsync(client, parsed.GetRequiredValue(group), stop)).TryGet(out var inside, out var unknown)) return unknown;
                    var device = new NewDevice(
                        inside, parsed.GetRequiredValue(name), parsed.GetValue(description) ?? "", parsed.GetRequiredValue(host), read, parsed.GetValue(accounts) ?? [], parsed.GetValue(tags) ?? []);
                    return PolicyRequest.Post("devices", device, ApiJson.Default.NewDevice, $"Added {device.Name}.");
                },
                cancellation);
        });
        return command;
    }
}
