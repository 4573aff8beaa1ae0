using System.Net;
using System.Net.Sockets;

namespace Countersign.Cli.Gate;

/// <summary>
/// What may stand in a line of OpenSSH's configuration, or among its arguments. The names come from a server: one that could end its line, match other
/// hosts, be taken for an option or be expanded is none.
/// </summary>
internal static class GateNames
{
    /// <summary><c>[a-z0-9][a-z0-9.-]*</c>, at most 253 characters.</summary>
    public static bool IsDevice(string? text) => text is { Length: > 0 and <= 253 } && Holds(text, ".-");

    /// <summary><c>[a-z0-9][a-z0-9._-]*</c>, at most 64 characters.</summary>
    public static bool IsLogin(string? text) => text is { Length: > 0 and <= 64 } && Holds(text, "._-");

    /// <summary>Narrower than what a device may have: no blank, quote, comma, plus, or anything that is expanded.</summary>
    public static bool IsAccount(string? text) => text is { Length: > 0 and <= 64 } && text.All(character => char.IsAsciiLetterOrDigit(character) || "._-@".Contains(character, StringComparison.Ordinal));

    /// <summary>A host's name or address.</summary>
    public static bool IsHost(string? text) =>
        text is { Length: > 0 and <= 253 }
        && (Holds(text.ToLowerInvariant(), ".-") || (IPAddress.TryParse(text, out var address) && address.AddressFamily == AddressFamily.InterNetworkV6 && !text.Contains('%', StringComparison.Ordinal)));

    /// <summary>Of a file of our own, between quotes.</summary>
    public static bool IsPath(string text) => text.All(character => !char.IsControl(character) && !"\"\\$%".Contains(character, StringComparison.Ordinal));

    private static bool Holds(string text, string inside) =>
        IsPlain(text[0]) && text.All(character => IsPlain(character) || inside.Contains(character, StringComparison.Ordinal));

    private static bool IsPlain(char character) => char.IsAsciiLetterLower(character) || char.IsAsciiDigit(character);
}
