using System.Text.Json.Serialization;
using Countersign.Access;
using Countersign.Server.Platform;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.ExternalGroups;

/// <param name="Members">Contacts, as far as the caller may see them.</param>
internal sealed record ExternalGroupAnswer(Guid Id, string Name, string Description, IReadOnlyList<Guid> Members, long Version)
{
    public static ExternalGroupAnswer Of(PolicySnapshot snapshot, ExternalGroupRow row, IEnumerable<PersonId> members) => new(
        row.Id.Value, row.Name, row.Description, [.. members.Select(member => member.Value).Order()], snapshot.Version);

    public static ExternalGroupAnswer Of(PolicySnapshot snapshot, ExternalGroupRow row, Func<PersonId, bool> visible) =>
        Of(snapshot, row, snapshot.All<ExternalMemberRow>().Where(member => member.Group == row.Id && visible(member.Person)).Select(member => member.Person));

    public static ExternalGroupAnswer Of(PolicySnapshot snapshot, Guid id, Func<PersonId, bool> visible) =>
        Of(snapshot, (ExternalGroupRow)snapshot.Find(new(PolicyTable.ExternalGroup, id))!, visible);
}

/// <summary>Groups of people from outside, which technician groups approve for invitations. Made and filled by master administrators.</summary>
public static class ExternalGroupsComposition
{
    public static IServiceCollection AddExternalGroups(this IServiceCollection services) => services.AddApiTypes(ExternalGroupsJson.Default);

    public static void MapExternalGroups(this IEndpointRouteBuilder routes)
    {
        var groups = routes.MapGroup("/external-groups").WithTags("External groups");
        groups.MapGet("/", ListExternalGroups.Handle).Requires(TokenScopes.PeopleRead);
        groups.MapPost("/", AddExternalGroup.HandleAsync).ChangesPolicy(TokenScopes.People);
        groups.MapGet("/{id:guid}", ListExternalGroups.HandleOne).Requires(TokenScopes.PeopleRead);
        groups.MapPatch("/{id:guid}", EditExternalGroup.HandleAsync).ChangesPolicy(TokenScopes.People);
        groups.MapDelete("/{id:guid}", DeleteExternalGroup.HandleAsync).ChangesPolicy(TokenScopes.People);
        groups.MapPut("/{id:guid}/members/{person:guid}", ExternalMembers.AddAsync).ChangesPolicy(TokenScopes.People);
        groups.MapDelete("/{id:guid}/members/{person:guid}", ExternalMembers.RemoveAsync).ChangesPolicy(TokenScopes.People);
    }
}

internal static class ListExternalGroups
{
    /// <summary>Members are looked up once for all groups.</summary>
    public static Results<Ok<Page<ExternalGroupAnswer>>, ProblemHttpResult> Handle([AsParameters] PageQuery page, CallersPolicy policy)
    {
        var groups = policy.MaySeeExternalGroups ? policy.Snapshot.All<ExternalGroupRow>() : [];
        var members = policy.Snapshot.All<ExternalMemberRow>().ToLookup(member => member.Group, member => member.Person);
        return page.Cut(
            groups,
            group => $"{group.Name}\n{group.Id}",
            group => ExternalGroupAnswer.Of(policy.Snapshot, group, members[group.Id].Where(policy.MaySee)));
    }

    public static Results<Ok<ExternalGroupAnswer>, ProblemHttpResult> HandleOne(Guid id, CallersPolicy policy) =>
        policy.MaySeeExternalGroups && policy.Snapshot.Find(new(PolicyTable.ExternalGroup, id)) is ExternalGroupRow group
            ? TypedResults.Ok(ExternalGroupAnswer.Of(policy.Snapshot, group, policy.MaySee))
            : Problems.NotFound();
}

[JsonSerializable(typeof(ExternalGroupAnswer))]
[JsonSerializable(typeof(Page<ExternalGroupAnswer>))]
[JsonSerializable(typeof(AddExternalGroupRequest))]
[JsonSerializable(typeof(EditExternalGroupRequest))]
[JsonSerializable(typeof(PolicyVersion))]
internal sealed partial class ExternalGroupsJson : JsonSerializerContext;
