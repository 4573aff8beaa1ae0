using Countersign.Access;
using Countersign.Server.Platform;

namespace Countersign.Server.Features.Sessions;

/// <summary>What one caller may see and do at one instant; remembers the engine's answer for each account of a device, as rights are given by account.</summary>
internal sealed class SessionSight(Caller caller, CallersPolicy policy)
{
    private static readonly PermissionSet LookBack = PermissionSet.Of(Permission.ConnectionHistory);
    private static readonly PermissionSet Watch = PermissionSet.Of(Permission.WatchSessions);
    private static readonly PermissionSet Terminate = PermissionSet.Of(Permission.TerminateSessions);
    private static readonly PermissionSet Play = PermissionSet.Of(Permission.PlayRecordings);
    private static readonly PermissionSet Delete = PermissionSet.Of(Permission.DeleteRecordings);

    private readonly Dictionary<(DeviceId Device, string Account, PermissionSet Wanted), AccessDecision> _known = [];

    /// <summary>The log tells of every session, of devices that are gone, too: whoever may read it may see them.</summary>
    public bool MaySee(SessionRecord row) =>
        TookPart(row) || policy.MayReadLog || Has(row, LookBack) || row.Ended is null && (Has(row, Watch) || Has(row, Terminate));

    public bool MayEnd(SessionRecord row) => TookPart(row) || Has(row, Terminate);

    /// <summary>Look over its shoulder, of a session that runs. Asked again while one does.</summary>
    public bool MayWatch(SessionRecord row) => MaySee(row) && Has(row, Watch);

    /// <summary>Of a session that has ended.</summary>
    public bool MayPlay(SessionRecord row) => MaySee(row) && HasOrOutlives(row, Play);

    /// <summary>Whether the role is held; that nobody deletes where they <see cref="TookPart"/> is told apart.</summary>
    public bool MayDelete(SessionRecord row) => MaySee(row) && HasOrOutlives(row, Delete);

    public bool TookPart(SessionRecord row) => row.Person == caller.Person;

    private bool Has(SessionRecord row, PermissionSet wanted) => Decide(row, wanted).Kind == DecisionKind.Allowed;

    /// <summary>
    /// A recording outlives the device that it is of. Where the device, or its account, is gone or switched off, nobody has rights on it: then it is the
    /// master administrators', so that removing a device hides nothing.
    /// </summary>
    private bool HasOrOutlives(SessionRecord row, PermissionSet wanted) =>
        Has(row, wanted)
        || Decide(row, wanted).Reason is DenialReason.UnknownDevice or DenialReason.DeviceDisabled or DenialReason.UnknownAccount && policy.IsMasterAdministrator;

    private AccessDecision Decide(SessionRecord row, PermissionSet wanted)
    {
        if (_known.TryGetValue((row.Device, row.Account, wanted), out var known)) return known;
        return _known[(row.Device, row.Account, wanted)] = policy.Snapshot.Decide(
            new(caller.Person, row.Device, row.Account, wanted, policy.At, caller.Source, caller.Strength, EndUserPresence.CannotBeAsked));
    }
}
