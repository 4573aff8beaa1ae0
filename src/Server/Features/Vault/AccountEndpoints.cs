using System.Text.Json.Serialization;
using Countersign.Access;
using Countersign.Server.Platform;
using Countersign.Ssh;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.Vault;

/// <param name="Default">True: the device's default account from now on. False and nothing are the same.</param>
/// <param name="Password">What opens the account; replaces what was stored. Not with a private key.</param>
/// <param name="PrivateKey">The text of an OpenSSH private key without a passphrase.</param>
/// <param name="Certificate">
/// True: it is opened by certificates of the organization's authority; what was stored goes. For master administrators. False and nothing are the same.
/// </param>
/// <param name="Kind">
/// Only to be shown what storing something of this kind would do: in place of the secret, which need not leave whoever has it to be shown that.
/// </param>
internal sealed record AccountRequest(bool? Default = null, string? Password = null, string? PrivateKey = null, bool? Certificate = null, CredentialKind? Kind = null)
{
    public override string ToString() => nameof(AccountRequest);
}

/// <param name="Secret">The kind of what is stored from now on; null when this request stored nothing.</param>
internal sealed record AccountAnswer(Guid Device, string Name, bool Default, CredentialKind? Secret, long Version) : IVersioned;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(AccountRequest))]
[JsonSerializable(typeof(AccountAnswer))]
[JsonSerializable(typeof(AuthoritiesAnswer))]
internal sealed partial class VaultJson : JsonSerializerContext;

/// <summary>The accounts of a device and what opens them. What is stored is never shown again.</summary>
internal static class AccountEndpoints
{
    public static void MapAccounts(this IEndpointRouteBuilder api)
    {
        api.MapPut("/devices/{id:guid}/accounts/{name}", PutAsync).ChangesPolicy(TokenScopes.Devices);
        api.MapDelete("/devices/{id:guid}/accounts/{name}", DeleteAsync).ChangesPolicy(TokenScopes.Devices);
        api.MapDelete("/devices/{id:guid}/accounts/{name}/secret", DeleteSecretAsync).ChangesPolicy(TokenScopes.Devices);
    }

    private static async Task<Results<Ok<AccountAnswer>, ProblemHttpResult>> PutAsync(
        Guid id, string name, AccountRequest request, Caller caller, CallersPolicy seen, PolicyWriter writer, AccountVault vault, CancellationToken cancellation)
    {
        if (!Names.IsAccount(name)) return Problems.Invalid("name", "It has 1 to 64 characters that all show, none of them a comma, a plus or a blank.");
        if (Read(request, out var kind, out var secret) is { } problem) return problem;
        using var disposed = secret;
        if (request.Kind is not null && caller.Preview is null) return Problems.Invalid("kind", "It stands for a secret where a change is only shown, and stores none.");
        var stores = secret is not null || request.Kind is not null;
        var device = new DeviceId(id);
        if (kind == CredentialKind.Certificate && seen.MaySee(device) && !seen.IsMasterAdministrator)
            return Problems.Forbidden("Only master administrators have accounts opened by certificate: such a certificate is good on every machine that trusts the authority.");
        DeviceRow? row = null;
        var outcome = await writer.ApplyAsync(
            caller,
            (_, policy, _) =>
            {
                row = policy.Device(device);

                // Asked again in the version that is changed.
                var isAllowed = kind != CredentialKind.Certificate || policy.IsMasterAdministrator(caller.Person, seen.At);
                return ValueTask.FromResult(row is null || !isAllowed ? null : Command(policy, row, name, request.Default == true));
            },
            cancellation,
            async (db, _, stop) =>
            {
                if (secret is not null) await vault.StoreAsync(db, caller, row!, name, kind, secret, stop);
            },
            async (db, stop) => !stores ? null : new(new DeviceAccountRow(device, name, IsDefault: false).Key, await AccountVault.SummaryAsync(db, row!, name, kind, stop), WhereItGoes(device)));
        return outcome.Answer(policy => new AccountAnswer(
            id, name, policy.AccountsOf(device).Any(account => account.Name == name && account.IsDefault), secret is null ? null : kind, policy.Version));
    }

    /// <summary>A secret is meant for the machine that was read: its host and its services.</summary>
    private static IReadOnlyList<RowKey> WhereItGoes(DeviceId device) =>
        [new(PolicyTable.Device, device.Value), .. ServiceProtocols.All.Select(protocol => DeviceServiceRow.KeyOf(device, protocol))];

    private static async Task<Results<Ok<PolicyVersion>, ProblemHttpResult>> DeleteAsync(
        Guid id, string name, Caller caller, PolicyWriter writer, CancellationToken cancellation) =>
        (await writer.ApplyAsync(
            caller,
            (_, _, _) => ValueTask.FromResult<PolicyCommand?>(new PolicyCommand.RemoveAccount(new(id), name)),
            cancellation,
            touch: async (db, stop) => await AccountVault.HasAsync(db, new(id), name, stop)
                ? new(new DeviceAccountRow(new(id), name, IsDefault: false).Key, "What opened it goes with it, and is kept by nobody.", [])
                : null)).Answer();

    /// <summary>
    /// For whoever may edit the device: the engine is asked with the command that changes nothing. The account stays, and nobody gets in by it until
    /// something is stored again; sessions that it opened go on.
    /// </summary>
    private static async Task<Results<Ok<PolicyVersion>, ProblemHttpResult>> DeleteSecretAsync(
        Guid id, string name, Caller caller, PolicyWriter writer, AccountVault vault, CancellationToken cancellation)
    {
        var device = new DeviceId(id);
        DeviceRow? row = null;
        var isThere = false;
        var outcome = await writer.ApplyAsync(
            caller,
            (_, policy, _) =>
            {
                row = policy.Device(device);
                return ValueTask.FromResult<PolicyCommand?>(row is null ? null : new PolicyCommand.EditDevice(device));
            },
            cancellation,
            async (db, _, stop) => await vault.RemoveAsync(db, caller, row!, name, stop),
            async (db, stop) =>
            {
                isThere = await AccountVault.HasAsync(db, device, name, stop);
                return isThere ? new(new DeviceAccountRow(device, name, IsDefault: false).Key, $"Removed what opens {name} on {row!.Name}.", WhereItGoes(device)) : null;
            });
        if (outcome is PolicyOutcome.Applied && !isThere) return Problems.NotFound();
        return outcome.Answer();
    }

    /// <summary>
    /// Adds the account; where it is there, makes it the default one, or, where only its secret is to be stored, edits the device so that nothing
    /// changes: the engine decides about all three by the same right.
    /// </summary>
    private static PolicyCommand Command(PolicySnapshot policy, DeviceRow device, string name, bool makeDefault)
    {
        if (policy.AccountsOf(device.Id).All(account => account.Name != name)) return new PolicyCommand.AddAccount(device.Id, name, makeDefault);
        if (makeDefault) return new PolicyCommand.SetDefaultAccount(device.Id, name);
        return new PolicyCommand.EditDevice(device.Id);
    }

    private static ProblemHttpResult? Read(AccountRequest request, out CredentialKind kind, out Secret? secret)
    {
        kind = request switch
        {
            { Certificate: true } => CredentialKind.Certificate,
            { Kind: { } shown } => shown,
            { PrivateKey: not null } => CredentialKind.PrivateKey,
            _ => CredentialKind.Password,
        };
        secret = null;
        if (request.Kind is not null) return (request.Password ?? request.PrivateKey) is null && request.Certificate is null ? null : Problems.Invalid("kind", "It stands in place of a secret, and not beside one.");
        if (kind == CredentialKind.Certificate)
        {
            if ((request.Password ?? request.PrivateKey) is not null) return Problems.Invalid("certificate", "An account that is opened by certificate has neither password nor private key.");
            secret = new Secret([]);
            return null;
        }

        var field = request.PrivateKey is null ? "password" : "privateKey";
        if (request is { Password: not null, PrivateKey: not null })
            return Problems.Invalid("privateKey", "An account has a password or a private key, not both.");
        if ((request.Password ?? request.PrivateKey) is not { } text) return null;
        if (text.Length == 0) return Problems.Invalid(field, "It can't be empty.");
        var read = Secret.FromText(text);
        if (read.Length > AccountVault.LongestSecret || kind == CredentialKind.PrivateKey && KeyProblem(read) is not null)
        {
            var message = read.Length > AccountVault.LongestSecret ? $"It has at most {AccountVault.LongestSecret} bytes." : KeyProblem(read)!;
            read.Dispose();
            return Problems.Invalid(field, message);
        }

        secret = read;
        return null;
    }

    private static string? KeyProblem(Secret text)
    {
        try
        {
            SshPrivateKey.Parse(text).Dispose();
            return null;
        }
        catch (FormatException problem)
        {
            return $"This is not an SSH private key that can be used: {problem.Message.TrimEnd('.')}.";
        }
    }
}
