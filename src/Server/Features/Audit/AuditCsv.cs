using System.Buffers;
using System.Globalization;
using System.Text;
using Countersign.Server.Platform.Persistence;

namespace Countersign.Server.Features.Audit;

/// <summary>
/// The log as RFC 4180 has it, for spreadsheets: UTF-8, lines end with CR LF. What a spreadsheet would take for a formula gets an apostrophe in front,
/// because what stands in the log comes from many people. It carries no proofs.
/// </summary>
internal static class AuditCsv
{
    public const string ContentType = "text/csv";

    private static readonly SearchValues<char> _quoted = SearchValues.Create("\",\r\n");
    private static readonly SearchValues<char> _formula = SearchValues.Create("=+-@\t\r\n");

    public static byte[] Heading { get; } = "number,id,at,kind,outcome,actor,login,channel,source,subject,subjectId,correlation,details\r\n"u8.ToArray();

    public static byte[] Row(AuditRecord record, long number) => Encoding.UTF8.GetBytes(string.Join(',', new[]
    {
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
    }.Select(Field)) + "\r\n");

    internal static string Field(string text)
    {
        if (text.Length > 0 && _formula.Contains(text[0])) text = $"'{text}";
        return text.AsSpan().ContainsAny(_quoted) ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
    }
}
