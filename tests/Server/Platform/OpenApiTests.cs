using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Countersign.Server.Tests.Platform;

/// <summary>The form of the API is committed as docs/openapi.v1.json. <c>UPDATE_OPENAPI=1</c> writes it anew.</summary>
public sealed class OpenApiTests
{
    [Fact]
    public async Task What_is_committed_is_what_is_served()
    {
        await using var running = await RunningServer.StartAsync();
        var served = await running.Http.GetStringAsync(new Uri("/openapi/v1.json", UriKind.Relative), TestContext.Current.CancellationToken);
        if (Environment.GetEnvironmentVariable("UPDATE_OPENAPI") == "1") await File.WriteAllTextAsync(Committed(), served, TestContext.Current.CancellationToken);

        var committed = await File.ReadAllTextAsync(Committed(), TestContext.Current.CancellationToken);
        Facts(served).Except(Facts(committed)).ShouldBeEmpty("served, and not in docs/openapi.v1.json");
        Facts(committed).Except(Facts(served)).ShouldBeEmpty("in docs/openapi.v1.json, and not served");
    }

    [Fact]
    public async Task Every_operation_says_how_it_refuses_and_whether_it_needs_a_token()
    {
        using var document = JsonDocument.Parse(await File.ReadAllTextAsync(Committed(), TestContext.Current.CancellationToken));
        foreach (var path in document.RootElement.GetProperty("paths").EnumerateObject().Where(path => path.Name.StartsWith("/api/", StringComparison.Ordinal)))
        {
            foreach (var operation in path.Value.EnumerateObject())
            {
                var responses = operation.Value.GetProperty("responses");
                responses.EnumerateObject().ShouldContain(response => response.Name.StartsWith('2'), $"{operation.Name} {path.Name}");
                responses.TryGetProperty("400", out _).ShouldBeTrue($"{operation.Name} {path.Name}");
                operation.Value.TryGetProperty("security", out _).ShouldBe(responses.TryGetProperty("401", out _), $"{operation.Name} {path.Name}");
            }
        }
    }

    /// <summary>One line for each value, with the way to it: a difference is shown as what differs.</summary>
    private static List<string> Facts(string json)
    {
        using var document = JsonDocument.Parse(json);
        var facts = new List<string>();
        Add(document.RootElement, "");
        return facts;

        void Add(JsonElement element, string path)
        {
            if (element.ValueKind == JsonValueKind.Object)
                foreach (var member in element.EnumerateObject()) Add(member.Value, $"{path} {member.Name}");
            else if (element.ValueKind == JsonValueKind.Array)
                foreach (var item in element.EnumerateArray()) Add(item, $"{path} -");
            else facts.Add($"{path}: {element}");
        }
    }

    private static string Committed([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../../docs/openapi.v1.json"));
}
