using System.Globalization;
using System.Text;
using Countersign.Cli.Api;
using Countersign.Cli.Saved;
using Countersign.Ssh;

namespace Countersign.Cli.Gate;

/// <summary>The server's SSH front door as OpenSSH has to be told of it: where it is, by which keys it is known, who signs in there.</summary>
/// <param name="Host">A name or address; <see cref="GateNames.IsHost"/>.</param>
/// <param name="KnownHosts">The file that holds its keys and no others.</param>
internal sealed record SshGate(string Login, string Host, int Port, string KnownHosts)
{
    private const int MostKeys = 16;

    /// <summary>What ssh tries by itself, and does not any more once it is told of one file.</summary>
    private static readonly string[] UsualKeys = ["id_ed25519", "id_ecdsa", "id_rsa"];

    /// <summary>The private key that the server has certified; null: there is none.</summary>
    public string? Identity { get; init; }

    /// <summary>The person's own private keys, which may be registered.</summary>
    public IReadOnlyList<string> OwnKeys { get; init; } = [];

    /// <summary>The name that its keys are kept under, so that a second name for the same place is no second gateway.</summary>
    public string Alias => $"countersign-{Plain(Host)}-{Port.ToString(CultureInfo.InvariantCulture)}";

    /// <summary>Asks the server, and pins the keys that it names: the way there is as safe as the API itself.</summary>
    public static async Task<Answer<SshGate>> AskAsync(ApiClient client, CommonOptions common, CancellationToken cancellation)
    {
        var store = common.Store();
        if (!(await client.GetAsync("me", ApiJson.Default.Me, cancellation)).TryGet(out var me, out var failure)) return failure;
        if (!(await client.GetAsync("ssh", ApiJson.Default.SshDoor, cancellation)).TryGet(out var door, out failure)) return failure;
        var host = door.Value.Host ?? client.Address.Root.DnsSafeHost;
        if (me.Value.Person?.Login is not { } login || !GateNames.IsLogin(login) || !GateNames.IsHost(host) || door.Value.Port is not (> 0 and <= 65535 and var port))
            return Unusable("its SSH address, or your login there, has no place in a configuration");
        var keys = new List<SshPublicKey>();
        foreach (var line in (door.Value.HostKeys ?? []).Take(MostKeys))
        {
            if (!SshPublicKey.TryParse(line, out var key)) return Unusable("one of its host keys is none");
            keys.Add(key);
        }

        if (keys.Count == 0) return Unusable("it names no host key");
        var gate = new SshGate(login, host, port, "");
        gate = gate with { KnownHosts = store.PathOf($"known_hosts-{gate.Alias}") };
        if (!GateNames.IsPath(gate.KnownHosts))
            return new Failure(ExitCode.Refused, $"{gate.KnownHosts} can't be named in OpenSSH's configuration.", "Set XDG_CONFIG_HOME to a folder without quotes, dollars and percent signs.");
        var pinned = string.Concat(keys.Select(key => $"{gate.Alias} {key}\n"));
        if (!(await OwnFile.WriteAsync(gate.KnownHosts, pinned, cancellation)).TryGet(out _, out failure)) return failure;
        if (await new DoorIdentity(store, common.Around.Time).EnsureAsync(client, me.Value.Person?.Id, cancellation) is not { } certified) return gate;
        return certified.TryGet(out var identity, out failure) ? gate with { Identity = identity, OwnKeys = KeysOf(common.HomeFolder) } : failure;

        Failure Unusable(string why) => new(ExitCode.Refused, $"{client.Address} can't be used: {why}.", "Ask whoever runs the server.");
    }

    /// <summary>What every connection needs, as keyword and value.</summary>
    public IReadOnlyList<(string Keyword, string Value)> Options(string device, string? account) =>
    [
        ("HostName", Host),
        ("Port", Port.ToString(CultureInfo.InvariantCulture)),
        ("User", account is null ? $"{Login}+{device}" : $"{Login}+{device}+{account}"),
        ("HostKeyAlias", Alias),
        ("UserKnownHostsFile", $"\"{KnownHosts}\""),
        ("GlobalKnownHostsFile", "/dev/null"),
        ("StrictHostKeyChecking", "yes"),
        ("UpdateHostKeys", "no"),
        ("ForwardAgent", "no"),
        ("ForwardX11", "no"),
        .. Identity is null ? Array.Empty<(string, string)>() : [("CertificateFile", $"\"{DoorIdentity.CertificateOf(Identity)}\""), ("IdentityFile", $"\"{Identity}\"")],
        .. OwnKeys.Select(key => ("IdentityFile", $"\"{key}\"")),
    ];

    /// <summary>One host of OpenSSH's configuration.</summary>
    public string Entry(string device)
    {
        var entry = new StringBuilder($"Host {device}\n");
        foreach (var (keyword, value) in Options(device, null)) entry.Append(CultureInfo.InvariantCulture, $"    {keyword} {value}\n");
        return entry.ToString();
    }

    private static IReadOnlyList<string> KeysOf(string home) =>
        [.. UsualKeys.Select(name => Path.Combine(home, ".ssh", name)).Where(file => File.Exists(file) && GateNames.IsPath(file))];

    private static string Plain(string host) => string.Concat(host.Select(character => char.IsAsciiLetterOrDigit(character) || character == '.' ? character : '-'));
}
