using System.Net;
using System.Text.Json;

namespace Countersign.Server.Tests.Events;

/// <param name="Id">The position that the stream is at after it.</param>
internal sealed record ReadEvent(string Name, string Id, JsonElement Data);

/// <summary>One stream of events, read line by line as a client would.</summary>
internal sealed class EventReading : IDisposable
{
    private readonly HttpResponseMessage _response;
    private readonly StreamReader _lines;

    private EventReading(HttpResponseMessage response, Stream body)
    {
        _response = response;
        _lines = new(body);
    }

    /// <summary>The last position that was named, by an event or between events.</summary>
    public string Position { get; private set; } = "";

    public static async Task<EventReading> OpenAsync(HttpClient http, string token, string? after = null)
    {
        var response = await SendAsync(http, token, after);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("text/event-stream");
        return new(response, await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
    }

    public static async Task<HttpResponseMessage> SendAsync(HttpClient http, string token, string? after = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/events");
        request.Headers.Authorization = new("Bearer", token);
        if (after is not null) request.Headers.Add("Last-Event-ID", after);
        return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
    }

    /// <summary>Null: the stream has ended.</summary>
    public async Task<ReadEvent?> NextAsync()
    {
        var (name, data) = ("", "");
        try
        {
            while (await _lines.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
            {
                if (line.StartsWith("event: ", StringComparison.Ordinal)) name = line[7..];
                if (line.StartsWith("id: ", StringComparison.Ordinal)) Position = line[4..];
                if (line.StartsWith("data: ", StringComparison.Ordinal)) data = line[6..];
                if (line.Length > 0 || data.Length == 0) continue;
                return new(name, Position, JsonElement.Parse(data));
            }
        }
        catch (HttpIOException)
        {
            // Cut off.
        }

        return null;
    }

    public async Task<ReadEvent> NextAsync(string name)
    {
        while (await NextAsync() is { } next)
        {
            if (next.Name == name) return next;
        }

        throw new InvalidOperationException($"The stream ended before an event {name}.");
    }

    /// <summary>The position at the next beat between events.</summary>
    public async Task<string> BeatAsync()
    {
        while (await _lines.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            if (line.StartsWith("id: ", StringComparison.Ordinal)) return Position = line[4..];
        }

        throw new InvalidOperationException("The stream ended before a beat.");
    }

    public async Task EndAsync()
    {
        while (await NextAsync() is not null)
        {
        }
    }

    public void Dispose()
    {
        _lines.Dispose();
        _response.Dispose();
    }
}
