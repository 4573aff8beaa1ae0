using System.CommandLine;
using System.Globalization;
using Countersign.Cli.Api;
using Countersign.Cli.Playing;

namespace Countersign.Cli.Commands;

/// <summary>Sessions seen again: a recording in its own time, and a session that runs.</summary>
internal static class PlayCommands
{
    /// <summary>The server says something at least every ten seconds.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static Command CreatePlay(CommonOptions common)
    {
        var session = IdArgument.Create("ID", "The session's ID, as \"countersign recordings\" shows it.");
        var speed = Number("--speed", "How many times as fast.", "N", 0.01, 1000);
        var idle = Number("--idle-limit", "No pause is longer than this.", "SECONDS", 0, 86_400);
        var from = Number("--from", "Begin here: what comes before is shown at once.", "SECONDS", 0, 31_536_000);
        var dump = new Option<bool>("--no-wait") { Description = "Everything at once." };
        var command = new DocumentedCommand(
            "play",
            "Plays a session's recording in the terminal. Space pauses, + and - change the speed, q ends it.",
            "countersign play 0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d68",
            "countersign play 0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d68 --speed 4 --idle-limit 1",
            "countersign play 0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d68 --no-wait | tee session.raw")
        {
            session,
            speed,
            idle,
            from,
            dump,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var output = common.OutputFor(parsed);
            if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
            using var client = api;
            var path = $"recordings/{parsed.GetValue(session)}/events";
            if (output.IsJson) return await DumpAsync(common, output, client, path, cancellation);
            var limit = parsed.GetValue(idle) is { } seconds ? TimeSpan.FromSeconds(seconds) : (TimeSpan?)null;
            Player Pace(System.Threading.Channels.ChannelReader<char>? keys) =>
                new(common.Around.Time, keys, parsed.GetValue(speed) ?? 1, limit, TimeSpan.FromSeconds(parsed.GetValue(from) ?? 0));
            return await new Showing(common, output).RunAsync(client, path, parsed.GetValue(dump) ? null : Pace, Patience, cancellation);
        });
        return command;
    }

    public static Command CreateWatch(CommonOptions common)
    {
        var session = IdArgument.Create("ID", "The session's ID, as \"countersign sessions\" shows it.");
        var command = new DocumentedCommand(
            "watch",
            "Shows a running session from its beginning into live, until it ends or you press q. The technician is told.",
            "countersign watch 0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d68")
        {
            session,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var output = common.OutputFor(parsed);
            if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
            using var client = api;
            var path = $"recordings/{parsed.GetValue(session)}/live";
            return output.IsJson
                ? await DumpAsync(common, output, client, path, cancellation)
                : await new Showing(common, output).RunAsync(client, path, pace: null, Patience, cancellation);
        });
        return command;
    }

    /// <summary>The events themselves, a line each. The server escapes what a terminal would act on.</summary>
    private static async Task<int> DumpAsync(CommonOptions common, Shown.Output output, ApiClient client, string path, CancellationToken cancellation)
    {
        await using var bytes = common.Around.OpenOutput();
        return (await client.DownloadAsync(path, bytes, cancellation)).TryGet(out _, out var failure) ? ExitCode.Ok : output.Fail(failure);
    }

    private static Option<double?> Number(string name, string description, string helpName, double least, double most) => new(name)
    {
        Description = description,
        HelpName = helpName,
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most) return value;
            result.AddError(string.Create(CultureInfo.InvariantCulture, $"{name} is a number from {least} to {most}, and not \"{text}\"."));
            return null;
        },
    };
}
