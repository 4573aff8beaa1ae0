using Countersign.Fuzz.Targets;
using Countersign.Fuzz.Targets.Connections;

namespace Countersign.Fuzz;

/// <summary>Everything that is fuzzed, by name.</summary>
internal static class AllTargets
{
    public static readonly IReadOnlyList<string> Names =
    [
        "transport-server", "transport-client", "packets", "auth-server", "auth-client", "channels-server", "channels-client", "formats", "private-keys", "authorized-keys", "sftp-relay", "sftp-server", "scp-stream", "file-commands", "proxy-header",
    ];

    public static Target Get(string name) => name switch
    {
        "transport-server" or "auth-server" or "channels-server" => new ServerTarget(name),
        "transport-client" or "auth-client" or "channels-client" => new ClientTarget(name),
        "packets" => new PacketTarget(),
        "formats" => new FormatTarget(Corpus(name)),
        "private-keys" => new PrivateKeyTarget(),
        "authorized-keys" => new AuthorizedKeysTarget(),
        "sftp-relay" => new SftpRelayTarget(),
        "sftp-server" => new SftpServerTarget(),
        "scp-stream" => new ScpStreamTarget(),
        "file-commands" => new FileCommandTarget(),
        "proxy-header" => new ProxyTarget(),
        _ => throw new ArgumentException($"there is no target {name}; there are {string.Join(", ", Names)}"),
    };

    /// <summary>The conversations that a target begins with, in the order of their names.</summary>
    public static IReadOnlyList<Transcript> Corpus(string name) =>
        [.. Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "Corpus", name), "*.bin").Order(StringComparer.Ordinal).Select(Transcript.Read)];
}
