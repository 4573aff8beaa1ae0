using System.CommandLine;
using System.Text.Json;
using Countersign.Cli.Api;
using Countersign.Cli.Saved;

namespace Countersign.Cli.Commands;

/// <summary>A recording as a file for the players of asciinema.</summary>
internal static class ExportCommand
{
    public static Command Create(CommonOptions common)
    {
        var session = IdArgument.Create("ID", "The session's ID, as \"countersign recordings\" shows it.");
        var file = new Option<string>("--output", "-o") { Description = "Where to; it must not be there yet.", HelpName = "FILE", Required = true };
        var input = new Option<bool>("--input") { Description = "What was typed, too, if it was recorded." };
        var command = new DocumentedCommand(
            "export",
            "Writes a recording into a file, as asciicast version 2: asciinema plays it.",
            "countersign export 0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d68 --output session.cast")
        {
            session,
            file,
            input,
        };
        command.SetAction((parsed, cancellation) =>
            RunAsync(common, parsed, parsed.GetValue(session), parsed.GetRequiredValue(file), parsed.GetValue(input), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(CommonOptions common, ParseResult parsed, Guid session, string file, bool input, CancellationToken cancellation)
    {
        var output = common.OutputFor(parsed);
        if (!NewFile.IsFree(file, out var failure)) return output.Fail(failure);
        if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out failure)) return output.Fail(failure);
        using var client = api;
        var path = $"recordings/{session}/asciicast{(input ? "?input=true" : "")}";
        if (!(await NewFile.WriteAsync(file, stream => client.DownloadAsync(path, stream, cancellation))).TryGet(out var downloaded, out failure)) return output.Fail(failure);

        // The first line is about the recording.
        var events = downloaded.Lines - 1;
        if (output.IsJson) output.Json(new(file, events), ApiJson.Default.ExportedRecording);
        else output.Line($"The recording of session {session} is in {file}: {events} events.");
        return Last(downloaded) switch
        {
            { } damaged when damaged.StartsWith("damaged: ", StringComparison.Ordinal) => output.Fail(
                new(ExitCode.Refused, $"The recording is {damaged}.", "What is in the file before that is as it was recorded.")),
            { } cut => Noted($"The recording was {cut}."),
            null => ExitCode.Ok,
        };

        int Noted(string text)
        {
            output.Note(text);
            return ExitCode.Ok;
        }
    }

    /// <summary>The marker that a recording ends with that is not whole.</summary>
    private static string? Last(Downloaded downloaded)
    {
        try
        {
            using var line = JsonDocument.Parse(downloaded.LastLine);
            return line.RootElement is { ValueKind: JsonValueKind.Array } one && one.GetArrayLength() == 3 && one[1].ValueEquals("m"u8) ? one[2].GetString() : null;
        }
        catch (JsonException)
        {
            // Longer than what is kept: then it is no marker.
            return null;
        }
    }
}
