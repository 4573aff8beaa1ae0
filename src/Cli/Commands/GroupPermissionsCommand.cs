using System.CommandLine;
using Countersign.Cli.Api;
using Countersign.Cli.Shown;

namespace Countersign.Cli.Commands;

/// <summary>What a technician group restricts: its permission policy.</summary>
internal static class GroupPermissionsCommand
{
    /// <summary>The option of those permissions that may be for named groups only; in the API's form their ids follow.</summary>
    public const string Named = "named";

    private const string Names = Named + ":";

    public static Command Create(CommonOptions common)
    {
        var group = GroupsCommand.Named();
        var command = new DocumentedCommand(
            "permissions",
            "Lists what a group allows and denies its members, and from where up it comes. What it says itself stands under OWN.",
            "countersign groups permissions Support",
            "countersign groups permissions Support --json | jq -r '.items[] | select(.locked) | .permission'")
        {
            group,
        };
        command.SetAction((parsed, cancellation) => Telling.RunAsync(
            common,
            parsed,
            async Task<Answer<Reply<GroupPermissions>>> (client, stop) => (await GroupTree.FindAsync(client, GroupTree.OfTechnicians, parsed.GetRequiredValue(group), stop)).TryGet(out var id, out var failure) ? await ReadAsync(client, id, stop) : failure,
            async (listed, client, output, stop) =>
            {
                var names = new KnownNames();
                await names.ReadGroupsAsync(client, GroupTree.OfTechnicians, stop);
                output.Table(["PERMISSION", "VALUE", "OPTION", "LOCKED", "FROM", "OWN"], (listed.Items ?? []).Select(item => new[]
                {
                    item.Permission ?? "",
                    Output.Words(item.Effective),
                    OptionText(item.Option, names),
                    item.Locked == true ? "locked" : "",
                    From(item.Source, names),
                    $"{Output.Words(item.Own)} {OptionText(item.OwnOption, names)}".Trim(),
                }));
            },
            cancellation));
        return command;
    }

    public static Task<Answer<Reply<GroupPermissions>>> ReadAsync(ApiClient client, string group, CancellationToken cancellation) =>
        client.GetAsync($"technician-groups/{group}/permissions", ApiJson.Default.GroupPermissions, cancellation);

    /// <summary>The option in the API's form.</summary>
    public static string ForNamed(IEnumerable<string> ids) => Names + string.Join(',', ids.Order(StringComparer.Ordinal));

    /// <summary>Of the groups that an option names.</summary>
    public static IReadOnlyList<string> IdsIn(string? option) =>
        option is not null && option.StartsWith(Names, StringComparison.Ordinal) ? option[Names.Length..].Split(',', StringSplitOptions.RemoveEmptyEntries) : [];

    /// <summary>By its path, or by its name alone where it is above all that the caller may see.</summary>
    private static string From(GroupSource? source, KnownNames names) => names[source?.Id] is var path && path == source?.Id ? source?.Name ?? path : path;

    private static string OptionText(string? option, KnownNames names) =>
        option is not null && option.StartsWith(Names, StringComparison.Ordinal) ? $"{Named}: {names.All(IdsIn(option))}" : option ?? "";
}
