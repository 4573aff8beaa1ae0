using Countersign.Access;

namespace Countersign.Server.Features.Identity;

/// <summary>What somebody may choose to be called when signing in, wherever they choose it.</summary>
internal static class Logins
{
    /// <summary>Null when it will do.</summary>
    public static string? Problem(string login) => login switch
    {
        _ when !Names.IsLogin(login) => "It has 1 to 64 characters: small letters, digits, dots, underscores and hyphens; the first is a letter or digit.",
        _ when Names.IsGivenLogin(login) => "Logins that begin so are given by the server: choose another one.",
        _ => null,
    };
}
