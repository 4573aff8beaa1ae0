using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Countersign.Sessions;
using Countersign.Sessions.Recording;

namespace Countersign.Server.Features.Recordings;

/// <summary>Why a stream of a recording came to its end.</summary>
internal enum Closing
{
    /// <summary>With the session's own end.</summary>
    Complete,

    /// <summary>The recording was cut: this is all that there is.</summary>
    Cut,

    /// <summary>What comes is not what was recorded.</summary>
    Damaged,

    /// <summary>The caller may not see any more of it.</summary>
    Revoked,

    /// <summary>The server stops.</summary>
    Stopping,
}

/// <summary>A form in which a recording goes out, piece by piece.</summary>
internal abstract class RecordingForm
{
    public const string Lines = "application/x-ndjson";
    public const string Asciicast = "application/x-asciicast";

    public abstract void Write(in RecordingEvent one, IBufferWriter<byte> target);

    /// <summary>Says nothing, so that both ends notice when the other is gone.</summary>
    public virtual void WriteBeat(IBufferWriter<byte> target)
    {
    }

    /// <summary>False: this form can't say it, and the connection is broken off.</summary>
    public abstract bool TryClose(Closing closing, string detail, TimeSpan at, IBufferWriter<byte> target);
}

/// <summary>
/// A line of JSON for each event, bytes in base64, times in seconds since the beginning:
/// <code>
/// {"start":{"session":…,"kind":"shell","at":…,"login":…,"device":…,"account":…,"command":…,"terminal":…,"columns":…,"rows":…}}
/// {"at":1.25,"output":"…"}    {"at":…,"error":"…"}    {"at":…,"notice":"…"}    {"at":…,"input":"…"}    {"at":…,"columns":80,"rows":24}
/// {"alive":true}
/// {"at":9.5,"end":{"reason":"completed","detail":"","exitStatus":0}}
/// {"closed":"complete","detail":""}
/// </code>
/// The last line is always <c>closed</c>: a stream without it was broken off.
/// </summary>
/// <param name="input">What was typed, where it was recorded, too.</param>
internal sealed class EventLines(SessionId session, bool input) : RecordingForm
{
    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.Default };

    public override void Write(in RecordingEvent one, IBufferWriter<byte> target)
    {
        if (one.Kind == RecordingEventKind.Input && !input) return;
        using (var json = new Utf8JsonWriter(target, Json))
        {
            json.WriteStartObject();
            if (one.Kind != RecordingEventKind.Start) json.WriteNumber("at", one.At.Ticks / (decimal)TimeSpan.TicksPerSecond);
            switch (one.Kind)
            {
                case RecordingEventKind.Start when one.ReadStart() is { } start:
                    WriteStart(json, start);
                    break;
                case RecordingEventKind.Output:
                    json.WriteBase64String("output", one.Data.Span);
                    break;
                case RecordingEventKind.Error:
                    json.WriteBase64String("error", one.Data.Span);
                    break;
                case RecordingEventKind.Notice:
                    json.WriteBase64String("notice", one.Data.Span);
                    break;
                case RecordingEventKind.Input:
                    json.WriteBase64String("input", one.Data.Span);
                    break;
                case RecordingEventKind.Resize when one.ReadSize() is { } size:
                    json.WriteNumber("columns", size.Columns);
                    json.WriteNumber("rows", size.Rows);
                    break;
                case RecordingEventKind.End when one.ReadEnd() is { } end:
                    json.WriteStartObject("end");
                    json.WriteString("reason", JsonNamingPolicy.CamelCase.ConvertName(end.Reason.ToString()));
                    json.WriteString("detail", end.Detail);
                    if (end.ExitStatus is { } status) json.WriteNumber("exitStatus", status);
                    json.WriteEndObject();
                    break;
                default:
                    break;
            }

            json.WriteEndObject();
        }

        target.Write("\n"u8);
    }

    public override void WriteBeat(IBufferWriter<byte> target) => target.Write("{\"alive\":true}\n"u8);

    public override bool TryClose(Closing closing, string detail, TimeSpan at, IBufferWriter<byte> target)
    {
        using (var json = new Utf8JsonWriter(target, Json))
        {
            json.WriteStartObject();
            json.WriteString("closed", JsonNamingPolicy.CamelCase.ConvertName(closing.ToString()));
            json.WriteString("detail", detail);
            json.WriteEndObject();
        }

        target.Write("\n"u8);
        return true;
    }

    private void WriteStart(Utf8JsonWriter json, RecordingStart start)
    {
        json.WriteStartObject("start");
        json.WriteString("session", session.Value);
        json.WriteString("kind", JsonNamingPolicy.CamelCase.ConvertName(start.Kind.ToString()));
        json.WriteString("at", start.At.UtcDateTime.ToString("O", CultureInfo.InvariantCulture));
        json.WriteString("login", start.Login);
        json.WriteString("device", start.Device);
        json.WriteString("account", start.Account);
        json.WriteString("command", start.Command);
        if (start.Terminal is not null) json.WriteString("terminal", start.Terminal);
        if (start.Size is { } size)
        {
            json.WriteNumber("columns", size.Columns);
            json.WriteNumber("rows", size.Rows);
        }

        json.WriteEndObject();
    }
}

/// <param name="input">What was typed, where it was recorded, too: the players show it only when told to.</param>
internal sealed class AsciicastLines(bool input) : RecordingForm
{
    private readonly AsciicastWriter _writer = new();

    public override void Write(in RecordingEvent one, IBufferWriter<byte> target)
    {
        if (one.Kind != RecordingEventKind.Input || input) _writer.Write(one, target);
    }

    /// <summary>A recording that is not whole says so in a marker at its end, which players show.</summary>
    public override bool TryClose(Closing closing, string detail, TimeSpan at, IBufferWriter<byte> target)
    {
        switch (closing)
        {
            case Closing.Complete:
                return true;
            case Closing.Cut:
            case Closing.Damaged:
                AsciicastWriter.WriteMarker(at, closing == Closing.Cut ? $"cut: {detail}" : $"damaged: {detail}", target);
                return true;
            default:
                return false;
        }
    }
}
