using Countersign.Server.Platform;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.Vault;

/// <param name="PublicKey"><c>type base64</c>.</param>
/// <param name="First">It signs first. Of those that devices trust, the key before it signs, too, for where a device refuses the first one's certificate.</param>
internal sealed record AuthorityShown(Guid Id, string PublicKey, string Fingerprint, bool First, DateTimeOffset Created);

/// <param name="TrustedUserCAKeys">What belongs into the file that <c>TrustedUserCAKeys</c> of a device's sshd names: a line for each key.</param>
internal sealed record AuthoritiesAnswer(IReadOnlyList<AuthorityShown> Authorities, string TrustedUserCAKeys);

/// <summary>The authority that devices have to trust so that the gateway signs in at accounts by certificate.</summary>
internal static class SshAuthorityEndpoints
{
    private const string OnlyMasters = "Only master administrators change the certificate authority.";

    public static void MapAuthorities(this IEndpointRouteBuilder api)
    {
        api.MapGet("/ssh/ca", GetAsync).Requires(TokenScopes.DevicesRead);
        api.MapPost("/ssh/ca/rotate", RotateAsync).Requires(TokenScopes.Devices);
        api.MapDelete("/ssh/ca/{id:guid}", RemoveAsync).Requires(TokenScopes.Devices);
    }

    /// <param name="authorities">The newest first.</param>
    public static IReadOnlyList<AuthorityShown> Show(IReadOnlyList<SshAuthority> authorities) =>
    [
        .. authorities.Select((authority, index) => (Key: SshAuthorities.PublicKey(authority), authority.Id, authority.Created, First: index == 0))
            .Select(one => new AuthorityShown(one.Id, one.Key.ToString(), one.Key.Fingerprint, one.First, one.Created)),
    ];

    private static async Task<Results<Ok<AuthoritiesAnswer>, ProblemHttpResult>> GetAsync(
        Caller caller, CallersPolicy policy, SshAuthorities authorities, CancellationToken cancellation) => policy.MayAddDevices
        ? TypedResults.Ok(await ShowAsync(caller, authorities, cancellation))
        : Problems.Forbidden("Only somebody who may add devices may see what devices have to trust.");

    private static async Task<Results<Ok<AuthoritiesAnswer>, ProblemHttpResult>> RotateAsync(
        Caller caller, PolicyWriter policy, SshAuthorities authorities, CancellationToken cancellation)
    {
        return await authorities.RotateAsync(policy, caller, AuthorityPurpose.Accounts, cancellation) switch
        {
            AuthorityChange.Done => TypedResults.Ok(await ShowAsync(caller, authorities, cancellation)),
            AuthorityChange.Forbidden => Problems.Forbidden(OnlyMasters),
            _ => Problems.Conflict("There is a key before this one still: remove it first, once every device trusts the newest."),
        };
    }

    private static async Task<Results<Ok<AuthoritiesAnswer>, ProblemHttpResult>> RemoveAsync(
        Guid id, Caller caller, PolicyWriter policy, SshAuthorities authorities, CancellationToken cancellation)
    {
        return await authorities.RemoveAsync(policy, caller, AuthorityPurpose.Accounts, id, _ => { }, cancellation) switch
        {
            AuthorityChange.Done => TypedResults.Ok(await ShowAsync(caller, authorities, cancellation)),
            AuthorityChange.Forbidden => Problems.Forbidden(OnlyMasters),
            AuthorityChange.InTheWay => Problems.Conflict("It is the newest key: change keys first."),
            _ => Problems.NotFound(),
        };
    }

    private static async Task<AuthoritiesAnswer> ShowAsync(Caller caller, SshAuthorities authorities, CancellationToken cancellation)
    {
        var shown = Show(await authorities.ListAsync(caller.Organization, AuthorityPurpose.Accounts, cancellation));
        return new(shown, string.Concat(shown.Select(authority => $"{authority.PublicKey} countersign-{caller.Organization}\n")));
    }
}
