using Countersign.Gateway;
using Countersign.Server.Features.Vault;
using Countersign.Server.Platform;
using Countersign.Ssh;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.Identity;

/// <param name="Authorities">The first one signs; what the one before it has signed counts until it is removed.</param>
internal sealed record DoorAuthoritiesAnswer(IReadOnlyList<AuthorityShown> Authorities);

/// <summary>
/// The authority of the certificates that let people in at the SSH front door. Nobody has to trust it but the server itself, so a change of keys asks nothing
/// of anybody. With the old key go the certificates that it has signed, and the connections that were opened with them.
/// </summary>
internal static class DoorAuthority
{
    private const AuthorityPurpose Purpose = AuthorityPurpose.FrontDoor;
    private const string OnlyMasters = "Only master administrators see and change the authority of the SSH front door.";

    public static void MapDoorAuthority(this IEndpointRouteBuilder api)
    {
        api.MapGet("/ssh/door-ca", GetAsync).Requires(TokenScopes.PeopleRead);
        api.MapPost("/ssh/door-ca/rotate", RotateAsync).Requires(TokenScopes.People);
        api.MapDelete("/ssh/door-ca/{id:guid}", RemoveAsync).Requires(TokenScopes.People);
    }

    private static async Task<Results<Ok<DoorAuthoritiesAnswer>, ProblemHttpResult>> GetAsync(
        Caller caller, CallersPolicy policy, SshAuthorities authorities, CancellationToken cancellation) => policy.IsMasterAdministrator
        ? TypedResults.Ok(await ShowAsync(caller, authorities, cancellation))
        : Problems.Forbidden(OnlyMasters);

    private static async Task<Results<Ok<DoorAuthoritiesAnswer>, ProblemHttpResult>> RotateAsync(
        Caller caller, PolicyWriter policy, SshAuthorities authorities, CancellationToken cancellation)
    {
        return await authorities.RotateAsync(policy, caller, Purpose, cancellation) switch
        {
            AuthorityChange.Done => TypedResults.Ok(await ShowAsync(caller, authorities, cancellation)),
            AuthorityChange.Forbidden => Problems.Forbidden(OnlyMasters),
            _ => Problems.Conflict("There is a key before this one still: remove it first."),
        };
    }

    private static async Task<Results<Ok<DoorAuthoritiesAnswer>, ProblemHttpResult>> RemoveAsync(
        Guid id, Caller caller, PolicyWriter policy, SshAuthorities authorities, LiveSignIns live, CancellationToken cancellation)
    {
        return await authorities.RemoveAsync(policy, caller, Purpose, id, End, cancellation) switch
        {
            AuthorityChange.Done => TypedResults.Ok(await ShowAsync(caller, authorities, cancellation)),
            AuthorityChange.Forbidden => Problems.Forbidden(OnlyMasters),
            AuthorityChange.InTheWay => Problems.Conflict("It is the newest key: change keys first."),
            _ => Problems.NotFound(),
        };

        void End(SshPublicKey gone) => live.End(
            caller.Organization, one => one.Proof is SignInProof.Certificate certificate && certificate.Authority.Equals(gone), DoorCertificates.AuthorityIsGone);
    }

    private static async Task<DoorAuthoritiesAnswer> ShowAsync(Caller caller, SshAuthorities authorities, CancellationToken cancellation) =>
        new(SshAuthorityEndpoints.Show(await authorities.ListAsync(caller.Organization, Purpose, cancellation)));
}
