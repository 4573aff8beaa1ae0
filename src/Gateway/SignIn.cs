using System.Net;
using Countersign.Access;
using Countersign.Ssh;

namespace Countersign.Gateway;

/// <summary>Who a front door lets in. Implemented by the server's identity feature; every answer is audited and rate limited there.</summary>
public interface ISignIn
{
    /// <summary>An unknown login costs the same time as a wrong password.</summary>
    ValueTask<SignInStep> WithPasswordAsync(string login, Secret password, IPAddress source, CancellationToken cancellation);

    /// <summary>Whether the key is registered for the login and would be accepted; nothing has been proven yet.</summary>
    ValueTask<bool> WouldAcceptKeyAsync(string login, SshPublicKey key, IPAddress source, CancellationToken cancellation);

    /// <summary>The possession of the key has been proven.</summary>
    ValueTask<SignInStep> WithKeyAsync(string login, SshPublicKey key, IPAddress source, CancellationToken cancellation);

    /// <summary>The name that a certificate for this login has to be for; empty: none is.</summary>
    string PrincipalOf(string login);

    /// <summary>Whether the certificate would be accepted; nothing has been proven yet. It is good for the login's principal, now and from there.</summary>
    ValueTask<bool> WouldAcceptCertificateAsync(string login, SshCertificate certificate, IPAddress source, CancellationToken cancellation);

    /// <summary>The possession of the certified key has been proven.</summary>
    ValueTask<SignInStep> WithCertificateAsync(string login, SshCertificate certificate, IPAddress source, CancellationToken cancellation);

    /// <summary>The second factor of somebody whose first has been proven a moment ago, on this same connection.</summary>
    ValueTask<SignInStep> WithCodeAsync(FirstFactor proven, Secret code, IPAddress source, CancellationToken cancellation);
}

/// <summary>What a try to sign in led to.</summary>
public abstract record SignInStep
{
    private SignInStep()
    {
    }

    /// <summary>Whatever the reason; nothing is told.</summary>
    public sealed record Refused : SignInStep;

    /// <summary>The first factor is right, and a code is wanted.</summary>
    public sealed record CodeWanted(FirstFactor Proven) : SignInStep;

    /// <summary>The first factor is right, and still they don't get in here.</summary>
    /// <param name="Why">A sentence for them, which says what to do.</param>
    public sealed record Barred(string Why) : SignInStep;

    /// <summary>The caller owns it, and disposes it with the connection.</summary>
    public sealed record Done(SignedIn Person) : SignInStep;
}

/// <summary>What has been proven of somebody who is not in yet.</summary>
/// <param name="Method">For the audit log: <c>password</c>, the key's fingerprint, or the certificate's number.</param>
public sealed record FirstFactor(OrganizationId Organization, PersonId Person, string Login, string Method, SignInProof Proof);

/// <summary>What a sign-in hangs on: with it the sign-in goes.</summary>
public abstract record SignInProof
{
    private SignInProof()
    {
    }

    /// <param name="Changed">Which password it was.</param>
    public sealed record Password(DateTimeOffset Changed) : SignInProof;

    /// <param name="Id">The registered key.</param>
    public sealed record Key(Guid Id) : SignInProof;

    /// <summary>A certificate, which stands for a sign-in elsewhere.</summary>
    /// <param name="Strength">How strongly the person has proven there who they are.</param>
    /// <param name="Since">When they did.</param>
    /// <param name="Authority">The key that signed the certificate.</param>
    public sealed record Certificate(Guid SignIn, SignInStrength Strength, DateTimeOffset Since, SshPublicKey Authority) : SignInProof;
}

/// <summary>A person who has proven who they are, at one front door, for one connection. Disposing it says that the connection is over.</summary>
public sealed class SignedIn(OrganizationId organization, PersonId person, string login, SignInStrength strength, Action<SignedIn>? over = null) : IDisposable
{
    private readonly CancellationTokenSource _ended = new();
    private int _disposed;

    public OrganizationId Organization { get; } = organization;

    public PersonId Person { get; } = person;

    public string Login { get; } = login;

    public SignInStrength Strength { get; } = strength;

    /// <summary>What they signed in with does not count any more: the connection has to go.</summary>
    public CancellationToken Ended => _ended.Token;

    /// <summary>Why, in words for the person; before the end, empty.</summary>
    public string EndedBecause { get; private set; } = "";

    /// <param name="because">Such as <c>the key was removed</c>.</param>
    public void End(string because)
    {
        EndedBecause = because;
        _ended.Cancel();
    }

    // The source of the token stays: it has no timer, and somebody may be ending the sign-in just now.
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0) over?.Invoke(this);
    }
}
