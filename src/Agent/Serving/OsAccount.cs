using System.Runtime.InteropServices;
using System.Text;
using Countersign.Agent.Processes;

namespace Countersign.Agent.Serving;

/// <summary>The account of the operating system that the agent runs as, as the system's user database has it.</summary>
internal sealed record OsAccount
{
    public required string Name { get; init; }

    public required uint Id { get; init; }

    public required string Home { get; init; }

    public required string Shell { get; init; }

    /// <summary>Where programs start: home, or the root where home is not there.</summary>
    public string StartDirectory => Directory.Exists(Home) ? Home : "/";

    /// <exception cref="IOException">The system does not know the account.</exception>
    public static unsafe OsAccount Current()
    {
        const int Size = 16 * 1024;
        var text = stackalloc byte[Size];
        var user = Libc.geteuid();
        Libc.Account account;
        Libc.Account* found;
        Libc.CheckError(Libc.getpwuid_r(user, &account, text, Size, &found), "getpwuid_r");
        if (found is null) throw new IOException($"the system has no account for user id {user}");
        var shell = Text(account.Shell);
        return new() { Name = Text(account.Name), Id = user, Home = Text(account.Home), Shell = shell.Length > 0 ? shell : "/bin/sh" };
    }

    /// <summary>What a login has in its environment before anything that the client asks for.</summary>
    public Dictionary<string, string> Environment() => new()
    {
        ["HOME"] = Home,
        ["USER"] = Name,
        ["LOGNAME"] = Name,
        ["SHELL"] = Shell,
        ["PATH"] = Id == 0 ? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" : "/usr/local/bin:/usr/bin:/bin",
    };

    private static unsafe string Text(byte* text) => Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text));
}
