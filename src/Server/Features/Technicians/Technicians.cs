using System.Text.Json.Serialization;
using Countersign.Access;
using Countersign.Server.Platform;

namespace Countersign.Server.Features.Technicians;

/// <param name="Groups">Those that they are in directly, as far as the caller may see them.</param>
/// <param name="ExternalGroups">Of a contact: those that they are in, as far as the caller may see them.</param>
/// <param name="Version">The version of policy that this was read from.</param>
internal sealed record TechnicianAnswer(
    Guid Id, PersonKind Kind, string Login, string Name, string Mail, PersonState State, PersonStatus Status, IReadOnlyList<Guid> Groups, IReadOnlyList<Guid> ExternalGroups, long Version)
    : IVersioned
{
    public static TechnicianAnswer Of(PolicySnapshot snapshot, PersonRow person, IEnumerable<TechnicianGroupId> groups, IEnumerable<ExternalGroupId> external) => new(
        person.Id.Value,
        person.Kind,
        person.Login,
        person.Name,
        person.Mail,
        person.State,
        person.Status,
        [.. groups.Select(group => group.Value)],
        [.. external.Select(group => group.Value)],
        snapshot.Version);

    /// <summary>For the answer to somebody who has just changed the person.</summary>
    public static TechnicianAnswer Of(PolicySnapshot snapshot, Caller caller, PersonId id, TimeProvider time) =>
        Of(new CallersPolicy(snapshot, caller, time.GetUtcNow()), snapshot.Person(id)!);

    public static TechnicianAnswer Of(CallersPolicy policy, PersonRow person) =>
        Of(
            policy.Snapshot,
            person,
            policy.Snapshot.All<MembershipRow>().Where(row => row.Person == person.Id && policy.MaySee(row.Group)).Select(row => row.Group),
            ExternalGroupsOf(policy)[person.Id]);

    /// <summary>Of contacts, as far as the caller may see external groups at all.</summary>
    public static ILookup<PersonId, ExternalGroupId> ExternalGroupsOf(CallersPolicy policy) =>
        (policy.MaySeeExternalGroups ? policy.Snapshot.All<ExternalMemberRow>() : []).ToLookup(row => row.Person, row => row.Group);
}

/// <summary>People of the organization: owner, technicians, contacts.</summary>
public static class TechniciansComposition
{
    public static IServiceCollection AddTechnicians(this IServiceCollection services) =>
        services.AddSingleton<HandOver>().AddApiTypes(TechniciansJson.Default);

    public static void MapTechnicians(this IEndpointRouteBuilder routes)
    {
        var technicians = routes.MapGroup("/technicians").WithTags("Technicians");
        technicians.MapGet("/", ListTechnicians.Handle).Requires(TokenScopes.PeopleRead);
        technicians.MapPost("/", AddTechnician.HandleAsync).ChangesPolicy(TokenScopes.People);
        technicians.MapGet("/{id:guid}", GetTechnician.Handle).Requires(TokenScopes.PeopleRead);
        technicians.MapPatch("/{id:guid}", EditTechnician.HandleAsync).ChangesPolicy(TokenScopes.People);
        technicians.MapDelete("/{id:guid}", DeleteTechnician.HandleAsync).ChangesPolicy(TokenScopes.People);
        technicians.MapPost("/{id:guid}/disable", DisableTechnician.DisableAsync).ChangesPolicy(TokenScopes.People);
        technicians.MapPost("/{id:guid}/enable", DisableTechnician.EnableAsync).ChangesPolicy(TokenScopes.People);
        // Not to be shown beforehand: to ask for it is to prove who one is.
        technicians.MapPost("/{id:guid}/ownership", (Guid id, HandOverRequest request, Caller caller, HttpContext context, HandOver hand, CancellationToken cancellation) =>
            hand.HandleAsync(id, request, caller, context, cancellation)).Requires(TokenScopes.People)
            .WithSummary("The owner hands the organization over, by password and code. The one change of policy that takes no preview, which would use the code up, and no undo");
    }
}

[JsonSerializable(typeof(TechnicianAnswer))]
[JsonSerializable(typeof(Page<TechnicianAnswer>))]
[JsonSerializable(typeof(AddTechnicianRequest))]
[JsonSerializable(typeof(EditTechnicianRequest))]
[JsonSerializable(typeof(HandOverRequest))]
[JsonSerializable(typeof(PolicyVersion))]
internal sealed partial class TechniciansJson : JsonSerializerContext;
