using System.Text.Json;
using System.Text.Json.Serialization;
using Countersign.Audit;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;

namespace Countersign.Server.Features.Audit;

internal sealed record AuditActor(Guid? Id, string Login);

/// <param name="Number">Its number among the sealed records; null: it waits for the next half second.</param>
/// <param name="Erased">The names of the personal fields that were erased.</param>
internal sealed record AuditAnswer(
    long Id,
    long? Number,
    DateTimeOffset At,
    string Kind,
    AuditActor Actor,
    string Channel,
    string? Source,
    string Subject,
    Guid? SubjectId,
    AuditOutcome Outcome,
    JsonElement Details,
    string Correlation,
    IReadOnlyList<string> Erased)
{
    public static AuditAnswer Of(AuditRecord record, long? number, IReadOnlyList<string> erased)
    {
        using var details = JsonDocument.Parse(record.Details);
        return new(
            record.Id, number, record.At, record.Kind, new(record.Actor?.Value, record.ActorLogin), record.Channel, record.Source?.ToString(), record.Subject,
            record.SubjectId, record.Outcome, details.RootElement.Clone(), record.Correlation, erased);
    }
}

/// <summary>A <see cref="Checkpoint"/> as <see cref="ExportLines"/> writes it.</summary>
/// <param name="Size">How many records.</param>
internal sealed record CheckpointAnswer(Guid Organization, long Size, byte[] Root, DateTimeOffset At, byte[] Key, byte[] Signature);

/// <summary>The audit log, sealed and read: for the owner and for whoever holds AuditLog.</summary>
public static class AuditComposition
{
    public static IServiceCollection AddAudit(this IServiceCollection services, ServerOptions options)
    {
        services.AddSingleton(_ => CheckpointKeyFile.Open(options.DataDirectory));
        services.AddSingleton(new CheckpointFile(options.DataDirectory));
        services.AddSingleton<AuditSealer>();
        services.AddSingleton<AuditTrees>();
        services.AddSingleton<AuditExport>();
        services.AddSingleton<AuditEraser>();
        services.AddHostedService(provider => provider.GetRequiredService<AuditSealer>());
        services.AddHostedService(provider => provider.GetRequiredService<RepeatedRefusals>());
        services.AddAuditStreams(options);
        return services.AddApiTypes(AuditJson.Default);
    }

    /// <summary>What can't be sent so stops the start: whoever has named a place for the log relies on it.</summary>
    private static void AddAuditStreams(this IServiceCollection services, ServerOptions options)
    {
        if (options.AuditWebhook is { } webhook) services.AddSingleton<IAuditDestination>(provider => new AuditWebhook(webhook, provider.GetRequiredService<TimeProvider>()));
        if (options.AuditSyslog is { } syslog) services.AddSingleton<IAuditDestination>(_ => new AuditSyslog(syslog));
        if ((options.AuditWebhook, options.AuditSyslog) != (null, null)) services.AddHostedService<AuditStreaming>();
    }

    public static void MapAudit(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/audit").WithTags("Audit");
        group.MapGet("", ListAudit.HandleAsync).Requires(TokenScopes.AuditRead).WithSummary("The log, newest first, or on from a record");
        group.MapGet("/checkpoint", GetCheckpoint.HandleAsync).Requires(TokenScopes.AuditRead).WithSummary("What the log is now, signed, to be kept elsewhere");
        group.MapGet("/export", ExportAudit.HandleAsync).Requires(TokenScopes.AuditRead).WithSummary("The whole log, or an excerpt, with its proofs, as JSON lines; or as CSV, without proofs")
            .Produces(StatusCodes.Status200OK, contentType: ExportAudit.ContentType);
        group.MapPost("/erase", EraseAudit.HandleAsync).Requires(TokenScopes.Audit).WithSummary("Erases personal fields of a person's records");
    }
}

[JsonSerializable(typeof(Page<AuditAnswer>))]
[JsonSerializable(typeof(CheckpointAnswer))]
[JsonSerializable(typeof(WebhookDelivery))]
[JsonSerializable(typeof(ErasureRequest))]
[JsonSerializable(typeof(ErasureAnswer))]
internal sealed partial class AuditJson : JsonSerializerContext;
