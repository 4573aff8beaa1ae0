using System.CommandLine;
using Countersign.Cli.Api;
using Countersign.Cli.Shown;

namespace Countersign.Cli.Commands;

/// <summary>Settings of the organization, and of device groups and devices, which have their own or inherit.</summary>
internal static class SettingsCommand
{
    public static Command Create(CommonOptions common) => new DocumentedCommand(
        "settings",
        "What holds for the organization, a device group or a device, and where it comes from. A device group or device has a value of its own or inherits the one from above.",
        "countersign settings show",
        "countersign settings set maxSession 8h --group Customers",
        "countersign settings force recording required --preview")
    {
        CreateShow(common),
        CreateSet(common),
        CreateClear(common),
        CreateForce(common),
    };

    private static DocumentedCommand CreateShow(CommonOptions common)
    {
        var place = new SettingPlace();
        var command = new DocumentedCommand(
            "show",
            "Shows every setting with its value, and where that comes from.",
            "countersign settings show",
            "countersign settings show --group \"Customers / Contoso\"",
            "countersign settings show --device web1 --json")
        {
            place.Group, place.Device,
        };
        place.Bind(command);
        command.SetAction((parsed, cancellation) => Telling.RunAsync(
            common,
            parsed,
            async (client, stop) =>
                (await place.FindAsync(parsed, client, stop)).TryGet(out var node, out var failure) ? await client.GetAsync(node.Path, ApiJson.Default.Settings, stop) : failure,
            async (settings, client, output, stop) =>
            {
                var items = settings.Items ?? [];
                var value = await SettingNames.ReadAsync(client, items, stop);
                output.Table(["SETTING", "VALUE", "FROM"], items.Select(setting => new[] { setting.Name ?? "", value(setting), From(setting) }));
            },
            cancellation));
        return command;
    }

    private static DocumentedCommand CreateSet(CommonOptions common)
    {
        var (setting, value, place, edit) = (Named(), Value(), new SettingPlace(), new PolicyEdit(common));
        var command = new DocumentedCommand(
            "set",
            "Gives the organization, a device group or a device a value of its own. Those below that have their own keep it.",
            "countersign settings set maxSession 8h --group Customers --preview",
            "countersign settings set recording required --device web1",
            "countersign settings set twoFactorRequired true")
        {
            setting, value, place.Group, place.Device, edit.Preview,
        };
        place.Bind(command);
        command.SetAction((parsed, cancellation) => edit.RunAsync(
            parsed,
            (client, stop) => PlanAsync(parsed, client, place, parsed.GetRequiredValue(setting), parsed.GetRequiredValue(value), (node, name, meant) => PolicyRequest.Put(
                $"{node.Path}/{name}", new(meant), ApiJson.Default.SettingValue, $"Set {name} of {node.Name} to {parsed.GetRequiredValue(value)}."), stop),
            cancellation));
        return command;
    }

    private static DocumentedCommand CreateClear(CommonOptions common)
    {
        var (setting, place, edit) = (Named(), new SettingPlace(), new PolicyEdit(common));
        var command = new DocumentedCommand(
            "clear",
            "Takes the value of its own from a device group or device, which then inherits; the organization gets the default back.",
            "countersign settings clear maxSession --group Customers --preview",
            "countersign settings clear maxSession --group Customers")
        {
            setting, place.Group, place.Device, edit.Preview,
        };
        place.Bind(command);
        command.SetAction((parsed, cancellation) => edit.RunAsync(
            parsed,
            (client, stop) => PlanAsync(parsed, client, place, parsed.GetRequiredValue(setting), "", (node, name, _) => PolicyRequest.Delete(
                $"{node.Path}/{name}", node.IsOrganization ? $"{name} of {node.Name} has its default." : $"{name} of {node.Name} is inherited."), stop),
            cancellation));
        return command;
    }

    private static DocumentedCommand CreateForce(CommonOptions common)
    {
        var (setting, value, place, edit) = (Named(), Value(), new SettingPlace(), new PolicyEdit(common));
        var command = new DocumentedCommand(
            "force",
            "Sets a value, and takes their own from all groups and devices below. Look first, with --preview, how many and which those are. They may be given their own again afterwards.",
            "countersign settings force recording required --preview",
            "countersign settings force maxSession 8h --group Customers")
        {
            setting, value, place.Group, place.Device, edit.Preview,
        };
        place.Bind(command);
        command.SetAction((parsed, cancellation) => edit.RunAsync(
            parsed,
            (client, stop) => PlanAsync(parsed, client, place, parsed.GetRequiredValue(setting), parsed.GetRequiredValue(value), (node, name, meant) => PolicyRequest.Post(
                $"{node.Path}/{name}/force", new(meant), ApiJson.Default.SettingValue, $"Forced {name} of {node.Name} to {parsed.GetRequiredValue(value)}.")
                .Showing(ApiJson.Default.ForcedSetting, ShowForced), stop),
            cancellation));
        return command;
    }

    /// <summary>What is set is read first: so a name that is none is refused, and the second of two editors is told.</summary>
    /// <param name="value">Empty: none is given.</param>
    /// <param name="change">Gets the node, the setting's name as the server spells it, and the value with ids in place of names.</param>
    private static async Task<Answer<PolicyRequest>> PlanAsync(
        ParseResult parsed, ApiClient client, SettingPlace place, string setting, string value, Func<SettingNode, string, string, PolicyRequest> change, CancellationToken cancellation)
    {
        if (!(await place.FindAsync(parsed, client, cancellation)).TryGet(out var node, out var failure)) return failure;
        if (!(await client.GetAsync(node.Path, ApiJson.Default.Settings, cancellation)).TryGet(out var reply, out failure)) return failure;
        var names = (reply.Value.Items ?? []).Select(item => item.Name ?? "").ToList();
        if (names.Find(name => string.Equals(name, setting, StringComparison.OrdinalIgnoreCase)) is not { Length: > 0 } known)
            return new Failure(ExitCode.Usage, $"{node.Name} has no setting {setting}.", $"There are: {string.Join(", ", names)}.");
        return (await SettingNames.ToIdsAsync(client, known, value, cancellation)).TryGet(out var meant, out failure)
            ? change(node, Uri.EscapeDataString(known), meant) with { Read = reply.Value.Version }
            : failure;
    }

    private static void ShowForced(Output output, ForcedSetting forced)
    {
        var cleared = forced.Cleared ?? [];
        output.Line($"Overrides removed: {cleared.Count}{(cleared.Count > 0 ? ":" : ".")}");
        foreach (var node in cleared) output.Line($"  - {Where(node)}");
    }

    private static string From(Setting setting) => setting switch
    {
        { Source.Kind: "organization" } => "the organization",
        { Own: true } => "its own",
        { Source: { } source } => Where(source),
        _ => "",
    };

    /// <summary>What the caller may not see has no name.</summary>
    private static string Where(SettingSource node) => $"{Output.Words(node.Kind)} {node.Name ?? node.Id}".TrimEnd();

    private static Argument<string> Named() => new("SETTING") { Description = "Its name, as \"countersign settings show\" has it." };

    private static Argument<string> Value() => new("VALUE") { Description = "As \"countersign settings show\" writes it. Roles and people go by name, too." };
}
