using System.Text;

namespace Countersign.EndToEnd.Fixtures;

/// <summary>How the client proves who it is.</summary>
public sealed record Credential
{
    private Credential(string method, string? identity, string? password)
    {
        Method = method;
        Identity = identity;
        Password = password;
    }

    internal string Method { get; }

    internal string? Identity { get; }

    internal string? Password { get; }

    internal string? Code { get; private init; }

    public static Credential Key(KeyPair pair) => new("publickey", pair.PrivatePath, null);

    public static Credential OfPassword(string password) => new("password", null, password);

    /// <summary>The same password as the answer to each prompt of keyboard-interactive.</summary>
    public static Credential Interactive(string password) => new("keyboard-interactive", null, password);

    /// <summary>And then a code, which is asked for by keyboard-interactive.</summary>
    public Credential ThenCode(string code) =>
        new(Method == "keyboard-interactive" ? Method : $"{Method},keyboard-interactive", Identity, Password) { Code = code };

    public override string ToString() => Method;
}

/// <summary>
/// The stock OpenSSH clients (ssh, sftp, scp) against one server on loopback. They know only the host key that they are given, and read no
/// configuration of the user or the machine.
/// </summary>
public sealed class OpenSsh : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly string _config;

    /// <param name="port">On 127.0.0.1.</param>
    /// <param name="hostKeys">Public key lines, the only ones that the client will accept.</param>
    public OpenSsh(int port, params IEnumerable<string> hostKeys)
    {
        var known = _folder.Write("known_hosts", string.Concat(hostKeys.Select(key => $"[127.0.0.1]:{port} {key}\n")));
        _config = _folder.Write("config", $"""
            Host *
              HostName 127.0.0.1
              Port {port}
              UserKnownHostsFile {known}
              GlobalKnownHostsFile /dev/null
              StrictHostKeyChecking yes
              UpdateHostKeys no
              IdentitiesOnly yes
              IdentityAgent none
              IdentityFile none
              NumberOfPasswordPrompts 1
              ConnectTimeout 30
              ControlMaster no
              ControlPath none
              EscapeChar none
              LogLevel INFO

            """);
        _folder.Write("askpass", $"""
            #!/bin/sh
            printf '%s\n' "$1" >>'{_folder["prompts"]}'
            case "$1" in
              *Code:*) printf '%s\n' "$COUNTERSIGN_TEST_CODE" ;;
              *) printf '%s\n' "$COUNTERSIGN_TEST_PASSWORD" ;;
            esac

            """, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public static OpenSsh To(PrivateSshd sshd) => new(sshd.Port, sshd.HostKey.PublicLine);

    /// <summary>What the clients were asked for when they wanted a password, a line each.</summary>
    public string Prompts => File.Exists(_folder["prompts"]) ? File.ReadAllText(_folder["prompts"]) : "";

    /// <summary>Runs <c>ssh</c>. Without a command the server starts a shell, without a terminal, that reads <paramref name="input"/>.</summary>
    /// <param name="user">The whole user name, such as <c>anna+web1</c>.</param>
    /// <param name="credential">How it signs in.</param>
    /// <param name="command">One string, as it goes to the server.</param>
    /// <param name="input">All of the standard input.</param>
    /// <param name="options">Further arguments in front of the host.</param>
    public async Task<Outcome> SshAsync(
        string user, Credential credential, string? command = null, ReadOnlyMemory<byte> input = default, params IEnumerable<string> options)
    {
        await using var ssh = StartSsh(user, credential, command, options);
        await ssh.SendAsync(input);
        return await ssh.EndAsync();
    }

    /// <summary>Starts <c>ssh</c> and leaves it running, its input open. The caller disposes it.</summary>
    public RunningCommand StartSsh(string user, Credential credential, string? command = null, params IEnumerable<string> options) =>
        RunningCommand.Start("ssh", SshArguments(user, credential, command, options), Environment(credential));

    /// <summary>Runs <c>sftp</c> with a batch of its commands; it ends at the first that fails.</summary>
    public Task<Outcome> SftpAsync(string user, Credential credential, string batch, params IEnumerable<string> options)
    {
        // "-b -" reads the batch from the input, but switches on BatchMode, in which no password is asked for: the last word is ours.
        string[] arguments = [.. Common(user, credential), "-o", "BatchMode no", "-b", "-", .. options, "device"];
        return RunningCommand.RunAsync("sftp", arguments, Encoding.UTF8.GetBytes(batch), Environment(credential));
    }

    /// <summary>Runs <c>scp</c>; the far side is written <c>device:PATH</c>.</summary>
    /// <param name="user">The whole user name.</param>
    /// <param name="credential">How it signs in.</param>
    /// <param name="from">Where it copies from.</param>
    /// <param name="to">Where it copies to.</param>
    /// <param name="options">Such as <c>-r</c>, <c>-p</c>, or <c>-O</c> for the old protocol.</param>
    public Task<Outcome> ScpAsync(string user, Credential credential, string from, string to, params IEnumerable<string> options) =>
        RunningCommand.RunAsync("scp", [.. Common(user, credential), .. options, from, to], environment: Environment(credential));

    /// <summary>Runs <c>rsync</c> over <c>ssh</c>; the far side is written <c>device:PATH</c>.</summary>
    /// <param name="user">The whole user name.</param>
    /// <param name="credential">A key: a password would be asked for by the <c>ssh</c> within.</param>
    /// <param name="from">Where it copies from.</param>
    /// <param name="to">Where it copies to.</param>
    /// <param name="options">Such as <c>-a</c> or <c>--delete</c>.</param>
    public Task<Outcome> RsyncAsync(string user, Credential credential, string from, string to, params IEnumerable<string> options) => RunningCommand.RunAsync(
        "rsync",
        ["-e", ShellWords(user, credential), .. options, from, to],
        environment: Environment(credential));

    /// <summary>The <c>ssh</c> that programs which start it themselves are to start, in the words of a shell.</summary>
    /// <param name="credential">A key: nobody would be asked for a password.</param>
    public string ShellWords(string user, Credential credential) => $"ssh {string.Join(' ', Common(user, credential).Select(word => $"'{word}'"))}";

    /// <summary>An interactive <c>ssh</c> in a terminal of its own.</summary>
    public Task<Terminal> OpenTerminalAsync(string user, Credential credential, int columns = 80, int rows = 24, string? command = null) =>
        Terminal.StartAsync(["ssh", .. SshArguments(user, credential, command, ["-tt"])], Environment(credential), columns, rows);

    public void Dispose() => _folder.Dispose();

    private string[] SshArguments(string user, Credential credential, string? command, IEnumerable<string> options) =>
        [.. Common(user, credential), .. options, "device", .. command is null ? Array.Empty<string>() : [command]];

    private string[] Common(string user, Credential credential) =>
    [
        "-F", _config,
        "-o", $"User {user}",
        "-o", $"PreferredAuthentications {credential.Method}",
        .. credential.Identity is { } identity ? new[] { "-i", identity } : [],
    ];

    private Dictionary<string, string> Environment(Credential credential) => new()
    {
        ["SSH_ASKPASS"] = _folder["askpass"],
        ["SSH_ASKPASS_REQUIRE"] = "force",
        ["COUNTERSIGN_TEST_PASSWORD"] = credential.Password ?? "",
        ["COUNTERSIGN_TEST_CODE"] = credential.Code ?? "",
    };
}
