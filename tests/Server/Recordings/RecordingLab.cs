using System.Net;
using System.Text;
using System.Text.Json;
using Countersign.Access;
using Countersign.Server.Tests.Api;
using Countersign.Sessions.Recording;
using Microsoft.Extensions.DependencyInjection;

namespace Countersign.Server.Tests.Recordings;

/// <summary>Ann connects to web1 and is recorded; Bob gets rights over that, one by one.</summary>
public abstract class RecordingLab : FeatureTests
{
    private protected static CancellationToken Stop => TestContext.Current.CancellationToken;

    private protected RecordingStore Store => Running.Server.Services.GetRequiredService<RecordingStore>();

    private protected string FileOf(Guid session) =>
        Path.Combine(Running.Server.Services.GetRequiredService<ServerOptions>().DataDirectory, "recordings", $"{Tenant.Id.Value:D}", $"{session:D}.csr");

    /// <returns>The grant's id.</returns>
    private protected async Task<Guid> LetBobAsync(params string[] permissions)
    {
        var role = (await Owner.PostAsync("/api/v1/roles", new { name = $"r{Guid.NewGuid():N}", purpose = "devicesAndGroups", permissions })).Expect(HttpStatusCode.Created).Id;
        return await Tenant.GrantAsync(Bob, Web1, new RoleId(role));
    }

    private protected async Task<IReadOnlyList<JsonElement>> LoggedAsync(string kind) =>
        [.. (await Owner.GetAsync($"/api/v1/audit?kind={kind}")).Expect(HttpStatusCode.OK).Items];

    private protected static IReadOnlyList<JsonElement> Lines(ApiAnswer answer) =>
        [.. answer.Expect(HttpStatusCode.OK).Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line))];

    private protected static string Shown(IEnumerable<JsonElement> lines) => string.Concat(lines
        .Where(line => line.TryGetProperty("output", out _)).Select(line => Encoding.UTF8.GetString(line.GetProperty("output").GetBytesFromBase64())));

    private protected static string? Closed(IReadOnlyList<JsonElement> lines) => lines[^1].GetProperty("closed").GetString();

    /// <summary>Somebody who reads a session's live stream.</summary>
    private protected async Task<Watching> WatchAsync(Guid person, Guid session)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"/api/v1/recordings/{session}/live", UriKind.Relative));
        request.Headers.Authorization = new("Bearer", TestTokens.Write(Tenant.Id, new(person), Server.Platform.TokenScopes.Read));
        var response = await Running.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Stop);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        return new(response, new StreamReader(await response.Content.ReadAsStreamAsync(Stop)));
    }

    private protected sealed class Watching(HttpResponseMessage response, StreamReader reader) : IDisposable
    {
        public List<JsonElement> Lines { get; } = [];

        /// <summary>Reads until the output has so much in it.</summary>
        public async Task UntilAsync(string output)
        {
            while (!Shown(Lines).Contains(output, StringComparison.Ordinal)) await NextAsync();
        }

        public async Task<string?> ToTheEndAsync()
        {
            while (Lines.Count == 0 || !Lines[^1].TryGetProperty("closed", out _)) await NextAsync();
            (await reader.ReadLineAsync(Stop)).ShouldBeNull();
            return Lines[^1].GetProperty("closed").GetString();
        }

        public void Dispose()
        {
            reader.Dispose();
            response.Dispose();
        }

        private async Task NextAsync() => Lines.Add(JsonElement.Parse((await reader.ReadLineAsync(Stop)).ShouldNotBeNull()));
    }
}
