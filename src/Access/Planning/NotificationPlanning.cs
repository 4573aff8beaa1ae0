namespace Countersign.Access;

internal sealed partial class Planner
{
    private bool MayManageSecurity(SettingNode node) => _authority.IsMaster || _snapshot.HeldAt(_authority, node).Contains(Permission.ManageSecurity);

    private bool MayModifyNotifications(SettingNode node) => MayManageSecurity(node) || _snapshot.HeldAt(_authority, node).Contains(Permission.ModifyNotifications);

    /// <summary>Those who come in have to be there. Who went since they were named counts for nothing, and is in nobody's way.</summary>
    private PlanResult.Invalid? CheckRecipients(SettingNode node, string value)
    {
        if (!NotificationRules.TryParse(value, out var rules, out var problem)) return new("value", problem);
        var there = (_snapshot.NotificationsAt(node) ?? NotificationRules.None).Pairs.Select(pair => pair.Recipient).ToHashSet();
        return rules.Pairs.Any(pair => !there.Contains(pair.Recipient) && pair.Recipient.Person is { } person && VisiblePerson(person) is null)
            ? new("value", "Somebody who is named is not there, or you may not see them.")
            : null;
    }

    /// <summary>
    /// What somebody short of master administrator may make of notifications, however they do it: judged by what counts before and after at each
    /// node whose value is touched. Nodes below either inherit the same difference or have a value of their own.
    /// </summary>
    private PlanResult.Forbidden? CheckNotifications(PolicySnapshot after, IReadOnlyList<RowChange> changes)
    {
        foreach (var node in changes.Select(change => change.After ?? change.Before).OfType<SettingRow>().Where(row => row.Setting == SettingKind.Notifications).Select(row => row.Node))
        {
            if (after.NotificationsAt(node) is not { } now) continue;
            var (then, there) = ((_snapshot.NotificationsAt(node) ?? NotificationRules.None).Pairs.ToHashSet(), now.Pairs.ToHashSet());
            if (there.Any(pair => pair.Recipient.Kind == NotificationRecipientKind.Mail && !then.Contains(pair))) return OnlyMasters("have mail addresses told");
            if (!then.IsSubsetOf(there) && !MayManageSecurity(node)) return new($"Who is told may be taken away only with {Describe.Label(Permission.ManageSecurity)}.");
        }

        return null;
    }
}
