using Countersign.Access;
using Countersign.Reach;
using Countersign.Server.Features.Vault;
using Countersign.Server.Tests.Identity;
using Countersign.Sessions;

namespace Countersign.Server.Tests.Vault;

/// <summary>Accounts as the gateway opens them for a session of Tom's.</summary>
internal static class OpenedAccounts
{
    public static ValueTask<AccountCredential?> OpenAsync(this IdentityLab lab, DeviceRow device, string account, SessionKind kind = SessionKind.Shell) =>
        lab.Get<IAccountVault>().OpenAsync(
            new(new(Guid.NewGuid()), lab.Organization, lab.Tom.Id, lab.Tom.Login, device.Id, device.Name, account, kind, "", null, lab.Clock.GetUtcNow(), 1),
            IdentityLab.Stop);

    /// <summary>Null: it does not open.</summary>
    public static async Task<(CredentialKind Kind, string Text)?> OpenedAsync(this IdentityLab lab, DeviceRow device, string account)
    {
        using var credential = await lab.OpenAsync(device, account);
        return credential switch
        {
            AccountCredential.Password(var password) => (CredentialKind.Password, password.ExposeText()),
            AccountCredential.PrivateKey(var text) => (CredentialKind.PrivateKey, text.ExposeText()),
            AccountCredential.Certificates => (CredentialKind.Certificate, ""),
            _ => null,
        };
    }
}
