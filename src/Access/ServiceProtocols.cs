using System.Diagnostics.CodeAnalysis;

namespace Countersign.Access;

/// <summary>How a device is spoken to. Numbers are stored.</summary>
public enum ServiceProtocol : byte
{
    Ssh = 1,
    Rdp = 2,
    Vnc = 3,
    Http = 4,
    Https = 5,
}

/// <summary>What a service of a protocol is known by.</summary>
public enum ServicePin
{
    /// <summary>The protocol shows nothing that could be pinned.</summary>
    None = 0,

    /// <summary>A public host key as <c>type base64</c>.</summary>
    HostKey = 1,

    /// <summary>The SHA-256 of a certificate as <c>sha256:</c> and 64 small hexadecimal digits.</summary>
    Certificate = 2,
}

/// <summary>What is the same for all services of one protocol.</summary>
public static class ServiceProtocols
{
    /// <summary>Characters of a pin.</summary>
    public const int LongestPin = 16 * 1024;

    private const string CertificatePrefix = "sha256:";
    private const int HashDigits = 64;

    /// <summary>By number.</summary>
    public static IReadOnlyList<ServiceProtocol> All { get; } = Enum.GetValues<ServiceProtocol>();

    /// <summary>The one of <paramref name="protocol"/> that is registered for it.</summary>
    public static int UsualPort(ServiceProtocol protocol) => protocol switch
    {
        ServiceProtocol.Ssh => 22,
        ServiceProtocol.Rdp => 3389,
        ServiceProtocol.Vnc => 5900,
        ServiceProtocol.Http => 80,
        ServiceProtocol.Https => 443,
        _ => throw Unknown(protocol),
    };

    public static ServicePin PinOf(ServiceProtocol protocol) => protocol switch
    {
        ServiceProtocol.Ssh => ServicePin.HostKey,
        ServiceProtocol.Rdp or ServiceProtocol.Https => ServicePin.Certificate,
        ServiceProtocol.Vnc or ServiceProtocol.Http => ServicePin.None,
        _ => throw Unknown(protocol),
    };

    /// <summary>Whoever holds one of these connects by it: a service is no right of its own.</summary>
    public static PermissionSet ConnectedBy(ServiceProtocol protocol) => protocol switch
    {
        ServiceProtocol.Ssh => PermissionSet.Of(Permission.Terminal, Permission.FileManager, Permission.SendFiles, Permission.ReceiveFiles, Permission.Tunnel),
        ServiceProtocol.Rdp => PermissionSet.Of(Permission.ScreenControl),
        ServiceProtocol.Vnc => PermissionSet.Of(Permission.ScreenView, Permission.ScreenControl),
        ServiceProtocol.Http or ServiceProtocol.Https => PermissionSet.Of(Permission.WebAccess),
        _ => throw Unknown(protocol),
    };

    /// <summary>In small or capital letters; nothing else, numbers neither.</summary>
    public static bool TryParse(string text, out ServiceProtocol protocol)
    {
        foreach (var known in All)
        {
            protocol = known;
            if (string.Equals(known.ToString(), text, StringComparison.OrdinalIgnoreCase)) return true;
        }

        protocol = default;
        return false;
    }

    /// <summary>Of a host key the comment is left out; the digits of a certificate's hash may be capitals and have colons between, as tools print them.</summary>
    /// <param name="canonical">As rows have it; empty: nothing is pinned.</param>
    /// <param name="problem">One sentence, where it is false.</param>
    public static bool TryPin(ServiceProtocol protocol, string? text, out string canonical, [NotNullWhen(false)] out string? problem)
    {
        canonical = "";
        problem = null;
        if (string.IsNullOrWhiteSpace(text)) return true;
        problem = text.Length > LongestPin ? $"It has at most {LongestPin} characters." : PinOf(protocol) switch
        {
            ServicePin.HostKey => HostKey(text, out canonical),
            ServicePin.Certificate => Certificate(text, out canonical),
            _ => $"A {Word(protocol)} service shows nothing that could be pinned.",
        };
        return problem is null;
    }

    /// <summary>As it is written in words: <c>ssh</c>.</summary>
    public static string Word(ServiceProtocol protocol) => protocol switch
    {
        ServiceProtocol.Ssh => "ssh",
        ServiceProtocol.Rdp => "rdp",
        ServiceProtocol.Vnc => "vnc",
        ServiceProtocol.Http => "http",
        ServiceProtocol.Https => "https",
        _ => throw Unknown(protocol),
    };

    internal static bool IsCanonicalPin(ServiceProtocol protocol, string pin) => TryPin(protocol, pin, out var canonical, out _) && string.Equals(canonical, pin, StringComparison.Ordinal);

    private static string? HostKey(string text, out string canonical)
    {
        canonical = "";
        var words = text.Split((char[]?)null, 3, StringSplitOptions.RemoveEmptyEntries);
        var fits = words.Length >= 2
            && words[0].All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '.' or '@')
            && Convert.TryFromBase64String(words[1], new byte[words[1].Length], out var length)
            && length > 0;
        if (!fits) return "Write a public host key as one line of known_hosts has it after the host: its type and its base64 text.";
        canonical = $"{words[0]} {words[1]}";
        return null;
    }

    private static string? Certificate(string text, out string canonical)
    {
        var trimmed = text.Trim();
        canonical = "";
        var hash = trimmed.StartsWith(CertificatePrefix, StringComparison.OrdinalIgnoreCase) ? trimmed[CertificatePrefix.Length..].Replace(":", "", StringComparison.Ordinal) : "";
        if (hash.Length != HashDigits || !hash.All(char.IsAsciiHexDigit)) return "Write a certificate as sha256: and the 64 hexadecimal digits of its SHA-256 hash.";
        canonical = CertificatePrefix + hash.ToLowerInvariant();
        return null;
    }

    private static ArgumentOutOfRangeException Unknown(ServiceProtocol protocol) => new(nameof(protocol), protocol, "There is no such protocol.");
}
