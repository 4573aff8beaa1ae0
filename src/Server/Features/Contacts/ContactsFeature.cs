using System.Text.Json.Serialization;
using Countersign.Access;
using Countersign.Server.Features.Technicians;
using Countersign.Server.Platform;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.Contacts;

internal sealed record AddContactRequest(string Name, string Mail);

/// <summary>People outside the organization, who may ask for devices: they are made, edited, disabled and deleted like technicians, and sign in by mail.</summary>
internal static class ContactsFeature
{
    private static readonly EmbeddedPage _page = new("ContactPage.html");

    public static IServiceCollection AddContacts(this IServiceCollection services)
    {
        services.AddSingleton<ContactLinks>();
        services.AddHostedService(provider => provider.GetRequiredService<ContactLinks>());
        services.AddSingleton<ContactSignIn>();
        return services.AddApiTypes(ContactsJson.Default);
    }

    public static void MapContacts(this IEndpointRouteBuilder api)
    {
        var contacts = api.MapGroup("").WithTags("Contacts");
        contacts.MapPost("/contacts", AddAsync).ChangesPolicy(TokenScopes.People);
        contacts.MapPost("/sign-in/link", (LinkRequest request, HttpContext context, ContactSignIn signIn) => signIn.Ask(request, context))
            .Anonymous("whoever signs in has no token yet");
        contacts.MapPost("/sign-in/link/use", (LinkUse use, HttpContext context, ContactSignIn signIn, CancellationToken cancellation) =>
            signIn.UseAsync(use, context, cancellation)).Anonymous("whoever signs in has no token yet");
    }

    /// <summary>Outside the API: the page that the mailed link opens.</summary>
    public static void MapContactPage(this IEndpointRouteBuilder app) =>
        app.MapGet("/contact", (HttpContext context) => _page.Show(context)).Anonymous("the page holds nothing; what it sends is checked").ExcludeFromDescription();

    private static async Task<Results<Created<TechnicianAnswer>, ProblemHttpResult>> AddAsync(
        AddContactRequest request, Caller caller, PolicyWriter writer, TimeProvider time, CancellationToken cancellation)
    {
        // A contact who can't be mailed could never sign in. That each address is one contact's is the engine's rule.
        if (!Names.IsMail(request.Mail.Trim())) return Problems.Invalid("mail", "This is no mail address: one such as ann@example.org is wanted.");
        var id = new PersonId(Guid.CreateVersion7(time.GetUtcNow()));
        var login = $"contact-{id.Value.ToString("N")[^16..]}";
        var outcome = await writer.ApplyAsync(
            caller, new PolicyCommand.AddPerson(id, PersonKind.Contact, login, request.Name, request.Mail, PersonState.Activated), cancellation);
        return outcome.AnswerCreated($"/api/v1/technicians/{id}", snapshot => TechnicianAnswer.Of(snapshot, caller, id, time));
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(AddContactRequest))]
[JsonSerializable(typeof(LinkRequest))]
[JsonSerializable(typeof(LinkUse))]
internal sealed partial class ContactsJson : JsonSerializerContext;
