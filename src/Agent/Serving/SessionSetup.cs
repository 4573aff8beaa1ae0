using System.Buffers;
using System.Text;
using Countersign.Agent.Processes;
using Countersign.Ssh;

namespace Countersign.Agent.Serving;

/// <summary>
/// What a client asks for before its session starts (RFC 4254 sections 6.2 and 6.4), each thing checked and bounded, and the program that comes
/// of it.
/// </summary>
internal sealed class SessionSetup(OsAccount account)
{
    private const int VariablesMost = 64, VariableNameMost = 32, VariableValueMost = 1024, TerminalNameMost = 64, ModesMost = 1024;

    private static readonly SearchValues<char> LocaleLetters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZ_");

    private readonly Dictionary<string, string> _variables = [];

    /// <summary>Set once the client has asked for a terminal.</summary>
    public TerminalSize? Terminal { get; private set; }

    public byte[] Modes { get; private set; } = [];

    /// <summary>Takes language and terminal type; other variables could change what programs do, and are refused.</summary>
    public bool TryTakeVariable(ref SshReader reader)
    {
        if (!TryReadText(ref reader, VariableNameMost, out var name) || !TryReadText(ref reader, VariableValueMost, out var value) || !reader.IsAtEnd) return false;
        var isLocale = name == "LANG" || (name.StartsWith("LC_", StringComparison.Ordinal) && !name.AsSpan().ContainsAnyExcept(LocaleLetters));
        if ((!isLocale && name != "TERM") || (_variables.Count >= VariablesMost && !_variables.ContainsKey(name))) return false;
        _variables[name] = value;
        return true;
    }

    public bool TryTakeTerminal(ref SshReader reader)
    {
        if (Terminal is not null || !TryReadText(ref reader, TerminalNameMost, out var name)) return false;
        if (!TryReadSize(ref reader, out var size) || !reader.TryReadString(out var modes, ModesMost) || !reader.IsAtEnd) return false;
        Terminal = size;
        Modes = modes.ToArray();
        if (name.Length > 0) _variables["TERM"] = name;
        return true;
    }

    public static bool TryReadSize(ref SshReader reader, out TerminalSize size)
    {
        var there = reader.TryReadUInt32(out var columns) & reader.TryReadUInt32(out var rows) & reader.TryReadUInt32(out var width) & reader.TryReadUInt32(out var height);
        size = new(columns, rows, width, height);
        return there;
    }

    /// <summary>The account's shell as a login shell, which it knows by the dash before its name.</summary>
    public Launch LoginShell() => Shell([Encoding.UTF8.GetBytes($"-{Path.GetFileName(account.Shell)}")]);

    /// <summary>The account's shell running one command.</summary>
    public Launch Command(byte[] command) => Shell([Encoding.UTF8.GetBytes(Path.GetFileName(account.Shell)), "-c"u8.ToArray(), command]);

    private Launch Shell(byte[][] arguments)
    {
        var environment = account.Environment();
        foreach (var (name, value) in _variables) environment[name] = value;
        return new() { Path = account.Shell, Arguments = arguments, Environment = environment, Directory = account.StartDirectory };
    }

    // Printable ASCII: anything else in these has no use but to confuse a terminal or a program.
    private static bool TryReadText(ref SshReader reader, int most, out string text)
    {
        text = "";
        if (!reader.TryReadString(out var bytes, most) || bytes.ContainsAnyExceptInRange((byte)' ', (byte)'~')) return false;
        text = Encoding.ASCII.GetString(bytes);
        return true;
    }
}
