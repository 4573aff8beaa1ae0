using System.Security.Cryptography;
using Countersign.Ssh.Crypto;

namespace Countersign.Ssh.Transport;

/// <summary>What one end offers, most wanted first. docs/ssh.md argues for each name and for those that are missing.</summary>
internal sealed record AlgorithmOffer
{
    /// <summary>OpenSSL has ML-KEM from 3.5 on.</summary>
    private static readonly string[] PostQuantum = MLKem.IsSupported ? ["mlkem768x25519-sha256"] : [];

    public IReadOnlyList<string> KeyExchanges { get; init; } =
        [.. PostQuantum, "curve25519-sha256", "curve25519-sha256@libssh.org", "diffie-hellman-group16-sha512", "diffie-hellman-group14-sha256"];

    public IReadOnlyList<string> HostKeys { get; init; } = [];

    public IReadOnlyList<string> Ciphers { get; init; } = [.. CipherKind.All.Select(c => c.Name)];

    public IReadOnlyList<string> Macs { get; init; } = [.. MacKind.All.Select(m => m.Name)];

    /// <summary>What a server answers a client's offer with.</summary>
    public AlgorithmOffer For(KexInit client) => (client.IsStrict(Side.Client) ? this : WithoutStrict()).PreferGcm(client);

    /// <summary>
    /// What may be offered to a peer that is not known to keep to strict key exchange: without it, messages can be cut out under ChaCha20-Poly1305
    /// unnoticed (the Terrapin attack), because its nonce is nothing but the sequence number.
    /// </summary>
    public AlgorithmOffer WithoutStrict() => this with { Ciphers = [.. Ciphers.Where(name => !CipherKind.Get(name).NeedsStrict)] };

    /// <summary>
    /// The cipher follows the client's order, and OpenSSH lists GCM last, though it is the fastest by far here and needs no separate MAC: to a
    /// client that lists it, nothing else is offered.
    /// </summary>
    private AlgorithmOffer PreferGcm(KexInit peer)
    {
        var gcm = Ciphers.Where(name => CipherKind.Get(name).Protection == PacketProtection.Gcm && peer.CiphersToServer.Contains(name) && peer.CiphersToClient.Contains(name)).ToArray();
        return gcm.Length == 0 ? this : this with { Ciphers = gcm };
    }
}

/// <summary>How a cipher protects a packet.</summary>
internal enum PacketProtection
{
    Ctr,
    Gcm,
    ChaChaPoly,
}

/// <summary>A cipher by its name in SSH (RFC 4344, RFC 5647 as OpenSSH names it) and in libcrypto.</summary>
internal sealed record CipherKind(string Name, string LibCryptoName, int KeyLength, int IvLength, PacketProtection Protection)
{
    public const int Block = 16;

    public static readonly CipherKind[] All =
    [
        new("aes256-gcm@openssh.com", "AES-256-GCM", 32, 12, PacketProtection.Gcm),
        new("aes128-gcm@openssh.com", "AES-128-GCM", 16, 12, PacketProtection.Gcm),
        new("aes256-ctr", "AES-256-CTR", 32, 16, PacketProtection.Ctr),
        new("aes128-ctr", "AES-128-CTR", 16, 16, PacketProtection.Ctr),
        new("chacha20-poly1305@openssh.com", "ChaCha20", 64, 0, PacketProtection.ChaChaPoly),
    ];

    public bool NeedsStrict => Protection == PacketProtection.ChaChaPoly;

    public static CipherKind Get(string name) => Array.Find(All, c => c.Name == name) ?? throw new ArgumentException($"unknown cipher {name}");
}

/// <summary>A MAC by its name (RFC 6668; the encrypt-then-MAC forms are OpenSSH's).</summary>
internal sealed record MacKind(string Name, HashAlgorithmName Hash, int Length, bool EncryptThenMac)
{
    public static readonly MacKind[] All =
    [
        new("hmac-sha2-256-etm@openssh.com", HashAlgorithmName.SHA256, 32, true),
        new("hmac-sha2-512-etm@openssh.com", HashAlgorithmName.SHA512, 64, true),
        new("hmac-sha2-256", HashAlgorithmName.SHA256, 32, false),
    ];

    public static MacKind Get(string name) => Array.Find(All, m => m.Name == name) ?? throw new ArgumentException($"unknown MAC {name}");
}

/// <summary>What protects one direction.</summary>
/// <param name="Mac">Null with a cipher that authenticates by itself.</param>
internal sealed record DirectionKind(CipherKind Cipher, MacKind? Mac);

/// <summary>What two offers agree on (RFC 4253 section 7.1).</summary>
internal sealed record Agreement(string KeyExchange, string HostKey, DirectionKind ToServer, DirectionKind ToClient)
{
    /// <summary>Offered by a server that is told to be compatible, and by nobody else.</summary>
    public const string P256 = "ecdh-sha2-nistp256";

    public HashAlgorithmName Hash => KeyExchange.EndsWith("sha512", StringComparison.Ordinal) ? HashAlgorithmName.SHA512 : HashAlgorithmName.SHA256;

    /// <exception cref="SshConnectionException">Nothing in common; the message names what, and what the peer offers.</exception>
    public static Agreement Between(KexInit client, KexInit server, Side side)
    {
        var peer = side == Side.Server ? client : server;
        _ = First("compression", ["none"], peer.CompressionsToServer.Intersect(peer.CompressionsToClient).ToArray(), side);
        var toServer = First("cipher", client.CiphersToServer, server.CiphersToServer, side);
        var toClient = First("cipher", client.CiphersToClient, server.CiphersToClient, side);
        return new Agreement(
            First("key exchange", client.KeyExchanges.Where(IsMethod), server.KeyExchanges.Where(IsMethod).ToArray(), side),
            First("host key", client.HostKeys, server.HostKeys, side),
            Direction(toServer, client.MacsToServer, server.MacsToServer, side),
            Direction(toClient, client.MacsToClient, server.MacsToClient, side));
    }

    public KeyAgreement Start(Side side) => KeyExchange switch
    {
        "mlkem768x25519-sha256" => new MlKemX25519Agreement(side),
        "curve25519-sha256" or "curve25519-sha256@libssh.org" => new X25519Agreement(),
        "diffie-hellman-group16-sha512" => new FiniteFieldAgreement("modp_4096", 4096 / 8),
        "diffie-hellman-group14-sha256" => new FiniteFieldAgreement("modp_2048", 2048 / 8),
        P256 => new P256Agreement(),
        _ => throw new ArgumentException($"unknown key exchange {KeyExchange}"),
    };

    private static DirectionKind Direction(string cipher, IReadOnlyList<string> client, IReadOnlyList<string> server, Side side)
    {
        var kind = CipherKind.Get(cipher);
        return new DirectionKind(kind, kind.Protection == PacketProtection.Ctr ? MacKind.Get(First("MAC", client, server, side)) : null);
    }

    /// <summary>Two lists may share markers of extensions, which are no methods.</summary>
    private static bool IsMethod(string name) => !name.StartsWith("ext-info-", StringComparison.Ordinal) && !name.StartsWith("kex-strict-", StringComparison.Ordinal);

    private static string First(string what, IEnumerable<string> client, IReadOnlyList<string> server, Side side)
    {
        foreach (var name in client)
        {
            if (server.Contains(name)) return name;
        }

        var offered = string.Join(',', side == Side.Server ? client : server);
        throw new SshConnectionException(SshDisconnectReason.KeyExchangeFailed, $"no common {what} algorithm; the peer offers {PeerText.Clean(offered, 300)}");
    }
}

internal enum Side
{
    Client,
    Server,
}
