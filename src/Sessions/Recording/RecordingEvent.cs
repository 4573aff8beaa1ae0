using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Countersign.Sessions.Recording;

/// <summary>Numbers are stored.</summary>
public enum RecordingEventKind : byte
{
    /// <summary>The first event, once: what is recorded.</summary>
    Start = 1,

    /// <summary>What the device wrote: a terminal's screen, or standard output.</summary>
    Output = 2,

    /// <summary>What the device, or the gateway at the end, wrote to standard error.</summary>
    Error = 3,

    /// <summary>The terminal has another size from here on.</summary>
    Resize = 4,

    /// <summary>What the technician typed; only in recordings that were asked for it.</summary>
    Input = 5,

    /// <summary>The last event, once. A recording without it was cut.</summary>
    End = 6,

    /// <summary>What the gateway said to the technician on the way: shown like standard error, and not the device's.</summary>
    Notice = 7,
}

/// <param name="At">Since the recording began, in microseconds; never less than the event before.</param>
/// <param name="Data">As it passed, byte for byte; of the other kinds, what the methods here read.</param>
public readonly record struct RecordingEvent(RecordingEventKind Kind, TimeSpan At, ReadOnlyMemory<byte> Data)
{
    /// <summary>Of <see cref="RecordingEventKind.Start"/>; null if it can't be read.</summary>
    public RecordingStart? ReadStart() => Kind == RecordingEventKind.Start ? ReadJson(RecordingJson.Default.RecordingStart) : null;

    /// <summary>Of <see cref="RecordingEventKind.End"/>; null if it can't be read.</summary>
    public RecordingEnd? ReadEnd() => Kind == RecordingEventKind.End ? ReadJson(RecordingJson.Default.RecordingEnd) : null;

    /// <summary>Of <see cref="RecordingEventKind.Resize"/>; null if it can't be read.</summary>
    public TerminalSize? ReadSize() => Kind == RecordingEventKind.Resize && Data.Length == 8
        ? new(BinaryPrimitives.ReadUInt32BigEndian(Data.Span), BinaryPrimitives.ReadUInt32BigEndian(Data.Span[4..]))
        : null;

    private T? ReadJson<T>(JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(Data.Span, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>In characters, as the technician's terminal told it: untrusted.</summary>
public readonly record struct TerminalSize(uint Columns, uint Rows);

/// <summary>What is recorded.</summary>
/// <param name="Terminal">The terminal's type, such as <c>xterm-256color</c>; null: there was none, and the output is a program's as it was.</param>
/// <param name="Size">The terminal's size at the beginning; null without one.</param>
public sealed record RecordingStart(
    SessionKind Kind,
    DateTimeOffset At,
    string Login,
    string Device,
    string Account,
    string Command,
    string? Terminal,
    TerminalSize? Size);

/// <summary>How what was recorded ended.</summary>
public sealed record RecordingEnd(EndReason Reason, string Detail, int? ExitStatus);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(RecordingStart))]
[JsonSerializable(typeof(RecordingEnd))]
internal sealed partial class RecordingJson : JsonSerializerContext;
