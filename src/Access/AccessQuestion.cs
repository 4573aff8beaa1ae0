using System.Collections.Immutable;
using System.Net;

namespace Countersign.Access;

/// <summary>How the subject signed in to the front door that asks.</summary>
public enum SignInStrength : byte
{
    /// <summary>Not at all: nothing is allowed.</summary>
    None = 0,
    OneFactor = 1,
    TwoFactor = 2,
}

/// <summary>Whether somebody at the device can be asked for consent.</summary>
public enum EndUserPresence : byte
{
    /// <summary>An endpoint without an agent, a locked screen, no prompt: nobody can be asked.</summary>
    CannotBeAsked = 0,
    NobodyLoggedOn = 1,
    CanBeAsked = 2,
}

/// <summary>Who wants what on which device, when, and with what in hand. All of it comes from the asker's front door; nothing is looked up elsewhere.</summary>
/// <param name="Account">Null: of a connection the device's default account; where nothing is wanted but <em>Other options</em>, the device itself.</param>
/// <param name="Wanted">What the connection needs at least; empty is denied.</param>
/// <param name="At">The instant that is asked about, by the server's clock.</param>
/// <param name="Source">Where the subject comes from; null: not known, which meets no rule about networks.</param>
public readonly record struct AccessQuestion(
    PersonId Subject,
    DeviceId Device,
    string? Account,
    PermissionSet Wanted,
    DateTimeOffset At,
    IPAddress? Source,
    SignInStrength SignIn,
    EndUserPresence EndUser)
{
    /// <summary>Approved requests in hand, as whoever keeps them vouches for them. What does not fit the question counts for nothing.</summary>
    public ImmutableArray<ApprovedRequest> Approvals { get; init; } = [];

    /// <summary>Preapproved access in hand, as whoever keeps it vouches for it. What does not fit the question counts for nothing.</summary>
    public ImmutableArray<PreapprovedRequest> Preapprovals { get; init; } = [];

    /// <summary>Consents in hand, as whoever asked the end user vouches for them. What does not fit the question counts for nothing.</summary>
    public ImmutableArray<GivenConsent> Consents { get; init; } = [];

    /// <summary>
    /// No rule asked for an approval when it began: none that came since is met by what happens to be in hand, and it relies on none of that. Of no matter to a
    /// connection that begins. Set by <see cref="PolicySnapshot.AsBegun"/>.
    /// </summary>
    public bool BeganUnasked { get; init; }

    /// <summary>
    /// A workflow insisted on its steps when it began: no preapproved access in hand stands for an approval by itself. Of no matter to a connection that begins.
    /// Set by <see cref="PolicySnapshot.AsBegun"/>.
    /// </summary>
    public bool BeganInsisted { get; init; }

    /// <summary>
    /// The owner's floor: what is set on the device itself, which nothing here can lower; null: the device says nothing. A kind that it leaves off adds nothing.
    /// </summary>
    public RemoteControlApproval? ConsentFloor { get; init; }
}

public enum DecisionKind : byte
{
    /// <summary>The default value denies.</summary>
    Denied = 0,
    MayBeRequested = 1,
    NeedsApproval = 2,
    Allowed = 3,
}

/// <summary>Why a question was not answered with <see cref="DecisionKind.Allowed"/>.</summary>
public enum DenialReason : byte
{
    None = 0,
    UnknownSubject,
    SubjectTakesNoPart,
    NotSignedIn,
    TwoFactorMissing,
    NetworkNotAllowed,
    UnknownDevice,
    DeviceDisabled,
    UnknownAccount,
    NothingWanted,
    OutsideSessionHours,
    NotGranted,
    AboveCeiling,
    RecordingForbids,
    PrerequisiteMissing,
    ApprovalNeeded,
    ConsentImpossible,
}

/// <summary>The verdict, small enough to pass by value. Reasons in words come from <see cref="PolicySnapshot.Explain(in AccessQuestion)"/>.</summary>
/// <param name="Permissions">Allowed: everything that holds at the instant asked about, not only what was wanted.</param>
/// <param name="Reason">Anything but allowed: what stands in the way, for logs and explanations; not for a subject who may not see the device.</param>
/// <param name="Until">
/// Allowed: when the first of the wanted permissions stops holding; null: no end is known. Where hundreds of windows follow each other
/// without a gap the end is not looked for beyond them: <paramref name="ReevaluateAt"/> comes before.
/// </param>
/// <param name="ReevaluateAt">The earliest instant at which the same question may be answered differently under the same policy; null: never.</param>
/// <param name="Visible">Whether the subject may know that the device is there. False: the answer must be the one for a device that is not there.</param>
public readonly record struct AccessDecision(
    DecisionKind Kind,
    DenialReason Reason,
    PermissionSet Permissions,
    DateTimeOffset? Until,
    DateTimeOffset? ReevaluateAt,
    bool Visible)
{
    /// <summary>Allowed: what the end user has to be asked or told before the connection begins, for the strictest of the kinds wanted.</summary>
    public ConsentMode Consent { get; init; }

    /// <summary>
    /// Allowed on preapproved access that begins with its first use and has not begun: how long what is wanted holds from then on. Null: see <see cref="Until"/>.
    /// </summary>
    public TimeSpan? Lasting { get; init; }

    /// <summary>Allowed: how the session is recorded.</summary>
    public RecordingRule Recording { get; init; }

    /// <summary>Allowed: how long the session may last at most; null: no such limit.</summary>
    public TimeSpan? MaxSession { get; init; }

    /// <summary>Allowed: how long the session may stand still; null: as long as it likes.</summary>
    public TimeSpan? IdleTimeout { get; init; }

    /// <summary>Allowed: how those of the permissions that have options may be used.</summary>
    public PermissionOptions? Options { get; init; }

    /// <summary>Allowed: how long before its end the session is warned; null: not at all.</summary>
    public TimeSpan? EndWarning { get; init; }
}
