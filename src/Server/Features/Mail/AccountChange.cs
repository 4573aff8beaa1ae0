using Countersign.Access;

namespace Countersign.Server.Features.Mail;

/// <summary>What has to be known of a change beyond its words.</summary>
internal enum AccountChangeSort
{
    Other = 0,

    /// <summary>Somebody who did not want it can't sign in any more.</summary>
    ShutsOut = 1,

    /// <summary>It takes a token and nothing else, so that it may happen without end: only so many are mailed in an hour.</summary>
    KeyOrToken = 2,

    /// <summary>An administrator may do it to somebody again and again: only so many are mailed in an hour, counted by themselves.</summary>
    Address = 3,

    /// <inheritdoc cref="Address"/>
    FactorReset = 4,
}

/// <summary>
/// A change of what somebody signs in with, as their mail tells of it, word for word; what is the same for all stands in <see cref="Letters.AccountChanged"/>.
/// Labels come from people: they have been looked at where they came in, stand in the text, and never in the subject; those that a mail program makes a link
/// of, or that end the quotes they stand in, are left out.
/// </summary>
/// <param name="What">Goes on behind <c>At ORGANIZATION</c>.</param>
/// <param name="Remedy">What is to be done by a technician who did not want it; goes on behind a colon.</param>
internal sealed record AccountChange(string Subject, string What, string Remedy, AccountChangeSort Sort = AccountChangeSort.Other)
{
    private const string Elsewhere = "end your other sign-ins (countersign signins end --others), and choose another password if you have one";

    private const string ByLink = "have those who administer the organization send you a link to choose another password (countersign technicians reset-password)";

    /// <summary>Nobody sends the owner a link, or resets the owner's second factor.</summary>
    private const string OwnerShutOut = "you can't sign in any more, and nobody in the organization can let its owner in again; have those who run the server stop it until it is put right.";

    /// <summary>They sign in by the address alone, and with no client that could put anything right.</summary>
    private const string ForContacts = "have those who administer the organization disable you there until it is put right.";

    private const string FactorResetByOthers =
        "you can't sign in any more; have those who administer the organization reset your second factor (countersign technicians reset-two-factor), and choose another password then.";

    public static AccountChange PasswordChanged { get; } = new(
        "Your password was changed",
        "your password was changed: your other sign-ins and your API tokens have ended, and so have SSH connections that the old password opened; those that a key opened go on.",
        $"you can't sign in any more; {ByLink}.", AccountChangeSort.ShutsOut);

    public static AccountChange PasswordReplaced { get; } = new(
        "Your password was replaced",
        "another password was chosen for you by the link that you were mailed, and everything that you were signed in with has ended.",
        $"somebody else reads your mail; see to that first, and then {ByLink}.", AccountChangeSort.ShutsOut);

    public static AccountChange FirstPasswordSet { get; } = new(
        "A first password was set for you",
        "another first password was set for you, in place of the one that you have not changed yet: whoever set it tells you, and it is good for choosing your own.",
        "ask those who administer the organization what it is for.");

    public static AccountChange AppAdded { get; } = new(
        "Your second factor was set up",
        "an authenticator app was set up as your second factor: from now on you are asked for a code of it. Your other sign-ins have ended.",
        FactorResetByOthers, AccountChangeSort.ShutsOut);

    public static AccountChange AppRemoved { get; } = new(
        "Your second factor was taken off",
        "the authenticator app was taken off what you sign in with: no code of it is asked for any more.",
        $"{Elsewhere}; then set it up again (countersign two-factor enable).");

    public static AccountChange CodesRenewed { get; } = new(
        "Your recovery codes were replaced", "your recovery codes were replaced: those that you had are good for nothing any more.", $"{Elsewhere}; then replace them once more (countersign two-factor codes).");

    public static AccountChange TwoFactorReset { get; } = new(
        "Your second factor was reset",
        "your second factor was reset, and everything that you were signed in with has ended. From now on your password or key alone signs you in, until you set a second factor up again.",
        "set a second factor up (countersign two-factor enable).", AccountChangeSort.FactorReset);

    public static AccountChange AddressChanged { get; } = new(
        "Your mail address was changed",
        "another mail address was put in the place of this one: what is mailed to you goes there from now on.",
        "have it put right.", AccountChangeSort.Address);

    public static AccountChange KeyAdded(string label, string fingerprint) => new(
        "An SSH key was added to your account",
        $"an SSH key was registered for you{Called(label)}: whoever holds it signs in there as you. Its fingerprint is {fingerprint}.",
        $"remove it (countersign keys list, countersign keys remove ID), {Elsewhere}.", AccountChangeSort.KeyOrToken);

    public static AccountChange KeyRemoved(string label, string fingerprint) => new(
        "An SSH key was taken off your account",
        $"an SSH key was taken off what you sign in with{Called(label)}; its fingerprint is {fingerprint}.",
        $"{Elsewhere}; then add it again (countersign keys add FILE).", AccountChangeSort.KeyOrToken);

    public static AccountChange PasskeyAdded(string label) => new(
        "A passkey was added to your account",
        $"a passkey was added to what you sign in with{Called(label)}.",
        $"remove it (countersign passkeys list, countersign passkeys remove ID), {Elsewhere}.");

    /// <summary>Where there was no second factor before.</summary>
    public static AccountChange FirstPasskeyAdded(string label) => new(
        "A passkey was added to your account",
        $"a passkey was set up as your second factor{Called(label)}: from now on you are asked for it, or for a recovery code, besides your password or key. Your other sign-ins have ended.",
        FactorResetByOthers, AccountChangeSort.ShutsOut);

    public static AccountChange PasskeyRemoved(string label) => new(
        "A passkey was taken off your account", $"a passkey was taken off what you sign in with{Called(label)}.", $"{Elsewhere}; then add another one.");

    /// <param name="scopes">What it is good for, by name.</param>
    public static AccountChange TokenAdded(string label, string scopes, DateTimeOffset until) => new(
        "An API token was made for your account",
        $"an API token was made{Called(label)}: whoever holds it acts there as you, in what it is good for ({scopes}), until {Letters.Time(until)}.",
        $"remove it (countersign tokens list, countersign tokens remove ID), {Elsewhere}.", AccountChangeSort.KeyOrToken);

    /// <param name="more">How many others were made with it, which have ended, too.</param>
    public static AccountChange TokenRemoved(string label, int more) => new(
        "An API token of your account was removed",
        $"an API token was removed{Called(label)}{(more == 0 ? "" : $", and {more} more that had been made with it")}: what used it can't act as you any more.",
        $"{Elsewhere}; then make it again (countersign tokens create).", AccountChangeSort.KeyOrToken);

    /// <summary>What somebody who did not want it is to do.</summary>
    public string RemedyFor(PersonKind kind) => kind switch
    {
        PersonKind.Contact => ForContacts,
        PersonKind.Owner when Sort == AccountChangeSort.ShutsOut => OwnerShutOut,
        _ => Remedy,
    };

    private static string Called(string label) =>
        label.Contains('"', StringComparison.Ordinal) || Letters.CouldBeLink(label) ? "" : $", called \"{label}\"";
}
