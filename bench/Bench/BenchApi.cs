using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace Countersign.Bench;

/// <summary>The REST API with one token; a refusal is an exception.</summary>
internal sealed class BenchApi(Uri server) : IDisposable
{
    private readonly HttpClient _http = new() { BaseAddress = new(server, "api/v1/") };

    public void SignInWith(string token) => _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);

    public async Task<JsonNode> SendAsync(HttpMethod method, string path, JsonObject? body = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null) request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        using var response = await _http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        if (!response.IsSuccessStatusCode) throw new InvalidOperationException($"{method} {path} answered {(int)response.StatusCode}: {text}");
        return text.Length == 0 ? new JsonObject() : JsonNode.Parse(text)!;
    }

    public void Dispose() => _http.Dispose();
}
