using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Countersign.Server.Platform;

/// <param name="Line">In which it begins, from 1.</param>
internal sealed record CsvRecord(int Line, IReadOnlyList<string> Fields);

/// <summary>Where a text is no CSV, and why. Behind that nothing is certain.</summary>
internal sealed record CsvFault(int Line, string Message);

/// <summary>
/// Tables as RFC 4180 has them. What a spreadsheet would take for a formula is written with an apostrophe in front, because what stands there comes from
/// many people; reading takes it off again, so that what was written comes back as it was. So it is within a field, too, wherever one would begin another
/// cell that separates them by semicolons or tabs, as it does in many countries: a quote that stands within a line means nothing to it there.
/// </summary>
internal static class Csv
{
    public const string ContentType = "text/csv";

    private const string Cells = ";\t\r\n";

    private static readonly SearchValues<char> _ending = SearchValues.Create("\",\r\n");
    private static readonly SearchValues<char> _quoted = SearchValues.Create("\",;\t\r\n");
    private static readonly SearchValues<char> _formula = SearchValues.Create("=+-@\t\r\n");
    private static readonly SearchValues<char> _formulaWithin = SearchValues.Create("=+-@");

    /// <summary>One record, with its CR LF.</summary>
    public static string Line(IEnumerable<string> fields) => string.Join(',', fields.Select(Field)) + "\r\n";

    public static string Field(string text)
    {
        text = Guarded(text);
        return text.AsSpan().ContainsAny(_quoted) ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
    }

    /// <summary>The records of a text, the lines of which may end with LF alone; empty lines are none. A byte order mark in front is passed over.</summary>
    /// <param name="most">More records are a fault.</param>
    /// <param name="mostFields">So are more fields of a record, at the first that is too many: a line of commas must not be worth many times its length.</param>
    public static bool TryRead(string text, int most, int mostFields, out IReadOnlyList<CsvRecord> records, [NotNullWhen(false)] out CsvFault? fault)
    {
        var reader = new Reader(text, text.StartsWith('\uFEFF') ? 1 : 0, mostFields);
        var found = new List<CsvRecord>();
        records = found;
        while (reader.Next(out var record, out fault))
        {
            if (record.Fields is [""]) continue;
            if (found.Count == most)
            {
                fault = new(record.Line, $"There are more than {most} records.");
                return false;
            }

            found.Add(record);
        }

        return fault is null;
    }

    private static string Guarded(string text)
    {
        if (!HasCells(text)) return IsFormula(text, 0) ? $"'{text}" : text;
        var guarded = new StringBuilder(text.Length + 8);
        for (var at = 0; at < text.Length; at++)
        {
            if (BeginsCell(text, at) && IsFormula(text, at)) guarded.Append('\'');
            guarded.Append(text[at]);
        }

        return guarded.ToString();
    }

    private static string Unguarded(string text)
    {
        if (!HasCells(text)) return text.StartsWith('\'') && IsFormula(text, 0) ? text[1..] : text;
        var bare = new StringBuilder(text.Length);
        for (var at = 0; at < text.Length; at++)
            if (text[at] != '\'' || !BeginsCell(text, at) || !IsFormula(text, at)) bare.Append(text[at]);
        return bare.ToString();
    }

    private static bool HasCells(string text) => text.AsSpan().ContainsAny(Cells);

    private static bool BeginsCell(string text, int at) => at == 0 || Cells.Contains(text[at - 1], StringComparison.Ordinal);

    /// <summary>Also behind apostrophes, so that one more or less changes nothing; within a field behind quotes and blanks, too.</summary>
    private static bool IsFormula(string text, int at)
    {
        var bare = text.AsSpan(at).TrimStart(at == 0 ? "'" : "'\" ");
        return bare.Length > 0 && (at == 0 ? _formula : _formulaWithin).Contains(bare[0]);
    }

    private ref struct Reader(ReadOnlySpan<char> text, int start, int mostFields)
    {
        private readonly ReadOnlySpan<char> _text = text;
        private int _at = start;
        private int _line = 1;

        /// <returns>False: there is none any more, or a fault.</returns>
        public bool Next([NotNullWhen(true)] out CsvRecord? record, out CsvFault? fault)
        {
            (record, fault) = (null, null);
            if (_at == _text.Length) return false;
            var line = _line;
            var fields = new List<string>();
            while (true)
            {
                if (fields.Count == mostFields)
                {
                    fault = new(line, $"There are more than {mostFields} fields.");
                    return false;
                }

                if (!Field(out var field, out fault)) return false;
                fields.Add(Unguarded(field));
                if (_at < _text.Length && _text[_at] == ',')
                {
                    _at++;
                    continue;
                }

                EndLine();
                record = new(line, fields);
                return true;
            }
        }

        private bool Field(out string field, out CsvFault? fault)
        {
            fault = null;
            if (_at < _text.Length && _text[_at] == '"') return Quoted(out field, out fault);
            var length = _text[_at..].IndexOfAny(_ending);
            if (length < 0) length = _text.Length - _at;
            field = _text.Slice(_at, length).ToString();
            _at += length;
            if (_at < _text.Length && _text[_at] == '"') fault = new(_line, "A quote stands within a field that does not begin with one.");
            else if (_at < _text.Length && _text[_at] == '\r' && !EndsHere()) fault = new(_line, "A carriage return does not end a line.");
            return fault is null;
        }

        private bool Quoted(out string field, out CsvFault? fault)
        {
            var (line, written) = (_line, new StringBuilder());
            (field, fault) = ("", null);
            _at++;
            while (true)
            {
                var length = _text[_at..].IndexOf('"');
                if (length < 0)
                {
                    fault = new(line, "A quote is opened and not closed.");
                    return false;
                }

                var part = _text.Slice(_at, length);
                _line += part.Count('\n');
                written.Append(part);
                _at += length + 1;
                if (_at == _text.Length || _text[_at] != '"') break;
                written.Append('"');
                _at++;
            }

            field = written.ToString();
            if (_at < _text.Length && _text[_at] != ',' && !EndsHere()) fault = new(_line, "Behind a closing quote comes neither a comma nor the end of the line.");
            return fault is null;
        }

        private readonly bool EndsHere() => _text[_at] == '\n' || (_text[_at] == '\r' && _at + 1 < _text.Length && _text[_at + 1] == '\n');

        private void EndLine()
        {
            if (_at == _text.Length) return;
            _at += _text[_at] == '\r' ? 2 : 1;
            _line++;
        }
    }
}
