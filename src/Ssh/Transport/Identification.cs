namespace Countersign.Ssh.Transport;

/// <summary>Reads the line with which the other end says who it is (RFC 4253 section 4.2).</summary>
internal sealed class Identification(Side own)
{
    private const int MaxLine = 255;
    private const int MaxLinesBefore = 64;
    private int _lines;

    public static byte[] Own { get; } = "SSH-2.0-Countersign_0.1"u8.ToArray();

    /// <summary>Who does not speak SSH can't read SSH_MSG_DISCONNECT.</summary>
    public static ReadOnlySpan<byte> NotSsh => "This is an SSH server: an SSH 2.0 client is expected.\r\n"u8;

    /// <summary>The line as it goes into the exchange hash.</summary>
    public byte[] Line { get; private set; } = [];

    /// <summary>Software version and comments, fit to be shown.</summary>
    public string Software { get; private set; } = "";

    /// <summary>True once the line has been read; false while more bytes are needed.</summary>
    /// <exception cref="SshConnectionException">It is not SSH 2.0 that the other end speaks.</exception>
    public bool TryRead(PacketInput input)
    {
        while (input.TryReadLine(MaxLine, out var line))
        {
            if (line.StartsWith("SSH-"u8))
            {
                Accept(line);
                return true;
            }

            // A server may send other lines first, a client may not.
            if (own == Side.Server) throw Refusal("the peer does not speak SSH");
            if (++_lines > MaxLinesBefore) throw Refusal("too many lines before the SSH identification");
        }

        return false;
    }

    private void Accept(ReadOnlySpan<byte> line)
    {
        // RFC 4253 section 5.1: 1.99 is a server that would speak 1.x, too.
        var isOlder = own == Side.Client && line.StartsWith("SSH-1.99-"u8);
        if (!line.StartsWith("SSH-2.0-"u8) && !isOlder) throw Refusal($"the peer speaks {PeerText.Clean(line, 40)}, not SSH 2.0");
        if (line.Contains((byte)0)) throw Refusal("the peer's identification is malformed");
        Line = line.ToArray();
        Software = PeerText.Clean(line[(isOlder ? 9 : 8)..], 253);
    }

    private static SshConnectionException Refusal(string message) => new(SshDisconnectReason.ProtocolVersion, message);
}
