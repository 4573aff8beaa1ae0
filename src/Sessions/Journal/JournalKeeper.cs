using Countersign.Access;
using Microsoft.Extensions.Logging;

namespace Countersign.Sessions.Journal;

/// <summary>
/// Opens the journal of a session that was admitted, before anything happens in it, and holds the session to it: where recording is required, a
/// session whose journal can't be written does not start, or ends. Elsewhere it goes on, and the log says that its journal is cut.
/// </summary>
public sealed partial class JournalKeeper(JournalStore store, ISessionLedger ledger, ILogger<JournalKeeper> log)
{
    /// <summary>Returns null when the session may start; else one sentence about why it does not, and the session has been finished.</summary>
    public async ValueTask<string?> OpenAsync(LiveSession session, RecordingRule rule, CancellationToken cancellation)
    {
        try
        {
            var begun = store.Begin(session.Opening);
            begun.IsRequired = rule == RecordingRule.Required;
            session.Keep(begun, journal => FollowAsync(session, journal, rule));
            return null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            LogNotBegun(error, session.Opening.Id.Value);
            await ledger.JournalFailedAsync(session.Opening, error.Message, cancellation);
            return rule == RecordingRule.Required ? Refuse(session) : null;
        }
    }

    private async Task FollowAsync(LiveSession session, JournalWriter journal, RecordingRule rule)
    {
        var why = await journal.Failed;
        LogFailed(session.Opening.Id.Value, why);
        if (rule == RecordingRule.Required) Refuse(session);
        await ledger.JournalFailedAsync(session.Opening, why, CancellationToken.None);
    }

    private static string Refuse(LiveSession session)
    {
        var sentence = $"{session.Opening.DeviceName} has to be recorded and its journal can't be written now";
        session.Finish(EndReason.NotRecorded, sentence);
        return sentence;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The journal of session {Session} can't be begun")]
    private partial void LogNotBegun(Exception error, Guid session);

    [LoggerMessage(Level = LogLevel.Error, Message = "The journal of session {Session} can't be written on: {Why}")]
    private partial void LogFailed(Guid session, string why);
}
