using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;
using Spectre.Console;

namespace Countersign.Cli.Shown;

internal enum OutputForm
{
    Text,
    Json,
}

/// <summary>What a command shows: results on the output, everything else on the error stream, so that a pipe gets results only.</summary>
internal sealed class Output(Surroundings around, OutputForm form)
{
    private const int Endless = 100_000;

    public bool IsJson => form == OutputForm.Json;

    /// <summary>The API's own answer, on one line. What a terminal would act on is escaped, which means the same to a program.</summary>
    public void Json(string json)
    {
        if (json.Length == 0) return;
        using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 32 });
        WriteJson(writer => document.RootElement.WriteTo(writer));
    }

    public void Json<T>(T value, JsonTypeInfo<T> type) => WriteJson(writer => JsonSerializer.Serialize(writer, value, type));

    public void Line(string text) => around.Output.WriteLine(CleanText.Line(text));

    /// <summary>For the person, not for the pipe.</summary>
    public void Note(string text) => around.Error.WriteLine(CleanText.Line(text));

    /// <summary>
    /// On a terminal a table that fits; in a pipe the same columns, unbroken, without lines and colours. The first column names the thing: it is what
    /// one copies, and stays whole on a terminal, too.
    /// </summary>
    public void Table(IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string>> rows)
    {
        var table = new Table().Border(around.OutputIsTerminal ? TableBorder.Rounded : TableBorder.None);
        foreach (var (index, column) in columns.Index())
            table.AddColumn(new TableColumn(new Text(column, new Style(decoration: Decoration.Bold))) { NoWrap = index == 0 || !around.OutputIsTerminal });
        foreach (var row in rows)
            table.AddRow(row.Select(cell => new Text(CleanText.Line(cell))));

        var colours = around.OutputIsTerminal && string.IsNullOrEmpty(around.Variable("NO_COLOR"));
        var text = new StringWriter(CultureInfo.InvariantCulture);
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = colours ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = colours ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(text),
        });
        console.Profile.Width = around.OutputIsTerminal ? around.Width : Endless;
        console.Profile.Capabilities.Unicode = true;
        console.Write(table);
        foreach (var line in text.ToString().TrimEnd('\n').Split('\n'))
            around.Output.WriteLine(line.TrimEnd());
    }

    /// <summary>In the reader's own zone, which is told.</summary>
    public string Time(DateTimeOffset? instant) => instant is { } at
        ? TimeZoneInfo.ConvertTime(at, around.Time.LocalTimeZone).ToString("yyyy-MM-dd HH:mm:ss zzz", CultureInfo.InvariantCulture)
        : "";

    /// <summary>From the API's <c>needsApproval</c> to "needs approval".</summary>
    public static string Words(string? name)
    {
        var words = new StringBuilder();
        foreach (var character in name ?? "")
        {
            if (char.IsUpper(character) && words.Length > 0) words.Append(' ');
            words.Append(char.ToLowerInvariant(character));
        }

        return words.ToString();
    }

    /// <returns>The exit code.</returns>
    public int Fail(Failure failure)
    {
        around.Error.WriteLine("countersign: " + CleanText.Line(failure.Message));
        foreach (var detail in failure.Details) around.Error.WriteLine("  " + CleanText.Line(detail));
        if (failure.Advice.Length > 0) around.Error.WriteLine(CleanText.Line(failure.Advice));
        return failure.ExitCode;
    }

    private void WriteJson(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = SafeEncoder() }))
            write(writer);
        around.Output.WriteLine(Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length));
    }

    /// <summary>Letters of all languages as they are; control characters are always escaped, and here those that turn the direction, too.</summary>
    private static JavaScriptEncoder SafeEncoder()
    {
        var settings = new TextEncoderSettings(UnicodeRanges.All);
        for (var code = 0; code <= char.MaxValue; code++)
        {
            if (char.GetUnicodeCategory((char)code) == UnicodeCategory.Format) settings.ForbidCharacter((char)code);
        }

        return JavaScriptEncoder.Create(settings);
    }
}
