using System.Collections.Concurrent;
using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

/// <summary>The names of what the API's answers name by ids. What the caller may not read, or what is gone meanwhile, stays with its id.</summary>
internal sealed class KnownNames
{
    private const int AtOnce = 8;

    private readonly ConcurrentDictionary<string, string> _names = new(StringComparer.Ordinal);

    public string this[string? id] => id is null ? "" : _names.GetValueOrDefault(id, id);

    /// <returns>In the order of their names, with commas between; "none" where there are none.</returns>
    public string All(IReadOnlyList<string>? ids) => ids is { Count: > 0 } ? string.Join(", ", ids.Select(id => this[id]).Order(StringComparer.OrdinalIgnoreCase)) : "none";

    /// <param name="kind">One of <see cref="GroupTree"/>'s.</param>
    public async Task ReadGroupsAsync(ApiClient client, string kind, CancellationToken cancellation)
    {
        if (!(await GroupTree.ReadAsync(client, kind, cancellation)).TryGet(out var tree, out _)) return;
        foreach (var (id, path) in tree.Paths) _names[id] = path;
    }

    public async Task ReadRolesAsync(ApiClient client, CancellationToken cancellation)
    {
        if (!(await WholeList.ReadAsync(client, "roles", ApiJson.Default.RolePage, cancellation)).TryGet(out var roles, out _)) return;
        foreach (var role in roles) Take(role.Id, role.Name);
    }

    public async Task ReadExternalGroupsAsync(ApiClient client, CancellationToken cancellation)
    {
        if (!(await WholeList.ReadAsync(client, "external-groups", ApiJson.Default.ExternalGroupPage, cancellation)).TryGet(out var groups, out _)) return;
        foreach (var group in groups) Take(group.Id, group.Name);
    }

    /// <summary>The people of a technician group, in few questions.</summary>
    public async Task ReadMembersAsync(ApiClient client, string group, CancellationToken cancellation)
    {
        if (!(await WholeList.ReadAsync(client, $"technicians?group={Uri.EscapeDataString(group)}&", ApiJson.Default.TechnicianPage, cancellation)).TryGet(out var people, out _)) return;
        foreach (var person in people) Take(person.Id, Called(person));
    }

    public Task ReadPeopleAsync(ApiClient client, IEnumerable<string?> ids, CancellationToken cancellation) => EachAsync(
        ids,
        async (id, stop) =>
        {
            if ((await client.GetAsync($"technicians/{id}", ApiJson.Default.Technician, stop)).TryGet(out var reply, out _)) Take(id, Called(reply.Value));
        },
        cancellation);

    public Task ReadDevicesAsync(ApiClient client, IEnumerable<string?> ids, CancellationToken cancellation) => EachAsync(
        ids,
        async (id, stop) =>
        {
            if ((await client.GetAsync($"devices/{id}", ApiJson.Default.Device, stop)).TryGet(out var reply, out _)) Take(id, reply.Value.Name);
        },
        cancellation);

    /// <summary>Only ids become a part of a path.</summary>
    private Task EachAsync(IEnumerable<string?> ids, Func<string, CancellationToken, ValueTask> read, CancellationToken cancellation) => Parallel.ForEachAsync(
        ids.OfType<string>().Where(id => Guid.TryParseExact(id, "D", out _) && !_names.ContainsKey(id)).Distinct().ToList(),
        new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellation },
        (id, stop) => read(id, stop));

    /// <summary>As a command would take it: who signs in by mailed links, or has not joined yet, has chosen no login.</summary>
    private static string? Called(Technician person) => person.Kind == "contact" || person.State == "invited" ? person.Mail : person.Login;

    private void Take(string? id, string? name)
    {
        if (id is not null && !string.IsNullOrEmpty(name)) _names[id] = name;
    }
}
