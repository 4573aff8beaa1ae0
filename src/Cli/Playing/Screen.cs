using System.Buffers;

namespace Countersign.Cli.Playing;

/// <summary>
/// Where recorded bytes are shown. A terminal is given them filtered, and is left as it was found; a pipe or a file gets them as they are.
/// </summary>
internal sealed class Screen(Stream output, bool terminal)
{
    /// <summary>Colours, character sets, cursor and the keys' modes as after switching on; nothing of it clears what is shown, or moves the cursor.</summary>
    private static readonly byte[] Reset = "\u001b[?2026l\u001b[0m\u001b(B\u000f\u001b[?1l\u001b>\u001b[?5l\u001b[?7h\u001b[?45l\u001b[?25h\u001b[4l\u001b[ q"u8.ToArray();

    /// <summary>Margins, which send the cursor to the first line: it goes to the last.</summary>
    private static readonly byte[] Margins = "\u001b[?6l\u001b[?69l\u001b[r\u001b[9999;1H"u8.ToArray();

    private readonly TerminalFilter _filter = new();
    private readonly ArrayBufferWriter<byte> _clean = new();

    public bool IsTerminal => terminal;

    public async Task ShowAsync(byte[] data, CancellationToken cancellation)
    {
        if (!terminal)
        {
            await output.WriteAsync(data, cancellation);
        }
        else
        {
            _clean.ResetWrittenCount();
            _filter.Pass(data, _clean);
            await output.WriteAsync(_clean.WrittenMemory, cancellation);
        }

        await output.FlushAsync(cancellation);
    }

    /// <summary>Also after a failure: whoever looks goes on working in this terminal.</summary>
    public async Task LeaveAsync()
    {
        if (!terminal) return;

        // DECRST 1049 on the first screen would move the cursor to where it was saved last.
        if (_filter.OnOtherScreen) await output.WriteAsync("\u001b[?1049l"u8.ToArray());

        if (_filter.HasMargins) await output.WriteAsync(Margins);
        await output.WriteAsync((byte[])[.. Reset, .. "\r\n"u8]);
        await output.FlushAsync();
    }
}
