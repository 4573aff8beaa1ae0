using System.Collections.Immutable;
using System.Net;
using Countersign.Access;

namespace Countersign.Sessions;

/// <summary>Where requests for approval are kept and decided. Implemented by the server.</summary>
public interface IApprovalDesk
{
    /// <summary>Approved requests that such a connection may claim or join now, newest first; whether they count is the engine's answer.</summary>
    ValueTask<ImmutableArray<ApprovedRequest>> InHandAsync(ApprovalWish wish, CancellationToken cancellation);

    /// <summary>What was approved ahead for the person and is not over, also where its time has not come. Whether it counts is the engine's answer.</summary>
    ValueTask<ImmutableArray<PreapprovedRequest>> PreapprovedAsync(OrganizationId organization, PersonId person, CancellationToken cancellation);

    /// <summary>The same on one device, for whoever it was approved.</summary>
    ValueTask<ImmutableArray<PreapprovedRequest>> PreapprovedAsync(OrganizationId organization, DeviceId device, CancellationToken cancellation);

    /// <summary>Joins the request that waits for the same already, or makes one.</summary>
    /// <param name="reason">Why, in the person's own words; cleaned and cut to <see cref="ApprovalWish.LongestReason"/> here. Empty: none was given.</param>
    /// <param name="tell">Called with a line that the person should read while they wait; returns quickly.</param>
    ValueTask<ApprovalAsked> AskAsync(ApprovalWish wish, string reason, Action<string> tell, CancellationToken cancellation);

    /// <summary>Whether an approved request has not been revoked.</summary>
    ValueTask<bool> StandsAsync(OrganizationId organization, long number, CancellationToken cancellation);
}

/// <summary>What came of asking for an approval.</summary>
public abstract record ApprovalAsked
{
    private ApprovalAsked()
    {
    }

    /// <param name="Pending">Owned by whoever asked.</param>
    public sealed record Waits(IPendingApproval Pending) : ApprovalAsked;

    /// <summary>There is no request: it needs a reason, or another one.</summary>
    /// <param name="Asked">What the reason has to be, in the organization's words; empty: nothing but one.</param>
    public sealed record NeedsReason(string Asked) : ApprovalAsked;

    /// <summary>There is no request.</summary>
    /// <param name="Message">One plain sentence.</param>
    public sealed record Refused(string Message) : ApprovalAsked;
}

/// <summary>One connection's part in a request that waits. Disposing it leaves the request, which is cancelled when its last connection leaves.</summary>
public interface IPendingApproval : IAsyncDisposable
{
    long Number { get; }

    Task<ApprovalOutcome> Outcome { get; }
}

/// <param name="Message">One plain sentence, such as <c>rejected by Mara: not today</c>.</param>
public sealed record ApprovalOutcome(bool Approved, string Message)
{
    /// <summary>The requester took the request back themselves.</summary>
    public bool Cancelled { get; init; }
}

/// <summary>What a connection needs approval for: the approval will cover exactly this.</summary>
public sealed record ApprovalWish(
    OrganizationId Organization,
    PersonId Person,
    string Login,
    SignInStrength SignIn,
    DeviceId Device,
    string DeviceName,
    string Account,
    PermissionSet Permissions,
    IPAddress? Source)
{
    public const int LongestReason = 400;
}

/// <summary>Where a connection waits for its approval: the front door's side of it.</summary>
public interface IWaitingRoom
{
    /// <summary>Why the connection is wanted, as given beforehand; empty: nothing was said.</summary>
    string Reason { get; }

    /// <summary>Asks the person why; empty where nobody can be asked, or nobody answers.</summary>
    /// <param name="asked">What the reason has to be; empty: nothing but one.</param>
    ValueTask<string> AskReasonAsync(string asked, CancellationToken cancellation);

    /// <summary>Shows one line. The text may hold what people have written: it is cleaned here.</summary>
    void Tell(string line);

    /// <summary>Shows one line if the person waits at this moment.</summary>
    void Note(string line);

    /// <summary>Shows the last line: what the person types from here on is for the device.</summary>
    void LetIn(string line);
}
