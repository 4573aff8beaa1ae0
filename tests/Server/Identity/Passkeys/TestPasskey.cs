using System.Buffers.Binary;
using System.Formats.Cbor;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using NSec.Cryptography;

namespace Countersign.Server.Tests.Identity.Passkeys;

/// <summary>
/// A browser and an authenticator with one passkey in it, written from Web Authentication level 3 (sections 5.8.1, 6.1, 6.3): what it says can be bent
/// in every place where the server has to look.
/// </summary>
internal sealed class TestPasskey : IDisposable
{
    public const int ES256 = -7;
    public const int EdDSA = -8;
    public const int RS256 = -257;
    public const int ES384 = -35;

    private readonly ECDsa? _ecdsa;
    private readonly RSA? _rsa;
    private readonly Key? _edwards;

    public TestPasskey(int algorithm = ES256)
    {
        Algorithm = algorithm;
        if (algorithm == ES256) _ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        else if (algorithm == ES384) _ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        else if (algorithm == RS256) _rsa = RSA.Create(2048);
        else _edwards = Key.Create(SignatureAlgorithm.Ed25519);
    }

    public int Algorithm { get; }

    public byte[] CredentialId { get; set; } = RandomNumberGenerator.GetBytes(32);

    public string? UserHandle { get; set; }

    public string Origin { get; set; } = "https://gate.example.org";

    /// <summary>Null: the one that the server named.</summary>
    public string? RpId { get; set; }

    /// <summary>Null: the right one.</summary>
    public string? Type { get; set; }

    public bool CrossOrigin { get; set; }

    public bool Present { get; set; } = true;

    public bool Verified { get; set; } = true;

    public bool BackupEligible { get; set; }

    /// <summary>Shown with the next signature, and one more with each after it; null: it does not count.</summary>
    public uint? Count { get; set; }

    public string Format { get; set; } = "none";

    public bool Forges { get; set; }

    /// <summary>As the browser's <c>toJSON</c> gives it.</summary>
    /// <param name="options">What the server calls <c>publicKey</c>.</param>
    public JsonObject Create(JsonNode options)
    {
        UserHandle = Text(options["user"]!["id"]);
        var named = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(named, (ushort)CredentialId.Length);
        var data = AuthenticatorData(RpId ?? Text(options["rp"]!["id"]), 0x40, [.. new byte[16], .. named, .. CredentialId, .. PublicKey()]);
        return Credential(new()
        {
            ["clientDataJSON"] = Base64(ClientData("webauthn.create", options)),
            ["attestationObject"] = Base64(Attestation(data)),
            ["authenticatorData"] = Base64(data),
            ["publicKeyAlgorithm"] = Algorithm,
            ["transports"] = new JsonArray("internal"),
        });
    }

    /// <summary>The same for signing in.</summary>
    public JsonObject Get(JsonNode options)
    {
        var data = AuthenticatorData(RpId ?? Text(options["rpId"]), 0, []);
        var client = ClientData("webauthn.get", options);
        var signature = Sign([.. data, .. SHA256.HashData(client)]);
        if (Forges) signature[^1] ^= 1;
        return Credential(new()
        {
            ["clientDataJSON"] = Base64(client),
            ["authenticatorData"] = Base64(data),
            ["signature"] = Base64(signature),
            ["userHandle"] = UserHandle,
        });
    }

    public void Dispose()
    {
        _ecdsa?.Dispose();
        _rsa?.Dispose();
        _edwards?.Dispose();
    }

    private JsonObject Credential(JsonObject response) => new()
    {
        ["id"] = Base64(CredentialId),
        ["rawId"] = Base64(CredentialId),
        ["type"] = "public-key",
        ["authenticatorAttachment"] = "platform",
        ["clientExtensionResults"] = new JsonObject(),
        ["response"] = response,
    };

    private byte[] ClientData(string type, JsonNode options) => Encoding.UTF8.GetBytes(new JsonObject
    {
        ["type"] = Type ?? type,
        ["challenge"] = Text(options["challenge"]),
        ["origin"] = Origin,
        ["crossOrigin"] = CrossOrigin,
    }.ToJsonString());

    private byte[] AuthenticatorData(string rpId, byte flags, byte[] attested)
    {
        if (Present) flags |= 0x01;
        if (Verified) flags |= 0x04;
        if (BackupEligible) flags |= 0x18;
        var count = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(count, Count ?? 0);
        if (Count is not null) Count++;
        return [.. SHA256.HashData(Encoding.UTF8.GetBytes(rpId)), flags, .. count, .. attested];
    }

    private byte[] Attestation(byte[] data)
    {
        var writer = new CborWriter(CborConformanceMode.Ctap2Canonical);
        writer.WriteStartMap(3);
        writer.WriteTextString("fmt");
        writer.WriteTextString(Format);
        writer.WriteTextString("attStmt");
        writer.WriteStartMap(0);
        writer.WriteEndMap();
        writer.WriteTextString("authData");
        writer.WriteByteString(data);
        writer.WriteEndMap();
        return writer.Encode();
    }

    /// <summary>RFC 9052 section 7, RFC 9053 sections 2 and 7, RFC 8812 section 2.</summary>
    private byte[] PublicKey()
    {
        var writer = new CborWriter(CborConformanceMode.Ctap2Canonical);
        var curve = _ecdsa?.ExportParameters(includePrivateParameters: false);
        var rsa = _rsa?.ExportParameters(includePrivateParameters: false);
        (int Label, object Value)[] members = curve is { } point
            ? [(1, 2), (3, Algorithm), (-1, Algorithm == ES256 ? 1 : 2), (-2, point.Q.X!), (-3, point.Q.Y!)]
            : rsa is { } modulus
                ? [(1, 3), (3, Algorithm), (-1, modulus.Modulus!), (-2, modulus.Exponent!)]
                : [(1, 1), (3, Algorithm), (-1, 6), (-2, _edwards!.PublicKey.Export(KeyBlobFormat.RawPublicKey))];
        writer.WriteStartMap(members.Length);
        foreach (var (label, value) in members)
        {
            writer.WriteInt32(label);
            if (value is byte[] bytes) writer.WriteByteString(bytes);
            else writer.WriteInt32((int)value);
        }

        writer.WriteEndMap();
        return writer.Encode();
    }

    private byte[] Sign(byte[] data) =>
        _ecdsa?.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)
        ?? _rsa?.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
        ?? SignatureAlgorithm.Ed25519.Sign(_edwards!, data);

    private static string Base64(byte[] bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);

    private static string Text(JsonNode? node) => node!.GetValue<string>();
}
