using System.Text.RegularExpressions;
using Countersign.Access;
using Countersign.Sessions.Journal;

namespace Countersign.Sessions.Files;

/// <summary>
/// <c>rsync --server [--sender] -LETTERS[e.CAPABILITIES] [--OPTION …] . PATH…</c>, with what rsync's clients put there for the server, and nothing that
/// names a program, another file, or another place to write to.
/// </summary>
internal static partial class RsyncCommand
{
    /// <summary>
    /// Alone they do nothing but to say how content is compared and sent, or keep times: verbose, dry run, checksum, update, whole files, times,
    /// sparse, one file system, compress, itemize, human-readable, ignore times, omit times of directories or links, prune empty directories.
    /// </summary>
    private const string Harmless = "vncuWtSxzihIOJmN";

    /// <summary>
    /// They reach into directories, or make more than plain files: recursion, links, owners, groups, modes with set-user, devices, attributes, relative paths, and
    /// fuzzy, which looks for a file of another name and tells it.
    /// </summary>
    private const string Reaching = "rdlLkKHogpDAXREUy";

    private static readonly string[] HarmlessOptions =
    [
        "--partial", "--inplace", "--append", "--append-verify", "--numeric-ids", "--size-only", "--existing", "--ignore-existing", "--stats", "--delay-updates",
        "--no-implied-dirs", "--old-compress", "--new-compress", "--msgs2stderr", "--no-msgs2stderr", "--open-noatime",
    ];

    private static readonly string[] ManagingOptions =
    [
        "--delete", "--delete-before", "--delete-during", "--delete-delay", "--delete-after", "--delete-excluded", "--force", "--ignore-errors",
        "--remove-source-files", "--mkpath",
    ];

    public static FileCommand? Parse(List<ShellWord> words)
    {
        var dot = Dot(words);
        if (dot < 0 || words.Take(dot).Any(word => word.IsAtHome) || words[1].Text != "--server") return null;
        var isSender = words[2].Text == "--sender";
        var first = isSender ? 3 : 2;
        if (dot <= first || dot >= words.Count - 1 || (!isSender && dot != words.Count - 2)) return null;

        // Whoever receives first tells checksums of what is there already: with blocks of a byte they are the content. And whatever its letters are, it makes a
        // directory of each entry in the client's list that says that it is one, in the place of a file that has the name: only senders go by the letters there.
        var needs = isSender ? FileCommand.Receive : FileCommand.Send | FileCommand.Receive | FileCommand.Manage;
        for (var at = first; at < dot; at++)
        {
            if (Needs(words[at].Text, isFirst: at == first) is not { } more) return null;
            needs |= more;
        }

        var paths = words[(dot + 1)..];

        // rsync takes options behind its files, too.
        if (paths.Any(path => !path.IsAnyShells || (!path.IsAtHome && (path.Text.Length == 0 || path.Text[0] == '-')))) return null;
        var options = words[1..(dot + 1)].Select(word => word.Text);
        return new(
            FileProtocol.Rsync,
            $"rsync {string.Join(' ', [.. options.Select(Plain), .. paths.Select(path => path.Quoted)])}",
            needs,
            isSender ? FileDirection.FromDevice : FileDirection.ToDevice,
            paths[0].IsAtHome ? $"~/{paths[0].Text}" : paths[0].Text);
    }

    private static int Dot(List<ShellWord> words) => words.FindIndex(word => word is { IsAtHome: false, Text: "." });

    /// <summary>What an option needs besides; null: it is not one of those that are let through.</summary>
    private static PermissionSet? Needs(string option, bool isFirst)
    {
        if (isFirst && Bundle().Match(option) is { Success: true } bundle)
        {
            var letters = bundle.Groups["letters"].Value;
            // A dash alone would be a path to rsync.
            if (option.Length == 1 || letters.Any(letter => !Harmless.Contains(letter, StringComparison.Ordinal) && !Reaching.Contains(letter, StringComparison.Ordinal))) return null;
            return letters.Any(letter => Reaching.Contains(letter, StringComparison.Ordinal)) ? FileCommand.Browse : PermissionSet.None;
        }

        if (HarmlessOptions.Contains(option) || WithValue().IsMatch(option)) return PermissionSet.None;
        return ManagingOptions.Contains(option) || Deletions().IsMatch(option) ? FileCommand.Manage : null;
    }

    private static string Plain(string option) => new ShellWord(option, IsAtHome: false).Quoted;

    /// <summary>The letters, and what the client can do, which follows an <c>e</c>: there the word of a client names a shell, but a server starts none.</summary>
    [GeneratedRegex(@"\A-(?<letters>[A-Za-df-z]*)(e[0-9]{0,3}\.[0-9]{0,3}[A-Za-z]{0,24})?\z")]
    private static partial Regex Bundle();

    [GeneratedRegex(@"\A--(timeout|contimeout|bwlimit|compress-level|checksum-seed|max-size|min-size|modify-window|block-size)=[0-9]{1,12}[KMG]?\z|\A-B[0-9]{1,9}\z|\A--(compress-choice|checksum-choice)=[a-z0-9,]{1,40}\z|\A--log-format=(%[a-zA-Z0-9]{1,4}|X){1,4}\z")]
    private static partial Regex WithValue();

    [GeneratedRegex(@"\A--max-delete=[0-9]{1,9}\z")]
    private static partial Regex Deletions();
}
