using System.Text.Json;
using Countersign.Cli.Api;
using Countersign.Cli.Shown;

namespace Countersign.Cli.Commands;

/// <summary>The rows of policy that a change would touch, in words: by name what there is already and the caller may see, all else by its ID.</summary>
internal sealed class PreviewedRows
{
    /// <summary>Each name of a device or somebody is a question to the server.</summary>
    private const int MostAsked = 200;

    private readonly KnownNames _names = new();

    public static async Task<PreviewedRows> ReadAsync(ApiClient client, IReadOnlyList<TouchedRow> rows, CancellationToken cancellation)
    {
        var (read, things) = (new PreviewedRows(), rows.SelectMany(ThingsOf).ToLookup(thing => thing.Place, thing => thing.Id));
        foreach (var kind in new[] { GroupTree.OfDevices, GroupTree.OfTechnicians })
        {
            if (things.Contains(kind)) await read._names.ReadGroupsAsync(client, kind, cancellation);
        }

        if (things.Contains("roles")) await read._names.ReadRolesAsync(client, cancellation);
        if (things.Contains("external-groups")) await read._names.ReadExternalGroupsAsync(client, cancellation);
        await read._names.ReadDevicesAsync(client, things["devices"].Distinct().Take(MostAsked), cancellation);
        await read._names.ReadPeopleAsync(client, things["technicians"].Distinct().Take(MostAsked), cancellation);
        return read;
    }

    public string Words(TouchedRow row)
    {
        var names = string.Join(' ', ThingsOf(row).Select(thing => _names[thing.Id]));
        var what = row.Table == "setting"
            ? $"setting {Camel(row.Part?.Split('/')[^1])} of {(names.Length == 0 ? "the organization" : $"{Output.Words(NodeOf(row))} {names}")}"
            : $"{Output.Words(row.Table)} {(names.Length == 0 ? row.Id : names)} {(row.Table == "deviceService" ? Camel(row.Part) : row.Part)}".TrimEnd();
        return $"{Output.Words(row.Fate)}: {what}";
    }

    /// <summary>Where the API has what a row is of.</summary>
    private static IEnumerable<(string Place, string? Id)> ThingsOf(TouchedRow row)
    {
        if (PlaceOf(row) is { } place) yield return (place, row.Id);
        if (row is { Table: "membership" or "groupManager" or "groupAdministrator" or "externalMember", Id2: { } person }) yield return ("technicians", person);
    }

    private static string? PlaceOf(TouchedRow row) => row.Table switch
    {
        "person" => "technicians",
        "technicianGroup" or "groupPermission" or "membership" or "groupManager" or "groupAdministrator" => GroupTree.OfTechnicians,
        "deviceGroup" => GroupTree.OfDevices,
        "device" or "deviceAccount" or "deviceService" => "devices",
        "role" => "roles",
        "externalGroup" or "externalMember" => "external-groups",
        "setting" => NodeOf(row) switch
        {
            "deviceGroup" => GroupTree.OfDevices,
            "device" => "devices",
            _ => null,
        },
        _ => null,
    };

    /// <summary>A setting's part is its node's kind and its own name, with a slash between.</summary>
    private static string NodeOf(TouchedRow row) => Camel(row.Part?.Split('/')[0]);

    private static string Camel(string? name) => JsonNamingPolicy.CamelCase.ConvertName(name ?? "");
}
