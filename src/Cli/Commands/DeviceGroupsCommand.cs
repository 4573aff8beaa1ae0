using System.CommandLine;
using System.Globalization;
using Countersign.Cli.Api;
using Countersign.Cli.Shown;

namespace Countersign.Cli.Commands;

/// <summary>The tree that devices are in.</summary>
internal static class DeviceGroupsCommand
{
    public static Command Create(CommonOptions common) => new DocumentedCommand(
        "device-groups",
        "The tree of groups that devices are in. A group goes by its name where no other has it, by its path from the top (\"Customers / Contoso\"), or by its ID.",
        "countersign device-groups list",
        "countersign device-groups add Contoso --parent Customers")
    {
        CreateList(common),
        CreateShow(common),
        CreateAdd(common),
        CreateEdit(common),
        CreateRemove(common),
    };

    public static Option<string?> Option(string description) => new("--group") { Description = $"{description} Its name, path or ID.", HelpName = "GROUP" };

    private static DocumentedCommand CreateList(CommonOptions common)
    {
        var under = new Option<string?>("--under") { Description = "Only this group and those below it.", HelpName = "GROUP" };
        var paging = new Paging();
        var command = new DocumentedCommand(
            "list",
            "Lists the groups that you may see, by their paths, and how many of the devices that you may see are directly in each, and in each with all below it.",
            "countersign device-groups list",
            "countersign device-groups list --under Customers --json")
        {
            under, paging.Limit, paging.Cursor,
        };
        command.SetAction((parsed, cancellation) => ListAsync(common, parsed, parsed.GetValue(under), paging, cancellation));
        return command;
    }

    private static async Task<int> ListAsync(CommonOptions common, ParseResult parsed, string? under, Paging paging, CancellationToken cancellation)
    {
        var output = common.OutputFor(parsed);
        if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
        using var client = api;
        string? top = null;
        if (under is not null && !(await NamedThings.GroupAsync(client, under, cancellation)).TryGet(out top, out failure)) return output.Fail(failure);
        var path = $"{(top is null ? $"{GroupTree.OfDevices}?" : $"{Under(top)}&")}{paging.Query(parsed)}";
        if (!(await client.GetAsync(path, ApiJson.Default.DeviceGroupPage, cancellation)).TryGet(out var reply, out failure)) return output.Fail(failure);
        if (output.IsJson)
        {
            output.Json(reply.Json);
            return ExitCode.Ok;
        }

        if (reply.Value.Items is not { Count: > 0 } groups)
        {
            output.Note("There is no device group that you may see.");
            return ExitCode.Ok;
        }

        var paths = new KnownNames();
        await paths.ReadGroupsAsync(client, GroupTree.OfDevices, cancellation);
        output.Table(["PATH", "DEVICES", "WITH THOSE BELOW", "ID"], groups.Select(group => new[]
        {
            paths[group.Id], Count(group.Devices), Count(group.AllDevices), group.Id ?? "",
        }).OrderBy(row => row[0], StringComparer.OrdinalIgnoreCase));
        Paging.NoteMore(output, reply.Value.Next);
        return ExitCode.Ok;
    }

    private static DocumentedCommand CreateShow(CommonOptions common)
    {
        var name = Named();
        var command = new DocumentedCommand("show", "Shows a group: its path, how many devices are in it, and the groups directly below it.", "countersign device-groups show Contoso", "countersign device-groups show \"Customers / Contoso\" --json") { name };
        command.SetAction((parsed, cancellation) =>
        {
            var (path, below) = ("", new List<DeviceGroup>());
            return Telling.RunAsync(
                common,
                parsed,
                async Task<Answer<Reply<DeviceGroup>>> (client, stop) =>
                {
                    if (!(await GroupTree.ReadAsync(client, GroupTree.OfDevices, stop)).TryGet(out var tree, out var failure)) return failure;
                    if (!tree.Find(parsed.GetRequiredValue(name)).TryGet(out var id, out failure)) return failure;
                    path = tree[id];
                    if (!common.OutputFor(parsed).IsJson && !(await WholeList.ReadAsync(client, $"{Under(id)}&", ApiJson.Default.DeviceGroupPage, stop)).TryGet(out below, out failure)) return failure;
                    return await client.GetAsync(PathOf(id), ApiJson.Default.DeviceGroup, stop);
                },
                (group, output) => Show(output, path, group, below.Where(child => child.Parent == group.Id)),
                cancellation);
        });
        return command;
    }

    private static DocumentedCommand CreateAdd(CommonOptions common)
    {
        var name = new Argument<string>("NAME") { Description = "What to call it; no two groups at one place have the same name." };
        var parent = new Option<string?>("--parent") { Description = "The group that it is below; without it is at the top.", HelpName = "GROUP" };
        var edit = new PolicyEdit(common);
        var command = new DocumentedCommand(
            "add", "Makes a group. For master administrators.", "countersign device-groups add Customers", "countersign device-groups add Contoso --parent Customers") { name, parent, edit.Preview };
        command.SetAction((parsed, cancellation) => edit.RunAsync(
            parsed,
            async (client, stop) =>
            {
                string? above = null;
                if (parsed.GetValue(parent) is { } given && !(await NamedThings.GroupAsync(client, given, stop)).TryGet(out above, out var failure)) return failure;
                var group = new DeviceGroupChange(parsed.GetRequiredValue(name), above);
                return PolicyRequest.Post("device-groups", group, ApiJson.Default.DeviceGroupChange, $"Added {group.Name}.");
            },
            cancellation));
        return command;
    }

    private static DocumentedCommand CreateEdit(CommonOptions common)
    {
        var group = Named();
        var rename = new Option<string?>("--rename") { Description = "Another name.", HelpName = "NAME" };
        var parent = new Option<string?>("--parent") { Description = "The group that it moves to, with all that is in it.", HelpName = "GROUP" };
        var top = new Option<bool>("--top") { Description = "It moves to the top." };
        var edit = new PolicyEdit(common);
        var command = new DocumentedCommand(
            "edit",
            "Renames a group, or moves it with all that is in it, which is then under the grants and settings of where it is. For master administrators.",
            "countersign device-groups edit Contoso --rename \"Contoso Ltd\"",
            "countersign device-groups edit Contoso --parent \"Customers / North\" --preview",
            "countersign device-groups edit Contoso --top")
        {
            group, rename, parent, top, edit.Preview,
        };
        command.ChangesSomething(rename, parent, top);
        command.AtMostOneOf(parent, top);
        command.SetAction((parsed, cancellation) => edit.RunAsync(
            parsed,
            async (client, stop) =>
            {
                if (!(await FindAsync(client, parsed.GetRequiredValue(group), stop)).TryGet(out var found, out var failure)) return failure;
                string? above = null;
                if (parsed.GetValue(parent) is { } given && !(await NamedThings.GroupAsync(client, given, stop)).TryGet(out above, out failure)) return failure;
                var (path, done, name) = (PathOf(found.Id), $"Changed {parsed.GetValue(rename) ?? found.Name}.", parsed.GetValue(rename));
                var request = parsed.GetValue(top)
                    ? PolicyRequest.Patch(path, new(name), ApiJson.Default.DeviceGroupToTop, done)
                    : PolicyRequest.Patch(path, new(name, above), ApiJson.Default.DeviceGroupChange, done);
                return request with { Read = found.Version };
            },
            cancellation));
        return command;
    }

    private static DocumentedCommand CreateRemove(CommonOptions common)
    {
        var group = Named();
        var edit = new PolicyEdit(common);
        var command = new DocumentedCommand(
            "remove",
            "Deletes a group that is empty, with its settings, and the grants and workflows that are for it. For master administrators.",
            "countersign device-groups remove Contoso --preview",
            "countersign device-groups remove Contoso")
        {
            group, edit.Preview,
        };
        command.SetAction((parsed, cancellation) => edit.RunAsync(
            parsed,
            async (client, stop) => (await FindAsync(client, parsed.GetRequiredValue(group), stop)).TryGet(out var found, out var failure)
                ? PolicyRequest.Delete(PathOf(found.Id), $"Deleted {found.Name}.") with { Read = found.Version }
                : failure,
            cancellation));
        return command;
    }

    private static void Show(Output output, string path, DeviceGroup group, IEnumerable<DeviceGroup> children)
    {
        output.Line($"{path}: {Count(group.Devices)} devices, {Count(group.AllDevices)} with those below");
        foreach (var below in children.OrderBy(child => child.Name, StringComparer.OrdinalIgnoreCase)) output.Line($"below: {below.Name}, {Count(below.AllDevices)} devices");
        output.Line($"ID: {group.Id}");
    }

    /// <summary>A group as it is now.</summary>
    private static async Task<Answer<DeviceGroup>> FindAsync(ApiClient client, string name, CancellationToken cancellation)
    {
        if (!(await NamedThings.GroupAsync(client, name, cancellation)).TryGet(out var id, out var failure)) return failure;
        return (await client.GetAsync(PathOf(id), ApiJson.Default.DeviceGroup, cancellation)).TryGet(out var reply, out failure) ? reply.Value : failure;
    }

    private static string PathOf(string? id) => $"{GroupTree.OfDevices}/{Uri.EscapeDataString(id ?? "")}";

    /// <summary>The group and those below it; what else is asked goes on behind an ampersand.</summary>
    private static string Under(string id) => $"{GroupTree.OfDevices}?under={Uri.EscapeDataString(id)}";

    private static string Count(int? number) => (number ?? 0).ToString(CultureInfo.InvariantCulture);

    private static Argument<string> Named() => new("GROUP") { Description = GroupTree.Help };
}
