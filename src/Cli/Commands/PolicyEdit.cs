using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Countersign.Cli.Api;
using Countersign.Cli.Shown;

namespace Countersign.Cli.Commands;

/// <summary>One change of policy, as the API wants it.</summary>
/// <param name="Path">Behind <c>/api/v1/</c>, escaped.</param>
/// <param name="Done">The line that says what was done; empty: none.</param>
/// <param name="Body">JSON; null: none.</param>
internal sealed record PolicyRequest(HttpMethod Method, string Path, string Done, byte[]? Body = null)
{
    /// <summary>Of the body.</summary>
    public string MediaType { get; init; } = "application/json";

    /// <summary>What its answer may have at most, in bytes.</summary>
    public int LargestAnswer { get; init; } = ApiClient.LargestAnswer;

    /// <summary>The version of policy that the change starts from: where somebody has changed the same meanwhile, it is refused. Null: whatever it is.</summary>
    public long? Read { get; init; }

    /// <summary>It changes what the change before it has changed, too, and starts from what that has left.</summary>
    public bool GoesOn { get; init; }

    /// <summary>Why the change can't be taken back, in a sentence; null: it can.</summary>
    public string? ForGood { get; init; }

    /// <summary>Shows the answer; null: the line says enough.</summary>
    public Action<Output, string>? Answered { get; init; }

    /// <summary>The same, with an answer that is shown as what it is.</summary>
    public PolicyRequest Showing<T>(JsonTypeInfo<T> type, Action<Output, T> show)
        where T : class => this with
        {
            Answered = (output, json) =>
            {
                if (PolicyEdit.Read(json, type) is { } answer) show(output, answer);
            },
        };

    public static PolicyRequest Post<T>(string path, T body, JsonTypeInfo<T> type, string done) => new(HttpMethod.Post, path, done, JsonSerializer.SerializeToUtf8Bytes(body, type));

    public static PolicyRequest Post(string path, string done) => new(HttpMethod.Post, path, done);

    public static PolicyRequest Put<T>(string path, T body, JsonTypeInfo<T> type, string done) => new(HttpMethod.Put, path, done, JsonSerializer.SerializeToUtf8Bytes(body, type));

    public static PolicyRequest Put(string path, string done) => new(HttpMethod.Put, path, done);

    public static PolicyRequest Patch<T>(string path, T body, JsonTypeInfo<T> type, string done) => new(HttpMethod.Patch, path, done, JsonSerializer.SerializeToUtf8Bytes(body, type));

    public static PolicyRequest Delete(string path, string done) => new(HttpMethod.Delete, path, done);
}

/// <summary>What every command that changes policy has: it is made, and its number told, by which it can be undone; or with <c>--preview</c> only shown.</summary>
internal sealed class PolicyEdit(CommonOptions common)
{
    public Option<bool> Preview { get; } = new("--preview") { Description = "Only show what it would do, and for whom." };

    /// <param name="plan">Finds out what to send. Several changes are made one after the other, up to the first that is refused.</param>
    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(ParseResult parsed, Func<ApiClient, CancellationToken, Task<Answer<List<PolicyRequest>>>> plan, CancellationToken cancellation)
    {
        var output = common.OutputFor(parsed);
        if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
        using var client = api;
        if (!(await plan(client, cancellation)).TryGet(out var requests, out failure)) return output.Fail(failure);
        var onlyShown = parsed.GetValue(Preview);
        long? known = null;
        foreach (var planned in requests)
        {
            var request = planned is { GoesOn: true, Read: not null } && known > planned.Read ? planned with { Read = known } : planned;
            known = Math.Max(known ?? 0, request.Read ?? 0) is > 0 and var read ? read : null;
            if (!(await client.ChangeAsync(request, onlyShown, cancellation)).TryGet(out var changed, out failure)) return output.Fail(failure);
            var json = changed.Json;
            known = (onlyShown ? null : Read(json, ApiJson.Default.Versioned)?.Version) ?? known;
            if (output.IsJson)
            {
                output.Json(json);
            }
            else if (onlyShown)
            {
                if (Read(json, ApiJson.Default.PreviewedChange) is { } previewed) Show(output, previewed, await PreviewedRows.ReadAsync(client, previewed.Rows ?? [], cancellation));
            }
            else
            {
                if (request.Done.Length > 0 && !changed.WasSo) output.Line(request.Done);
                request.Answered?.Invoke(output, json);
                Note(output, changed, request.ForGood);
            }
        }

        if (onlyShown && !output.IsJson) output.Note("Nothing was changed.");
        return ExitCode.Ok;
    }

    /// <summary>The same for one change.</summary>
    public Task<int> RunAsync(ParseResult parsed, Func<ApiClient, CancellationToken, Task<Answer<PolicyRequest>>> plan, CancellationToken cancellation) => RunAsync(
        parsed,
        async Task<Answer<List<PolicyRequest>>> (client, stop) => (await plan(client, stop)).TryGet(out var request, out var failure) ? new List<PolicyRequest> { request } : failure,
        cancellation);

    /// <summary>The same for one change of which everything is known.</summary>
    public Task<int> RunAsync(ParseResult parsed, PolicyRequest request, CancellationToken cancellation) =>
        RunAsync(parsed, (_, _) => Task.FromResult<Answer<PolicyRequest>>(request), cancellation);

    /// <summary>Which change it is, and the way back. What leaves everything as it was is no change: undoing it would undo what somebody did before.</summary>
    /// <param name="forGood">As <see cref="PolicyRequest.ForGood"/>.</param>
    public static void Note(Output output, Changed changed, string? forGood = null)
    {
        if (changed.WasSo) output.Note("It was so already: nothing was changed.");
        else if (forGood is not null) output.Note(forGood);
        else if (changed.Number is { } number) output.Note(string.Create(CultureInfo.InvariantCulture, $"It is change {number}; \"countersign policy undo {number}\" takes it back."));
    }

    /// <summary>Null where it is not what it should be: what was done is told all the same.</summary>
    public static T? Read<T>(string json, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return json.Length == 0 ? null : JsonSerializer.Deserialize(json, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static void Show(Output output, PreviewedChange change, PreviewedRows rows)
    {
        output.Line(change.Summary ?? "");
        foreach (var row in change.Rows ?? []) output.Line($"  - {rows.Words(row)}");
        foreach (var effect in change.Effects ?? []) Show(output, effect);
        if (change.Complete == false) output.Note("It means more than is told here.");
    }

    private static void Show(Output output, PreviewedEffect effect)
    {
        var where = effect.Section is null ? Some(effect.Devices, effect.DeviceCount) : $"the section {Output.Words(effect.Section)}";
        output.Line($"  {Some(effect.People, effect.PeopleCount)} on {where}:");
        foreach (var gained in effect.Gained ?? []) output.Line($"    + {string.Join(", ", gained.Permissions ?? [])} (accounts: {gained.Accounts})");
        foreach (var lost in effect.Lost ?? []) output.Line($"    - {string.Join(", ", lost.Permissions ?? [])} (accounts: {lost.Accounts})");
        foreach (var restriction in effect.Restrictions ?? []) output.Line($"    {Output.Words(restriction.Kind)}: {Or(restriction.Before)} -> {Or(restriction.After)}");
    }

    private static string Or(string? value) => string.IsNullOrEmpty(value) ? "none" : value;

    private static string Some(IReadOnlyList<string>? names, int? count)
    {
        const int Shown = 5;
        var shown = string.Join(", ", (names ?? []).Take(Shown));
        return count > Shown ? $"{shown} and {count - Shown} more" : shown;
    }
}
