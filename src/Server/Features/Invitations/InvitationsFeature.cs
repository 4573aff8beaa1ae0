using System.Text.Json.Serialization;
using Countersign.Server.Platform;

namespace Countersign.Server.Features.Invitations;

/// <summary>How people join an organization by mail.</summary>
internal static class InvitationsFeature
{
    private static readonly EmbeddedPage _page = new("JoinPage.html");

    public static IServiceCollection AddInvitations(this IServiceCollection services)
    {
        services.AddSingleton<Inviting>();
        services.AddSingleton<Joining>();
        return services.AddApiTypes(InvitationsJson.Default);
    }

    public static void MapInvitations(this IEndpointRouteBuilder api)
    {
        var invitations = api.MapGroup("").WithTags("Invitations");
        invitations.MapPost("/invitations", (InviteRequest request, Caller caller, HttpContext context, Inviting inviting, CancellationToken cancellation) =>
            inviting.InviteAsync(request, caller, context, cancellation)).ChangesPolicy(TokenScopes.People);
        invitations.MapGet("/technicians/{id:guid}/invitation", (Guid id, CallersPolicy policy, Inviting inviting, CancellationToken cancellation) =>
            inviting.ShowAsync(id, policy, cancellation)).Requires(TokenScopes.PeopleRead);
        invitations.MapPost("/technicians/{id:guid}/invitation", (Guid id, ResendRequest request, Caller caller, HttpContext context, Inviting inviting, CancellationToken cancellation) =>
            inviting.ResendAsync(id, request, caller, context, cancellation)).Requires(TokenScopes.People);
        invitations.MapDelete("/technicians/{id:guid}/invitation", (Guid id, Caller caller, Inviting inviting, CancellationToken cancellation) =>
            inviting.WithdrawAsync(id, caller, cancellation)).Requires(TokenScopes.People);
        invitations.MapPost("/join/look", (LookRequest request, HttpContext context, Joining joining, CancellationToken cancellation) =>
            joining.LookAsync(request, context, cancellation)).Anonymous("whoever joins has no account yet: the link's token takes the place of one");
        invitations.MapPost("/join", (JoinRequest request, HttpContext context, Joining joining, CancellationToken cancellation) =>
            joining.JoinAsync(request, context, cancellation)).Anonymous("whoever joins has no account yet: the link's token takes the place of one");
    }

    /// <summary>Outside the API: the page that the mailed link opens.</summary>
    public static void MapJoinPage(this IEndpointRouteBuilder app) =>
        app.MapGet("/join", (HttpContext context) => _page.Show(context)).Anonymous("the page holds nothing; what it sends is checked").ExcludeFromDescription();
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(InviteRequest))]
[JsonSerializable(typeof(ResendRequest))]
[JsonSerializable(typeof(InvitationShown))]
[JsonSerializable(typeof(LookRequest))]
[JsonSerializable(typeof(JoinShown))]
[JsonSerializable(typeof(JoinRequest))]
internal sealed partial class InvitationsJson : JsonSerializerContext;
