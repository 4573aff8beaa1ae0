using Countersign.Access;
using Countersign.Server.Platform;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.TechnicianGroups;

/// <param name="Own">Null: inherited.</param>
/// <param name="OwnOption">With an own value of a permission that has options: which, also where it is the default.</param>
/// <param name="Option">Of a permission that has options: the one that counts.</param>
/// <param name="Locked">Whether the value that counts is locked, here or above.</param>
/// <param name="Source">The group that the value comes from; null: nothing is said anywhere, which denies.</param>
internal sealed record GroupPermissionAnswer(
    Permission Permission, PolicyValue? Own, string? OwnOption, PolicyValue Effective, string? Option, bool Locked, GroupSource? Source);

internal sealed record GroupSource(Guid Id, string Name);

internal sealed record GroupPermissionList(IReadOnlyList<GroupPermissionAnswer> Items, long Version) : IVersioned;

/// <summary>A group's permission policy: its own values, what counts there, and where that comes from.</summary>
internal static class GroupPermissions
{
    public static Results<Ok<GroupPermissionList>, ProblemHttpResult> Handle(Guid id, CallersPolicy policy)
    {
        var group = new TechnicianGroupId(id);
        if (!policy.MaySee(group)) return Problems.NotFound();
        return TypedResults.Ok(new GroupPermissionList([.. PermissionCatalogue.Restrictable.Select(permission => Show(policy.Snapshot, group, permission))], policy.Version));
    }

    private static GroupPermissionAnswer Show(PolicySnapshot snapshot, TechnicianGroupId group, Permission permission)
    {
        if (snapshot.PermissionAt(group, permission) is not { } counts) return new(permission, null, null, PolicyValue.Deny, null, false, null);
        var own = (GroupPermissionRow?)snapshot.Find(new(PolicyTable.GroupPermission, group.Value, default, permission.ToString()));
        var source = (TechnicianGroupRow)snapshot.Find(new(PolicyTable.TechnicianGroup, counts.Group.Value))!;
        return new(permission, own?.Value, OptionOf(own), counts.Value, OptionOf(counts), counts.Locked, new(source.Id.Value, source.Name));
    }

    private static string? OptionOf(GroupPermissionRow? row) =>
        row is not null && PermissionOption.TryParse(row.Permission, row.Option, out var option, out _) ? option.Text : null;
}

/// <param name="Value">Null: inherit.</param>
/// <param name="Option">
/// Chat <c>on</c> · <c>off</c>; RecordSessions <c>allowed</c> · <c>consent</c>; TransferSessions and Collaborate <c>any</c> · <c>named:</c> and ids with
/// commas between; InviteExternal <c>anyone</c> · <c>approved</c>. Left out: as it is.
/// </param>
internal sealed record SetGroupPermissionRequest(PolicyValue? Value, bool Locked = false, string? Option = null);

internal static class SetGroupPermission
{
    public static async Task<Results<Ok<PolicyVersion>, ProblemHttpResult>> HandleAsync(
        Guid id, string permission, SetGroupPermissionRequest request, Caller caller, PolicyWriter writer, CancellationToken cancellation) =>
        PermissionText.TryRead(permission, out var known)
            ? (await writer.ApplyAsync(caller, new PolicyCommand.SetGroupPermission(new(id), known, request.Value, request.Locked, request.Option), cancellation)).Answer()
            : Problems.NotFound();
}
