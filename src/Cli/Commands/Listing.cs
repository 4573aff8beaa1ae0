using System.CommandLine;
using System.Text.Json.Serialization.Metadata;
using Countersign.Cli.Api;
using Countersign.Cli.Shown;

namespace Countersign.Cli.Commands;

/// <summary>A page of a list as a table, or as it came.</summary>
/// <param name="Type">How the page is read.</param>
/// <param name="None">What is noted where there is nothing.</param>
/// <param name="Columns">The first names the thing.</param>
/// <param name="Row">A cell for each column.</param>
internal sealed record Listing<T>(JsonTypeInfo<Page<T>> Type, string None, IReadOnlyList<string> Columns, Func<T, Output, string[]> Row)
{
    /// <summary>Gets what the rows need besides, such as the names of what their items hold the ids of, before the table is made. Null: nothing.</summary>
    public Func<ApiClient, IReadOnlyList<T>, CancellationToken, Task>? Prepare { get; init; }

    /// <param name="path">With its query.</param>
    /// <returns>The exit code.</returns>
    public Task<int> RunAsync(CommonOptions common, ParseResult parsed, string path, CancellationToken cancellation) =>
        RunAsync(common, parsed, (_, _) => Task.FromResult<Answer<string>>(path), cancellation);

    /// <summary>The same for a path that has to be asked for first.</summary>
    public async Task<int> RunAsync(CommonOptions common, ParseResult parsed, Func<ApiClient, CancellationToken, Task<Answer<string>>> place, CancellationToken cancellation)
    {
        var output = common.OutputFor(parsed);
        if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
        using var client = api;
        if (!(await place(client, cancellation)).TryGet(out var path, out failure)) return output.Fail(failure);
        if (!(await client.GetAsync(path, Type, cancellation)).TryGet(out var reply, out failure)) return output.Fail(failure);
        if (output.IsJson)
        {
            output.Json(reply.Json);
            return ExitCode.Ok;
        }

        if (reply.Value.Items is not { Count: > 0 } items)
        {
            output.Note(None);
            return ExitCode.Ok;
        }

        if (Prepare is { } prepare) await prepare(client, items, cancellation);
        output.Table(Columns, items.Select(item => Row(item, output)));
        Paging.NoteMore(output, reply.Value.Next);
        return ExitCode.Ok;
    }
}

/// <summary>One thing that the server does, and a line that says so.</summary>
internal static class Acting
{
    /// <param name="done">Shown where it was done; with <c>--json</c> the answer is, if there is one.</param>
    /// <returns>The exit code.</returns>
    public static Task<int> RunAsync(
        CommonOptions common, ParseResult parsed, Func<ApiClient, CancellationToken, Task<Answer<string>>> act, string done, CancellationToken cancellation) =>
        RunAsync(common, parsed, act, _ => done, cancellation);

    /// <param name="done">Gets the answer.</param>
    /// <inheritdoc cref="RunAsync(CommonOptions, ParseResult, Func{ApiClient, CancellationToken, Task{Answer{string}}}, string, CancellationToken)"/>
    public static async Task<int> RunAsync(
        CommonOptions common, ParseResult parsed, Func<ApiClient, CancellationToken, Task<Answer<string>>> act, Func<string, string> done, CancellationToken cancellation)
    {
        var output = common.OutputFor(parsed);
        if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
        using var client = api;
        if (!(await act(client, cancellation)).TryGet(out var json, out failure)) return output.Fail(failure);
        if (output.IsJson) output.Json(json);
        else output.Line(done(json));
        return ExitCode.Ok;
    }

    /// <summary>The same with somebody, whom a login, a mail address or an ID names.</summary>
    public static Task<int> WithPersonAsync(
        CommonOptions common, ParseResult parsed, string who, Func<ApiClient, string, CancellationToken, Task<Answer<string>>> act, string done, CancellationToken cancellation) =>
        WithPersonAsync(common, parsed, who, act, _ => done, cancellation);

    /// <param name="done">Gets the answer.</param>
    /// <inheritdoc cref="WithPersonAsync(CommonOptions, ParseResult, string, Func{ApiClient, string, CancellationToken, Task{Answer{string}}}, string, CancellationToken)"/>
    public static Task<int> WithPersonAsync(
        CommonOptions common, ParseResult parsed, string who, Func<ApiClient, string, CancellationToken, Task<Answer<string>>> act, Func<string, string> done, CancellationToken cancellation) =>
        RunAsync(
            common,
            parsed,
            async (client, stop) => (await NamedThings.PersonAsync(client, who, stop)).TryGet(out var id, out var failure) ? await act(client, id, stop) : failure,
            done,
            cancellation);
}
