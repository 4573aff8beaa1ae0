using System.Buffers;
using System.Text;
using Countersign.Agent.Processes;
using Countersign.Ssh;

namespace Countersign.Agent.Serving;

/// <summary>What a client asks for before its session starts (RFC 4254 sections 6.2 and 6.4), checked, and the program that comes of it.</summary>
internal sealed class SessionSetup(OsAccount account)
{
    private const int VariablesMost = 64, VariableNameMost = 32, VariableValueMost = 1024;

    private static readonly SearchValues<char> LocaleLetters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZ_");

    private readonly Dictionary<string, string> _variables = [];

    /// <summary>Set once the client has asked for a terminal.</summary>
    public PtyRequest? Terminal { get; private set; }

    /// <summary>Takes language and terminal type; other variables could change what programs do, and are refused.</summary>
    public bool TryTake(EnvironmentRequest variable)
    {
        var name = variable.Name;
        var isLocale = name == "LANG" || (name.StartsWith("LC_", StringComparison.Ordinal) && !name.AsSpan().ContainsAnyExcept(LocaleLetters));
        if ((!isLocale && name != "TERM") || name.Length > VariableNameMost || !IsPlain(variable.Value)) return false;
        if (_variables.Count >= VariablesMost && !_variables.ContainsKey(name)) return false;
        _variables[name] = variable.Value;
        return true;
    }

    public bool TryTake(PtyRequest terminal)
    {
        if (Terminal is not null || !IsPlain(terminal.Term)) return false;
        Terminal = terminal;
        if (terminal.Term.Length > 0) _variables["TERM"] = terminal.Term;
        return true;
    }

    /// <summary>The account's shell as a login shell, which it knows by the dash before its name.</summary>
    public Launch LoginShell() => Shell([Encoding.UTF8.GetBytes($"-{Path.GetFileName(account.Shell)}")]);

    /// <summary>The account's shell running one command, which holds no zero character.</summary>
    public Launch Command(string command) => Shell([Encoding.UTF8.GetBytes(Path.GetFileName(account.Shell)), "-c"u8.ToArray(), Encoding.UTF8.GetBytes(command)]);

    private Launch Shell(byte[][] arguments)
    {
        var environment = account.Environment();
        foreach (var (name, value) in _variables) environment[name] = value;
        return new() { Path = account.Shell, Arguments = arguments, Environment = environment, Directory = account.StartDirectory };
    }

    // Printable ASCII: anything else in these has no use but to confuse a terminal or a program.
    private static bool IsPlain(string text) => text.Length <= VariableValueMost && !text.AsSpan().ContainsAnyExceptInRange(' ', '~');
}
