using System.Net;
using Countersign.Access;
using Countersign.Ssh;

namespace Countersign.Gateway;

/// <summary>Who a front door lets in. Implemented by the server's identity feature; every answer is audited and rate limited there.</summary>
public interface ISignIn
{
    /// <summary>Null: refused, whatever the reason; an unknown login costs the same time as a wrong password.</summary>
    ValueTask<SignedIn?> WithPasswordAsync(string login, Secret password, IPAddress source, CancellationToken cancellation);

    /// <summary>Whether the key is registered for the login and would be accepted; nothing has been proven yet.</summary>
    ValueTask<bool> WouldAcceptKeyAsync(string login, SshPublicKey key, IPAddress source, CancellationToken cancellation);

    /// <summary>The possession of the key has been proven.</summary>
    ValueTask<SignedIn?> WithKeyAsync(string login, SshPublicKey key, IPAddress source, CancellationToken cancellation);
}

/// <summary>A person who has proven who they are, at one front door, for one connection.</summary>
public sealed record SignedIn(OrganizationId Organization, PersonId Person, string Login, SignInStrength Strength);
