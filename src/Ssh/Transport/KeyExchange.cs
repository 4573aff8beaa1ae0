using System.Security.Cryptography;
using Countersign.Ssh.Crypto;

namespace Countersign.Ssh.Transport;

/// <summary>
/// The computations of one key exchange after both SSH_MSG_KEXINIT (RFC 4253 sections 7 and 8): no state but what the exchange itself needs, and no
/// input or output.
/// </summary>
internal sealed class KeyExchange(ExchangeContext context) : IDisposable
{
    /// <summary>The longest first message of a client, in bytes: its number, and its value as a string.</summary>
    public const int LongestInit = 1 + 4 + MaxPublicValue;

    private const int MaxPublicValue = 1216;
    private KeyAgreement? _own;
    private Secret? _shared;
    private byte[] _hash = [];

    /// <summary>Whether our own half has been computed, which costs as much as what comes after it: a client's in <see cref="Init"/>, a server's in <see cref="Reply"/>, not before.</summary>
    public bool HasOwnHalf => _own is not null;

    /// <summary>Set once the exchange hash is known; the first one of a connection is its session identifier.</summary>
    public ReadOnlyMemory<byte> Hash => _hash;

    /// <summary>Client: SSH_MSG_KEX_ECDH_INIT or SSH_MSG_KEXDH_INIT.</summary>
    public byte[] Init()
    {
        _own = context.Agreement.Start(Side.Client);
        return new SshWriter().Byte(SshMessage.KexStart).String(_own.Public).Written.ToArray();
    }

    /// <summary>Server: reads the client's value; answers with the host key, our value and the signature.</summary>
    public byte[] Reply(ReadOnlySpan<byte> init, HostIdentity host)
    {
        var reader = new SshReader(init[1..]);
        if (!reader.TryReadString(out var theirs, MaxPublicValue) || !reader.IsAtEnd) throw Malformed();
        _own = context.Agreement.Start(Side.Server);
        Agree(theirs);
        Digest(host.Blob.Span, theirs, _own.Public);
        var signature = host.Key.Sign(SignatureAlgorithms.Plain(context.Agreement.HostKey), _hash);
        return new SshWriter().Byte(SshMessage.KexReply).String(host.Blob.Span).String(_own.Public).String(signature).Written.ToArray();
    }

    /// <summary>Client: reads the server's answer. The key returned has signed the exchange; whether it is trusted is for the caller to say.</summary>
    public ShownKey Finish(ReadOnlySpan<byte> reply)
    {
        var reader = new SshReader(reply[1..]);
        if (!reader.TryReadString(out var blob) || !reader.TryReadString(out var theirs, MaxPublicValue) || !reader.TryReadString(out var signature) || !reader.IsAtEnd) throw Malformed();
        if (!ShownKey.TryRead(context.Agreement.HostKey, blob, out var shown))
        {
            throw new SshConnectionException(SshDisconnectReason.KeyExchangeFailed, $"the host key is not a usable {context.Agreement.HostKey} key");
        }

        Agree(theirs);
        Digest(blob, _own!.Public, theirs);
        if (shown.Verify(context.Agreement.HostKey, _hash, signature)) return shown;
        throw new SshConnectionException(SshDisconnectReason.KeyExchangeFailed, "the host key's signature is wrong");
    }

    public PacketSealer Sealer(Side own, ReadOnlySpan<byte> session)
    {
        var kind = own == Side.Client ? context.Agreement.ToServer : context.Agreement.ToClient;
        using var keys = Keys(own, kind, session);
        return PacketSealer.Create(kind, keys.Key, keys.Iv, keys.Mac);
    }

    public PacketOpener Opener(Side own, ReadOnlySpan<byte> session)
    {
        var sender = own == Side.Client ? Side.Server : Side.Client;
        var kind = sender == Side.Client ? context.Agreement.ToServer : context.Agreement.ToClient;
        using var keys = Keys(sender, kind, session);
        return PacketOpener.Create(kind, keys.Key, keys.Iv, keys.Mac);
    }

    public void Dispose()
    {
        _own?.Dispose();
        _shared?.Dispose();
    }

    private void Agree(ReadOnlySpan<byte> theirs)
    {
        try
        {
            _shared = _own!.Agree(theirs);
        }
        catch (CryptographicException)
        {
            throw new SshConnectionException(SshDisconnectReason.KeyExchangeFailed, "the peer's key exchange value is not acceptable");
        }
    }

    private void Digest(ReadOnlySpan<byte> hostKey, ReadOnlySpan<byte> client, ReadOnlySpan<byte> server)
    {
        using var hash = IncrementalHash.CreateHash(context.Agreement.Hash);
        hash.AppendData(new SshWriter()
            .String(context.ClientVersion).String(context.ServerVersion)
            .String(context.ClientInit.Payload).String(context.ServerInit.Payload)
            .String(hostKey).String(client).String(server).Written.Span);
        using var shared = SharedSecret();
        hash.AppendData(shared.Written);
        _hash = hash.GetHashAndReset();
    }

    private PinnedWriter SharedSecret()
    {
        var writer = new PinnedWriter(MaxPublicValue);
        return _own!.Form == SecretForm.Number ? writer.Mpint(_shared!.Expose()) : writer.String(_shared!.Expose());
    }

    private DirectionKeys Keys(Side sender, DirectionKind kind, ReadOnlySpan<byte> session)
    {
        var (iv, key, mac) = sender == Side.Client ? ('A', 'C', 'E') : ('B', 'D', 'F');
        return new DirectionKeys(Derive(iv, kind.Cipher.IvLength, session), Derive(key, kind.Cipher.KeyLength, session), Derive(mac, kind.Mac?.Length ?? 0, session));
    }

    /// <summary>RFC 4253 section 7.2.</summary>
    private Secret Derive(char letter, int length, ReadOnlySpan<byte> session)
    {
        using var shared = SharedSecret();
        using var hash = IncrementalHash.CreateHash(context.Agreement.Hash);
        var size = _hash.Length;
        using var all = new Secret((length + size - 1) / size * size);
        for (var at = 0; at < all.Length; at += size)
        {
            hash.AppendData(shared.Written);
            hash.AppendData(_hash);
            if (at == 0)
            {
                hash.AppendData([(byte)letter]);
                hash.AppendData(session);
            }
            else
            {
                hash.AppendData(all.Expose()[..at]);
            }

            hash.GetHashAndReset(all.Writable()[at..]);
        }

        return new Secret(all.Expose()[..length]);
    }

    private static SshConnectionException Malformed() => new(SshDisconnectReason.ProtocolError, "malformed key exchange message");

    private sealed class DirectionKeys(Secret iv, Secret key, Secret mac) : IDisposable
    {
        public ReadOnlySpan<byte> Iv => iv.Expose();

        public ReadOnlySpan<byte> Key => key.Expose();

        public ReadOnlySpan<byte> Mac => mac.Expose();

        public void Dispose()
        {
            iv.Dispose();
            key.Dispose();
            mac.Dispose();
        }
    }
}

/// <summary>What both ends have said before the exchange proper; goes into its hash (RFC 4253 section 8).</summary>
internal sealed record ExchangeContext(Agreement Agreement, byte[] ClientVersion, byte[] ServerVersion, KexInit ClientInit, KexInit ServerInit);
