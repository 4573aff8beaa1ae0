using System.CommandLine;
using System.Globalization;
using Countersign.Cli.Api;
using Countersign.Cli.Saved;

namespace Countersign.Cli.Commands;

/// <summary>Devices from tables, and as tables.</summary>
internal static class DeviceTableCommands
{
    private const string Table = "text/csv";

    /// <summary>What the server takes.</summary>
    private const int LargestTable = 8 * 1024 * 1024;

    public static Command CreateImport(CommonOptions common)
    {
        var file = new Argument<string>("FILE") { Description = "A table with a heading: group,name,description,host,services,hostkey,accounts,tags." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only tell what is wrong with it, or what would be done." };
        var createGroups = new Option<bool>("--create-groups") { Description = "Make the groups that are not there." };
        var update = new Option<bool>("--update") { Description = "Change the devices that are there, in the columns that the table has." };
        var command = new DocumentedCommand(
            "import",
            "Adds the devices of a table, all of them or none. Every error is told with its line and column.",
            "countersign devices import devices.csv --dry-run",
            "countersign devices import devices.csv --create-groups",
            "countersign devices import devices.csv --update")
        {
            file,
            dryRun,
            createGroups,
            update,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var wanted = new[] { (createGroups, "createGroups"), (update, "update") }.Where(one => parsed.GetValue(one.Item1)).Select(one => $"{one.Item2}=true");
            return await ImportAsync(common, parsed, parsed.GetRequiredValue(file), $"devices/import?{string.Join('&', wanted)}".TrimEnd('?'), parsed.GetValue(dryRun), cancellation);
        });
        return command;
    }

    public static Command CreateExport(CommonOptions common)
    {
        var file = new Argument<string>("FILE") { Description = "Where to; it must not be there yet." };
        var search = new Option<string?>("--search") { Description = "Only the devices that these words find.", HelpName = "WORDS" };
        var command = new DocumentedCommand(
            "export",
            "Writes the devices that you may see as a table that can be imported. Hosts and keys are in it where you may know them.",
            "countersign devices export devices.csv",
            "countersign devices export berlin.csv --search group:berlin")
        {
            file,
            search,
        };
        command.SetAction((parsed, cancellation) => ExportAsync(common, parsed, parsed.GetRequiredValue(file), parsed.GetValue(search), cancellation));
        return command;
    }

    private static async Task<int> ImportAsync(CommonOptions common, ParseResult parsed, string file, string path, bool onlyShown, CancellationToken cancellation)
    {
        var output = common.OutputFor(parsed);
        if (!(await ReadAsync(file, cancellation)).TryGet(out var table, out var failure)) return output.Fail(failure);
        if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out failure)) return output.Fail(failure);
        using var client = api;
        var import = new PolicyRequest(HttpMethod.Post, path, "", table) { MediaType = Table, LargestAnswer = ApiClient.LargestAnswerToTable };
        if (!(await client.ChangeAsync(import, onlyShown, cancellation)).TryGet(out var changed, out failure))
        {
            // Row by row, as a program that has made the table wants them.
            if (output.IsJson && failure.Json is { } refusal) output.Json(refusal);
            return output.Fail(failure);
        }

        if (output.IsJson)
        {
            output.Json(changed.Json);
            return ExitCode.Ok;
        }

        // What is done is done, also where its answer can't be read.
        var imported = PolicyEdit.Read(changed.Json, ApiJson.Default.ImportedDevices);
        if (imported?.Rows is { } rows)
        {
            output.Line(imported.Summary ?? "");
            output.Note(string.Create(CultureInfo.InvariantCulture, $"Nothing is wrong, and nothing was done: {rows.Count} rows of policy would change."));
        }
        else
        {
            output.Line(string.Create(CultureInfo.InvariantCulture, $"{imported?.Added ?? 0} devices added, {imported?.Changed ?? 0} changed; {imported?.Groups ?? 0} groups made."));
            PolicyEdit.Note(output, changed);
        }

        return ExitCode.Ok;
    }

    private static async Task<int> ExportAsync(CommonOptions common, ParseResult parsed, string file, string? search, CancellationToken cancellation)
    {
        var output = common.OutputFor(parsed);
        if (!NewFile.IsFree(file, out var failure)) return output.Fail(failure);
        if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out failure)) return output.Fail(failure);
        using var client = api;
        var path = $"devices/export{(search is null ? "" : $"?search={Uri.EscapeDataString(search)}")}";
        if (!(await NewFile.WriteAsync(file, stream => client.DownloadAsync(path, stream, cancellation))).TryGet(out var downloaded, out failure)) return output.Fail(failure);

        // The first line is the heading; no field of a device has a line's end in it.
        var devices = downloaded.Lines - 1;
        if (output.IsJson) output.Json(new(file, devices), ApiJson.Default.Exported);
        else output.Line(string.Create(CultureInfo.InvariantCulture, $"{devices} devices are in {file}."));
        return ExitCode.Ok;
    }

    private static async Task<Answer<byte[]>> ReadAsync(string file, CancellationToken cancellation)
    {
        try
        {
            await using var stream = File.OpenRead(file);
            var bytes = new byte[LargestTable + 1];
            var length = await stream.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellation);
            return length <= LargestTable ? bytes[..length] : new Failure(ExitCode.Usage, $"{file} is larger than {LargestTable / 1024 / 1024} MiB.", "Import it in parts.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return new Failure(ExitCode.Usage, $"{file} can't be read: {exception.Message}");
        }
    }
}
