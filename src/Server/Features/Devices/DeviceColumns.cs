using Countersign.Access;
using Countersign.Server.Platform;

namespace Countersign.Server.Features.Devices;

/// <summary>
/// Devices as a table: what is exported can be imported. Groups are paths from the top, with / between their names and \ in front of a / or \ that belongs
/// to one; accounts (the default one first), services and tags have blanks between.
/// </summary>
internal static class DeviceColumns
{
    public const string Group = "group";
    public const string Name = "name";
    public const string Description = "description";
    public const string Host = "host";
    public const string Services = "services";
    public const string HostKey = "hostkey";
    public const string Accounts = "accounts";
    public const string Tags = "tags";

    public static IReadOnlyList<string> All { get; } = [Group, Name, Description, Host, Services, HostKey, Accounts, Tags];

    public static string Heading { get; } = Csv.Line(All);

    /// <param name="path">From the top.</param>
    public static string Row(CallersPolicy policy, DeviceRow row, string path)
    {
        var manages = policy.Snapshot.MayModifyDevice(policy.Person, row.Id, policy.At);
        var services = policy.Snapshot.ServicesOf(row.Id);
        var accounts = policy.Snapshot.AccountsOf(row.Id).OrderByDescending(account => account.IsDefault).Select(account => account.Name);
        return Csv.Line(
        [
            path,
            row.Name,
            row.Description,
            manages ? row.Host : "",
            manages ? ServiceWords.Write(services) : "",
            manages ? services.FirstOrDefault(service => service.Protocol == ServiceProtocol.Ssh)?.Pin ?? "" : "",
            string.Join(' ', accounts),
            string.Join(' ', DeviceTags.Read(row.Tags)),
        ]);
    }

    public static string Write(IEnumerable<string> path) =>
        string.Join('/', path.Select(name => name.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("/", "\\/", StringComparison.Ordinal)));

    /// <summary>The names of groups, from the top; blanks around them do not count.</summary>
    public static IReadOnlyList<string> ReadPath(string text)
    {
        var names = new List<string>();
        var name = new System.Text.StringBuilder();
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] == '\\' && at + 1 < text.Length) name.Append(text[++at]);
            else if (text[at] != '/') name.Append(text[at]);
            else
            {
                names.Add(name.ToString().Trim());
                name.Clear();
            }
        }

        names.Add(name.ToString().Trim());
        return names;
    }

    public static IReadOnlyList<string> ReadWords(string text) => text.Split([' ', ',', '\t'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}

/// <summary>The paths of device groups, and the groups that paths name: of those that somebody may see.</summary>
internal sealed class GroupPaths
{
    private readonly Dictionary<DeviceGroupId, DeviceGroupRow> _groups;
    private readonly Dictionary<(DeviceGroupId?, string), DeviceGroupId> _named = [];
    private readonly Dictionary<DeviceGroupId, string> _written = [];

    public GroupPaths(IEnumerable<DeviceGroupRow> groups)
    {
        _groups = groups.ToDictionary(group => group.Id);
        foreach (var group in _groups.Values) _named[(group.ParentId, Folded(group.Name))] = group.Id;
    }

    public string Of(DeviceGroupId id)
    {
        if (_written.TryGetValue(id, out var known)) return known;
        var names = new Stack<string>();
        for (var group = _groups.GetValueOrDefault(id); group is not null; group = group.ParentId is { } parent ? _groups.GetValueOrDefault(parent) : null) names.Push(group.Name);
        return _written[id] = DeviceColumns.Write(names);
    }

    /// <summary>Null: there is none of that name.</summary>
    public DeviceGroupId? Find(DeviceGroupId? parent, string name) => _named.TryGetValue((parent, Folded(name)), out var id) ? id : null;

    /// <summary>One that is going to be there.</summary>
    public void Add(DeviceGroupRow group)
    {
        _groups.Add(group.Id, group);
        _named[(group.ParentId, Folded(group.Name))] = group.Id;
    }

    private static string Folded(string name) => name.ToUpperInvariant();
}
