using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace Countersign.EndToEnd.Fixtures;

/// <summary>The REST API, called with one person's token. What a test merely needs throws when it is refused.</summary>
public sealed class Api(Uri server, string? token = null) : IDisposable
{
    private readonly HttpClient _http = Client(server, token);

    public Task<JsonNode> GetAsync(string path) => MustAsync(HttpMethod.Get, path);

    public Task<JsonNode> PostAsync(string path, JsonObject? body = null) => MustAsync(HttpMethod.Post, path, body ?? []);

    public Task<JsonNode> PutAsync(string path, JsonObject? body = null) => MustAsync(HttpMethod.Put, path, body ?? []);

    public Task<JsonNode> DeleteAsync(string path) => MustAsync(HttpMethod.Delete, path);

    /// <summary>The answer as it is, refused or not.</summary>
    public async Task<(HttpStatusCode Status, string Text)> SendAsync(HttpMethod method, string path, JsonObject? body = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null) request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        using var response = await _http.SendAsync(request, TestContext.Current.CancellationToken);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    public void Dispose() => _http.Dispose();

    private static HttpClient Client(Uri server, string? token)
    {
        var client = new HttpClient { BaseAddress = new(server, "api/v1/") };
        if (token is not null) client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return client;
    }

    private async Task<JsonNode> MustAsync(HttpMethod method, string path, JsonObject? body = null)
    {
        var (status, text) = await SendAsync(method, path, body);
        if ((int)status is < 200 or > 299) throw new InvalidOperationException($"{method} {path} answered {(int)status}: {text}");
        return text.Length == 0 ? new JsonObject() : JsonNode.Parse(text)!;
    }
}
