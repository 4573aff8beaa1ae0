using System.Text.Json.Serialization;
using Countersign.Server.Features.Identity;
using Countersign.Server.Platform;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.Organizations;

/// <param name="Token">From the link that the server printed.</param>
internal sealed record SetupRequest(string Token, string Organization, string Login, string Name, string Mail, string Password)
{
    public override string ToString() => nameof(SetupRequest);
}

/// <param name="Token">The owner is signed in with it.</param>
internal sealed record SetupAnswer(PersonShown Person, string Token, DateTimeOffset Expires)
{
    public override string ToString() => nameof(SetupAnswer);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(SetupRequest))]
[JsonSerializable(typeof(SetupAnswer))]
[JsonSerializable(typeof(RegistrationRequest))]
[JsonSerializable(typeof(RegistrationUse))]
internal sealed partial class OrganizationsJson : JsonSerializerContext;

/// <summary>The first run: whoever holds the link that the server printed becomes the owner.</summary>
internal static class OrganizationsFeature
{
    private static readonly EmbeddedPage _registerPage = new("RegisterPage.html");

    public static IServiceCollection AddOrganizations(this IServiceCollection services)
    {
        services.AddSingleton<OrganizationSetup>();
        services.AddSingleton<Registration>();
        services.AddHostedService(provider => provider.GetRequiredService<Registration>());
        return services.AddApiTypes(OrganizationsJson.Default);
    }

    public static void MapOrganizations(this IEndpointRouteBuilder api)
    {
        api.MapPost("/setup", SetUpAsync).Anonymous("there is nobody yet: the set-up token takes the place of a caller");
        api.MapPost("/registrations", (RegistrationRequest request, HttpContext context, Registration registration, CancellationToken cancellation) =>
            registration.AskAsync(request, context, cancellation)).Anonymous("whoever registers has no account yet; off unless the server's operator says so");
        api.MapPost("/registrations/use", (RegistrationUse use, HttpContext context, Registration registration, CancellationToken cancellation) =>
            registration.UseAsync(use, context, cancellation)).Anonymous("whoever registers has no account yet: the link's token takes the place of one");
    }

    /// <summary>Before anything is said of a route: where nobody registers, these answer as if they were not there, whatever the method.</summary>
    public static void UseRegistration(this WebApplication app)
    {
        if (app.Services.GetRequiredService<ServerOptions>().SelfRegistration) return;
        app.Use((context, next) =>
        {
            if (context.Request.Path.StartsWithSegments(Registration.Routes, StringComparison.OrdinalIgnoreCase) || context.Request.Path.Equals("/register", StringComparison.OrdinalIgnoreCase))
                context.SetEndpoint(null);
            return next(context);
        });
    }

    /// <summary>Outside the API: the page that the printed link opens.</summary>
    public static void MapSetupPage(this IEndpointRouteBuilder app)
    {
        app.MapGet("/setup", SetupPage.Show).Anonymous("the page holds nothing; what it sends is checked").ExcludeFromDescription();
        app.MapGet("/register", (HttpContext context) => _registerPage.Show(context)).Anonymous("the page holds nothing; what it sends is checked").ExcludeFromDescription();
    }

    private static async Task<Results<Ok<SetupAnswer>, ProblemHttpResult>> SetUpAsync(
        SetupRequest request, HttpContext context, OrganizationSetup setup, CancellationToken cancellation)
    {
        try
        {
            var wanted = new NewOrganization(request.Organization, request.Login, request.Name, request.Mail, request.Password);
            return await setup.UseTokenAsync(request.Token, wanted, context.Connection.RemoteIpAddress, cancellation) switch
            {
                SetupOutcome.Created created => TypedResults.Ok(new SetupAnswer(PersonShown.Of(created.Owner), created.Token.Text, created.Token.Expires)),
                SetupOutcome.Invalid(var field, var message) => Problems.Invalid(field, message),
                SetupOutcome.Taken => Problems.Conflict("This login is taken."),
                _ => Problems.NotFound(),
            };
        }
        catch (PasswordsBusyException)
        {
            return Problems.TooManyAttempts(context, TimeSpan.FromSeconds(1));
        }
    }
}
