using Countersign.Server.Platform;

namespace Countersign.Server.Features.Devices;

/// <summary>One row of a table of devices: the text of each column that there is.</summary>
internal sealed record DeviceTableRow(int Line, IReadOnlyDictionary<string, string> Cells)
{
    /// <summary>Null: there is no such column.</summary>
    public string? this[string column] => Cells.GetValueOrDefault(column);
}

internal static class DeviceTable
{
    /// <summary>Many more than there are columns, so that of a wrong heading every column is told.</summary>
    private const int MostColumns = 64;

    /// <summary>Of a heading that is none, as it is told.</summary>
    private const int LongestColumn = 64;

    /// <param name="rows">Those that have as many fields as there are columns.</param>
    /// <param name="faults">Why it can't be read at all; or, with true, what is wrong with the other rows.</param>
    public static bool TryRead(string text, int mostRows, out IReadOnlyList<DeviceTableRow> rows, out IReadOnlyList<ImportFault> faults)
    {
        rows = [];
        if (!Csv.TryRead(text, mostRows + 1, MostColumns, out var records, out var fault))
        {
            faults = [new(fault.Line, "", fault.Message)];
            return false;
        }

        if (records is not [var heading, ..])
        {
            faults = [new(1, "", $"There is no heading: {string.Join(',', DeviceColumns.All)}.")];
            return false;
        }

        string[] columns = [.. heading.Fields.Select(column => column.Trim().ToLowerInvariant())];
        if (Array.FindIndex(columns, column => column.Length > LongestColumn) is >= 0 and var longest)
        {
            faults = [new(heading.Line, "", $"The heading of column {longest + 1} has more than {LongestColumn} characters.")];
            return false;
        }

        faults = [.. InHeading(heading.Line, columns)];
        if (faults.Count > 0) return false;
        faults = [.. records.Skip(1)
            .Where(record => record.Fields.Count != columns.Length)
            .Select(record => new ImportFault(record.Line, "", $"There are {record.Fields.Count} fields, and {columns.Length} columns."))];
        rows = [.. records.Skip(1).Where(record => record.Fields.Count == columns.Length).Select(record => new DeviceTableRow(record.Line, columns.Zip(record.Fields).ToDictionary(cell => cell.First, cell => cell.Second.Trim())))];
        return true;
    }

    private static IEnumerable<ImportFault> InHeading(int line, string[] columns)
    {
        if (columns is [var only] && only.Contains(';', StringComparison.Ordinal)) return [new(line, "", "Columns are separated by commas.")];
        var unknown = columns.Where(column => !DeviceColumns.All.Contains(column)).Select(column => new ImportFault(line, column, $"There is no such column; there are {string.Join(", ", DeviceColumns.All)}."));
        var twice = columns.GroupBy(column => column).Where(column => column.Count() > 1).Select(column => new ImportFault(line, column.Key, "The column is there twice."));
        return [.. unknown, .. twice, .. columns.Contains(DeviceColumns.Name) ? [] : (ImportFault[])[new(line, DeviceColumns.Name, "The column is missing.")]];
    }
}
