using System.Text.Json.Serialization;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Mail;

/// <param name="Kind">What it is about; what it says is shown to nobody but whom it is for.</param>
/// <param name="Due">When it is tried next; null: not any more.</param>
/// <param name="Problem">What went wrong last; empty: nothing.</param>
internal sealed record MailShown(
    Guid Id, string Kind, string To, MailState State, int Attempts, DateTimeOffset Created, DateTimeOffset? Due, DateTimeOffset? Ended, string Problem);

/// <summary>Mails that the server sends, and what became of them.</summary>
internal static class MailFeature
{
    public static IServiceCollection AddMail(this IServiceCollection services, ServerOptions options)
    {
        services.AddSingleton<Outbox>();
        services.AddSingleton<LinkBound>();
        services.AddSingleton<MailedLinks>();
        services.AddSingleton<AlongWithChange>(provider => provider.GetRequiredService<MailedLinks>().VoidWhereNotMeantAsync);
        services.AddApiTypes(MailJson.Default);
        if (options.Mail is not { } mail) return services;

        // The sender asks for it when the server starts: settings that mail can't be sent by stop the start.
        services.AddSingleton(_ => new SmtpDelivery(mail));
        return services.AddHostedService<MailSender>();
    }

    public static void MapMail(this IEndpointRouteBuilder api)
    {
        var mail = api.MapGroup("/mail").WithTags("Mail");
        mail.MapGet("", ListAsync).Requires(TokenScopes.PeopleRead);
        mail.MapPost("/{id:guid}/retry", ChangeMail.RetryAsync).Requires(TokenScopes.People);
        mail.MapDelete("/{id:guid}", ChangeMail.DropAsync).Requires(TokenScopes.People);
    }

    /// <summary>Newest first. Of a queue that stands still somebody has to see that it does.</summary>
    private static async Task<Results<Ok<Page<MailShown>>, ProblemHttpResult>> ListAsync(
        [AsParameters] PageQuery page, Caller caller, CallersPolicy policy, Database database, CancellationToken cancellation, string? state = null)
    {
        if (!policy.IsMasterAdministrator) return Problems.Forbidden("Only master administrators see what is mailed.");
        if (!Choice.TryRead<MailState>(state, "state", out var wanted, out var unknown)) return unknown!;
        if (!page.TryRead(out var limit, out var after, out var problem)) return problem!;
        var before = Guid.Empty;
        if (after is not null && !Guid.TryParseExact(after, "D", out before)) return Problems.Invalid("cursor", "It is not a cursor of this list.");
        await using var db = database.Read(caller.Organization);
        var rows = db.Set<OutgoingMail>().AsNoTracking().Where(row => wanted == null || row.State == wanted);

        // Ids grow with time: they are versions 7 of UUID.
        if (after is not null) rows = rows.Where(row => row.Id.CompareTo(before) < 0);
        var found = await rows.OrderByDescending(row => row.Id).Take(limit + 1).ToListAsync(cancellation);
        return TypedResults.Ok(new Page<MailShown>(
            [.. found.Take(limit).Select(Of)], found.Count > limit ? PageQuery.Write(found[limit - 1].Id.ToString("D")) : null));
    }

    private static MailShown Of(OutgoingMail row) =>
        new(row.Id, row.Kind, row.Recipient, row.State, row.Attempts, row.Created, row.State == MailState.Waiting ? row.Due : null, row.Ended, row.Problem);
}

[JsonSerializable(typeof(Page<MailShown>))]
internal sealed partial class MailJson : JsonSerializerContext;
