using System.Buffers;
using System.Text;

namespace Countersign.Cli.Playing;

/// <summary>
/// What a device wrote, made fit for somebody else's terminal: text, and what paints it, pass. What would have the terminal answer (and type the
/// answer into the shell that comes after), send its mouse, set the clipboard or the title, print, or leave UTF-8 is taken out. Works on any split
/// of the bytes.
/// </summary>
/// <remarks>ECMA-48, and the list of control sequences of xterm. It is a list of what passes: what is not known is taken out.</remarks>
internal sealed class TerminalFilter
{
    private const int MostParameters = 128;
    private const byte Escape = 0x1b;

    /// <summary>Modes of the screen: cursor keys aside none changes what the terminal sends.</summary>
    private static readonly HashSet<string> ScreenModes = ["1", "5", "6", "7", "12", "25", "45", "47", "69", "1047", "1048", "1049", "2026"];

    private static readonly SearchValues<byte> PlainFinals = SearchValues.Create("@ABCDEFGHIJKLMPSTXZ`abdefhlmrsu"u8);
    private static readonly SearchValues<byte> Executed = SearchValues.Create([7, 8, 9, 10, 11, 12, 13, 14, 15]);

    private readonly byte[] _sequence = new byte[MostParameters];
    private int _length;
    private int _awaited;
    private State _state;

    private enum State
    {
        Ground,

        /// <summary>Within a character of several bytes.</summary>
        Character,
        AfterEscape,

        /// <summary>An escape and something that says what the next byte is about.</summary>
        Designating,
        Control,

        /// <summary>A string for the terminal: its title, its clipboard, a question.</summary>
        String,
        StringEscape,
    }

    /// <summary>Whether what has passed has left the terminal on its other screen.</summary>
    public bool OnOtherScreen { get; private set; }

    /// <summary>Whether margins may be set, or the origin be within them. Setting them back moves the cursor.</summary>
    public bool HasMargins { get; private set; }

    public void Pass(ReadOnlySpan<byte> data, IBufferWriter<byte> target)
    {
        foreach (var one in data)
        {
            // True: it was only the end of what was before, and is still to be looked at.
            while (Take(one, target))
            {
            }
        }
    }

    private bool Take(byte one, IBufferWriter<byte> target)
    {
        switch (_state)
        {
            case State.Ground:
                Begin(one, target);
                return false;
            case State.Character:
                return Continue(one, target);
            case State.AfterEscape:
                return FollowEscape(one, target);
            case State.Designating:
                return Designate(one, target);
            case State.Control:
                return Collect(one, target);
            case State.String:
                if (one == Escape) _state = State.StringEscape;
                else if (one is 0x07 or 0x18 or 0x1a) _state = State.Ground;
                return false;
            default:
                _state = State.AfterEscape;
                if (one != '\\') return true;
                _state = State.Ground;
                return false;
        }
    }

    private void Begin(byte one, IBufferWriter<byte> target)
    {
        if (one == Escape) _state = State.AfterEscape;
        else if (one is >= 0x20 and < 0x7f || Executed.Contains(one)) Write(target, [one]);
        else if (one >= 0x80)
        {
            _awaited = one switch { >= 0xc2 and <= 0xdf => 1, >= 0xe0 and <= 0xef => 2, >= 0xf0 and <= 0xf4 => 3, _ => 0 };
            if (_awaited == 0)
            {
                Write(target, "\uFFFD"u8);
                return;
            }

            (_sequence[0], _length, _state) = (one, 1, State.Character);
        }
    }

    private bool Continue(byte one, IBufferWriter<byte> target)
    {
        if (one is < 0x80 or > 0xbf)
        {
            Write(target, "\uFFFD"u8);
            _state = State.Ground;
            return true;
        }

        _sequence[_length++] = one;
        if (--_awaited > 0) return false;
        _state = State.Ground;
        var character = _sequence.AsSpan(0, _length);

        // U+0080 to U+009F are control characters, which some terminals act on: CSI is U+009B.
        if (Rune.DecodeFromUtf8(character, out var rune, out _) != OperationStatus.Done) Write(target, "\uFFFD"u8);
        else if (rune.Value >= 0xa0) Write(target, character);
        return false;
    }

    private bool FollowEscape(byte one, IBufferWriter<byte> target)
    {
        _state = State.Ground;
        switch (one)
        {
            case Escape:
                _state = State.AfterEscape;
                return false;
            case (byte)'[':
                (_length, _state) = (0, State.Control);
                return false;
            case (byte)']' or (byte)'P' or (byte)'X' or (byte)'^' or (byte)'_':
                _state = State.String;
                return false;
            case >= 0x20 and <= 0x2f:
                (_sequence[0], _length, _state) = (one, 1, State.Designating);
                return false;
            case (byte)'7' or (byte)'8' or (byte)'=' or (byte)'>' or (byte)'D' or (byte)'E' or (byte)'M':
                Write(target, [Escape, one]);
                return false;
            case (byte)'c':
                OnOtherScreen = false;
                Write(target, [Escape, one]);
                return false;
            case < 0x20:
                return true;
            default:
                return false;
        }
    }

    /// <summary>Character sets pass, and the sizes of a line; leaving UTF-8 and 8-bit answers do not.</summary>
    private bool Designate(byte one, IBufferWriter<byte> target)
    {
        if (one is >= 0x20 and <= 0x2f)
        {
            _length = 2;
            return false;
        }

        _state = State.Ground;
        if (one is < 0x20 or >= 0x7f) return true;
        if (_length == 1 && _sequence[0] is (byte)'(' or (byte)')' or (byte)'*' or (byte)'+' or (byte)'#') Write(target, [Escape, _sequence[0], one]);
        return false;
    }

    private bool Collect(byte one, IBufferWriter<byte> target)
    {
        switch (one)
        {
            case >= 0x20 and <= 0x3f:
                // One that is longer than any is taken out as a whole.
                if (_length <= MostParameters - 1) _sequence[_length] = one;
                _length = Math.Min(_length + 1, MostParameters + 1);
                return false;
            case >= 0x40 and <= 0x7e:
                _state = State.Ground;
                if (_length <= MostParameters) Complete(_sequence.AsSpan(0, _length), one, target);
                return false;
            case 0x18 or 0x1a:
                _state = State.Ground;
                return false;
            case Escape or >= 0x80:
                _state = State.Ground;
                return true;
            default:
                // Control characters count within a sequence, too.
                if (Executed.Contains(one)) Write(target, [one]);
                return false;
        }
    }

    private void Complete(ReadOnlySpan<byte> before, byte final, IBufferWriter<byte> target)
    {
        var numbers = before.IndexOfAnyExceptInRange((byte)'0', (byte)';');
        if (numbers < 0)
        {
            // Of the modes without a question mark only insertion is the screen's.
            if (!PlainFinals.Contains(final) || final is (byte)'h' or (byte)'l' && !before.SequenceEqual("4"u8)) return;
            HasMargins |= final == 'r';
            Write(target, [Escape, (byte)'[', .. before, final]);
        }
        else if (numbers == 0 && before[0] == '?' && before[1..].IndexOfAnyExceptInRange((byte)'0', (byte)';') < 0)
        {
            if (final is (byte)'J' or (byte)'K') Write(target, [Escape, (byte)'[', .. before, final]);
            else if (final is (byte)'h' or (byte)'l') SetModes(Encoding.ASCII.GetString(before[1..]), final, target);
        }
        else if (numbers == before.Length - 1 && (before[^1], final) is ((byte)'!', (byte)'p') or ((byte)' ', (byte)'q' or (byte)'@' or (byte)'A') or ((byte)'\'', (byte)'}' or (byte)'~'))
        {
            Write(target, [Escape, (byte)'[', .. before, final]);
        }
    }

    private void SetModes(string text, byte final, IBufferWriter<byte> target)
    {
        var modes = text.Split(';').Where(ScreenModes.Contains).ToList();
        if (modes.Count == 0) return;
        HasMargins |= modes.Any(mode => mode is "6" or "69");
        if (modes.Any(mode => mode is "47" or "1047" or "1049")) OnOtherScreen = final == 'h';
        Write(target, [Escape, (byte)'[', (byte)'?', .. Encoding.ASCII.GetBytes(string.Join(';', modes)), final]);
    }

    private static void Write(IBufferWriter<byte> target, ReadOnlySpan<byte> data) => target.Write(data);
}
