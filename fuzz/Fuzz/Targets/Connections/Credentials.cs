using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Countersign.Ssh;
using Countersign.Ssh.Transport;

namespace Countersign.Fuzz.Targets.Connections;

/// <summary>What lets somebody in, made anew in each process so that no file can have it; and who has shown it, read from the messages once more and by simpler code.</summary>
internal sealed class Credentials
{
    public const string User = "alice";

    public const byte ByPassword = 1, ByKey = 2, ByCertificate = 3, ByAnswer = 4;

    private static readonly byte[] Word = Encoding.ASCII.GetBytes(Convert.ToHexString(RandomNumberGenerator.GetBytes(16)));
    private static readonly SshPrivateKey Holder = SshPrivateKey.Generate(SshKeyKind.Ed25519);
    private static readonly SshPrivateKey Authority = SshPrivateKey.Generate(SshKeyKind.Ed25519);

    private static readonly SshCertificate Certificate = SshCertificate.Issue(Authority, Holder.PublicKey, new()
    {
        Kind = SshCertificateKind.User,
        KeyId = "fuzz",
        Principals = [User],
        ValidAfter = DateTimeOffset.UnixEpoch,
        ValidBefore = DateTimeOffset.UnixEpoch.AddYears(100),
    });

    private readonly List<byte[]> _signed = [];
    private bool _askedForAnswer;

    /// <summary>The last message that was said lets in.</summary>
    public bool IsShown { get; private set; }

    public static bool Is(Secret word) => word.Expose().SequenceEqual(Word);

    public static bool Is(SshPublicKey key) => key.Equals(Holder.PublicKey);

    public static bool IsAuthority(SshPublicKey key) => key.Equals(Authority.PublicKey);

    public byte[] Prove(byte how, byte[] session) => how switch
    {
        ByPassword => Request("password").Boolean(false).String(Word).Written.ToArray(),
        ByKey => Sign(Request("publickey").Boolean(true).String("ssh-ed25519").String(Holder.PublicKey.Blob.Span), session),
        ByCertificate => Sign(Request("publickey").Boolean(true).String("ssh-ed25519-cert-v01@openssh.com").String(Certificate.Blob.Span), session),
        ByAnswer => new SshWriter().Byte(SshMessage.UserAuthInfoResponse).UInt32(1).String(Word).Written.ToArray(),
        _ => [],
    };

    /// <summary>A message on its way.</summary>
    public void Note(byte[] message)
    {
        if (message[0] == SshMessage.UserAuthInfoResponse)
        {
            IsShown = _askedForAnswer && message.AsSpan(1).StartsWith((ReadOnlySpan<byte>)[0, 0, 0, 1, 0, 0, 0, (byte)Word.Length, .. Word]);
        }
        else if (message[0] == SshMessage.UserAuthRequest)
        {
            byte[] start = [SshMessage.UserAuthRequest, .. Text(User), .. Text("ssh-connection")];
            var method = message.AsSpan().StartsWith(start) ? message[start.Length..] : [];
            _askedForAnswer = method.AsSpan().StartsWith(Text("keyboard-interactive"));
            byte[] byWord = [.. Text("password"), 0, .. Text(Encoding.ASCII.GetString(Word))];
            IsShown = method.AsSpan().SequenceEqual(byWord) || _signed.Any(signed => message.AsSpan().StartsWith(signed));
        }
    }

    private static SshWriter Request(string method) => new SshWriter().Byte(SshMessage.UserAuthRequest).String(User).String("ssh-connection").String(method);

    private byte[] Sign(SshWriter request, byte[] session)
    {
        _signed.Add(request.Written.ToArray());
        var signed = new SshWriter().String(session).Raw(request.Written.Span);
        return request.String(Holder.Sign("ssh-ed25519", signed.Written.Span)).Written.ToArray();
    }

    private static byte[] Text(string text)
    {
        var bytes = new byte[4 + text.Length];
        BinaryPrimitives.WriteInt32BigEndian(bytes, text.Length);
        Encoding.ASCII.GetBytes(text, bytes.AsSpan(4));
        return bytes;
    }
}
