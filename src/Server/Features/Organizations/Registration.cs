using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Threading.Channels;
using Countersign.Access;
using Countersign.Server.Features.Identity;
using Countersign.Server.Features.Mail;
using Countersign.Server.Features.Vault;
using Countersign.Server.Platform;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.Organizations;

internal sealed record RegistrationRequest(string Organization, string Login, string Name, string Mail, string Password)
{
    public override string ToString() => nameof(RegistrationRequest);
}

/// <param name="Token">From the link.</param>
/// <param name="Login">In place of the one that was wished for, where somebody else has that.</param>
internal sealed record RegistrationUse(string Token, string? Login = null)
{
    public override string ToString() => nameof(RegistrationUse);
}

/// <summary>What waits for its address to be proven. In a mailed link, sealed; nowhere else.</summary>
internal sealed record PendingRegistration(Guid Id, string Organization, string Login, string Name, string Mail, string PasswordHash, DateTimeOffset Expires)
{
    public override string ToString() => nameof(PendingRegistration);
}

[JsonSerializable(typeof(PendingRegistration))]
internal sealed partial class PendingRegistrationJson : JsonSerializerContext;

/// <summary>
/// New organizations by whoever comes, where the server's operator lets them. Nothing is stored before the address was proven: what was asked for goes, sealed,
/// into the link, so that strangers can fill nothing up. The link is good once, because the organization's id is in it. Whoever asks is answered before
/// anything is looked for, and alike for every address and every login.
/// </summary>
internal sealed partial class Registration(
    ServerOptions options, OrganizationSetup setup, Passwords passwords, SignInThrottle throttle, LoginGuesses guesses, MasterKey master, PublicAddress address, IServiceProvider services, TimeProvider time,
    ILogger<Registration> log) : BackgroundService
{
    public const string Routes = "/api/v1/registrations";

    public static readonly TimeSpan Life = TimeSpan.FromHours(1);

    private const int MostWaiting = 256;

    /// <summary>Far more than the longest names, in base64url.</summary>
    private const int LongestToken = 8192;

    private readonly Envelope _envelope = new(master, "registration");
    private readonly Channel<(string Mail, Letter Letter)> _letters =
        Channel.CreateBounded<(string, Letter)>(new BoundedChannelOptions(MostWaiting) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    public async Task<Results<Accepted, ProblemHttpResult>> AskAsync(RegistrationRequest request, HttpContext context, CancellationToken cancellation)
    {
        var wanted = new NewOrganization(request.Organization, request.Login, request.Name, request.Mail, request.Password);
        if (OrganizationSetup.ProblemOfNames(wanted) is { } invalid) return Problems.Invalid(invalid.Field, invalid.Message);
        if (!Names.IsMail(request.Mail)) return Problems.Invalid("mail", "This is no mail address: one such as ann@example.org is wanted.");
        if (options.Mail is null) return Problems.Conflict("This server was told no mail server, so that no address can be proven.");

        // Counted like failing to sign in, and before anything is worked out from the password: how strong it is, too.
        var (attempts, source) = (Attempts(request.Mail), Source(context));
        if (throttle.Wait(attempts, source) is var wait && wait > TimeSpan.Zero) return Problems.TooManyAttempts(context, wait);
        throttle.Asked(attempts, source);
        if (OrganizationSetup.ProblemOfPassword(wanted) is { } weak) return Problems.Invalid(weak.Field, weak.Message);
        try
        {
            var hash = await passwords.HashAsync(request.Password, cancellation);
            var pending = new PendingRegistration(Guid.NewGuid(), request.Organization, request.Login, request.Name, request.Mail, hash, time.GetUtcNow() + Life);
            _letters.Writer.TryWrite((request.Mail, Letters.Registration(request.Organization, address.Link($"register#{Seal(pending)}"), Life)));
            return TypedResults.Accepted((string?)null);
        }
        catch (PasswordsBusyException)
        {
            return Problems.TooManyAttempts(context, TimeSpan.FromSeconds(1));
        }
    }

    /// <summary>The organization, for whoever reads the address's mail. They are not signed in: the password is theirs who asked, or nobody's to be let in with.</summary>
    public async Task<Results<Ok<PersonShown>, ProblemHttpResult>> UseAsync(RegistrationUse use, HttpContext context, CancellationToken cancellation)
    {
        if (Open(use.Token) is not { } pending) return Gone();
        if (use.Login is { } other && Logins.Problem(other) is { } wrong) return Problems.Invalid("login", wrong);
        var (by, source) = ($"whoever registers {pending.Id:N}", Source(context));
        if (guesses.Wait(by, source) is var wait && wait > TimeSpan.Zero) return Problems.TooManyAttempts(context, wait);
        var wanted = new NewOrganization(pending.Organization, use.Login ?? pending.Login, pending.Name, pending.Mail, "");
        switch (await setup.RegisterAsync(new(pending.Id), wanted, pending.PasswordHash, source, cancellation))
        {
            case SetupOutcome.Created created:
                throttle.Redeemed(Attempts(pending.Mail));
                return TypedResults.Ok(PersonShown.Of(created.Owner));
            case SetupOutcome.Invalid(var field, var message):
                return Problems.Invalid(field, message);
            case SetupOutcome.Taken:
                guesses.Taken(by, default, new() { Kind = LoginGuesses.Kind, Channel = "api", Source = source, Subject = "" });
                return Problems.Invalid("login", "This login is taken: choose another one.");
            default:
                return Gone();
        }
    }

    private static string Attempts(string mail) => $"registration of {mail.ToLowerInvariant()}";

    private static IPAddress Source(HttpContext context) => context.Connection.RemoteIpAddress ?? IPAddress.None;

    public override void Dispose()
    {
        _envelope.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.SelfRegistration || services.GetService<SmtpDelivery>() is not { } delivery) return;
        await foreach (var (mail, letter) in _letters.Reader.ReadAllAsync(stoppingToken)) await SendAsync(delivery, mail, letter, stoppingToken);
    }

    /// <summary>There is no organization yet whose outbox it could wait in: who gets no mail asks again.</summary>
    private async Task SendAsync(SmtpDelivery delivery, string mail, Letter letter, CancellationToken cancellation)
    {
        try
        {
            using var message = letter.ToMessage(delivery.From, mail, Guid.NewGuid(), time.GetUtcNow());
            using var round = delivery.Begin();
            if (await round.SendAsync(message, cancellation) is Delivery.Refused) LogNotSent(null);
            await round.EndAsync(cancellation);
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !cancellation.IsCancellationRequested)
        {
            // What strangers ask for, in whatever way nobody has thought of, ends neither the sender nor, by it, the server.
            LogNotSent(failure);
        }
    }

    private string Seal(PendingRegistration pending)
    {
        var content = JsonSerializer.SerializeToUtf8Bytes(pending, PendingRegistrationJson.Default.PendingRegistration);
        var text = Base64Url.EncodeToString(_envelope.Seal(content));
        CryptographicOperations.ZeroMemory(content);
        return text;
    }

    /// <summary>Null: it is none of ours, or its time is over.</summary>
    private PendingRegistration? Open(string token)
    {
        if (token.Length > LongestToken || !Base64Url.IsValid(token)) return null;
        try
        {
            using var content = _envelope.Open(Base64Url.DecodeFromUtf8(Encoding.ASCII.GetBytes(token)));
            var pending = JsonSerializer.Deserialize(content.Expose(), PendingRegistrationJson.Default.PendingRegistration);
            return pending is not null && time.GetUtcNow() < pending.Expires ? pending : null;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    /// <summary>One answer: whether the link is none, was used, or is too old.</summary>
    private static ProblemHttpResult Gone() => Problems.NotFound();

    [LoggerMessage(1, LogLevel.Warning, "A mail by which somebody proves their address for a new organization could not be sent")]
    private partial void LogNotSent(Exception? failure);
}
