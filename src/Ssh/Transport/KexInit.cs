using System.Security.Cryptography;
using System.Text;

namespace Countersign.Ssh.Transport;

/// <summary>
/// SSH_MSG_KEXINIT (RFC 4253 section 7.1), of either end: the bytes that go into the exchange hash, and where its lists are in them. Names are made when they are
/// asked for: a peer may stay in its exchange for as long as it may take to log in, and is not to hold more than it has sent.
/// </summary>
internal sealed class KexInit
{
    /// <summary>In one list. Known ends have a tenth of it.</summary>
    public const int MostNames = 128;

    /// <summary>Of a name, in bytes (RFC 4251 section 6).</summary>
    public const int LongestName = 64;

    private const int CookieLength = 16;
    private const string ExtInfoClient = "ext-info-c";
    private const string ExtInfoServer = "ext-info-s";
    private const string StrictClient = "kex-strict-c-v00@openssh.com";
    private const string StrictServer = "kex-strict-s-v00@openssh.com";

    private readonly Range[] _lists;

    private KexInit(byte[] payload, Range[] lists, bool guessFollows)
    {
        Payload = payload;
        _lists = lists;
        GuessFollows = guessFollows;
    }

    public byte[] Payload { get; }

    /// <summary>first_kex_packet_follows: the peer has sent a first packet of the method that it guesses will be agreed on.</summary>
    public bool GuessFollows { get; }

    public IReadOnlyList<string> KeyExchanges => Names(0);

    public IReadOnlyList<string> HostKeys => Names(1);

    public IReadOnlyList<string> CiphersToServer => Names(2);

    public IReadOnlyList<string> CiphersToClient => Names(3);

    public IReadOnlyList<string> MacsToServer => Names(4);

    public IReadOnlyList<string> MacsToClient => Names(5);

    public IReadOnlyList<string> CompressionsToServer => Names(6);

    public IReadOnlyList<string> CompressionsToClient => Names(7);

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
        return Parse(writer.Boolean(false).UInt32(0).Written.Span);
    }

    /// <param name="payload">With the message number.</param>
    /// <exception cref="SshConnectionException">Malformed, which a list of more than <see cref="MostNames"/> and a name beyond <see cref="LongestName"/> is, too.</exception>
    public static KexInit Parse(ReadOnlySpan<byte> payload)
    {
        if (payload.Length < 1 + CookieLength) throw Malformed();
        var reader = new SshReader(payload[(1 + CookieLength)..]);
        var lists = new Range[10];
        for (var i = 0; i < lists.Length; i++)
        {
            if (!reader.TryReadString(out var list) || !Ascii.IsValid(list) || !IsBounded(list)) throw Malformed();
            var end = payload.Length - reader.Rest.Length;
            lists[i] = (end - list.Length)..end;
        }

        if (!reader.TryReadBoolean(out var guess) || !reader.TryReadUInt32(out _)) throw Malformed();
        return new KexInit(payload.ToArray(), lists, guess);
    }

    /// <summary>Whether the first choices of both for method and host key are the same, so that a guessed packet counts (RFC 4253 section 7).</summary>
    public bool GuessesAs(KexInit other) => StartAlike(KeyExchanges, other.KeyExchanges) && StartAlike(HostKeys, other.HostKeys);

    private static bool StartAlike(IReadOnlyList<string> one, IReadOnlyList<string> other) => one.Count > 0 && other.Count > 0 && one[0] == other[0];

    private string[] Names(int list)
    {
        var text = Payload.AsSpan(_lists[list]);
        return text.IsEmpty ? [] : Encoding.ASCII.GetString(text).Split(',');
    }

    private static bool IsBounded(ReadOnlySpan<byte> list)
    {
        var names = 0;
        foreach (var name in list.Split((byte)','))
        {
            if (++names > MostNames || list[name].Length > LongestName) return false;
        }

        return true;
    }

    private static SshConnectionException Malformed() => new(SshDisconnectReason.ProtocolError, "malformed SSH_MSG_KEXINIT");
}
