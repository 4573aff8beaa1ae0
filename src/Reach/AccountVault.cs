using Countersign.Sessions;
using Countersign.Ssh;

namespace Countersign.Reach;

/// <summary>Where what opens accounts is kept, or made. Implemented by the server.</summary>
public interface IAccountVault
{
    /// <summary>What opens the session's account at its device, or null: nothing is stored. The caller disposes it at once after use.</summary>
    ValueTask<AccountCredential?> OpenAsync(SessionOpening session, CancellationToken cancellation);
}

/// <summary>What opens an account, once.</summary>
public abstract record AccountCredential : IDisposable
{
    private AccountCredential()
    {
    }

    public abstract void Dispose();

    public sealed record Password(Secret Value) : AccountCredential
    {
        public override void Dispose() => Value.Dispose();
    }

    /// <param name="Text">An <c>openssh-key-v1</c> private key.</param>
    public sealed record PrivateKey(Secret Text) : AccountCredential
    {
        public override void Dispose() => Text.Dispose();
    }

    /// <param name="Holder">Made for this one connection.</param>
    /// <param name="Issued">One for each authority that the device may trust, in the order in which they are shown to it.</param>
    public sealed record Certificates(SshPrivateKey Holder, IReadOnlyList<SshCertificate> Issued) : AccountCredential
    {
        public override void Dispose() => Holder.Dispose();
    }
}
