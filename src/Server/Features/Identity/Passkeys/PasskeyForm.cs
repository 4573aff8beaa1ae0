using System.Buffers.Text;
using System.Text.Json.Serialization;

namespace Countersign.Server.Features.Identity.Passkeys;

/// <summary>
/// What a browser makes a passkey from: <c>PublicKeyCredential.parseCreationOptionsFromJSON</c> takes it as it is (Web Authentication level 3, section
/// 5.1.9). Bytes are base64url.
/// </summary>
internal sealed record PasskeyCreation
{
    public required RelyingPartyShown Rp { get; init; }

    public required PasskeyUser User { get; init; }

    public required string Challenge { get; init; }

    public required IReadOnlyList<PasskeyAlgorithm> PubKeyCredParams { get; init; }

    /// <summary>In milliseconds.</summary>
    public required long Timeout { get; init; }

    public required IReadOnlyList<PasskeyNamed> ExcludeCredentials { get; init; }

    public required PasskeySelection AuthenticatorSelection { get; init; }

    public required string Attestation { get; init; }
}

internal sealed record RelyingPartyShown(string Id, string Name);

/// <param name="Id">The person's id, its 16 bytes; no name that could change.</param>
internal sealed record PasskeyUser(string Id, string Name, string DisplayName);

/// <param name="Alg">Of the registry of COSE algorithms.</param>
internal sealed record PasskeyAlgorithm(string Type, int Alg);

internal sealed record PasskeyNamed(string Type, string Id);

internal sealed record PasskeySelection(string ResidentKey, string UserVerification);

/// <summary>What a browser asks for a passkey with: <c>PublicKeyCredential.parseRequestOptionsFromJSON</c> takes it as it is.</summary>
/// <param name="Timeout">In milliseconds.</param>
/// <param name="AllowCredentials">Empty: whichever the browser has for this server.</param>
internal sealed record PasskeyWanted(string Challenge, long Timeout, string RpId, IReadOnlyList<PasskeyNamed> AllowCredentials, string UserVerification);

/// <summary>A new passkey, as <c>PublicKeyCredential.toJSON</c> gives it. Members that browsers add to it are none of ours.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
internal sealed record CreatedCredential(string Id, string RawId, string Type, CreatedResponse Response)
{
    public override string ToString() => nameof(CreatedCredential);
}

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
internal sealed record CreatedResponse([property: JsonPropertyName("clientDataJSON")] string ClientData, string AttestationObject)
{
    public override string ToString() => nameof(CreatedResponse);
}

/// <summary>What a passkey has signed, as <c>PublicKeyCredential.toJSON</c> gives it.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
internal sealed record SignedCredential(string Id, string RawId, string Type, SignedResponse Response)
{
    public override string ToString() => nameof(SignedCredential);
}

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
internal sealed record SignedResponse(
    [property: JsonPropertyName("clientDataJSON")] string ClientData, string AuthenticatorData, string Signature, string? UserHandle = null)
{
    public override string ToString() => nameof(SignedResponse);
}

/// <summary>Bytes as browsers write them.</summary>
internal static class PasskeyBytes
{
    /// <summary>More than any part of what an authenticator sends; an attestation with certificates is none of what is asked for.</summary>
    public const int Longest = 16 * 1024;

    /// <summary>Null: it is none, or longer than anything that could be meant.</summary>
    public static byte[]? Read(string text) =>
        text.Length <= Base64Url.GetEncodedLength(Longest) && Base64Url.IsValid(text) ? Base64Url.DecodeFromChars(text) : null;

    public static string Write(ReadOnlySpan<byte> bytes) => Base64Url.EncodeToString(bytes);
}
