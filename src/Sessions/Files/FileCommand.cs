using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Countersign.Access;
using Countersign.Sessions.Journal;

namespace Countersign.Sessions.Files;

/// <summary>How a command moves files.</summary>
public enum FileProtocol
{
    Scp = 1,
    Rsync = 2,
}

/// <summary>
/// A command that the other end of <c>scp</c> or <c>rsync</c> is started with, taken apart by a strict grammar and put together anew: what is run at
/// the device is <see cref="Command"/>, every word of which is known. Whatever does not fit is a command like any other.
/// </summary>
/// <param name="Needs">All of the permissions that it needs.</param>
/// <param name="Path">Of the first file or directory at the device.</param>
public sealed record FileCommand(FileProtocol Protocol, string Command, PermissionSet Needs, FileDirection Direction, string Path)
{
    /// <summary>Of <c>scp</c>: directories go with what is in them.</summary>
    public bool IsRecursive { get; init; }

    /// <summary>
    /// The ways that a session for it can live on. Who holds Manage files as well has it for what only shows as the files come: a mode of <c>scp</c>.
    /// </summary>
    internal ImmutableArray<PermissionSet> LivesOn => Protocol == FileProtocol.Scp && Direction == FileDirection.ToDevice && !Needs.Covers(Manage) ? [Needs, Needs | Manage] : [Needs];

    /// <summary>Modes and times are set as they are sent, also on what is there already, and whatever new files have at the device by themselves.</summary>
    public bool KeepsAttributes { get; init; }

    /// <summary>The path is a directory that files go into.</summary>
    public bool IsIntoDirectory { get; init; }

    /// <summary>It is such a command by its beginning, so that whoever is refused is told what would fit.</summary>
    internal static bool IsMeant(string command) => command.StartsWith("scp -", StringComparison.Ordinal) || command.StartsWith("rsync --server", StringComparison.Ordinal);

    internal static PermissionSet Send => PermissionSet.Of(Permission.SendFiles);

    internal static PermissionSet Receive => PermissionSet.Of(Permission.ReceiveFiles);

    internal static PermissionSet Browse => PermissionSet.Of(Permission.FileManager);

    internal static PermissionSet Manage => PermissionSet.Of(Permission.FileManager, Permission.ManageFiles);

    /// <param name="command">As the client sent it, for the account's shell.</param>
    public static bool TryParse(string command, [NotNullWhen(true)] out FileCommand? parsed)
    {
        parsed = null;
        var words = new List<ShellWord>();
        if (command.Length > 8192 || !ShellWords.TrySplit(command, words) || words.Count < 3 || words[0].IsAtHome) return false;
        parsed = words[0].Text switch
        {
            "scp" => ScpCommand.Parse(words),
            "rsync" => RsyncCommand.Parse(words),
            _ => null,
        };
        return parsed is not null;
    }
}

/// <summary><c>scp [-r] [-p] [-q] [-v] [-d] -t|-f [--] PATH</c>; the letters may stand together.</summary>
internal static class ScpCommand
{
    private const string Letters = "rpqvdtf";

    public static FileCommand? Parse(List<ShellWord> words)
    {
        var given = new HashSet<char>();
        var at = 1;
        for (; at < words.Count - 1 && words[at] is { IsAtHome: false, Text: ['-', _, ..] and not "--" } option; at++)
        {
            foreach (var letter in option.Text[1..])
            {
                if (!Letters.Contains(letter, StringComparison.Ordinal)) return null;
                given.Add(letter);
            }
        }

        var isMarked = at < words.Count && words[at] is { IsAtHome: false, Text: "--" };
        if (isMarked) at++;
        if (at != words.Count - 1 || given.Contains('t') == given.Contains('f')) return null;
        var path = words[at];
        if (!path.IsAnyShells || path is { IsAtHome: false, Text: "" } || (!isMarked && !path.IsAtHome && path.Text.StartsWith('-'))) return null;
        return Rebuild(given, path);
    }

    private static FileCommand Rebuild(HashSet<char> given, ShellWord path)
    {
        var recursive = given.Contains('r');
        var toDevice = given.Contains('t');
        var options = string.Concat(Letters.Where(given.Contains).Select(letter => $"-{letter} "));
        var needs = toDevice
            ? FileCommand.Send | (recursive ? FileCommand.Manage : PermissionSet.None)
            : FileCommand.Receive | (recursive ? FileCommand.Browse : PermissionSet.None);
        var direction = toDevice ? FileDirection.ToDevice : FileDirection.FromDevice;
        return new(FileProtocol.Scp, $"scp {options}-- {path.Quoted}", needs, direction, path.IsAtHome ? $"~/{path.Text}" : path.Text)
        {
            IsRecursive = recursive,
            KeepsAttributes = given.Contains('p'),
            IsIntoDirectory = given.Contains('d'),
        };
    }
}
