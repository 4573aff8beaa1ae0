using System.Text.Json.Serialization;
using Countersign.Cli.Api;

namespace Countersign.Cli.Saved;

/// <summary>One server's token. Not a record: its text form would show it.</summary>
internal sealed class SavedLogin
{
    public string? Login { get; init; }

    public string? Token { get; init; }

    public DateTimeOffset? Expires { get; init; }
}

/// <summary>What the tool remembers: the server last signed in to, and each server's own token.</summary>
internal sealed class SavedLogins
{
    public string? Current { get; init; }

    public IReadOnlyDictionary<string, SavedLogin?> Servers { get; init; } = new Dictionary<string, SavedLogin?>();

    public SavedLogin? Find(ServerAddress address) => Servers.GetValueOrDefault(address.ToString());

    /// <summary>With this login, and its server as the one to use from now on.</summary>
    public SavedLogins With(ServerAddress address, SavedLogin login) =>
        new() { Current = address.ToString(), Servers = new Dictionary<string, SavedLogin?>(Servers) { [address.ToString()] = login } };

    /// <summary>Without the token; the server stays the one to use.</summary>
    public SavedLogins Without(ServerAddress address) =>
        new() { Current = Current, Servers = Servers.Where(server => server.Key != address.ToString()).ToDictionary() };
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    WriteIndented = true,
    MaxDepth = 8)]
[JsonSerializable(typeof(SavedLogins))]
internal sealed partial class SavedJson : JsonSerializerContext;
