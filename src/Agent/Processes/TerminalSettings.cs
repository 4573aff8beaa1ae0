namespace Countersign.Agent.Processes;

/// <summary>A terminal's size in characters and, where known, pixels. More than 65,535 can't be told to Linux.</summary>
internal readonly record struct TerminalSize(uint Columns, uint Rows, uint Width, uint Height)
{
    public Libc.WindowSize ToSystem() => new() { Columns = Clip(Columns), Rows = Clip(Rows), Width = Clip(Width), Height = Clip(Height) };

    private static ushort Clip(uint value) => (ushort)Math.Min(value, ushort.MaxValue);
}

/// <summary>Encoded terminal modes (RFC 4254 section 8), as the client's terminal has them.</summary>
internal static unsafe class TerminalModes
{
    private const byte End = 0, FirstWithoutNumber = 160, CharacterDisabled = 255;

    // Index: opcode. Value: place in c_cc, or NotHere for characters that Linux does not have.
    private const byte NotHere = 255;
    private static readonly byte[] Characters = [NotHere, 0, 1, 2, 3, 4, 11, 16, 8, 9, 10, NotHere, 12, 14, 15, NotHere, 7, NotHere, 13];

    // From opcode 30, 50 and 70 on. Character size, parity and speed are left alone: they mean nothing on a pseudo-terminal.
    private static readonly uint[] Input = [0x4, 0x8, 0x10, 0x20, 0x40, 0x80, 0x100, 0x200, 0x400, 0x800, 0x1000, 0x2000, 0x4000];
    private static readonly uint[] Local = [0x1, 0x2, 0x4, 0x8, 0x10, 0x20, 0x40, 0x80, 0x100, 0x8000, 0x200, 0x800, 0x4000];
    private static readonly uint[] Output = [0x1, 0x2, 0x4, 0x8, 0x10, 0x20];

    /// <summary>Changes what the modes name; stops at the end or at what can't be read, as the standard says.</summary>
    public static void Apply(ReadOnlySpan<byte> modes, ref Libc.Termios settings)
    {
        var reader = new Ssh.SshReader(modes);
        while (reader.TryReadByte(out var opcode) && opcode is not End and < FirstWithoutNumber && reader.TryReadUInt32(out var value))
        {
            if (opcode < Characters.Length && Characters[opcode] != NotHere) settings.Characters[Characters[opcode]] = value == CharacterDisabled ? (byte)0 : (byte)value;
            Switch(ref settings.Input, Input, opcode - 30, value);
            Switch(ref settings.Local, Local, opcode - 50, value);
            Switch(ref settings.Output, Output, opcode - 70, value);
        }
    }

    private static void Switch(ref uint flags, uint[] table, int index, uint value)
    {
        if ((uint)index >= (uint)table.Length) return;
        if (value != 0) flags |= table[index];
        else flags &= ~table[index];
    }
}
