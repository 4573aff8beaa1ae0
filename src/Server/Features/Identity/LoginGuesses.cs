using System.Net;
using Countersign.Access;
using Countersign.Server.Platform;

namespace Countersign.Server.Features.Identity;

/// <summary>
/// Logins are unique on the whole server, so that whoever chooses one has to be told that it is taken. Each such answer is counted like a failed sign-in, by who
/// chooses and by address, and is in the log: nobody finds out who is here by trying names.
/// </summary>
internal sealed class LoginGuesses(SignInThrottle throttle, RepeatedRefusals refusals)
{
    /// <summary>In the log.</summary>
    public const string Kind = "login.taken";

    /// <summary>How long nothing is tried; zero: now is fine.</summary>
    /// <param name="by">Who chooses.</param>
    public TimeSpan Wait(string by, IPAddress source) => throttle.Wait(Key(by), source);

    /// <summary>Somebody was told so.</summary>
    /// <param name="organization">Default: there is none yet, and it is only logged.</param>
    /// <param name="entry">Without the login that was tried: it may be somebody's of another organization.</param>
    public void Taken(string by, OrganizationId organization, AuditEntry entry)
    {
        throttle.Failed(Key(by), entry.Source ?? IPAddress.None);
        refusals.Note(organization, entry);
    }

    /// <summary>The same for one who calls the API, where that is what came of it.</summary>
    /// <param name="login">A fit one: what is wrong with its form tells nothing.</param>
    public void NoteIfTaken(Caller caller, string login, PolicyOutcome outcome)
    {
        if (outcome is PolicyOutcome.Refused { Reason: PlanResult.Invalid { Field: "login" } } && Logins.Problem(login) is null) Taken(By(caller), caller.Organization, AuditEntry.By(caller, Kind) with { Subject = "" });
    }

    public static string By(Caller caller) => caller.Person.Value.ToString("N");

    private static string Key(string by) => $"logins chosen by {by}";
}
