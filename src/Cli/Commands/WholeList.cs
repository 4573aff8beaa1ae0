using System.Text.Json.Serialization.Metadata;
using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

/// <summary>All pages of a list.</summary>
internal static class WholeList
{
    /// <param name="path">Without a query, or with one that ends with <c>&amp;</c>.</param>
    public static async Task<Answer<List<T>>> ReadAsync<T>(ApiClient client, string path, JsonTypeInfo<Page<T>> type, CancellationToken cancellation)
    {
        var items = new List<T>();
        var pages = path.EndsWith('&') ? path : path + "?";
        for (var cursor = ""; ;)
        {
            if (!(await client.GetAsync($"{pages}limit=1000{cursor}", type, cancellation)).TryGet(out var reply, out var failure)) return failure;
            items.AddRange(reply.Value.Items ?? []);
            if (string.IsNullOrEmpty(reply.Value.Next)) return items;
            cursor = $"&cursor={Uri.EscapeDataString(reply.Value.Next)}";
        }
    }
}
