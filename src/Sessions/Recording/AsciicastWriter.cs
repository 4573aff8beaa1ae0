using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Countersign.Sessions.Recording;

/// <summary>
/// Turns a recording's events into asciicast version 2: a line of JSON about the recording, then a line for each event. The form knows text only:
/// bytes that are not UTF-8 become U+FFFD, characters cut between events are put together, and standard error is shown with the output. What was
/// recorded without a terminal gets the carriage returns that a terminal would have added.
/// </summary>
public sealed class AsciicastWriter
{
    private const uint MostColumns = 10_000;

    private static readonly TerminalSize Usual = new(80, 24);

    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Decoder _output = Encoding.UTF8.GetDecoder();
    private readonly Decoder _error = Encoding.UTF8.GetDecoder();
    private readonly Decoder _input = Encoding.UTF8.GetDecoder();
    private bool _terminal;
    private bool _afterReturn;

    /// <summary>Appends the event's line, or nothing if it has none in this form.</summary>
    public void Write(in RecordingEvent one, IBufferWriter<byte> target)
    {
        switch (one.Kind)
        {
            case RecordingEventKind.Start when one.ReadStart() is { } start:
                _terminal = start.Terminal is not null;
                WriteHeader(start, target);
                return;
            case RecordingEventKind.Output:
                WriteText(one.At, "o", ForTerminal(Decode(_output, one.Data.Span)), target);
                return;
            case RecordingEventKind.Error:
                WriteText(one.At, "o", ForTerminal(Decode(_error, one.Data.Span)), target);
                return;
            case RecordingEventKind.Notice:
                // Whole characters, and none of the device's: its decoders are left alone. The mark lets a player jump to it.
                var notice = Encoding.UTF8.GetString(one.Data.Span);
                WriteText(one.At, "m", notice.Trim(), target);
                WriteText(one.At, "o", notice, target);
                return;
            case RecordingEventKind.Input:
                WriteText(one.At, "i", Decode(_input, one.Data.Span), target);
                return;
            case RecordingEventKind.Resize when one.ReadSize() is { } size:
                var sane = Sane(size);
                WriteText(one.At, "r", string.Create(CultureInfo.InvariantCulture, $"{sane.Columns}x{sane.Rows}"), target);
                return;
            default:
                return;
        }
    }

    /// <summary>Appends a marker, which players show on their time line.</summary>
    public static void WriteMarker(TimeSpan at, string label, IBufferWriter<byte> target) => WriteText(at, "m", label, target);

    private static void WriteHeader(RecordingStart start, IBufferWriter<byte> target)
    {
        var size = Sane(start.Size ?? Usual);
        using (var json = new Utf8JsonWriter(target, Json))
        {
            json.WriteStartObject();
            json.WriteNumber("version", 2);
            json.WriteNumber("width", size.Columns);
            json.WriteNumber("height", size.Rows);
            json.WriteNumber("timestamp", start.At.ToUnixTimeSeconds());
            json.WriteString("title", $"{start.Login} on {start.Device} as {start.Account}");
            if (start.Command.Length > 0) json.WriteString("command", start.Command);
            if (start.Terminal is not null)
            {
                json.WriteStartObject("env");
                json.WriteString("TERM", start.Terminal);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        target.Write("\n"u8);
    }

    private static void WriteText(TimeSpan at, string code, string text, IBufferWriter<byte> target)
    {
        if (text.Length == 0) return;
        using (var json = new Utf8JsonWriter(target, Json))
        {
            json.WriteStartArray();
            json.WriteNumberValue((decimal)at.Ticks / TimeSpan.TicksPerSecond);
            json.WriteStringValue(code);
            json.WriteStringValue(text);
            json.WriteEndArray();
        }

        target.Write("\n"u8);
    }

    private static string Decode(Decoder decoder, ReadOnlySpan<byte> data)
    {
        var characters = new char[decoder.GetCharCount(data, flush: false)];
        decoder.GetChars(data, characters, flush: false);
        return new(characters);
    }

    private static TerminalSize Sane(TerminalSize size) => new(Math.Clamp(size.Columns, 1, MostColumns), Math.Clamp(size.Rows, 1, MostColumns));

    private string ForTerminal(string text)
    {
        if (_terminal || text.Length == 0) return text;
        var shown = new StringBuilder(text.Length + 16);
        foreach (var character in text)
        {
            if (character == '\n' && !_afterReturn) shown.Append('\r');
            shown.Append(character);
            _afterReturn = character == '\r';
        }

        return shown.ToString();
    }
}
