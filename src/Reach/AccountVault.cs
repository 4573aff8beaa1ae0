using Countersign.Access;
using Countersign.Ssh;

namespace Countersign.Reach;

/// <summary>Where the secrets of accounts are kept. Implemented by the server.</summary>
public interface IAccountVault
{
    /// <summary>What opens the account at the device, or null: nothing is stored. The caller disposes it at once after use.</summary>
    ValueTask<AccountCredential?> OpenAsync(OrganizationId organization, DeviceId device, string account, CancellationToken cancellation);
}

public enum CredentialKind : byte
{
    Password = 1,

    /// <summary>An <c>openssh-key-v1</c> private key.</summary>
    PrivateKey = 2,
}

public sealed record AccountCredential(CredentialKind Kind, Secret Value) : IDisposable
{
    public void Dispose() => Value.Dispose();
}
