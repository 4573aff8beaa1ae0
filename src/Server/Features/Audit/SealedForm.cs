using Countersign.Audit;
using Countersign.Server.Platform.Persistence;

namespace Countersign.Server.Features.Audit;

/// <summary>How a record of the database looks to the seal. What it says here must never change: sealed records would not prove any more.</summary>
internal static class SealedForm
{
    public static LoggedRecord Logged(AuditRecord record, long number) => new()
    {
        Organization = record.OrganizationId.Value,
        Number = number,
        Id = record.Id,
        At = record.At,
        Kind = record.Kind,
        Channel = record.Channel,
        Outcome = record.Outcome switch
        {
            AuditOutcome.Done => "done",
            AuditOutcome.Refused => "refused",
            AuditOutcome.Failed => "failed",
            _ => ((byte)record.Outcome).ToString(System.Globalization.CultureInfo.InvariantCulture),
        },
        Correlation = record.Correlation,
    };

    public static ExportedRecord Exported(AuditRecord record, AuditSeal seal, IReadOnlyList<byte[]> proof) => new()
    {
        Record = Logged(record, seal.Number),
        Personal = Personal(record),
        Salt = seal.Openings is null ? seal.Salt : null,
        Openings = seal.Openings is null ? null : ReadOpenings(seal.Openings),
        Proof = proof,
    };

    public static IReadOnlyList<string> Erased(string? openings) =>
        openings is null ? [] : [.. ReadOpenings(openings).Where(opening => opening.IsErased).Select(opening => opening.Name)];

    /// <summary>What was spoilt in the database opens nothing: the verifier says so.</summary>
    private static IReadOnlyList<FieldOpening> ReadOpenings(string text) => ExportLines.TryReadOpenings(text, out var openings) ? openings : [];

    public static PersonalPart Personal(AuditRecord record) =>
        new(record.Actor?.Value, record.ActorLogin, record.Source?.ToString(), record.Subject, record.SubjectId, record.Details);
}
