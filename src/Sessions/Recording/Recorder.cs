using Countersign.Access;
using Countersign.Sessions.Journal;
using Microsoft.Extensions.Logging;

namespace Countersign.Sessions.Recording;

/// <summary>Numbers are stored.</summary>
public enum RecordingState : byte
{
    /// <summary>It was not to be recorded, or is of a kind that is not.</summary>
    None = 0,

    /// <summary>Everything, and the end, is in the file.</summary>
    Complete = 1,

    /// <summary>It was begun, and cut.</summary>
    Incomplete = 2,

    /// <summary>It was to be recorded, and there is no recording.</summary>
    Failed = 3,
}

/// <summary>What a session's row and the log say of its recording.</summary>
/// <param name="Size">Bytes of the file that are whole; null without one.</param>
/// <param name="Hash">Over these bytes; null without a recording.</param>
/// <param name="Failure">Why it is not complete.</param>
public sealed record RecordingSummary(RecordingState State, long? Size, ReadOnlyMemory<byte>? Hash, string? Failure)
{
    /// <summary>From its beginning to the last event that plays; null without a recording.</summary>
    public TimeSpan? Length { get; init; }

    public static RecordingSummary Of(RecordingResult result) =>
        new(result.Complete ? RecordingState.Complete : RecordingState.Incomplete, result.Size, result.Hash, result.Failure) { Length = result.Length };
}

/// <summary>Arms the recording of a session that was admitted, as its device's setting says, and holds the session to it.</summary>
public sealed partial class Recorder(RecordingStore store, ISessionLedger ledger, ILogger<Recorder> log)
{
    private const string CantBeWritten = "its recording can't be written now";

    /// <summary>Whether sessions of the kind have a recording. Those of files have their journal.</summary>
    public static bool Records(SessionKind kind) => kind is SessionKind.Shell or SessionKind.Command;

    /// <summary>
    /// Returns null when the session may start; else one sentence about why it does not, and the session has been finished. A session that is to be
    /// recorded and can't be starts all the same unless recording is required; that is written down.
    /// </summary>
    public async ValueTask<string?> ArmAsync(LiveSession session, RecordingRule rule, AskedTerminal? terminal, CancellationToken cancellation)
    {
        var opening = session.Opening;
        if (rule == RecordingRule.Off || !Records(opening.Kind)) return null;

        try
        {
            var start = new RecordingStart(
                opening.Kind, opening.At, opening.Login, opening.DeviceName, opening.Account, opening.Command, terminal?.Type, terminal?.Size);
            var begun = store.Begin(opening.Organization, opening.Id, start);
            begun.IsRequired = rule == RecordingRule.Required;
            session.Record(begun, writer => FollowAsync(session, writer, rule));
            return null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            LogNotBegun(error, opening.Id.Value);
            session.NotRecorded(error.Message);
            session.Note(new RecordingFailed(error.Message));
            await ledger.RecordingFailedAsync(opening, error.Message, cancellation);
            return rule == RecordingRule.Required ? Refuse(session, CantBeWritten) : null;
        }
    }

    private async Task FollowAsync(LiveSession session, RecordingWriter writer, RecordingRule rule)
    {
        var why = await writer.Failed;
        LogFailed(session.Opening.Id.Value, why);
        session.Note(new RecordingFailed(why));
        if (rule == RecordingRule.Required) Refuse(session, CantBeWritten);
        await ledger.RecordingFailedAsync(session.Opening, why, CancellationToken.None);
    }

    private static string Refuse(LiveSession session, string why)
    {
        var sentence = $"{session.Opening.DeviceName} has to be recorded and {why}";
        session.Finish(EndReason.NotRecorded, sentence);
        return sentence;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The recording of session {Session} can't be begun")]
    private partial void LogNotBegun(Exception error, Guid session);

    [LoggerMessage(Level = LogLevel.Error, Message = "The recording of session {Session} can't be written on: {Why}")]
    private partial void LogFailed(Guid session, string why);
}
