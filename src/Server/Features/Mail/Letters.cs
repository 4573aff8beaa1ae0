using System.Globalization;

namespace Countersign.Server.Features.Mail;

/// <summary>Every mail that the server sends, word for word. Names come from people: they stand in the text and never make up an address.</summary>
internal static class Letters
{
    public static Letter Invitation(string organization, string inviter, string link, DateTimeOffset until) => new(
        "invitation",
        $"Join {organization} on Countersign",
        [
            $"{inviter} invites you to join {organization} on Countersign, and to choose how you sign in.",
            $"The link works once, until {Time(until)}. Whoever has it can join in your place: don't pass it on.",
            "If you don't know what this is about, do nothing.",
        ],
        new("Join the team", link));

    public static Letter Registration(string organization, string link, TimeSpan life) => new(
        "registration",
        "Prove your address for a new organization",
        [
            $"Somebody, probably you, wants to make the organization {organization} on Countersign, with this address as its owner's.",
            $"The link works once, for {life.TotalMinutes:F0} minutes. If it was not you who asked, do nothing: then there will be no such organization.",
        ],
        new("Make the organization", link));

    public static Letter ContactLink(string organization, string link, TimeSpan life) => new(
        "sign-in link",
        $"Sign in to {organization}",
        [
            $"Somebody, probably you, asked for a link to sign in to {organization} on Countersign.",
            $"It works once, for {life.TotalMinutes:F0} minutes. If it was not you who asked, do nothing.",
        ],
        new("Sign in", link));

    public static Letter TwoFactorReset(string organization, string by) => new(
        "two-factor reset",
        "Your second factor was reset",
        [
            $"{by} has reset your second factor at {organization}, and ended everything that you were signed in with.",
            "From now on your password or key alone signs you in, until you set a second factor up again.",
            $"If you did not ask for this, speak to {by} at once, in another way than by mail.",
        ]);

    public static Letter PasswordLink(string organization, string by, string link, TimeSpan life) => new(
        "password link",
        "Choose a new password",
        [
            $"{by} has a link sent to you by which you choose a new password at {organization}.",
            $"It works once, for {life.TotalHours:F0} hours. Once you use it, everything that you are signed in with ends; a second factor stays as it is.",
            $"If you did not ask for this, do nothing, and speak to {by} in another way than by mail.",
        ],
        new("Choose a password", link));

    public static Letter PasswordReplaced(string organization) => new(
        "password replaced",
        "Your password was replaced",
        [
            $"By the link that you were mailed another password was chosen for you at {organization}, and everything that you were signed in with has ended.",
            "If this was not you, tell those who administer it at once, in another way than by mail.",
        ]);

    public static Letter KeyAdded(string organization, string by, string fingerprint) => new(
        "key added",
        "A key was registered for you",
        [
            $"{by} has registered an SSH key for you at {organization}: whoever holds it signs in there as you.",
            $"Its fingerprint is {fingerprint}. Your keys are shown by: countersign keys list",
            $"If you did not ask for this, remove it, and speak to {by} at once, in another way than by mail.",
        ]);

    public static Letter OwnershipGiven(string organization, string to) => new(
        "ownership given",
        $"You have handed {organization} over",
        [
            $"{to} owns {organization} from now on. You are a technician there, with the rights that grants give you.",
            $"If this was not you, speak to {to} at once, in another way than by mail.",
        ]);

    public static Letter OwnershipTaken(string organization, string from) => new(
        "ownership taken",
        $"You own {organization} now",
        [
            $"{from} has handed {organization} over to you: you hold everything there, and nobody else can edit, disable or delete you.",
            "Set a second factor up if you have none yet, and keep its recovery codes where they are not lost: nobody can reset the owner's.",
        ]);

    private static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("d MMMM yyyy, HH:mm", CultureInfo.InvariantCulture) + " UTC";
}
