using Countersign.Ssh.Crypto;
using Countersign.Ssh.Transport;

namespace Countersign.Ssh;

/// <summary>
/// A server's keys, told to clients that have logged in, so that they learn a new one before the old one is given up (OpenSSH's PROTOCOL section 2.5:
/// hostkeys-00 and hostkeys-prove-00).
/// </summary>
internal sealed class HostKeyProofs(IReadOnlyList<SshPrivateKey> keys)
{
    public const string ProveRequest = "hostkeys-prove-00@openssh.com";
    private const string Announcement = "hostkeys-00@openssh.com";

    /// <summary>Signing costs the server more than asking costs the client; a client asks once.</summary>
    private const int MostProofs = 64;

    private int _proofs;

    public SshWriter Announce()
    {
        var message = new SshWriter().Byte(SshMessage.GlobalRequest).String(Announcement).Boolean(false);
        foreach (var key in keys) message.String(key.PublicKey.Blob.Span);
        return message;
    }

    /// <summary>A signature by each key asked for, over this session; refused as a whole if one of them is not ours.</summary>
    public SshGlobalAnswer Prove(ReadOnlySpan<byte> wanted, ReadOnlySpan<byte> session, string agreed)
    {
        var proofs = new SshWriter();
        var reader = new SshReader(wanted);
        if (reader.IsAtEnd) return new SshGlobalAnswer.Refuse();
        while (!reader.IsAtEnd)
        {
            if (!reader.TryReadString(out var blob) || Find(blob) is not { } key || ++_proofs > MostProofs) return new SshGlobalAnswer.Refuse();
            var signed = new SshWriter().String(ProveRequest).String(session).String(blob);
            proofs.String(key.Sign(Algorithm(key, agreed), signed.Written.Span));
        }

        return new SshGlobalAnswer.Grant(proofs.Written);
    }

    /// <summary>An RSA key signs as in the exchange of keys, if that was by RSA: OpenSSH takes nothing else then.</summary>
    private static string Algorithm(SshPrivateKey key, string agreed)
    {
        var own = SignatureAlgorithms.ForKey(key.PublicKey.Type);
        var plain = SignatureAlgorithms.Plain(agreed);
        return own.Contains(plain) ? plain : own[0];
    }

    private SshPrivateKey? Find(ReadOnlySpan<byte> blob)
    {
        foreach (var key in keys)
        {
            if (key.PublicKey.Blob.Span.SequenceEqual(blob)) return key;
        }

        return null;
    }
}
