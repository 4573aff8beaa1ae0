using System.Net;

namespace Countersign.Access;

/// <summary>
/// How people sign in: the organization's own settings, which no node below overrides. The first two are rules of the decision and bind the owner,
/// technicians and contacts alike, at every question and while a session runs; the others are for whoever signs people in.
/// </summary>
/// <param name="TwoFactorRequired">One factor is not enough.</param>
/// <param name="AllowedNetworks">Where people may come from; null: anywhere.</param>
/// <param name="PasswordStrength">What zxcvbn has to think of a new password at least: 2 to 4.</param>
/// <param name="PasswordAge">How old a password may become; null: as old as it likes.</param>
/// <param name="Lifetime">How long somebody stays signed in at most.</param>
/// <param name="Idle">How long somebody stays signed in who does nothing; null: as long as anybody.</param>
public sealed record SignInSettings(
    bool TwoFactorRequired,
    NetworkList? AllowedNetworks,
    int PasswordStrength,
    TimeSpan? PasswordAge,
    TimeSpan Lifetime,
    TimeSpan? Idle)
{
    /// <summary>What stands in the way of whoever comes so, whatever they ask for; <see cref="DenialReason.None"/>: nothing. Allocates nothing.</summary>
    /// <param name="source">Null: not known, which is nowhere that is allowed where not everywhere is.</param>
    public DenialReason Hindrance(IPAddress? source, SignInStrength strength)
    {
        if (strength is not (SignInStrength.OneFactor or SignInStrength.TwoFactor)) return DenialReason.NotSignedIn;

        // The network first: where a second factor is missing one may still be set up, and that from nowhere else either.
        if (AllowedNetworks is not null && (source is null || !AllowedNetworks.Contains(source))) return DenialReason.NetworkNotAllowed;
        return TwoFactorRequired && strength != SignInStrength.TwoFactor ? DenialReason.TwoFactorMissing : DenialReason.None;
    }
}

public sealed partial class PolicySnapshot
{
    /// <summary>The organization's settings for signing in.</summary>
    public SignInSettings SignIn => _model.OrganizationRules.SignIn;

    /// <summary>
    /// What stands in the person's way whatever they ask for: they take no part, or the sign-in rules are not met; <see cref="DenialReason.None"/>:
    /// nothing. Whoever lists or administers asks this first, as <see cref="Decide"/> does.
    /// </summary>
    /// <param name="source">Null: not known.</param>
    public DenialReason Standing(PersonId subject, IPAddress? source, SignInStrength strength)
    {
        if (!_model.People.TryGetValue(subject, out var person)) return DenialReason.UnknownSubject;
        return person.TakesPart ? SignIn.Hindrance(source, strength) : DenialReason.SubjectTakesNoPart;
    }
}
