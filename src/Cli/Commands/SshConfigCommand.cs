using System.CommandLine;
using System.Text;
using Countersign.Cli.Api;
using Countersign.Cli.Gate;
using Countersign.Cli.Saved;

namespace Countersign.Cli.Commands;

/// <summary>Entries for OpenSSH, by which plain <c>ssh web1</c> and whatever else starts <c>ssh</c> goes through the server.</summary>
internal static class SshConfigCommand
{
    private const int MostPages = 200;
    private const int MostOfConfig = 1024 * 1024;

    public static Command Create(CommonOptions common)
    {
        var write = new Option<bool>("--write") { Description = "Write them into ~/.ssh/countersign.config, in the place of what was there." };
        var command = new DocumentedCommand(
            "ssh-config",
            "Shows a Host entry of OpenSSH's configuration for each device that you may reach or ask for.",
            "countersign ssh-config",
            "countersign ssh-config --write")
        {
            write,
        };
        command.SetAction((parsed, cancellation) => RunAsync(common, parsed, parsed.GetValue(write), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(CommonOptions common, ParseResult parsed, bool write, CancellationToken cancellation)
    {
        var output = common.OutputFor(parsed);
        if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
        using var client = api;
        if (!(await SshGate.AskAsync(client, common, cancellation)).TryGet(out var gate, out failure)) return output.Fail(failure);
        if (!(await DevicesAsync(client, cancellation)).TryGet(out var devices, out failure)) return output.Fail(failure);
        var config = new StringBuilder($"# Made by countersign ssh-config for {client.Address}: what is changed here is gone when it is made again.\n");
        foreach (var device in devices) config.Append('\n').Append(gate.Entry(device));
        if (!write)
        {
            common.Around.Output.Write(config.ToString());
            return ExitCode.Ok;
        }

        var folder = Path.Combine(common.HomeFolder, ".ssh");
        var file = Path.Combine(folder, "countersign.config");
        if (!(await OwnFile.WriteAsync(file, config.ToString(), cancellation)).TryGet(out var written, out failure)) return output.Fail(failure);
        output.Note(written == Written.AsItWas ? $"{file} is as it has to be: {Devices(devices.Count)}." : $"{file} was written: {Devices(devices.Count)}.");
        if (!await IsIncludedAsync(Path.Combine(folder, "config"), cancellation))
            output.Note($"Add this line at the top of {Path.Combine(folder, "config")}: Include countersign.config");
        return ExitCode.Ok;
    }

    /// <summary>By name. Those that there is no way to are left out; a name that could be more than one in a configuration fails it all.</summary>
    private static async Task<Answer<SortedSet<string>>> DevicesAsync(ApiClient client, CancellationToken cancellation)
    {
        var names = new SortedSet<string>(StringComparer.Ordinal);
        string? cursor = null;
        for (var page = 0; page < MostPages; page++)
        {
            var path = $"devices?limit=1000{(cursor is null ? "" : $"&cursor={Uri.EscapeDataString(cursor)}")}";
            if (!(await client.GetAsync(path, ApiJson.Default.DevicePage, cancellation)).TryGet(out var reply, out var failure)) return failure;
            foreach (var device in reply.Value.Items ?? [])
            {
                if (device.Enabled == false || device.State is not ("allowed" or "needsApproval" or "onRequest")) continue;
                if (device.Services?.Any(service => service.Protocol == "ssh") != true) continue;
                if (!GateNames.IsDevice(device.Name))
                    return new Failure(ExitCode.Refused, $"\"{device.Name}\" has no place in a configuration, and nothing was written.", "Ask whoever runs the server: no device can have such a name.");
                names.Add(device.Name!);
            }

            cursor = reply.Value.Next;
            if (string.IsNullOrEmpty(cursor)) break;
        }

        return names;
    }

    private static string Devices(int count) => count == 1 ? "1 device" : $"{count} devices";

    /// <summary>Whether a line names it; one that can't be read does not.</summary>
    private static async Task<bool> IsIncludedAsync(string config, CancellationToken cancellation)
    {
        try
        {
            if (!File.Exists(config) || new FileInfo(config).Length > MostOfConfig) return false;
            var lines = await File.ReadAllLinesAsync(config, cancellation);
            return lines.Any(line => line.TrimStart().StartsWith("Include ", StringComparison.OrdinalIgnoreCase) && line.Contains("countersign.config", StringComparison.Ordinal));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
