using System.Text.Json;
using Countersign.Access;

namespace Countersign.Server.Features.Audit;

/// <summary>Records that follow one another in one organization's log, at least one.</summary>
internal sealed record StreamedBatch(OrganizationId Organization, IReadOnlyList<AuditAnswer> Records)
{
    public long First => Records[0].Number!.Value;

    public long Last => Records[^1].Number!.Value;
}

/// <summary>A place elsewhere that gets the log as it grows.</summary>
internal interface IAuditDestination
{
    /// <summary>What its place in each log is stored under; also where it is moved to another address.</summary>
    string Name { get; }

    /// <summary>The bytes of what a batch may hold in JSON, roughly.</summary>
    int MostBytes { get; }

    /// <summary>Whatever goes wrong is an answer.</summary>
    /// <returns>Null: all of it was taken. Else what went wrong, in one sentence without anything secret; the same batch comes again.</returns>
    Task<string?> DeliverAsync(StreamedBatch batch, JsonSerializerOptions json, CancellationToken cancellation);
}
