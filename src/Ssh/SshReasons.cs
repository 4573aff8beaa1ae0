namespace Countersign.Ssh;

/// <summary>Reasons of SSH_MSG_DISCONNECT (RFC 4253 section 11.1).</summary>
public static class SshDisconnectReason
{
    public const uint ProtocolError = 2;
    public const uint KeyExchangeFailed = 3;
    public const uint MacError = 5;
    public const uint ServiceNotAvailable = 7;
    public const uint ProtocolVersion = 8;
    public const uint HostKeyNotVerifiable = 9;
    public const uint ConnectionLost = 10;
    public const uint ByApplication = 11;
    public const uint TooManyConnections = 12;
    public const uint NoMoreAuthMethods = 14;
}

/// <summary>Reasons of SSH_MSG_CHANNEL_OPEN_FAILURE (RFC 4254 section 5.1).</summary>
public static class SshOpenFailure
{
    public const uint AdministrativelyProhibited = 1;
    public const uint ConnectFailed = 2;
    public const uint UnknownChannelType = 3;
    public const uint ResourceShortage = 4;
}
