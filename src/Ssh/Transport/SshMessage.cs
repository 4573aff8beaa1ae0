namespace Countersign.Ssh.Transport;

/// <summary>Message numbers: RFC 4250 section 4.1, RFC 8308 (EXT_INFO), RFC 4256 (INFO_REQUEST, INFO_RESPONSE).</summary>
internal static class SshMessage
{
    public const byte Disconnect = 1;
    public const byte Ignore = 2;
    public const byte Unimplemented = 3;
    public const byte Debug = 4;
    public const byte ServiceRequest = 5;
    public const byte ServiceAccept = 6;
    public const byte ExtInfo = 7;
    public const byte KexInit = 20;
    public const byte NewKeys = 21;

    /// <summary>SSH_MSG_KEXDH_INIT and SSH_MSG_KEX_ECDH_INIT.</summary>
    public const byte KexStart = 30;

    /// <summary>SSH_MSG_KEXDH_REPLY and SSH_MSG_KEX_ECDH_REPLY.</summary>
    public const byte KexReply = 31;
    public const byte KexLast = 49;
    public const byte UserAuthRequest = 50;
    public const byte UserAuthFailure = 51;
    public const byte UserAuthSuccess = 52;
    public const byte UserAuthBanner = 53;

    /// <summary>SSH_MSG_USERAUTH_PK_OK, SSH_MSG_USERAUTH_PASSWD_CHANGEREQ and SSH_MSG_USERAUTH_INFO_REQUEST, by method.</summary>
    public const byte UserAuthMethod = 60;
    public const byte UserAuthInfoResponse = 61;
    public const byte UserAuthLast = 79;
    public const byte GlobalRequest = 80;
    public const byte RequestSuccess = 81;
    public const byte RequestFailure = 82;
    public const byte ChannelOpen = 90;
    public const byte ChannelOpenConfirmation = 91;
    public const byte ChannelOpenFailure = 92;
    public const byte ChannelWindowAdjust = 93;
    public const byte ChannelData = 94;
    public const byte ChannelExtendedData = 95;
    public const byte ChannelEof = 96;
    public const byte ChannelClose = 97;
    public const byte ChannelRequest = 98;
    public const byte ChannelSuccess = 99;
    public const byte ChannelFailure = 100;

    /// <summary>OpenSSH's PROTOCOL section 1.9.</summary>
    public const byte Ping = 192;
    public const byte Pong = 193;
}
