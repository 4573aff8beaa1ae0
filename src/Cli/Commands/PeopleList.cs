using System.CommandLine;
using Countersign.Cli.Api;
using Countersign.Cli.Shown;

namespace Countersign.Cli.Commands;

/// <summary>People as a table.</summary>
internal static class PeopleList
{
    /// <param name="query">Behind the question mark.</param>
    public static async Task<int> RunAsync(CommonOptions common, ParseResult parsed, string query, CancellationToken cancellation)
    {
        var output = common.OutputFor(parsed);
        if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
        using var client = api;
        if (!(await client.GetAsync($"technicians?{query}", ApiJson.Default.TechnicianPage, cancellation)).TryGet(out var reply, out failure)) return output.Fail(failure);
        if (output.IsJson)
        {
            output.Json(reply.Json);
            return ExitCode.Ok;
        }

        if (reply.Value.Items is not { Count: > 0 } people)
        {
            output.Note("Nobody whom you may see is like that.");
            return ExitCode.Ok;
        }

        output.Table(["LOGIN", "NAME", "MAIL", "KIND", "STATE", "ID"], people.Select(person => new[]
        {
            person.Login ?? "",
            person.Name ?? "",
            person.Mail ?? "",
            Output.Words(person.Kind),
            Output.Words(person.Status == "active" ? person.State : person.Status),
            person.Id ?? "",
        }));
        Paging.NoteMore(output, reply.Value.Next);
        return ExitCode.Ok;
    }
}
