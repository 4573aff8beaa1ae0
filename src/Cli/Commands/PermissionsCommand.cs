using System.CommandLine;
using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

/// <summary>The fixed catalogue of what can be permitted.</summary>
internal static class PermissionsCommand
{
    public static Command Create(CommonOptions common)
    {
        var command = new DocumentedCommand(
            "permissions",
            "Lists what can be permitted: what it is called, in roles for what it may be, whether technician groups can restrict it, and what it needs besides.",
            "countersign permissions",
            "countersign permissions --json | jq -r '.items[] | select(.restrictable) | .permission'");
        command.SetAction((parsed, cancellation) => Telling.RunAsync(
            common,
            parsed,
            (client, stop) => client.GetAsync("permissions", ApiJson.Default.PermissionCatalogue, stop),
            (catalogue, output) =>
            {
                output.Table(["PERMISSION", "LABEL", "IN ROLES FOR", "GROUPS", "NEEDS"], (catalogue.Items ?? []).Select(permission => new[]
                {
                    permission.Permission ?? "",
                    permission.Label ?? "",
                    string.Join(", ", (permission.Purposes ?? []).Select(RolesCommand.PurposeText)),
                    permission.Restrictable == true ? "yes" : "",
                    string.Join(", ", permission.Prerequisites ?? []),
                }));
            },
            cancellation));
        return command;
    }
}

/// <summary>Permissions as people write them: by their name or label, in small or capital letters.</summary>
internal sealed class PermissionNames
{
    private readonly List<CataloguedPermission> _known;

    private PermissionNames(IEnumerable<CataloguedPermission> known) => _known = [.. known];

    public static async Task<Answer<PermissionNames>> ReadAsync(ApiClient client, CancellationToken cancellation) =>
        (await client.GetAsync("permissions", ApiJson.Default.PermissionCatalogue, cancellation)).TryGet(out var reply, out var failure) ? new PermissionNames(reply.Value.Items ?? []) : failure;

    public Answer<CataloguedPermission> Find(string name) => _known.Find(permission => Is(permission.Permission, name) || Is(permission.Label, name)) is { Permission: not null } found
        ? found
        : new Failure(ExitCode.Usage, $"There is no permission \"{name}\".", "\"countersign permissions\" lists them.");

    /// <returns>Their names as the API has them, up to the first that is none.</returns>
    public Answer<List<string>> Find(IEnumerable<string> names)
    {
        var found = new List<string>();
        foreach (var name in names)
        {
            if (!Find(name).TryGet(out var permission, out var failure)) return failure;
            found.Add(permission.Permission!);
        }

        return found;
    }

    private static bool Is(string? called, string name) => string.Equals(called, name, StringComparison.OrdinalIgnoreCase);
}
