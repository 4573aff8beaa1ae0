using System.Security.Cryptography;
using Countersign.Access;
using Countersign.Server.Platform;
using Fido2NetLib;
using Fido2NetLib.Objects;

namespace Countersign.Server.Features.Identity.Passkeys;

/// <summary>A passkey that an authenticator has made for the ceremony.</summary>
internal sealed record MadePasskey(byte[] CredentialId, byte[] PublicKey, uint SignCount, bool BackupEligible, bool BackedUp);

/// <summary>A signature of a passkey that fits its ceremony.</summary>
/// <param name="SignCount">Not compared with the one before.</param>
internal sealed record PasskeySignature(uint SignCount, bool BackedUp);

/// <summary>
/// This server to a browser (Web Authentication level 3, section 5.1.3): a name and an origin, which come from the server's public address and never
/// from what a request calls it. The checks of sections 7.1 and 7.2 are those of Fido2NetLib; what it needs state for is up to the caller.
/// </summary>
internal sealed class RelyingParty(PublicAddress address)
{
    public const string Missing = "Passkeys need this server to have a name and TLS: start it with --public https://NAME.";

    private const string Name = "Countersign";
    private const string KeyType = "public-key";

    /// <summary>In the order in which they are liked: every authenticator has one of the first two but for some platforms, which have the last.</summary>
    private static readonly COSE.Algorithm[] _algorithms = [COSE.Algorithm.ES256, COSE.Algorithm.EdDSA, COSE.Algorithm.RS256];

    /// <summary>Null: browsers make none for it, because it has no name or comes without TLS (but on this very machine).</summary>
    public string? Id => address.Base is { HostNameType: UriHostNameType.Dns } url && (url.Scheme == Uri.UriSchemeHttps || url.IdnHost == "localhost") ? url.IdnHost : null;

    public PasskeyCreation Creation(PasskeyCeremony ceremony, PersonRow person, IEnumerable<byte[]> there) => new()
    {
        Rp = new(RequiredId, Name),
        User = new(PasskeyBytes.Write(HandleOf(ceremony.Person)), person.Login, person.Name),
        Challenge = PasskeyBytes.Write(ceremony.Challenge),
        PubKeyCredParams = [.. _algorithms.Select(algorithm => new PasskeyAlgorithm(KeyType, (int)algorithm))],
        Timeout = (long)PasskeyCeremonies.Life.TotalMilliseconds,
        ExcludeCredentials = Named(there),
        AuthenticatorSelection = new("preferred", "preferred"),
        Attestation = "none",
    };

    /// <param name="mine">Those that will do; none: whichever the browser has.</param>
    public PasskeyWanted Wanted(PasskeyCeremony ceremony, IEnumerable<byte[]> mine) => new(
        PasskeyBytes.Write(ceremony.Challenge),
        (long)PasskeyCeremonies.Life.TotalMilliseconds,
        RequiredId,
        Named(mine),
        ceremony.Kind == CeremonyKind.OnlyStep ? "required" : "discouraged");

    /// <summary>Null: it is not what the ceremony asked for.</summary>
    public async Task<MadePasskey?> ReadAsync(PasskeyCeremony ceremony, PersonRow person, CreatedCredential credential, CancellationToken cancellation)
    {
        if (credential.Type != KeyType || PasskeyBytes.Read(credential.RawId) is not { Length: > 0 and <= Passkey.LongestCredentialId } id) return null;
        if (PasskeyBytes.Read(credential.Response.ClientData) is not { } clientData || PasskeyBytes.Read(credential.Response.AttestationObject) is not { } attestation) return null;
        var response = new AuthenticatorAttestationRawResponse
        {
            Id = PasskeyBytes.Write(id),
            RawId = id,
            Type = PublicKeyCredentialType.PublicKey,
            Response = new() { ClientDataJson = clientData, AttestationObject = attestation, Transports = [] },
        };
        var options = new CredentialCreateOptions
        {
            Rp = new(RequiredId, Name, null),
            User = new() { Id = HandleOf(ceremony.Person), Name = person.Login, DisplayName = person.Name },
            Challenge = ceremony.Challenge,
            PubKeyCredParams = [.. _algorithms.Select(algorithm => new PubKeyCredParam(algorithm, PublicKeyCredentialType.PublicKey))],
            AuthenticatorSelection = new() { UserVerification = UserVerificationRequirement.Preferred },
            Attestation = AttestationConveyancePreference.None,
        };
        return await TryAsync(async () =>
        {
            // Nothing but "none" was asked for, which a browser makes of whatever an authenticator says of itself, but for a signature by the new key.
            if (AuthenticatorAttestationResponse.Parse(response).AttestationObject.Fmt is not ("none" or "packed")) return null;
            var made = await Library().MakeNewCredentialAsync(
                new() { AttestationResponse = response, OriginalOptions = options, IsCredentialIdUniqueToUserCallback = (_, _) => Task.FromResult(true) }, cancellation);
            return made.Id.AsSpan().SequenceEqual(id) && made.PublicKey.Length <= Passkey.LongestKey
                ? new MadePasskey(made.Id, made.PublicKey, made.SignCount, made.IsBackupEligible, made.IsBackedUp)
                : null;
        });
    }

    /// <summary>Null: the passkey has not signed what the ceremony asked for.</summary>
    public async Task<PasskeySignature?> ReadAsync(PasskeyCeremony ceremony, Passkey passkey, SignedCredential credential, CancellationToken cancellation)
    {
        if (credential.Type != KeyType) return null;
        var (clientData, signed, signature) = (
            PasskeyBytes.Read(credential.Response.ClientData), PasskeyBytes.Read(credential.Response.AuthenticatorData), PasskeyBytes.Read(credential.Response.Signature));
        if (clientData is null || signed is null || signature is null) return null;

        // Which person it is for was not said before: then the authenticator has to say it (section 7.2 step 6).
        byte[]? handle = null;
        if (credential.Response.UserHandle is { Length: > 0 } text && (handle = PasskeyBytes.Read(text)) is null) return null;
        if (handle is null && ceremony.Kind == CeremonyKind.OnlyStep) return null;
        var owner = HandleOf(passkey.Person);
        var verification = ceremony.Kind == CeremonyKind.OnlyStep ? UserVerificationRequirement.Required : UserVerificationRequirement.Discouraged;
        var made = new MakeAssertionParams
        {
            AssertionResponse = new()
            {
                Id = PasskeyBytes.Write(passkey.CredentialId),
                RawId = passkey.CredentialId,
                Type = PublicKeyCredentialType.PublicKey,
                Response = new() { ClientDataJson = clientData, AuthenticatorData = signed, Signature = signature, UserHandle = handle },
            },
            OriginalOptions = new() { Challenge = ceremony.Challenge, RpId = RequiredId, UserVerification = verification, AllowCredentials = [new(passkey.CredentialId)] },
            StoredPublicKey = passkey.PublicKey,

            // Compared on the writer: of two answers that come at once one is older than what the other has written down.
            StoredSignatureCounter = 0,
            IsUserHandleOwnerOfCredentialIdCallback = (said, _) => Task.FromResult(said.UserHandle.AsSpan().SequenceEqual(owner)),
        };
        return await TryAsync(async () =>
        {
            var verified = await Library().MakeAssertionAsync(made, cancellation);
            var eligible = AuthenticatorData.Parse(signed).IsBackupEligible;
            return eligible == passkey.BackupEligible ? new PasskeySignature(verified.SignCount, verified.IsBackedUp) : null;
        });
    }

    private string RequiredId => Id ?? throw new InvalidOperationException(Missing);

    private static byte[] HandleOf(PersonId person) => person.Value.ToByteArray(bigEndian: true);

    private static List<PasskeyNamed> Named(IEnumerable<byte[]> credentials) => [.. credentials.Select(id => new PasskeyNamed(KeyType, PasskeyBytes.Write(id)))];

    private Fido2 Library() => new(
        new()
        {
            RPID = RequiredId,
            RPName = Name,
            Origins = new HashSet<string>(StringComparer.Ordinal) { address.Base.GetLeftPart(UriPartial.Authority) },
        },
        null);

    /// <summary>What comes is a stranger's: that it can't be read, or does not fit, is a refusal and no failure of ours.</summary>
    private static async Task<T?> TryAsync<T>(Func<Task<T?>> verify) where T : class
    {
        try
        {
            return await verify();
        }
        catch (Exception unfit) when (unfit is Fido2VerificationException or CryptographicException or FormatException or ArgumentException or InvalidOperationException or InvalidCastException or KeyNotFoundException or IndexOutOfRangeException or NotSupportedException or OverflowException)
        {
            return null;
        }
    }
}
