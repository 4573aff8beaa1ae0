using System.Text.Json.Serialization;
using Countersign.Access;
using Countersign.Server.Platform;

namespace Countersign.Server.Features.TechnicianGroups;

/// <param name="Parent">Null for Everyone.</param>
/// <param name="MembersApprove">Where approval is required its members give it, in the place of managers.</param>
/// <param name="ApprovedExternalGroups">Whose members this group's may invite into sessions, where InviteExternal is for approved people only.</param>
/// <param name="InheritsApprovedExternalGroups">They are those of the group above.</param>
/// <param name="Members">Direct ones, as far as the caller may see them; so with managers and administrators.</param>
internal sealed record TechnicianGroupAnswer(
    Guid Id,
    Guid? Parent,
    string Name,
    string Description,
    bool Enabled,
    bool RequiresManagerialApproval,
    GroupConsent Consent,
    bool SinglePrompt,
    bool MembersApprove,
    IReadOnlyList<Guid> ApprovedExternalGroups,
    bool InheritsApprovedExternalGroups,
    IReadOnlyList<Guid> Members,
    IReadOnlyList<Guid> Managers,
    IReadOnlyList<Guid> Administrators,
    long Version) : IVersioned;

/// <summary>Who belongs to the groups, read once for a whole list.</summary>
internal sealed class GroupPeople(PolicySnapshot snapshot, Func<PersonId, bool> visible)
{
    private readonly ILookup<TechnicianGroupId, PersonId> _members = snapshot.All<MembershipRow>().Where(row => visible(row.Person)).ToLookup(row => row.Group, row => row.Person);
    private readonly ILookup<TechnicianGroupId, PersonId> _managers = snapshot.All<GroupManagerRow>().Where(row => visible(row.Person)).ToLookup(row => row.Group, row => row.Person);

    private readonly ILookup<TechnicianGroupId, PersonId> _administrators =
        snapshot.All<GroupAdministratorRow>().Where(row => visible(row.Person)).ToLookup(row => row.Group, row => row.Person);

    public TechnicianGroupAnswer Show(TechnicianGroupRow row) => new(
        row.Id.Value,
        row.ParentId?.Value,
        row.Name,
        row.Description,
        row.Enabled,
        row.RequiresManagerialApproval,
        row.Consent,
        row.SinglePrompt,
        row.MembersApprove,
        [.. snapshot.ApprovedExternals(row.Id)!.Value.Select(group => group.Value)],
        row.ApprovedExternals is null,
        Ids(_members[row.Id]),
        Ids(_managers[row.Id]),
        Ids(_administrators[row.Id]),
        snapshot.Version);

    /// <summary>For the answer to somebody who has just changed the group.</summary>
    public static TechnicianGroupAnswer Show(PolicySnapshot snapshot, TechnicianGroupId id, Func<PersonId, bool> visible) =>
        new GroupPeople(snapshot, visible).Show((TechnicianGroupRow)snapshot.Find(new(PolicyTable.TechnicianGroup, id.Value))!);

    private static List<Guid> Ids(IEnumerable<PersonId> people) => [.. people.Select(person => person.Value).Order()];
}

/// <summary>The tree of technician groups: who is in them, who manages and runs them, and what they restrict.</summary>
public static class TechnicianGroupsComposition
{
    public static IServiceCollection AddTechnicianGroups(this IServiceCollection services) => services.AddApiTypes(TechnicianGroupsJson.Default);

    public static void MapTechnicianGroups(this IEndpointRouteBuilder routes)
    {
        var groups = routes.MapGroup("/technician-groups").WithTags("Technician groups");
        groups.MapGet("/", ListTechnicianGroups.Handle).Requires(TokenScopes.PeopleRead);
        groups.MapPost("/", AddTechnicianGroup.HandleAsync).ChangesPolicy(TokenScopes.People);
        groups.MapGet("/{id:guid}", GetTechnicianGroup.Handle).Requires(TokenScopes.PeopleRead);
        groups.MapPatch("/{id:guid}", EditTechnicianGroup.HandleAsync).ChangesPolicy(TokenScopes.People);
        groups.MapDelete("/{id:guid}", DeleteTechnicianGroup.HandleAsync).ChangesPolicy(TokenScopes.People);
        groups.MapPut("/{id:guid}/members/{person:guid}", ChangePeople.AddMemberAsync).ChangesPolicy(TokenScopes.People);
        groups.MapDelete("/{id:guid}/members/{person:guid}", ChangePeople.RemoveMemberAsync).ChangesPolicy(TokenScopes.People);
        groups.MapPut("/{id:guid}/managers/{person:guid}", ChangePeople.AddManagerAsync).ChangesPolicy(TokenScopes.People);
        groups.MapDelete("/{id:guid}/managers/{person:guid}", ChangePeople.RemoveManagerAsync).ChangesPolicy(TokenScopes.People);
        groups.MapPut("/{id:guid}/administrators/{person:guid}", ChangePeople.AddAdministratorAsync).ChangesPolicy(TokenScopes.People);
        groups.MapDelete("/{id:guid}/administrators/{person:guid}", ChangePeople.RemoveAdministratorAsync).ChangesPolicy(TokenScopes.People);
        groups.MapPut("/{id:guid}/approved-external-groups", SetApprovedExternals.HandleAsync).ChangesPolicy(TokenScopes.People);
        groups.MapGet("/{id:guid}/permissions", GroupPermissions.Handle).Requires(TokenScopes.PeopleRead);
        groups.MapPut("/{id:guid}/permissions/{permission}", SetGroupPermission.HandleAsync).ChangesPolicy(TokenScopes.People);
    }
}

[JsonSerializable(typeof(TechnicianGroupAnswer))]
[JsonSerializable(typeof(Page<TechnicianGroupAnswer>))]
[JsonSerializable(typeof(AddTechnicianGroupRequest))]
[JsonSerializable(typeof(EditTechnicianGroupRequest))]
[JsonSerializable(typeof(GroupPermissionList))]
[JsonSerializable(typeof(SetGroupPermissionRequest))]
[JsonSerializable(typeof(SetApprovedExternalsRequest))]
[JsonSerializable(typeof(PolicyVersion))]
internal sealed partial class TechnicianGroupsJson : JsonSerializerContext;
