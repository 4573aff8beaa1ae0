using System.Text;
using Countersign.Sessions;

namespace Countersign.Gateway.SshDoor;

/// <summary>What a user name at the SSH front door means: <c>LOGIN</c>, <c>LOGIN+DEVICE</c> or <c>LOGIN+DEVICE+ACCOUNT</c>.</summary>
/// <param name="Login">As sent; it need not be anybody's.</param>
/// <param name="Device">Null: none was named. It need not exist.</param>
/// <param name="Account">Null: the device's default account.</param>
internal readonly record struct SshTarget(string Login, string? Device, string? Account)
{
    /// <summary>
    /// Splits at the first two plus signs. Control characters and those that are not seen or turn the direction of writing, which could deceive
    /// whoever reads them in a terminal or a log, become question marks.
    /// </summary>
    public static SshTarget Parse(string user)
    {
        var parts = Clean(user).Split('+', 3);
        return new(parts[0], Part(parts, 1), Part(parts, 2));
    }

    private static string? Part(string[] parts, int index) => parts.Length > index && parts[index].Length > 0 ? parts[index] : null;

    private static string Clean(string text)
    {
        var clean = new StringBuilder(text.Length);
        foreach (var character in text.EnumerateRunes()) clean.Append(PlainLine.Holds(character) ? character.ToString() : "?");
        return clean.ToString();
    }
}
