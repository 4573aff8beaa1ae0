using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Countersign.Cli.Commands;

namespace Countersign.Cli.Api;

/// <summary>An answer as it was understood, and as it came.</summary>
internal sealed record Reply<T>(T Value, string Json);

/// <summary>What came of a change of policy.</summary>
/// <param name="Json">The answer, and in it, where one was told, <c>change</c>: the number, or null where everything was so already. Perhaps empty.</param>
/// <param name="Number">By which it can be taken back; null: there is no such change.</param>
/// <param name="WasSo">Everything was so already.</param>
internal sealed record Changed(string Json, long? Number, bool WasSo);

/// <summary>How many lines came, and the last of them, or the end of it where it is longer than what is kept.</summary>
internal sealed record Downloaded(long Lines, ReadOnlyMemory<byte> LastLine);

/// <summary>
/// Speaks to one server. Every answer is bounded in size and time, no redirect is followed (a password would follow it), and whatever goes wrong is
/// a <see cref="Failure"/> with the exit code that stands for it.
/// </summary>
internal sealed class ApiClient : IDisposable
{
    public const int LargestAnswer = 8 * 1024 * 1024;

    /// <summary>Of a table of devices: what is wrong, or would be done, is told for each of its rows.</summary>
    public const int LargestAnswerToTable = 64 * 1024 * 1024;

    private const int LongestToken = 512;
    private const string ChangeHeader = "Countersign-Change";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ServerAddress _address;
    private readonly TimeProvider _time;
    private readonly HttpClient _http;

    /// <param name="address">Where to.</param>
    /// <param name="token">Null: only for signing in.</param>
    /// <param name="time">Reads Retry-After dates against it.</param>
    public ApiClient(ServerAddress address, string? token, TimeProvider time)
    {
        _address = address;
        _time = time;
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = !address.IsLocal,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = TimeSpan.FromSeconds(10),
        };
        _http = new(handler) { BaseAddress = new Uri(address.Root, "api/v1/"), Timeout = Patience, MaxResponseContentBufferSize = LargestAnswer };
        _http.DefaultRequestHeaders.UserAgent.Add(new("countersign-cli", typeof(ApiClient).Assembly.GetName().Version?.ToString(3)));
        _http.DefaultRequestHeaders.Accept.Add(new("application/json"));
        if (token is not null) _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    public ServerAddress Address => _address;

    /// <summary>What gave the token, where it is not the saved one: signing in again would not replace it.</summary>
    public string? TokenFrom { get; init; }

    /// <summary>Whether this is the token that it speaks with.</summary>
    public bool Sends(string token) => _http.DefaultRequestHeaders.Authorization?.Parameter == token;

    /// <summary>Whether it can be one: what the header takes, and nothing that would start a second header.</summary>
    public static bool IsToken(string text) => text.Length is > 0 and <= LongestToken && text.All(character => character is > ' ' and < (char)127);

    /// <param name="path">Behind <c>/api/v1/</c>, escaped.</param>
    /// <param name="type">How the answer is read.</param>
    public async Task<Answer<Reply<T>>> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellation) =>
        Read(await SendAsync(HttpMethod.Get, path, null, cancellation), type);

    public async Task<Answer<Reply<T>>> PostAsync<TBody, T>(
        string path, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<T> type, CancellationToken cancellation) =>
        Read(await SendAsync(HttpMethod.Post, path, Content(body, bodyType), cancellation), type);

    /// <summary>For what answers with nothing, or with nothing that matters here.</summary>
    /// <returns>The body, perhaps empty.</returns>
    public Task<Answer<string>> PostAsync<TBody>(string path, TBody body, JsonTypeInfo<TBody> bodyType, CancellationToken cancellation) =>
        SendForNothingAsync(HttpMethod.Post, path, Content(body, bodyType), cancellation);

    public Task<Answer<string>> PostAsync(string path, CancellationToken cancellation) => SendForNothingAsync(HttpMethod.Post, path, null, cancellation);

    /// <param name="preview">Only to be shown what it would do.</param>
    public async Task<Answer<Changed>> ChangeAsync(PolicyRequest change, bool preview, CancellationToken cancellation)
    {
        string? told = null;
        var answer = await SendAsync(
            change.Method,
            change.Path + (!preview ? "" : change.Path.Contains('?', StringComparison.Ordinal) ? "&preview=true" : "?preview=true"),
            change.Body is { } body ? new ByteArrayContent(body) { Headers = { ContentType = new(change.MediaType) } } : null,
            cancellation,
            change.Read is { } read ? Tag(read) : null,
            response => told = response.Headers.TryGetValues(ChangeHeader, out var values) ? values.FirstOrDefault() : null,
            change.LargestAnswer);
        if (!Understood(answer).TryGet(out var json, out var failure)) return failure;
        long? number = long.TryParse(told, NumberStyles.None, CultureInfo.InvariantCulture, out var made) ? made : null;
        return new Changed(told is null ? json : With(json, number), number, told == "none");
    }

    /// <summary>The answer with the change that it is of. What is no object is left as it is.</summary>
    private static string With(string json, long? change)
    {
        using var answer = JsonDocument.Parse(json.Length == 0 ? "{}" : json);
        if (answer.RootElement.ValueKind != JsonValueKind.Object) return json;
        using var text = new MemoryStream();
        using (var writer = new Utf8JsonWriter(text))
        {
            writer.WriteStartObject();
            foreach (var member in answer.RootElement.EnumerateObject().Where(member => !member.NameEquals("change"))) member.WriteTo(writer);
            if (change is { } number) writer.WriteNumber("change", number);
            else writer.WriteNull("change");
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(text.ToArray());
    }

    /// <summary>For what answers with nothing, or with nothing that matters here.</summary>
    public Task<Answer<string>> PatchAsync<TBody>(string path, TBody body, JsonTypeInfo<TBody> bodyType, CancellationToken cancellation) =>
        SendForNothingAsync(HttpMethod.Patch, path, Content(body, bodyType), cancellation);

    public Task<Answer<string>> DeleteAsync(string path, CancellationToken cancellation) => SendForNothingAsync(HttpMethod.Delete, path, null, cancellation);

    /// <summary>For an answer of any length: into a stream, as it comes. Patience counts anew with every piece.</summary>
    public Task<Answer<Downloaded>> DownloadAsync(string path, Stream into, CancellationToken cancellation) => TalkAsync<Downloaded>(
        async () =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
            if (!response.IsSuccessStatusCode) return await RefusalAsync(response, cancellation);
            await using var body = new PatientStream(await response.Content.ReadAsStreamAsync(cancellation), Patience);
            var buffer = new byte[64 * 1024];
            var lines = 0L;
            var last = new LastLine();
            while (await body.ReadAsync(buffer, cancellation) is > 0 and var length)
            {
                lines += buffer.AsSpan(0, length).Count((byte)'\n');
                last.Take(buffer.AsSpan(0, length));
                await into.WriteAsync(buffer.AsMemory(0, length), cancellation);
            }

            return new Downloaded(lines, last.Whole);
        },
        cancellation);

    /// <summary>For an answer of any length that is looked at as it comes.</summary>
    /// <param name="patience">How long nothing may come while it is waited for.</param>
    public Task<Answer<T>> FollowAsync<T>(string path, TimeSpan patience, Func<Stream, CancellationToken, Task<T>> follow, CancellationToken cancellation)
        where T : notnull => TalkAsync<T>(
        async () =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
            if (!response.IsSuccessStatusCode) return await RefusalAsync(response, cancellation);
            await using var body = new PatientStream(await response.Content.ReadAsStreamAsync(cancellation), patience);
            try
            {
                return await follow(body, cancellation);
            }
            catch (JsonException)
            {
                return NotUnderstood();
            }
        },
        cancellation);

    /// <summary>Reads the live events that concern the caller, one after the other as they come, until the server ends the stream.</summary>
    /// <param name="after">The position to go on from; null: from now on.</param>
    /// <param name="take">Gets each event. A failure ends the reading and is the answer.</param>
    public Task<Answer<EndOfStream>> FollowAsync(string? after, Func<ServerEvent, Task<Failure?>> take, CancellationToken cancellation) => TalkAsync<EndOfStream>(
        async () =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "events");
            request.Headers.Accept.Clear();
            request.Headers.Accept.Add(new("text/event-stream"));
            if (after is not null) request.Headers.Add("Last-Event-ID", after);
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
            using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            waiting.CancelAfter(Patience);
            if (!response.IsSuccessStatusCode)
            {
                await response.Content.LoadIntoBufferAsync(LargestAnswer, waiting.Token);
                return Refusal(response, await response.Content.ReadAsStringAsync(waiting.Token));
            }

            if (response.Content.Headers.ContentType?.MediaType != "text/event-stream") return NotUnderstood();
            await using var body = await response.Content.ReadAsStreamAsync(waiting.Token);
            var events = new EventReader(body);
            while (true)
            {
                // The server says something every 15 seconds, if only that nothing has happened.
                waiting.CancelAfter(Patience);
                if (await events.NextAsync(waiting.Token) is not { } next) return new EndOfStream();
                if (next.Data.Length > 0 && await take(next) is { } failure) return failure;
            }
        },
        cancellation);

    public void Dispose() => _http.Dispose();

    private static ByteArrayContent Content<TBody>(TBody body, JsonTypeInfo<TBody> type) =>
        new(JsonSerializer.SerializeToUtf8Bytes(body, type)) { Headers = { ContentType = new("application/json") } };

    private Answer<Reply<T>> Read<T>(Answer<string> answer, JsonTypeInfo<T> type)
    {
        if (!answer.TryGet(out var json, out var failure)) return failure;
        try
        {
            if (JsonSerializer.Deserialize(json, type) is { } value) return new Reply<T>(value, json);
        }
        catch (JsonException)
        {
            // Told below, together with an answer that is null.
        }

        return NotUnderstood();
    }

    private static EntityTagHeaderValue Tag(long version) => new(string.Create(CultureInfo.InvariantCulture, $"\"{version}\""));

    private async Task<Answer<string>> SendForNothingAsync(HttpMethod method, string path, HttpContent? content, CancellationToken cancellation) =>
        Understood(await SendAsync(method, path, content, cancellation));

    /// <summary>Whatever it is, it is JSON, or nothing.</summary>
    private Answer<string> Understood(Answer<string> answer)
    {
        if (!answer.TryGet(out var json, out _) || json.Length == 0) return answer;
        return Read(answer, ApiJson.Default.JsonElement).TryGet(out _, out var failure) ? json : failure;
    }

    /// <param name="seen">Gets the answer's head where it is no refusal.</param>
    /// <param name="largest">What the answer may have at most, in bytes.</param>
    private Task<Answer<string>> SendAsync(
        HttpMethod method, string path, HttpContent? content, CancellationToken cancellation, EntityTagHeaderValue? read = null, Action<HttpResponseMessage>? seen = null,
        int largest = LargestAnswer) => TalkAsync<string>(
        async () =>
        {
            using var request = new HttpRequestMessage(method, path) { Content = content };
            if (read is not null) request.Headers.IfMatch.Add(read);
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
            using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            waiting.CancelAfter(Patience);
            await response.Content.LoadIntoBufferAsync(largest, waiting.Token);
            var body = Encoding.UTF8.GetString(await response.Content.ReadAsByteArrayAsync(waiting.Token));
            if (!response.IsSuccessStatusCode) return Refusal(response, body);
            seen?.Invoke(response);
            return body;
        },
        cancellation,
        largest);

    /// <summary>Whatever goes wrong on the way, in one place.</summary>
    /// <param name="largest">What an answer that is read as a whole may have, in bytes.</param>
    private async Task<Answer<T>> TalkAsync<T>(Func<Task<Answer<T>>> talk, CancellationToken cancellation, int largest = LargestAnswer)
        where T : notnull
    {
        try
        {
            return await talk();
        }
        catch (HttpRequestException exception) when (exception.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded)
        {
            return new Failure(ExitCode.Refused, $"The answer of {_address} is larger than {largest / 1024 / 1024} MiB.", "Ask for less: narrow the search, lower --limit, or import a table in parts.");
        }
        catch (HttpRequestException exception) when (exception.HttpRequestError == HttpRequestError.SecureConnectionError)
        {
            return new Failure(
                ExitCode.Unreachable, $"No trusted connection to {_address}: {Innermost(exception)}", "Check the address, and that this machine trusts the server's certificate.");
        }
        catch (HttpRequestException exception)
        {
            return new Failure(ExitCode.Unreachable, $"{_address} can't be reached: {Innermost(exception)}", "Check the address and the network, and that the server is running.");
        }
        catch (Exception exception) when (exception is HttpIOException or IOException)
        {
            return new Failure(ExitCode.Unreachable, $"{_address} broke off: {Innermost(exception)}", "Try again; the server's log tells more.");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return new Failure(ExitCode.Unreachable, $"{_address} did not answer within {Patience.TotalSeconds:F0} seconds.", "Try again later.");
        }
        catch (TimeoutException)
        {
            return new Failure(ExitCode.Unreachable, $"{_address} says nothing any more.", "Try again later.");
        }
    }

    private async Task<Failure> RefusalAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        waiting.CancelAfter(Patience);
        await response.Content.LoadIntoBufferAsync(LargestAnswer, waiting.Token);
        return Refusal(response, await response.Content.ReadAsStringAsync(waiting.Token));
    }

    private Failure Refusal(HttpResponseMessage response, string body)
    {
        var said = Told(body);
        return response.StatusCode switch
        {
            HttpStatusCode.Unauthorized => new(
                ExitCode.NotSignedIn,
                $"{_address} does not accept the token.",
                TokenFrom is { } from ? $"The one of {from} has expired or was revoked: give another one, or none, for the saved one." : $"It has expired or was revoked. Sign in again: countersign login --server {_address}"),
            HttpStatusCode.PreconditionFailed => new(ExitCode.Refused, said ?? "It was changed since it was read.", "Nothing was done: look at it as it is now, and do it again if it is still right."),
            HttpStatusCode.NotFound => new(ExitCode.NotFound, "Not found.", "Either it is not there, or it is not yours to see."),
            HttpStatusCode.Forbidden => new(ExitCode.Refused, said ?? "The server does not allow it.", "Ask an administrator; \"countersign explain\" may tell why."),
            HttpStatusCode.TooManyRequests => new(ExitCode.Refused, said ?? "Too many attempts.", $"Try again {When(response.Headers.RetryAfter)}."),
            >= HttpStatusCode.MultipleChoices and < HttpStatusCode.BadRequest => new(
                ExitCode.Refused, $"{_address} sends the way to {response.Headers.Location?.ToString() ?? "another address"}.", "Use that address with --server, if it is the right one."),
            >= HttpStatusCode.InternalServerError => new(
                ExitCode.Refused, said ?? $"The server failed ({(int)response.StatusCode}).", "Try again; the server's log tells more."),
            _ => new(ExitCode.Refused, said ?? $"The server refused ({(int)response.StatusCode}).") { Details = Listed(body), Json = IsProblem(body) ? body : null },
        };
    }

    private string When(RetryConditionHeaderValue? retry)
    {
        var wait = retry?.Delta ?? retry?.Date - _time.GetUtcNow();
        return wait is { } span && span > TimeSpan.Zero
            ? $"in {Math.Ceiling(span.TotalSeconds).ToString("F0", CultureInfo.InvariantCulture)} seconds"
            : "in a while";
    }

    /// <summary>The server's own words (RFC 9457): the detail, else each field's errors, else the title.</summary>
    private static string? Told(string body)
    {
        try
        {
            if (JsonSerializer.Deserialize(body, ApiJson.Default.Problem) is not { } problem) return null;
            if (!string.IsNullOrEmpty(problem.Detail)) return problem.Detail;
            if (problem.Errors is { Count: > 0 } errors)
                return string.Join(' ', errors.Select(Line));
            return string.IsNullOrEmpty(problem.Title) ? null : problem.Title + ".";
        }
        catch (JsonException)
        {
            // A proxy's page, for example. The status code says enough.
            return null;
        }
    }

    /// <summary>Each field's errors, where the server's words are about all of them together.</summary>
    private static IReadOnlyList<string> Listed(string body)
    {
        try
        {
            return JsonSerializer.Deserialize(body, ApiJson.Default.Problem) is { Detail.Length: > 0, Errors: { } errors }
                ? [.. errors.SelectMany(field => (field.Value ?? []).Select(message => $"{field.Key}: {message}"))]
                : [];
        }
        catch (JsonException)
        {
            return [];
        }
    }

    private static bool IsProblem(string body)
    {
        try
        {
            return JsonSerializer.Deserialize(body, ApiJson.Default.Problem) is not null;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static string Line(KeyValuePair<string, string[]?> field) => $"{field.Key}: {string.Join(' ', field.Value ?? [])}";

    private Failure NotUnderstood() =>
        new(ExitCode.Refused, $"The answer of {_address} is not one of a Countersign server.", "Check the address; a newer server may need a newer countersign.");

    /// <summary>Keeps the last line of what passes, or its end.</summary>
    private sealed class LastLine
    {
        private const int Most = 16 * 1024;

        private readonly byte[] _kept = new byte[Most];
        private int _length;
        private bool _over;

        public ReadOnlyMemory<byte> Whole => _kept.AsMemory(0, _length);

        public void Take(ReadOnlySpan<byte> piece)
        {
            while (!piece.IsEmpty)
            {
                if (_over) (_length, _over) = (0, false);
                var end = piece.IndexOf((byte)'\n');
                var line = end < 0 ? piece : piece[..end];
                var kept = line[Math.Max(0, line.Length - (Most - _length))..];
                kept.CopyTo(_kept.AsSpan(_length));
                _length += kept.Length;
                _over = end >= 0;
                piece = end < 0 ? [] : piece[(end + 1)..];
            }
        }
    }

    private static string Innermost(Exception exception) => exception.GetBaseException().Message;
}
