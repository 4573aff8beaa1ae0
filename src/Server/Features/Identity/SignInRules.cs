using System.Net;
using Countersign.Access;

namespace Countersign.Server.Features.Identity;

/// <summary>The organization's settings for signing in, as they are asked where people sign in.</summary>
internal static class SignInRules
{
    private static readonly PolicySnapshot _nobodys = PolicySnapshot.Empty(default);

    /// <summary>Null: a login that is nobody's. Nobody signs in with it; the settings are those of an organization that has set none, so that the work is the same.</summary>
    public static SignInSettings Of(PolicySnapshot? policy) => (policy ?? _nobodys).SignIn;

    public static bool Allows(this SignInSettings rules, IPAddress source) => rules.AllowedNetworks?.Contains(source) ?? true;

    /// <summary>On the writer: what is wrong with a password that was found strong enough before, where more is demanded since. Null: nothing.</summary>
    /// <param name="asked">The strength that it was held to.</param>
    /// <inheritdoc cref="PasswordRules.Problem"/>
    public static string? ProblemSince(this SignInSettings rules, int asked, string password, string login, params ReadOnlySpan<string> about) =>
        rules.PasswordStrength <= asked ? null : PasswordRules.Problem(password, rules.PasswordStrength, login, about);

    public static bool IsTooOld(this SignInSettings rules, DateTimeOffset passwordChanged, DateTimeOffset now) =>
        rules.PasswordAge is { } age && now - passwordChanged >= age;
}
