using System.Globalization;
using System.Text;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;

namespace Countersign.Server.Features.Audit;

/// <summary>The log for spreadsheets. It carries no proofs.</summary>
internal static class AuditCsv
{
    public static byte[] Heading { get; } = "number,id,at,kind,outcome,actor,login,channel,source,subject,subjectId,correlation,details\r\n"u8.ToArray();

    public static byte[] Row(AuditRecord record, long number) => Encoding.UTF8.GetBytes(Csv.Line(
    [
        number.ToString(CultureInfo.InvariantCulture),
        record.Id.ToString(CultureInfo.InvariantCulture),
        record.At.UtcDateTime.ToString("O", CultureInfo.InvariantCulture),
        record.Kind,
        SealedForm.Logged(record, number).Outcome,
        record.Actor?.Value.ToString() ?? "",
        record.ActorLogin,
        record.Channel,
        record.Source?.ToString() ?? "",
        record.Subject,
        record.SubjectId?.ToString() ?? "",
        record.Correlation,
        record.Details,
    ]));
}
