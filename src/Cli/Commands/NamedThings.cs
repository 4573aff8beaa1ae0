using System.Text.Json.Serialization.Metadata;
using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

/// <summary>The ids of what people call by its name.</summary>
internal static class NamedThings
{
    /// <summary>A device group goes by its path or its id where several have its name.</summary>
    public static Task<Answer<string>> GroupAsync(ApiClient client, string name, CancellationToken cancellation) => GroupTree.FindAsync(client, GroupTree.OfDevices, name, cancellation);

    public static Task<Answer<string>> RoleAsync(ApiClient client, string name, CancellationToken cancellation) =>
        OneAsync(client, "roles", name, "roles list", ApiJson.Default.RolePage, role => role.Id, role => role.Name, cancellation);

    public static Task<Answer<string>> ExternalGroupAsync(ApiClient client, string name, CancellationToken cancellation) =>
        OneAsync(client, "external-groups", name, "external-groups list", ApiJson.Default.ExternalGroupPage, group => group.Id, group => group.Name, cancellation);

    public static Task<Answer<string>> WorkflowAsync(ApiClient client, string name, CancellationToken cancellation) =>
        OneAsync(client, "workflows", name, "workflows list", ApiJson.Default.WorkflowPage, workflow => workflow.Id, workflow => workflow.Name, cancellation);

    /// <summary>Whoever has the login, or the mail address: those who were invited have no login of their own yet.</summary>
    public static Task<Answer<string>> PersonAsync(ApiClient client, string name, CancellationToken cancellation) => PersonAsync(client, "technicians?", name, "technicians list", cancellation);

    public static Task<Answer<string>> ContactAsync(ApiClient client, string name, CancellationToken cancellation) => PersonAsync(client, "technicians?kind=contact&", name, "contacts list", cancellation);

    private static Task<Answer<string>> PersonAsync(ApiClient client, string path, string name, string list, CancellationToken cancellation) => OneAsync(
        client,
        $"{path}search={Uri.EscapeDataString(name)}&",
        name,
        list,
        ApiJson.Default.TechnicianPage,
        person => person.Id,
        person => string.Equals(person.Mail, name, StringComparison.OrdinalIgnoreCase) ? person.Mail : person.Login,
        cancellation);

    /// <summary>A device as it is now.</summary>
    public static async Task<Answer<Reply<Device>>> DeviceAsync(ApiClient client, string name, CancellationToken cancellation)
    {
        if (!(await DevicesAsync(client, [name], cancellation)).TryGet(out var ids, out var failure)) return failure;
        return await client.GetAsync($"devices/{Uri.EscapeDataString(ids[0])}", ApiJson.Default.Device, cancellation);
    }

    public static async Task<Answer<List<string>>> DevicesAsync(ApiClient client, IReadOnlyList<string> names, CancellationToken cancellation)
    {
        var ids = new List<string>();
        foreach (var name in names)
        {
            var path = $"devices?search={Uri.EscapeDataString(name)}&";
            var found = await OneAsync(client, path, name, "devices", ApiJson.Default.DevicePage, device => device.Id, device => device.Name, cancellation);
            if (!found.TryGet(out var id, out var failure)) return failure;
            ids.Add(id);
        }

        return ids;
    }

    /// <param name="list">The command that lists them.</param>
    private static async Task<Answer<string>> OneAsync<T>(
        ApiClient client,
        string path,
        string name,
        string list,
        JsonTypeInfo<Page<T>> type,
        Func<T, string?> id,
        Func<T, string?> called,
        CancellationToken cancellation)
    {
        if (Guid.TryParseExact(name, "D", out _)) return name;
        if (!(await WholeList.ReadAsync(client, path, type, cancellation)).TryGet(out var items, out var failure)) return failure;
        return items.Where(item => string.Equals(called(item), name, StringComparison.OrdinalIgnoreCase)).Select(item => id(item) ?? "").ToList() switch
        {
            [var only] => only,
            [] => new Failure(ExitCode.NotFound, $"There is no {name} that you may see.", $"\"countersign {list}\" shows what there is."),
            _ => new Failure(ExitCode.Usage, $"Several are called {name}.", "Give the ID of the one that is meant."),
        };
    }
}
