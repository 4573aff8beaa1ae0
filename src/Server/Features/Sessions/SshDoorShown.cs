using System.Net;
using System.Text.Json.Serialization;
using Countersign.Server.Features.Vault;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.Sessions;

/// <param name="Host">Where SSH clients connect; null: at the name by which the API is reached.</param>
/// <param name="HostKeys">The gateway's public host keys as <c>type base64</c>, the preferred one first.</param>
internal sealed record SshDoorAnswer(string? Host, int Port, IReadOnlyList<string> HostKeys);

/// <summary>What clients have to know of the SSH front door. No secret: whoever connects there sees it.</summary>
internal sealed class SshDoorShown(ServerOptions options, HostKeys keys)
{
    private volatile IPEndPoint _address = options.Ssh;

    /// <summary>With the port that was taken.</summary>
    public void Listens(IPEndPoint address) => _address = address;

    public static Ok<SshDoorAnswer> Get(SshDoorShown door) => TypedResults.Ok(door.Answer());

    private SshDoorAnswer Answer() => new(
        options.SshPublic?.Host, options.SshPublic?.Port ?? _address.Port, [.. keys.Keys.Select(key => key.PublicKey.ToString())]);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(SshDoorAnswer))]
internal sealed partial class SshDoorJson : JsonSerializerContext;
