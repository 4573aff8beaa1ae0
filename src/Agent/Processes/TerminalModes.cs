using Countersign.Ssh;

namespace Countersign.Agent.Processes;

/// <summary>Terminal modes of a client (RFC 4254 section 8) as Linux has them.</summary>
internal static unsafe class TerminalModes
{
    private const byte CharacterDisabled = 255;

    // Index: opcode. Value: place in c_cc, or NotHere for characters that Linux does not have.
    private const byte NotHere = 255;
    private static readonly byte[] Characters = [NotHere, 0, 1, 2, 3, 4, 11, 16, 8, 9, 10, NotHere, 12, 14, 15, NotHere, 7, NotHere, 13];

    // From opcode 30, 50 and 70 on. Character size, parity and speed are left alone: they mean nothing on a pseudo-terminal.
    private static readonly uint[] Input = [0x4, 0x8, 0x10, 0x20, 0x40, 0x80, 0x100, 0x200, 0x400, 0x800, 0x1000, 0x2000, 0x4000];
    private static readonly uint[] Local = [0x1, 0x2, 0x4, 0x8, 0x10, 0x20, 0x40, 0x80, 0x100, 0x8000, 0x200, 0x800, 0x4000];
    private static readonly uint[] Output = [0x1, 0x2, 0x4, 0x8, 0x10, 0x20];

    /// <summary>Changes what the modes name; unknown ones are passed over, as the standard says.</summary>
    public static void Apply(IReadOnlyList<TerminalMode> modes, ref Libc.Termios settings)
    {
        foreach (var (opcode, value) in modes)
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
