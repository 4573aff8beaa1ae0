using System.CommandLine;
using Countersign.Cli.Api;
using Countersign.Cli.Shown;

namespace Countersign.Cli.Commands;

/// <summary>The devices that the caller may see, and what stands between them and a connection.</summary>
internal static class DevicesCommand
{
    private const int PermissionsShown = 4;

    public static Command Create(CommonOptions common)
    {
        var search = new Argument<string[]>("SEARCH") { Description = "Words that all have to fit: part of a name, description or tag; tag:linux, group:berlin, service:rdp.", Arity = ArgumentArity.ZeroOrMore };
        var paging = new Paging();
        var command = new DocumentedCommand(
            "devices",
            "Lists the devices that you may see, and whether you get in, need an approval or may ask. The first account is the default.",
            "countersign devices",
            "countersign devices web tag:linux",
            "countersign devices --json | jq -r '.items[] | select(.state == \"allowed\") | .name'")
        {
            search,
            paging.Limit,
            paging.Cursor,
            DeviceShowCommand.Create(common),
            DeviceAddCommand.Create(common),
            DeviceEditCommand.Create(common),
            DeviceBulkCommand.CreateRemove(common),
            DeviceBulkCommand.Create(common),
            DeviceAccountCommand.Create(common),
            DeviceHostKeyCommand.Create(common),
            DeviceTableCommands.CreateImport(common),
            DeviceTableCommands.CreateExport(common),
        };
        command.SetAction((parsed, cancellation) => RunAsync(common, parsed, string.Join(' ', parsed.GetValue(search) ?? []), paging, cancellation));
        return command;
    }

    private static async Task<int> RunAsync(CommonOptions common, ParseResult parsed, string search, Paging paging, CancellationToken cancellation)
    {
        var output = common.OutputFor(parsed);
        if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
        using var client = api;
        var path = $"devices?{(search.Length == 0 ? "" : $"search={Uri.EscapeDataString(search)}&")}{paging.Query(parsed)}";
        if (!(await client.GetAsync(path, ApiJson.Default.DevicePage, cancellation)).TryGet(out var reply, out failure)) return output.Fail(failure);
        if (output.IsJson)
        {
            output.Json(reply.Json);
            return ExitCode.Ok;
        }

        if (reply.Value.Items is not { Count: > 0 } devices)
        {
            output.Note(search.Length == 0 ? "No device is yours to see. An administrator gives access." : "No device that you may see matches.");
            return ExitCode.Ok;
        }

        output.Table(["NAME", "STATE", "SERVICES", "ACCOUNTS", "PERMISSIONS", "DESCRIPTION"], devices.Select(device => new[]
        {
            device.Name ?? "",
            StateOf(device),
            string.Join(", ", (device.Services ?? []).Select(ServiceText.Place)),
            AccountsOf(device),
            Some(device.Permissions ?? []),
            device.Description ?? "",
        }));
        foreach (var device in devices)
        {
            if (device.HostKeyAlert is { } alert) output.Note(Alert(output, device.Name ?? "", alert));
        }

        Paging.NoteMore(output, reply.Value.Next);
        return ExitCode.Ok;
    }

    public static string StateOf(Device device) => device.Enabled == false ? "disabled" : Output.Words(device.State);

    /// <summary>The default one first.</summary>
    public static string AccountsOf(Device device) => string.Join(", ", (device.Accounts ?? []).OrderByDescending(account => account.Default).Select(account => account.Name));

    /// <summary>Only whoever may change the device is told.</summary>
    public static string Alert(Output output, string name, HostKeyAlert alert) =>
        $"{name} shows another host key than the pinned one: {alert.Fingerprint}, since {output.Time(alert.First)}. Connections refused: {alert.Refused}. Ask whoever looks after it, and confirm one of the two keys.";

    /// <summary>An owner holds them all: a table is no place for that. <c>explain</c> and <c>--json</c> show every one.</summary>
    private static string Some(IReadOnlyList<string> permissions)
    {
        var shown = string.Join(", ", permissions.Take(PermissionsShown));
        return permissions.Count > PermissionsShown ? $"{shown} and {permissions.Count - PermissionsShown} more" : shown;
    }
}
