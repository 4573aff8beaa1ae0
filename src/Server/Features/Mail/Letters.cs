using System.Globalization;
using System.Net;
using Countersign.Access;

namespace Countersign.Server.Features.Mail;

/// <summary>Every mail that the server sends, word for word. Names come from people: they stand in the text and never make up an address.</summary>
internal static class Letters
{
    /// <summary>A link to join; these, and those for a password, are counted.</summary>
    public const string InvitationKind = "invitation";

    public const string PasswordLinkKind = "password link";

    /// <summary>Of what an administrator can do again and again: these are counted.</summary>
    public const string AddressChangedKind = "address changed";

    public const string FactorResetKind = "second factor reset";

    private const string AccountChangedKind = "account changed";

    /// <summary>Of what a token alone adds and removes: these are counted.</summary>
    public const string KeysChangedKind = "keys or tokens changed";

    public static Letter Invitation(string organization, string inviter, string link, DateTimeOffset until) => new(
        InvitationKind,
        $"Join {Called(organization, "an organization")} on Countersign",
        [
            $"{Called(inviter, "Somebody")} invites you to join {Called(organization, "an organization")} on Countersign, and to choose how you sign in.",
            $"The link works once, until {Time(until)}. Whoever has it can join in your place: don't pass it on.",
            "If you don't know what this is about, do nothing.",
        ],
        new("Join the team", link));

    public static Letter Registration(string organization, string link, TimeSpan life) => new(
        "registration",
        "Prove your address for a new organization",
        [
            $"Somebody, probably you, wants to make {(CouldBeLink(organization) ? "an organization" : $"the organization {organization}")} on Countersign, with this address as its owner's.",
            $"The link works once, for {life.TotalMinutes:F0} minutes. If it was not you who asked, do nothing: then there will be no such organization.",
        ],
        new("Make the organization", link));

    public static Letter ContactLink(string organization, string link, TimeSpan life) => new(
        "sign-in link",
        $"Sign in to {Called(organization, "an organization")}",
        [
            $"Somebody, probably you, asked for a link to sign in to {Called(organization, "an organization")} on Countersign.",
            $"It works once, for {life.TotalMinutes:F0} minutes. If it was not you who asked, do nothing.",
        ],
        new("Sign in", link));

    public static Letter PasswordLink(string organization, string by, string link, TimeSpan life) => new(
        PasswordLinkKind,
        "Choose a new password",
        [
            $"{Called(by, "Somebody")} has a link sent to you by which you choose a new password at {Called(organization, "your organization")}.",
            $"It works once, for {life.TotalHours:F0} hours. Once you use it, everything that you are signed in with ends; a second factor stays as it is.",
            $"If you did not ask for this, do nothing, and speak to {Called(by, "those who administer it")} in another way than by mail.",
        ],
        new("Choose a password", link));

    /// <summary>Of whatever was changed about how somebody signs in: what, when, from where, by whom, and what to do.</summary>
    /// <param name="told">Who it is about: not everybody can be helped alike.</param>
    /// <param name="by">Who did it; null: somebody in the person's own name.</param>
    /// <param name="from">Null: not known.</param>
    /// <param name="isLast">No more of keys and tokens is mailed for a while.</param>
    public static Letter AccountChanged(string organization, AccountChange change, PersonKind told, string? by, DateTimeOffset at, IPAddress? from, bool isLast)
    {
        var where = from is null ? "" : $" from {from}";
        organization = Called(organization, "your organization");
        if (by is not null && CouldBeLink(by)) by = "somebody";
        var (who, unwanted, speak) = by is null
            ? ("in your name", "If it was you, there is nothing to do. If not", $"Tell those who administer {organization} at once, in another way than by mail: somebody could act there as you.")
            : ($"by {by}", "If you did not ask for this", $"Speak to {by} at once, in another way than by mail.");
        List<string> paragraphs = [$"At {organization} {change.What}", $"It was done on {Time(at)}{where}, {who}.", $"{unwanted}: {change.RemedyFor(told)}", speak];
        if (isLast) paragraphs.Add($"There were many such changes within an hour: {Bounded(change.Sort)} in the rest of it is not mailed to you, but everything else is. The audit log has it all.");
        return new(KindOf(change.Sort), change.Subject, paragraphs);
    }

    /// <summary>Of a mail that tells of such a change.</summary>
    public static string KindOf(AccountChangeSort sort) => sort switch
    {
        AccountChangeSort.KeyOrToken => KeysChangedKind,
        AccountChangeSort.Address => AddressChangedKind,
        AccountChangeSort.FactorReset => FactorResetKind,
        _ => AccountChangedKind,
    };

    public static Letter OwnershipGiven(string organization, string to) => new(
        "ownership given",
        $"You have handed {Called(organization, "your organization")} over",
        [
            $"{Called(to, "Somebody")} owns {Called(organization, "your organization")} from now on. You are a technician there, with the rights that grants give you.",
            $"If this was not you, speak to {Called(to, "whoever it is")} at once, in another way than by mail.",
        ]);

    public static Letter OwnershipTaken(string organization, string from) => new(
        "ownership taken",
        $"You own {Called(organization, "your organization")} now",
        [
            $"{Called(from, "Somebody")} has handed {Called(organization, "your organization")} over to you: you hold everything there, and nobody else can edit, disable or delete you.",
            "Set a second factor up if you have none yet, and keep its recovery codes where they are not lost: nobody can reset the owner's.",
        ]);

    /// <summary>Of an event that the setting Notifications has somebody told of.</summary>
    /// <param name="name">One of <see cref="NotificationRules.Events"/>.</param>
    /// <param name="isLast">No more of this event is mailed for a while.</param>
    public static Letter Event(string name, string device, DateTimeOffset at, bool isLast)
    {
        var what = name switch
        {
            "session.began" => "A session began",
            "session.refused" => "A session was refused",
            "session.terminated" => "A session was terminated",
            "session.ended" => "A session ended",
            "recording.failed" => "A recording failed",
            "journal.failed" => "A session's journal failed",
            "device.hostKeyChanged" => "Another host key was shown",
            "request.asked" => "Access was asked for",
            "request.blocked" => "A request can be approved by nobody",
            "request.approved" => "A request was approved",
            "request.rejected" => "A request was rejected",
            "request.expired" => "A request expired",
            "request.cancelled" => "A request was cancelled",
            "request.revoked" => "An approval was revoked",
            _ => name,
        };
        List<string> paragraphs =
        [
            $"{what}: {name}, at the device {device}, on {Time(at)}.",
            "Who it was, and the rest of it, is in Countersign, for those who may read it. You are told because the setting notifications of the device, or of what it is in, says so.",
        ];
        if (isLast) paragraphs.Add("There were many of these within an hour: more of them are not mailed to you in the rest of it. The audit log has them all.");
        return new("event", what, paragraphs);
    }

    /// <summary>
    /// Whether a mail program makes a link of it: what people are called is their own choice, and what comes from this server is believed. Devices are called after
    /// hosts, by those who may change them, and stand as they are.
    /// </summary>
    public static bool CouldBeLink(string name) => name.Contains("://", StringComparison.Ordinal) || name.Contains("www.", StringComparison.OrdinalIgnoreCase);

    private static string Called(string name, string otherwise) => CouldBeLink(name) ? otherwise : name;

    private static string Bounded(AccountChangeSort sort) => sort switch
    {
        AccountChangeSort.Address => "another mail address",
        AccountChangeSort.FactorReset => "a second factor that is reset",
        _ => "what is added or removed of keys and tokens",
    };

    public static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("d MMMM yyyy, HH:mm", CultureInfo.InvariantCulture) + " UTC";
}
