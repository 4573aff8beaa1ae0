using System.Linq.Expressions;
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

    /// <summary>
    /// What <see cref="MaySee"/> lets through, in the database's words; and all that run, which are few: those are looked at one by one.
    /// </summary>
    public Expression<Func<SessionRecord, bool>> MayBeSeen()
    {
        if (policy.MayReadLog) return _ => true;
        var me = caller.Person;
        var any = new List<Expression<Func<SessionRecord, bool>>> { row => row.Ended == null || row.Person == me };

        // Accounts on which one may look back at the same devices go together: of these there are few, however many devices there are.
        var pairs = from listing in policy.Snapshot.DevicesOf(me, policy.At)
                    from account in policy.Snapshot.AccountsOf(listing.Device.Id)
                    where Decide(listing.Device.Id, account.Name, LookBack).Kind == DecisionKind.Allowed
                    group listing.Device.Id by account.Name;
        foreach (var alike in pairs.GroupBy(pair => string.Join(',', pair), pair => (Account: pair.Key, Devices: pair.ToArray())))
        {
            var (accounts, devices) = (alike.Select(pair => pair.Account).ToArray(), alike.First().Devices);
            any.Add(row => accounts.Contains(row.Account) && devices.Contains(row.Device));
        }

        return AnyOf(any);
    }

    public bool MayEnd(SessionRecord row) => TookPart(row) || Has(row, Terminate);

    /// <summary>Look over its shoulder, of a session that runs. Asked again while one does.</summary>
    public bool MayWatch(SessionRecord row) => MaySee(row) && Has(row, Watch);

    /// <summary>Of a session that has ended.</summary>
    public bool MayPlay(SessionRecord row) => MaySee(row) && HasOrOutlives(row, Play);

    /// <summary>Whether the role is held; that nobody deletes where they <see cref="TookPart"/> is told apart.</summary>
    public bool MayDelete(SessionRecord row) => MaySee(row) && HasOrOutlives(row, Delete);

    /// <summary>What happened in it, who watched among that: taking part is not enough.</summary>
    public bool MayReadJournal(SessionRecord row) => policy.MayReadLog || MaySee(row) && HasOrOutlives(row, LookBack);

    public bool TookPart(SessionRecord row) => row.Person == caller.Person;

    private bool Has(SessionRecord row, PermissionSet wanted) => Decide(row, wanted).Kind == DecisionKind.Allowed;

    /// <summary>
    /// A recording outlives the device that it is of. Where the device, or its account, is gone or switched off, nobody has rights on it: then it is the
    /// master administrators', so that removing a device hides nothing.
    /// </summary>
    private bool HasOrOutlives(SessionRecord row, PermissionSet wanted) =>
        Has(row, wanted)
        || Decide(row, wanted).Reason is DenialReason.UnknownDevice or DenialReason.DeviceDisabled or DenialReason.UnknownAccount && policy.IsMasterAdministrator;

    private AccessDecision Decide(SessionRecord row, PermissionSet wanted) => Decide(row.Device, row.Account, wanted);

    private AccessDecision Decide(DeviceId device, string account, PermissionSet wanted)
    {
        if (_known.TryGetValue((device, account, wanted), out var known)) return known;
        return _known[(device, account, wanted)] = policy.Snapshot.Decide(
            new(caller.Person, device, account, wanted, policy.At, caller.Source, caller.Strength, EndUserPresence.CannotBeAsked));
    }

    /// <summary>Joined pair by pair: a chain of many would be deeper than the database bears.</summary>
    private static Expression<Func<SessionRecord, bool>> AnyOf(List<Expression<Func<SessionRecord, bool>>> parts)
    {
        var row = parts[0].Parameters[0];
        var level = parts.ConvertAll(part => new Rebinding(part.Parameters[0], row).Visit(part.Body));
        while (level.Count > 1)
        {
            level = [.. level.Chunk(2).Select(pair => pair.Length == 2 ? Expression.OrElse(pair[0], pair[1]) : pair[0])];
        }

        return Expression.Lambda<Func<SessionRecord, bool>>(level[0], row);
    }

    private sealed class Rebinding(ParameterExpression from, ParameterExpression to) : ExpressionVisitor
    {
        protected override Expression VisitParameter(ParameterExpression node) => node == from ? to : node;
    }
}
