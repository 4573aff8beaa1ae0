using System.Text.RegularExpressions;
using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

/// <summary>Two settings name roles and people, by their ids. Here these go by their names.</summary>
internal static partial class SettingNames
{
    private const string Roles = "accessRequestRoles";
    private const string Notifications = "notifications";
    private const string None = "none";

    /// <returns>The value with the ids of what it names.</returns>
    public static async Task<Answer<string>> ToIdsAsync(ApiClient client, string setting, string value, CancellationToken cancellation) => setting switch
    {
        Roles when value != None => await ReplaceAsync(client, Words(), value, NamedThings.RoleAsync, cancellation),
        Notifications => await ReplaceAsync(client, People(), value, NamedThings.PersonAsync, cancellation),
        _ => value,
    };

    /// <returns>For each setting its value with the names of what it names, as far as the caller may see that.</returns>
    public static async Task<Func<Setting, string>> ReadAsync(ApiClient client, IReadOnlyList<Setting> settings, CancellationToken cancellation)
    {
        var names = new KnownNames();
        foreach (var setting in settings)
        {
            if (setting is { Name: Roles, Value: not None }) await names.ReadRolesAsync(client, cancellation);
            if (setting is { Name: Notifications, Value: { } told }) await names.ReadPeopleAsync(client, People().Matches(told).Select(found => found.Value), cancellation);
        }

        return setting => setting switch
        {
            { Name: Roles, Value: { } value } => Words().Replace(value, found => names[found.Value]),
            { Name: Notifications, Value: { } value } => People().Replace(value, found => names[found.Value]),
            _ => setting.Value ?? "",
        };
    }

    private static async Task<Answer<string>> ReplaceAsync(
        ApiClient client, Regex named, string value, Func<ApiClient, string, CancellationToken, Task<Answer<string>>> find, CancellationToken cancellation)
    {
        var ids = new Dictionary<string, string>();
        foreach (var name in named.Matches(value).Select(found => found.Value).Distinct())
        {
            if (!(await find(client, name, cancellation)).TryGet(out var id, out var failure)) return failure;
            ids[name] = id;
        }

        return named.Replace(value, found => ids[found.Value]);
    }

    /// <summary>Those between commas.</summary>
    [GeneratedRegex("[^, ](?:[^,]*[^, ])?", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Words();

    /// <summary>Behind <c>person:</c>, up to the next recipient.</summary>
    [GeneratedRegex("(?<=(?:^|[,;: ])person:)[^,; ]+", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex People();
}
