using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Countersign.Cli.Api;

namespace Countersign.Cli.Playing;

/// <summary>What a session was, as its recording begins.</summary>
internal sealed record RecordedStart(string? Login, string? Device, string? Account, string? Command, string? Terminal, uint? Columns, uint? Rows, DateTimeOffset? At);

/// <summary>How it ended.</summary>
internal sealed record RecordedEnd(string? Reason, string? Detail, int? ExitStatus);

/// <summary>One line of a recording's events: docs/cli.md tells the form.</summary>
/// <param name="At">Seconds since the beginning.</param>
/// <param name="Closed">The last line, and only that, has it.</param>
internal sealed record RecordedLine(
    double? At, byte[]? Output, byte[]? Error, byte[]? Notice, uint? Columns, uint? Rows, RecordedStart? Start, RecordedEnd? End, string? Closed, string? Detail);

/// <summary>Reads the lines of an answer that has no end yet, each bounded.</summary>
internal static class RecordedLines
{
    /// <summary>An event of 64 KiB in base64, and what is around it.</summary>
    private const int LongestLine = 256 * 1024;

    /// <exception cref="JsonException">The answer is not what it should be.</exception>
    public static async IAsyncEnumerable<RecordedLine> ReadAsync(Stream body, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var pipe = PipeReader.Create(body, new StreamPipeReaderOptions(bufferSize: 64 * 1024));
        while (true)
        {
            var read = await pipe.ReadAsync(cancellation);
            var buffer = read.Buffer;
            while (buffer.PositionOf((byte)'\n') is { } end)
            {
                var line = JsonSerializer.Deserialize(buffer.Slice(0, end).ToArray(), ApiJson.Default.RecordedLine) ?? throw new JsonException("a line is null");
                buffer = buffer.Slice(buffer.GetPosition(1, end));
                yield return line;
            }

            if (buffer.Length > LongestLine) throw new JsonException("a line is too long");
            pipe.AdvanceTo(buffer.Start, buffer.End);
            if (read.IsCompleted) break;
        }

        await pipe.CompleteAsync();
    }
}
