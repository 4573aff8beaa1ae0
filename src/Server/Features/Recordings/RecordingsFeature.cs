using System.Text.Json.Serialization;
using Countersign.Server.Features.Sessions;
using Countersign.Server.Platform;
using Countersign.Sessions;

namespace Countersign.Server.Features.Recordings;

/// <param name="Session">The session's id, which is the recording's, too.</param>
/// <param name="Recording">Complete, incomplete, or deleted.</param>
/// <param name="Missing">It should be there and is not: its file was lost.</param>
/// <param name="Length">In seconds, up to the last event that plays.</param>
/// <param name="Size">Of what was whole when the session ended, in bytes of the file.</param>
/// <param name="Hash">Over these bytes; stays when the recording is deleted.</param>
/// <param name="MayDelete">Whether the caller may delete it now.</param>
internal sealed record RecordingShown(
    Guid Session,
    string Login,
    Guid Device,
    string DeviceName,
    string Account,
    SessionKind Kind,
    string Command,
    DateTimeOffset Started,
    DateTimeOffset? Ended,
    EndReason? Reason,
    RecordingAnswer Recording,
    bool Missing,
    double? Length,
    long? Size,
    string? Hash,
    DateTimeOffset? Deleted,
    bool MayDelete);

/// <summary>What was recorded: listed, played, exported, deleted; and watched while it is being recorded.</summary>
internal static class RecordingsFeature
{
    public static IServiceCollection AddRecordings(this IServiceCollection services)
    {
        services.AddSingleton<Screening>();
        services.AddSingleton<RecordingRemoval>();
        services.AddSingleton<RecordingKeeper>();
        services.AddHostedService(provider => provider.GetRequiredService<RecordingKeeper>());
        return services.AddApiTypes(RecordingJson.Default);
    }

    public static void MapRecordings(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/recordings").WithTags("Recordings");
        group.MapGet("", ListRecordings.ListAsync).Requires(TokenScopes.RecordingsRead).WithSummary("Recordings that the caller may play, newest first");
        group.MapGet("/{id:guid}", ListRecordings.FindAsync).Requires(TokenScopes.RecordingsRead).WithSummary("One recording");
        group.MapGet("/{id:guid}/events", PlayRecording.EventsAsync).Requires(TokenScopes.RecordingsRead)
            .WithSummary("All that was recorded, as JSON lines").Produces(StatusCodes.Status200OK, contentType: RecordingForm.Lines);
        group.MapGet("/{id:guid}/asciicast", PlayRecording.AsciicastAsync).Requires(TokenScopes.RecordingsRead)
            .WithSummary("The recording as asciicast version 2").Produces(StatusCodes.Status200OK, contentType: RecordingForm.Asciicast);
        group.MapGet("/{id:guid}/live", WatchSession.HandleAsync).Requires(TokenScopes.RecordingsRead)
            .WithSummary("A running session from its beginning into live, as JSON lines").Produces(StatusCodes.Status200OK, contentType: RecordingForm.Lines);
        group.MapDelete("/{id:guid}", DeleteRecording.HandleAsync).Requires(TokenScopes.Recordings).WithSummary("Deletes the recording; what the log says of it stays");
    }
}

[JsonSerializable(typeof(Page<RecordingShown>))]
[JsonSerializable(typeof(RecordingShown))]
internal sealed partial class RecordingJson : JsonSerializerContext;
