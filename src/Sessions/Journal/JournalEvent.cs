using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Countersign.Sessions.Recording;

namespace Countersign.Sessions.Journal;

/// <summary>
/// One thing that happened in a session. A new kind is a new record here; its name and its members are stored and never change. Texts from outside
/// are bounded by whoever makes the event: as JSON it has at most <see cref="JournalWriter.MostEvent"/> bytes.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "event")]
[JsonDerivedType(typeof(SessionBegan), "began")]
[JsonDerivedType(typeof(TechnicianWarned), "warned")]
[JsonDerivedType(typeof(WatcherJoined), "watcherJoined")]
[JsonDerivedType(typeof(WatcherLeft), "watcherLeft")]
[JsonDerivedType(typeof(SignalSent), "signal")]
[JsonDerivedType(typeof(SignalsLeftOut), "signalsLeftOut")]
[JsonDerivedType(typeof(CommandGiven), "command")]
[JsonDerivedType(typeof(ProgramRead), "input")]
[JsonDerivedType(typeof(ProgramWrote), "output")]
[JsonDerivedType(typeof(DeviceWrote), "deviceWrote")]
[JsonDerivedType(typeof(ProgramExited), "exited")]
[JsonDerivedType(typeof(RecordingFailed), "recordingFailed")]
[JsonDerivedType(typeof(RightsChanged), "rights")]
[JsonDerivedType(typeof(FileTransferred), "file")]
[JsonDerivedType(typeof(FileActed), "fileAction")]
[JsonDerivedType(typeof(FileRefused), "fileRefused")]
[JsonDerivedType(typeof(SessionEnded), "ended")]
public abstract record JournalEvent
{
    /// <summary>Given by the writer when the event is appended.</summary>
    [JsonPropertyOrder(-1)]
    public DateTimeOffset At { get; init; }
}

/// <summary>The first event, once.</summary>
/// <param name="Salt">Random, so that nobody guesses from the journal's hash what it says.</param>
public sealed record SessionBegan(
    Guid Session,
    byte[] Salt,
    Guid Person,
    string Login,
    Guid Device,
    string DeviceName,
    string Account,
    SessionKind Kind,
    string Command,
    string? Source,
    long PolicyVersion,
    long? Request) : JournalEvent
{
    public static SessionBegan Of(SessionOpening opening) => new(
        opening.Id.Value,
        RandomNumberGenerator.GetBytes(32),
        opening.Person.Value,
        opening.Login,
        opening.Device.Value,
        opening.DeviceName,
        opening.Account,
        opening.Kind,
        opening.Command,
        opening.Source?.ToString(),
        opening.PolicyVersion,
        opening.Request);
}

/// <summary>The technician was told that the session is about to end.</summary>
/// <param name="Message">As it was told.</param>
public sealed record TechnicianWarned(string Message) : JournalEvent;

public sealed record WatcherJoined(Guid Person, string Login) : JournalEvent;

public sealed record WatcherLeft(Guid Person, string Login) : JournalEvent;

/// <summary>A signal or a break that the technician's client sent and the device was handed.</summary>
/// <param name="Name">As RFC 4254 section 6.9 has it, such as <c>TERM</c>; <c>BREAK</c> for a break (RFC 4335).</param>
public sealed record SignalSent(string Name) : JournalEvent;

/// <summary>At the end: signals and breaks that were handed to the device and are no events of their own, since they were so many.</summary>
public sealed record SignalsLeftOut(int Times) : JournalEvent;

/// <summary>A command that is longer than what <see cref="SessionBegan"/> shows, from its first character to its last, in as many events as it takes.</summary>
/// <param name="Part">From one.</param>
public sealed record CommandGiven(int Part, int Parts, string Text) : JournalEvent
{
    /// <summary>Characters of an event: as JSON each can be six bytes.</summary>
    internal const int MostText = 8000;

    internal static IEnumerable<CommandGiven> Of(string command)
    {
        var cuts = new List<int> { 0 };
        while (cuts[^1] < command.Length)
        {
            var next = Math.Min(command.Length, cuts[^1] + MostText);
            cuts.Add(next < command.Length && char.IsLowSurrogate(command[next]) ? next - 1 : next);
        }

        return Enumerable.Range(1, cuts.Count - 1).Select(part => new CommandGiven(part, cuts.Count - 1, command[cuts[part - 1]..cuts[part]]));
    }
}

/// <summary>What a command without a terminal, or <c>rsync</c>, was given on its standard input.</summary>
/// <param name="Sha256">Over all of it, in hexadecimal.</param>
public sealed record ProgramRead(long Bytes, string Sha256) : JournalEvent;

/// <summary>What <c>rsync</c> wrote on its standard output at the device.</summary>
/// <param name="Sha256">Over all of it, in hexadecimal.</param>
public sealed record ProgramWrote(long Bytes, string Sha256) : JournalEvent;

/// <summary>At the end of a session of files: what the device wrote on standard error.</summary>
/// <param name="Text">All that the technician was given of it; what no line holds is blanks.</param>
/// <param name="Passed">How many bytes that were.</param>
/// <param name="Bytes">How many the device wrote.</param>
public sealed record DeviceWrote(string Text, long Passed, long Bytes) : JournalEvent;

/// <summary>The device told that the shell or command came to its end.</summary>
/// <param name="Status">What it returned; null: a signal killed it.</param>
/// <param name="Signal">That signal, as RFC 4254 section 6.10 has it, such as <c>KILL</c>.</param>
public sealed record ProgramExited(int? Status, long BytesIn, long BytesOut, string? Signal = null) : JournalEvent;

public sealed record RecordingFailed(string Why) : JournalEvent;

/// <summary>What may be done in the session has changed while it ran.</summary>
/// <param name="Permissions">Those that it holds now.</param>
public sealed record RightsChanged(string Permissions) : JournalEvent;

/// <summary>The last event, once. A journal without it was cut.</summary>
public sealed record SessionEnded(EndReason Reason, string Detail, int? ExitStatus, long BytesIn, long BytesOut, RecordingState Recording) : JournalEvent;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(JournalEvent))]
internal sealed partial class JournalJson : JsonSerializerContext
{
    public static byte[] Write(JournalEvent one) => JsonSerializer.SerializeToUtf8Bytes(one, Default.JournalEvent);

    /// <summary>Null: not an event that this version knows.</summary>
    public static JournalEvent? Read(ReadOnlySpan<byte> line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, Default.JournalEvent);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
