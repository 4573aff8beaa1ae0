using System.Diagnostics.CodeAnalysis;
using System.Net;
using Countersign.Access;
using Countersign.Sessions.Journal;
using Countersign.Sessions.Recording;

namespace Countersign.Sessions;

/// <summary>Where policy comes from. Implemented by the server; reading never waits.</summary>
public interface IPolicySource
{
    /// <summary>The snapshot in force now, or null: no such organization.</summary>
    PolicySnapshot? Current(OrganizationId organization);

    /// <summary>Called after each swap of a snapshot, on the swapping thread: return quickly. Dispose to stop.</summary>
    IDisposable OnChange(Action<PolicySnapshot> changed);
}

/// <summary>Where sessions are written down. Implemented by the server.</summary>
public interface ISessionLedger
{
    /// <summary>
    /// Writes the session's row, its claim on an approved request, and its audit record in one transaction; returns once all are durable. A
    /// session whose opening can't be written does not start. False: the approval is not to be had any more, and nothing was written.
    /// </summary>
    /// <exception cref="LedgerAwayException">Nothing can be written now, and nothing was.</exception>
    ValueTask<bool> BeginAsync(SessionOpening opening, CancellationToken cancellation);

    /// <summary>Writes the end and its audit record in one transaction. Called again with the same end if it throws; once it has been written, that does nothing.</summary>
    ValueTask EndAsync(SessionEnd end, CancellationToken cancellation);

    /// <summary>Audits that a session which is to be recorded is not, or from here on is not.</summary>
    ValueTask RecordingFailedAsync(SessionOpening opening, string why, CancellationToken cancellation);

    /// <summary>Audits that a session's journal is not written, or from here on is not.</summary>
    ValueTask JournalFailedAsync(SessionOpening opening, string why, CancellationToken cancellation);

    /// <summary>Audits a decision that denied.</summary>
    ValueTask RefuseAsync(SessionRefusal refusal, CancellationToken cancellation);
}

/// <summary>Where sessions are written down takes nothing now: it is locked, or its disk is full. Later it may.</summary>
[SuppressMessage("Design", "CA1032:Implement standard exception constructors", Justification = "Without its cause the exception would say nothing.")]
public sealed class LedgerAwayException(Exception cause) : Exception("the session can't be written down now", cause);

public readonly record struct SessionId(Guid Value)
{
    public override string ToString() => Value.ToString();
}

public enum SessionKind : byte
{
    Shell = 1,
    Command = 2,
    Files = 3,

    /// <summary>One connection from the device to somewhere that it reaches.</summary>
    Tunnel = 4,
}

/// <param name="DeviceName">As it was when the session began; the device may be renamed or deleted later.</param>
/// <param name="Command">What is run, as <see cref="ShownCommand"/> shows it; empty for a shell and for SFTP. Of a tunnel: where it leads.</param>
/// <param name="PolicyVersion">The version of policy that allowed it.</param>
public sealed record SessionOpening(
    SessionId Id,
    OrganizationId Organization,
    PersonId Person,
    string Login,
    DeviceId Device,
    string DeviceName,
    string Account,
    SessionKind Kind,
    string Command,
    IPAddress? Source,
    DateTimeOffset At,
    long PolicyVersion)
{
    /// <summary>The approved request that it claims or joins; null: no approval was needed.</summary>
    public long? Request { get; init; }

    /// <summary>What was approved ahead that it lives on when it begins.</summary>
    public IReadOnlyList<PreapprovalClaim> Preapproved { get; init; } = [];
}

/// <param name="FirstUse">It begins with this session; the claim fails if it has begun meanwhile.</param>
public readonly record struct PreapprovalClaim(long Number, FirstUse FirstUse);

/// <summary>What a session is to access that was approved ahead.</summary>
public enum FirstUse : byte
{
    /// <summary>One among others, in a time that is set.</summary>
    None = 0,

    /// <summary>The use from which its time counts.</summary>
    Begins = 1,
}

/// <summary>Numbers are stored.</summary>
public enum EndReason : byte
{
    Completed = 1,
    WindowOver = 2,
    Terminated = 3,
    PersonDisabled = 4,
    PermissionRevoked = 5,
    DeviceUnreachable = 6,
    GatewayStopped = 7,
    ConnectionLost = 8,
    DeviceRemoved = 9,

    /// <summary>It has to be recorded, and can't be.</summary>
    NotRecorded = 10,

    /// <summary>It has lasted as long as the device's setting lets a session last.</summary>
    MaximumTime = 11,

    /// <summary>Nobody has done anything in it for as long as the device's setting lets it stand still.</summary>
    Idle = 12,

    /// <summary>What came from one of its ends was not the protocol that it is for.</summary>
    NotUnderstood = 13,
}

/// <param name="Detail">One sentence for people: who terminated, what was revoked, why the device could not be reached.</param>
/// <param name="ExitStatus">What the command returned, if it did.</param>
/// <param name="BytesIn">From the technician to the device.</param>
/// <param name="BytesOut">From the device to the technician.</param>
public sealed record SessionEnd(
    SessionId Id,
    OrganizationId Organization,
    EndReason Reason,
    string Detail,
    int? ExitStatus,
    long BytesIn,
    long BytesOut,
    DateTimeOffset At)
{
    public RecordingSummary Recording { get; init; } = new(RecordingState.None, null, null, null);

    /// <summary>What the log holds its journal to; null: there is none.</summary>
    public JournalSummary? Journal { get; init; }
}

/// <param name="Device">What the person named, whether it exists or not; at most 253 characters, cleaned of control characters.</param>
public sealed record SessionRefusal(
    OrganizationId Organization,
    PersonId Person,
    string Login,
    string Device,
    string Account,
    PermissionSet Wanted,
    DecisionKind Decision,
    DenialReason Reason,
    IPAddress? Source,
    DateTimeOffset At);
