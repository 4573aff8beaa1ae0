using System.Security.Cryptography;
using System.Text;

namespace Countersign.Ssh.Transport;

/// <summary>SSH_MSG_KEXINIT (RFC 4253 section 7.1), of either end, with the bytes that go into the exchange hash.</summary>
internal sealed class KexInit
{
    private const int CookieLength = 16;
    private const string ExtInfoClient = "ext-info-c";
    private const string ExtInfoServer = "ext-info-s";
    private const string StrictClient = "kex-strict-c-v00@openssh.com";
    private const string StrictServer = "kex-strict-s-v00@openssh.com";

    private readonly string[][] _lists;

    private KexInit(byte[] payload, string[][] lists, bool guessFollows)
    {
        Payload = payload;
        _lists = lists;
        GuessFollows = guessFollows;
    }

    public byte[] Payload { get; }

    /// <summary>first_kex_packet_follows: the peer has sent a first packet of the method that it guesses will be agreed on.</summary>
    public bool GuessFollows { get; }

    public IReadOnlyList<string> KeyExchanges => _lists[0];

    public IReadOnlyList<string> HostKeys => _lists[1];

    public IReadOnlyList<string> CiphersToServer => _lists[2];

    public IReadOnlyList<string> CiphersToClient => _lists[3];

    public IReadOnlyList<string> MacsToServer => _lists[4];

    public IReadOnlyList<string> MacsToClient => _lists[5];

    public IReadOnlyList<string> CompressionsToServer => _lists[6];

    public IReadOnlyList<string> CompressionsToClient => _lists[7];

    public bool WantsExtInfo => KeyExchanges.Contains(ExtInfoClient);

    public bool TakesExtInfo => KeyExchanges.Contains(ExtInfoServer);

    /// <summary>Meaningful in the first exchange only.</summary>
    public bool IsStrict(Side sender) => KeyExchanges.Contains(sender == Side.Client ? StrictClient : StrictServer);

    public static KexInit Create(AlgorithmOffer offer, Side side)
    {
        Span<byte> cookie = stackalloc byte[CookieLength];
        RandomNumberGenerator.Fill(cookie);
        string[] markers = side == Side.Client ? [ExtInfoClient, StrictClient] : [ExtInfoServer, StrictServer];
        string[] ciphers = [.. offer.Ciphers];
        string[] macs = [.. offer.Macs];
        string[][] lists = [[.. offer.KeyExchanges, .. markers], [.. offer.HostKeys], ciphers, ciphers, macs, macs, ["none"], ["none"], [], []];
        var writer = new SshWriter().Byte(SshMessage.KexInit).Raw(cookie);
        foreach (var list in lists) writer.String(string.Join(',', list));
        return new KexInit(writer.Boolean(false).UInt32(0).Written.ToArray(), lists, guessFollows: false);
    }

    /// <param name="payload">With the message number.</param>
    /// <exception cref="SshConnectionException">Malformed.</exception>
    public static KexInit Parse(ReadOnlySpan<byte> payload)
    {
        if (payload.Length < 1 + CookieLength) throw Malformed();
        var reader = new SshReader(payload[(1 + CookieLength)..]);
        var lists = new string[10][];
        for (var i = 0; i < lists.Length; i++)
        {
            if (!reader.TryReadString(out var list) || !Ascii.IsValid(list)) throw Malformed();
            lists[i] = list.IsEmpty ? [] : Encoding.ASCII.GetString(list).Split(',');
        }

        if (!reader.TryReadBoolean(out var guess) || !reader.TryReadUInt32(out _)) throw Malformed();
        return new KexInit(payload.ToArray(), lists, guess);
    }

    /// <summary>Whether the first choices of both for method and host key are the same, so that a guessed packet counts (RFC 4253 section 7).</summary>
    public bool GuessesAs(KexInit other) =>
        KeyExchanges.Count > 0 && other.KeyExchanges.Count > 0 && KeyExchanges[0] == other.KeyExchanges[0]
        && HostKeys.Count > 0 && other.HostKeys.Count > 0 && HostKeys[0] == other.HostKeys[0];

    private static SshConnectionException Malformed() => new(DisconnectReason.ProtocolError, "malformed SSH_MSG_KEXINIT");
}
