using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Countersign.Server.Demo;

/// <summary>The server's own REST API, called as any client calls it: the demo shows what everybody can do.</summary>
internal sealed class DemoApi(Uri server) : IDisposable
{
    private readonly HttpClient _http = new() { BaseAddress = new(server, "api/v1/") };

    /// <summary>From here on calls are made with this token.</summary>
    public void SignInWith(string token) => _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);

    public Task<JsonNode> PostAsync(string path, JsonObject? body, CancellationToken cancellation) => SendAsync(HttpMethod.Post, path, body, cancellation);

    public Task<JsonNode> PutAsync(string path, JsonObject body, CancellationToken cancellation) => SendAsync(HttpMethod.Put, path, body, cancellation);

    public Task<JsonNode> GetAsync(string path, CancellationToken cancellation) => SendAsync(HttpMethod.Get, path, null, cancellation);

    public void Dispose() => _http.Dispose();

    private async Task<JsonNode> SendAsync(HttpMethod method, string path, JsonObject? body, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null) request.Content = new StringContent(body.ToJsonString(), MediaTypeHeaderValue.Parse("application/json"));
        using var response = await _http.SendAsync(request, cancellation);
        var text = await response.Content.ReadAsStringAsync(cancellation);
        if (!response.IsSuccessStatusCode) throw new InvalidOperationException($"{method} {path} answered {(int)response.StatusCode}: {text}");
        return text.Length == 0 ? new JsonObject() : JsonNode.Parse(text) ?? throw new JsonException($"{method} {path} answered null");
    }
}
