using System.Text;

namespace Countersign.Ssh.Transport;

/// <summary>SSH_MSG_EXT_INFO (RFC 8308): what one end knows besides what was negotiated.</summary>
/// <param name="SignatureAlgorithms">server-sig-algs, or null where it was not said.</param>
internal sealed record ExtensionInfo(string[]? SignatureAlgorithms)
{
    private const int MaxExtensions = 64;

    /// <summary>
    /// A server's: which algorithms a user's key may sign with, without which OpenSSH would not use an RSA key with SHA-2; and that it answers pings,
    /// with which OpenSSH hides the rhythm of keystrokes.
    /// </summary>
    public static byte[] OfServer { get; } = new SshWriter().Byte(SshMessage.ExtInfo).UInt32(2)
        .String("server-sig-algs").String(string.Join(',', Crypto.SignatureAlgorithms.ForUsers))
        .String("ping@openssh.com").String("0").Written.ToArray();

    /// <summary>A client's: a server may say once more, when it knows the user, what it accepts.</summary>
    public static byte[] OfClient { get; } = new SshWriter().Byte(SshMessage.ExtInfo).UInt32(1).String("ext-info-in-auth@openssh.com").String("0").Written.ToArray();

    /// <param name="rest">What follows the message number.</param>
    /// <exception cref="SshConnectionException">Malformed.</exception>
    public static ExtensionInfo Parse(ReadOnlySpan<byte> rest)
    {
        string[]? algorithms = null;
        var reader = new SshReader(rest);
        if (!reader.TryReadUInt32(out var count) || count > MaxExtensions) throw Malformed();
        for (var i = 0; i < count; i++)
        {
            if (!reader.TryReadString(out var name) || !reader.TryReadString(out var value)) throw Malformed();
            if (name.SequenceEqual("server-sig-algs"u8)) algorithms = Encoding.ASCII.GetString(value).Split(',');
        }

        return reader.IsAtEnd ? new ExtensionInfo(algorithms) : throw Malformed();
    }

    private static SshConnectionException Malformed() => new(SshDisconnectReason.ProtocolError, "malformed SSH_MSG_EXT_INFO");
}
