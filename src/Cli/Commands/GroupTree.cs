using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

/// <summary>
/// Groups below groups, which go by their path, <c>Berlin / Support</c>, or the end of it that no other has. A path is as long as the caller may see
/// upwards; Everyone, which is above all technician groups, is no part of it.
/// </summary>
internal sealed class GroupTree
{
    public const string OfTechnicians = "technician-groups";
    public const string OfDevices = "device-groups";
    public const string Help = "The group's name, its path such as \"Berlin / Support\", or its ID.";

    private readonly Dictionary<string, string> _paths = [];
    private readonly string _list;

    private GroupTree(IEnumerable<TreeGroup> groups, string kind)
    {
        _list = kind == OfTechnicians ? "groups list" : "device-groups list";
        var byId = groups.Where(group => group.Id is not null).DistinctBy(group => group.Id).ToDictionary(group => group.Id!);
        if (kind == OfTechnicians) Everyone = byId.Values.FirstOrDefault(group => group.Parent is null)?.Id;
        foreach (var id in byId.Keys)
        {
            var names = new List<string>();
            for (var group = byId[id]; group is not null && names.Count < byId.Count; group = byId.GetValueOrDefault(group.Parent ?? ""))
            {
                if (group.Id != Everyone || group.Id == id) names.Insert(0, group.Name ?? "");
            }

            _paths[id] = string.Join(" / ", names);
        }
    }

    /// <summary>The id of the group above all technician groups, where the caller may see it.</summary>
    public string? Everyone { get; }

    /// <param name="kind"><see cref="OfTechnicians"/> or <see cref="OfDevices"/>.</param>
    public static async Task<Answer<GroupTree>> ReadAsync(ApiClient client, string kind, CancellationToken cancellation) =>
        (await WholeList.ReadAsync(client, kind, ApiJson.Default.TreeGroupPage, cancellation)).TryGet(out var groups, out var failure) ? new GroupTree(groups, kind) : failure;

    /// <returns>The id of the one that is called so.</returns>
    public static async Task<Answer<string>> FindAsync(ApiClient client, string kind, string text, CancellationToken cancellation)
    {
        if (Guid.TryParseExact(text, "D", out _)) return text;
        return (await ReadAsync(client, kind, cancellation)).TryGet(out var tree, out var failure) ? tree.Find(text) : failure;
    }

    /// <inheritdoc cref="FindAsync"/>
    public Answer<string> Find(string text)
    {
        if (Guid.TryParseExact(text, "D", out _)) return text;
        var wanted = Plain(text);
        var ending = _paths.Where(group => $"/{Plain(group.Value)}".EndsWith($"/{wanted}", StringComparison.OrdinalIgnoreCase)).ToList();
        var whole = ending.Where(group => Plain(group.Value).Length == wanted.Length).ToList();
        return (whole is [_] ? whole : ending) switch
        {
            [var only] => only.Key,
            [] => new Failure(ExitCode.NotFound, $"There is no group {text} that you may see.", $"\"countersign {_list}\" shows what there is."),
            var several => new Failure(ExitCode.Usage, $"Several groups are called {text}: {string.Join(", ", several.Select(group => group.Value).Order(StringComparer.Ordinal))}.", "Give the path of the one that is meant, or its ID."),
        };
    }

    public IEnumerable<KeyValuePair<string, string>> Paths => _paths;

    /// <summary>The path of a group; of one that is not there the id.</summary>
    public string this[string id] => _paths.GetValueOrDefault(id, id);

    private static string Plain(string path) => string.Join('/', path.Split('/', StringSplitOptions.TrimEntries));
}
