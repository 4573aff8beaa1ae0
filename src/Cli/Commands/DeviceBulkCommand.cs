using System.CommandLine;
using System.Globalization;
using Countersign.Cli.Api;
using Countersign.Cli.Shown;

namespace Countersign.Cli.Commands;

/// <summary>The same change of many devices, as one change of policy.</summary>
internal sealed class DeviceBulkCommand
{
    private readonly DeviceSelection _selection = new();
    private readonly Option<string?> _move = new("--move") { Description = "They go into this device group. Its name, path or ID.", HelpName = "GROUP" };
    private readonly Option<string[]> _tag = new("--tag") { Description = "A tag that they get besides those that they have. Repeatable.", HelpName = "TAG" };
    private readonly Option<string[]> _untag = new("--untag") { Description = "A tag that they lose, where they have it. Repeatable.", HelpName = "TAG" };
    private readonly Option<bool> _enable = new("--enable") { Description = "They let people in." };
    private readonly Option<bool> _disable = new("--disable") { Description = "They let nobody in." };
    private readonly Option<string[]> _services = ServiceText.Option("A service that they get, or that changes as in \"devices edit\". Repeatable.");
    private readonly Option<string[]> _noServices = new("--remove-service") { Description = "The protocol of a service that goes, where they have it. Repeatable.", HelpName = "PROTOCOL" };

    private DeviceBulkCommand()
    {
    }

    public static Command Create(CommonOptions common)
    {
        var (bulk, edit) = (new DeviceBulkCommand(), new PolicyEdit(common));
        var command = new DocumentedCommand(
            "bulk",
            "Changes up to 1000 devices alike: all of them or none, as one change. One kind of change at a time.",
            "countersign devices bulk --search \"group:Berlin tag:old\" --untag old --preview",
            "countersign devices bulk web1 web2 --move \"Customers / Contoso\"",
            "countersign devices bulk --search service:vnc --remove-service vnc")
        {
            bulk._selection.Names, bulk._selection.Search, bulk._move, bulk._tag, bulk._untag, bulk._enable, bulk._disable, bulk._services, bulk._noServices, edit.Preview,
        };
        Option[] changes = [bulk._move, bulk._tag, bulk._untag, bulk._enable, bulk._disable, bulk._services, bulk._noServices];
        bulk._selection.Bind(command);
        command.ChangesSomething(changes);
        command.AtMostOneOf(changes);
        command.SetAction((parsed, cancellation) =>
        {
            if (!ServiceText.Read(parsed.GetValue(bulk._services) ?? [], parsed.GetValue(bulk._noServices) ?? []).TryGet(out var services, out var failure)) return Task.FromResult(common.OutputFor(parsed).Fail(failure));
            return edit.RunAsync(parsed, (client, stop) => bulk.PlanAsync(parsed, client, services, stop), cancellation);
        });
        return command;
    }

    /// <summary>Devices are gone in one change, if there are several.</summary>
    public static Command CreateRemove(CommonOptions common)
    {
        var devices = new Argument<string[]>("DEVICE") { Description = "Names or IDs.", Arity = ArgumentArity.OneOrMore };
        var edit = new PolicyEdit(common);
        var command = new DocumentedCommand(
            "remove",
            "Deletes devices, with their settings and the grants that are for them. Taking the change back brings them again, but not the secrets of their accounts.",
            "countersign devices remove web1 --preview",
            "countersign devices remove web1 web2")
        {
            devices, edit.Preview,
        };
        command.SetAction((parsed, cancellation) => edit.RunAsync(
            parsed,
            async (client, stop) =>
            {
                var found = new List<Device>();
                foreach (var name in parsed.GetRequiredValue(devices))
                {
                    if (!(await NamedThings.DeviceAsync(client, name, stop)).TryGet(out var device, out var failure)) return failure;
                    found.Add(device.Value);
                }

                return found switch
                {
                    [var only] => PolicyRequest.Delete($"devices/{Uri.EscapeDataString(only.Id ?? "")}", $"Deleted {only.Name}.") with { Read = only.Version },
                    _ => Bulk(new([.. found.Select(device => device.Id ?? "")], found.Min(device => device.Version)), new([], "delete")),
                };
            },
            cancellation));
        return command;
    }

    private static PolicyRequest Bulk(SelectedDevices selected, DeviceBulk change) =>
        PolicyRequest.Post("devices/bulk", change with { Devices = selected.Ids }, ApiJson.Default.DeviceBulk, "")
            .Showing(ApiJson.Default.DeviceBulkDone, (output, done) => Show(output, selected, done)) with
        { Read = selected.Read };

    private static void Show(Output output, SelectedDevices selected, DeviceBulkDone done) =>
        output.Line(string.Create(CultureInfo.InvariantCulture, $"{done.Changed ?? 0} of {selected.Ids.Count} devices changed."));

    private async Task<Answer<PolicyRequest>> PlanAsync(ParseResult parsed, ApiClient client, ServiceEdit services, CancellationToken cancellation)
    {
        if (!(await _selection.FindAsync(parsed, client, cancellation)).TryGet(out var selected, out var failure)) return failure;
        string? group = null;
        if (parsed.GetValue(_move) is { } moved && !(await NamedThings.GroupAsync(client, moved, cancellation)).TryGet(out group, out failure)) return failure;
        return Bulk(selected, Change(parsed, services, group));
    }

    private DeviceBulk Change(ParseResult parsed, ServiceEdit services, string? group)
    {
        if (group is not null) return new([], "move", Group: group);
        if (parsed.GetValue(_tag) is { Length: > 0 } tags) return new([], "tag", Tags: tags);
        if (parsed.GetValue(_untag) is { Length: > 0 } untagged) return new([], "untag", Tags: untagged);
        if (services.Put.Count > 0) return new([], "putServices", Services: services.Put);
        if (services.Removed.Count > 0) return new([], "removeServices", Protocols: services.Removed);
        return new([], parsed.GetValue(_enable) ? "enable" : "disable");
    }
}
