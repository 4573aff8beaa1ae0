using System.CommandLine;
using Countersign.Cli.Api;
using Countersign.Cli.Shown;

namespace Countersign.Cli.Commands;

/// <summary>One thing that the server tells of, in words, or as it came.</summary>
internal static class Telling
{
    /// <param name="find">Asks for it.</param>
    /// <param name="show">Says it; may ask for more, such as names.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync<T>(
        CommonOptions common, ParseResult parsed, Func<ApiClient, CancellationToken, Task<Answer<Reply<T>>>> find, Func<T, ApiClient, Output, CancellationToken, Task> show, CancellationToken cancellation)
    {
        var output = common.OutputFor(parsed);
        if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
        using var client = api;
        if (!(await find(client, cancellation)).TryGet(out var reply, out failure)) return output.Fail(failure);
        if (output.IsJson) output.Json(reply.Json);
        else await show(reply.Value, client, output, cancellation);
        return ExitCode.Ok;
    }

    /// <summary>The same where nothing more has to be asked.</summary>
    public static Task<int> RunAsync<T>(
        CommonOptions common, ParseResult parsed, Func<ApiClient, CancellationToken, Task<Answer<Reply<T>>>> find, Action<T, Output> show, CancellationToken cancellation) =>
        RunAsync(
            common,
            parsed,
            find,
            (value, _, output, _) =>
            {
                show(value, output);
                return Task.CompletedTask;
            },
            cancellation);
}
