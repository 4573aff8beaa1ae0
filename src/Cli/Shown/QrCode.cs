using System.Text;
using QRCoder;

namespace Countersign.Cli.Shown;

/// <summary>A QR code as text, two modules in a character.</summary>
internal static class QrCode
{
    /// <summary>
    /// Lines of half blocks, dark on light as cameras expect it whatever the terminal's colours are: light is drawn and dark is left out, since most
    /// terminals are dark; on a light one apps read it turned round.
    /// </summary>
    public static IReadOnlyList<string> Draw(string text)
    {
        using var generator = new QRCodeGenerator();
        using var data = generator.CreateQrCode(text, QRCodeGenerator.ECCLevel.L);

        // The library's matrix has the quiet zone in it.
        var rows = data.ModuleMatrix;
        var lines = new List<string>();
        for (var y = 0; y < rows.Count; y += 2)
        {
            var line = new StringBuilder(rows.Count);
            for (var x = 0; x < rows.Count; x++) line.Append(Half(IsDark(x, y), IsDark(x, y + 1)));
            lines.Add(line.ToString());
        }

        return lines;

        bool IsDark(int x, int y) => y < rows.Count && rows[y][x];
    }

    private static char Half(bool upperIsDark, bool lowerIsDark) => (upperIsDark, lowerIsDark) switch
    {
        (true, true) => ' ',
        (true, false) => '▄',
        (false, true) => '▀',
        _ => '█',
    };
}
