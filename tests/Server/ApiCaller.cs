using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Countersign.Server.Tests;

/// <param name="Body">Undefined when there is none.</param>
internal sealed record ApiAnswer(HttpStatusCode Status, JsonElement Body, string Text, Uri? Location)
{
    /// <summary>What the answer says that was changed; null: it does not say.</summary>
    public string? Change { get; init; }

    public Guid Id => Body.GetProperty("id").GetGuid();

    public long Version => Body.GetProperty("version").GetInt64();

    public IReadOnlyList<JsonElement> Items => [.. Body.GetProperty("items").EnumerateArray()];

    /// <summary>Fails with what the server said.</summary>
    public ApiAnswer Expect(HttpStatusCode status)
    {
        Status.ShouldBe(status, Text);
        return this;
    }

    /// <summary>A refused field, with something said about it.</summary>
    public ApiAnswer ExpectInvalid(string field)
    {
        Expect(HttpStatusCode.BadRequest);
        Body.GetProperty("errors").GetProperty(field)[0].GetString().ShouldNotBeNullOrEmpty();
        return this;
    }
}

/// <summary>A body that is no JSON.</summary>
internal sealed record SentBytes(byte[] Bytes, string Type);

/// <summary>One person's calls; no token: anonymous ones.</summary>
internal sealed class ApiCaller(HttpClient http, string? token)
{
    /// <summary>A browser, which shows its token in a cookie: what it says of the page that a request comes from. Null: a program.</summary>
    public string? Site { get; init; }

    public Task<ApiAnswer> GetAsync(string path) => SendAsync(HttpMethod.Get, path);

    public Task<ApiAnswer> PostAsync(string path, object? body = null) => SendAsync(HttpMethod.Post, path, body);

    /// <param name="type">Of the body.</param>
    public Task<ApiAnswer> PostTextAsync(string path, string text, string type = "text/csv") => SendAsync(HttpMethod.Post, path, new SentBytes(Encoding.UTF8.GetBytes(text), type));

    public Task<ApiAnswer> PutAsync(string path, object? body = null) => SendAsync(HttpMethod.Put, path, body);

    public Task<ApiAnswer> PatchAsync(string path, object body) => SendAsync(HttpMethod.Patch, path, body);

    public Task<ApiAnswer> DeleteAsync(string path) => SendAsync(HttpMethod.Delete, path);

    /// <param name="body">An object for JSON, a string that is sent as it is, or bytes.</param>
    public async Task<ApiAnswer> SendAsync(HttpMethod method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        if (Site is not null)
        {
            request.Headers.Add("Sec-Fetch-Site", Site);
            request.Headers.Add("Cookie", $"countersign={token}");
        }
        else if (token is not null)
        {
            request.Headers.Authorization = new("Bearer", token);
        }

        if (body is SentBytes sent)
        {
            // What is too large is refused before it is sent.
            request.Headers.ExpectContinue = true;
            request.Content = new ByteArrayContent(sent.Bytes) { Headers = { ContentType = MediaTypeHeaderValue.Parse(sent.Type) } };
        }
        else if (body is string text) request.Content = new StringContent(text, new MediaTypeHeaderValue("application/json"));
        else if (body is not null) request.Content = JsonContent.Create(body, body.GetType());
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);

        // A stream of events has no end.
        if (response.Content.Headers.ContentType?.MediaType == "text/event-stream") return new(response.StatusCode, default, "", null);
        var answer = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return new(response.StatusCode, answer.Length > 0 && IsJson(response) ? JsonElement.Parse(answer) : default, answer, response.Headers.Location)
        {
            Change = response.Headers.TryGetValues("Countersign-Change", out var change) ? change.Single() : null,
        };
    }

    private static bool IsJson(HttpResponseMessage response) => response.Content.Headers.ContentType?.MediaType is "application/json" or "application/problem+json";
}
