using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Countersign.Access;
using Countersign.Server.Features.Identity;
using Countersign.Server.Features.Identity.Passkeys;
using Countersign.Server.Features.Mail;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Countersign.Sessions;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Countersign.Server.Tests;

/// <summary>An organization on a running server, with its owner. People are made as the owner would make them; tokens are the test's own.</summary>
internal sealed class Tenant(RunningServer running, OrganizationId id, PersonId ownerId, TechnicianGroupId everyone)
{
    /// <summary>Everybody's first.</summary>
    public const string Password = "correct-zebra-battery-41";

    public OrganizationId Id => id;

    public PersonId OwnerId => ownerId;

    public Guid Everyone => everyone.Value;

    public ApiCaller Owner => As(ownerId.Value);

    public PolicySnapshot Policy => running.Server.Services.GetRequiredService<PolicySource>().Current(id)!;

    public static async Task<Tenant> FoundAsync(RunningServer running, string name)
    {
        var (id, owner, everyone) = (new OrganizationId(Guid.NewGuid()), new PersonId(Guid.NewGuid()), new TechnicianGroupId(Guid.NewGuid()));
        var founding = PolicySnapshot.Bootstrap(id, owner, $"{name}-owner", $"The owner of {name}", "", everyone);
        await running.Server.Services.GetRequiredService<PolicyWriter>().FoundAsync(
            name,
            founding,
            new AuditEntry { Kind = "organization.founded", Channel = "system", Actor = owner, Subject = name },
            (db, _, _) =>
            {
                db.AddRange(TestTokens.Rows(id, owner));
                return Task.CompletedTask;
            },
            TestContext.Current.CancellationToken);
        return new(running, id, owner, everyone);
    }

    /// <summary>The owner's token that was made for a program.</summary>
    public ApiCaller AsProgram(TokenScopes scopes) => new(running.Http, TestTokens.Write(id, ownerId, scopes, origin: TokenOrigin.Made));

    /// <summary>The owner's browser.</summary>
    /// <param name="site">What it says of the page that a request comes from.</param>
    public ApiCaller AsBrowser(string site) => new(running.Http, TestTokens.Write(id, ownerId, TokenScopes.Write, origin: TokenOrigin.Browser)) { Site = site };

    public ApiCaller As(Guid person, TokenScopes scopes = TokenScopes.Write, SignInStrength strength = SignInStrength.OneFactor) =>
        new(running.Http, TestTokens.Write(id, new(person), scopes, strength));

    /// <summary>An activated technician without any rights.</summary>
    public async Task<Guid> AddTechnicianAsync(string login, string mail = "") =>
        (await Owner.PostAsync("/api/v1/technicians", new { kind = "technician", login, name = login, mail, password = Password })).Expect(HttpStatusCode.Created).Id;

    /// <summary>A sign-in that nobody has the token of.</summary>
    public Task<Guid> AddSignInAsync(PersonId person) => AddTokenAsync(person, TokenOrigin.SignIn);

    /// <summary>One for a program, whose text nobody has.</summary>
    public Task<Guid> AddTokenAsync(PersonId person) => AddTokenAsync(person, TokenOrigin.Made);

    private async Task<Guid> AddTokenAsync(PersonId person, TokenOrigin origin)
    {
        var tokens = running.Server.Services.GetRequiredService<ApiTokens>();
        var wanted = new NewToken
        {
            Person = person,
            Label = "sign-in",
            Scopes = TokenScopes.Write,
            Origin = origin,
            Strength = SignInStrength.OneFactor,
            Expires = TimeProvider.System.GetUtcNow().AddHours(1),
        };
        var issued = await running.Server.Services.GetRequiredService<WriteQueue>().WriteAsync(
            id, (db, _) => Task.FromResult(tokens.Add(db, wanted)), TestContext.Current.CancellationToken);
        return issued.Id;
    }

    /// <summary>One that waits: nothing takes it.</summary>
    public Task<Guid> AddMailAsync() => running.Server.Services.GetRequiredService<WriteQueue>().WriteAsync(
        id,
        (db, _) => Task.FromResult(running.Server.Services.GetRequiredService<Outbox>().Add(db, "somebody@example.org", new("test", "Test", ["Test."]))!.Value),
        TestContext.Current.CancellationToken);

    /// <summary>One of the owner's that nobody can sign in with.</summary>
    public async Task<Guid> AddPasskeyAsync()
    {
        var row = new Passkey
        {
            OrganizationId = id,
            Id = Guid.NewGuid(),
            Person = ownerId,
            CredentialId = RandomNumberGenerator.GetBytes(16),
            PublicKey = RandomNumberGenerator.GetBytes(77),
            Label = "stick",
            SignCount = 0,
            BackupEligible = false,
            BackedUp = false,
            Added = TimeProvider.System.GetUtcNow(),
        };
        await running.Server.Services.GetRequiredService<WriteQueue>().AppendAsync(id, db => db.Add(row), TestContext.Current.CancellationToken);
        return row.Id;
    }

    /// <summary>The sign-ins that stand for all of the test's tokens, after somebody has signed out.</summary>
    public Task SignInAgainAsync() => running.Server.Services.GetRequiredService<WriteQueue>().WriteAsync(
        id,
        async (db, stop) =>
        {
            foreach (var row in TestTokens.Rows(id, ownerId))
                if (!await db.Set<ApiToken>().AnyAsync(token => token.Id == row.Id, stop)) db.Add(row);
        },
        TestContext.Current.CancellationToken);

    /// <summary>Ends the sign-in that stands for all of the test's tokens.</summary>
    public Task SignOutAsync() => running.Server.Services.GetRequiredService<WriteQueue>().WriteAsync(
        id, (db, stop) => db.Set<ApiToken>().Where(row => row.Id == TestTokens.Id).ExecuteDeleteAsync(stop), TestContext.Current.CancellationToken);

    public Task RemovePasskeysAsync() => running.Server.Services.GetRequiredService<WriteQueue>().WriteAsync(
        id, (db, stop) => db.Set<Passkey>().ExecuteDeleteAsync(stop), TestContext.Current.CancellationToken);

    /// <summary>A session of the owner's on the device that <see cref="Platform.RouteStage"/> made; it runs until the server stops.</summary>
    public async Task<Guid> BeginSessionAsync(string unique)
    {
        var wish = new ConnectionWish(id, ownerId, "owner", SignInStrength.OneFactor, null, $"d{unique}", null, SessionKind.Shell, "");
        var result = await running.Server.Services.GetRequiredService<Admission>().AskAsync(wish, TestContext.Current.CancellationToken);
        var session = result.ShouldBeOfType<AdmissionResult.Admitted>().Session;
        session.Ending.Register(() => session.DisposeAsync().AsTask());
        return session.Opening.Id.Value;
    }

    /// <summary>A session that runs; the caller disposes it.</summary>
    public async Task<LiveSession> OpenSessionAsync(Guid person, string device, SessionKind kind = SessionKind.Shell)
    {
        var wish = new ConnectionWish(id, new(person), Policy.Person(new(person))!.Login, SignInStrength.OneFactor, null, device, null, kind, "")
        {
            Terminal = kind == SessionKind.Shell ? new("xterm", new(80, 24)) : null,
        };
        var result = await running.Server.Services.GetRequiredService<Admission>().AskAsync(wish, TestContext.Current.CancellationToken);
        return result.ShouldBeOfType<AdmissionResult.Admitted>().Session;
    }

    /// <summary>A session that was, with a recording of what it wrote.</summary>
    public async Task<Guid> RecordSessionAsync(Guid person, string device, string output = "hello\r\n")
    {
        await using var session = await OpenSessionAsync(person, device);
        session.Recording!.Output(System.Text.Encoding.UTF8.GetBytes(output));
        session.Finish(EndReason.Completed, "", 0);
        return session.Opening.Id.Value;
    }

    /// <summary>A request for a terminal on the device, as a connection of the person's makes it that then is gone without a word.</summary>
    public async Task<long> AskAsync(Guid person, Guid device, string? source = null, PermissionSet? permissions = null) =>
        (await PendingAsync(person, device, source, permissions)).Number;

    public async Task<IPendingApproval> PendingAsync(Guid person, Guid device, string? source = null, PermissionSet? permissions = null, string reason = "") =>
        (await AskDeskAsync(person, device, source, permissions, reason)).ShouldBeOfType<ApprovalAsked.Waits>().Pending;

    /// <param name="told">Gets what the connection is told while it waits.</param>
    public async Task<ApprovalAsked> AskDeskAsync(
        Guid person, Guid device, string? source = null, PermissionSet? permissions = null, string reason = "", Action<string>? told = null) =>
        await running.Server.Services.GetRequiredService<IApprovalDesk>().AskAsync(
            Wish(person, device, source, permissions), reason, told ?? (_ => { }), TestContext.Current.CancellationToken);

    public ApprovalWish Wish(Guid person, Guid device, string? source = null, PermissionSet? permissions = null) => new(
        id, new(person), Policy.Person(new(person))!.Login, SignInStrength.OneFactor, new(device), Policy.Device(new(device))!.Name, "root",
        permissions ?? PermissionSet.Of(Permission.Terminal), source is null ? null : IPAddress.Parse(source));

    public async Task<Guid> AddGroupAsync(string name, Guid? parent = null) =>
        (await Owner.PostAsync("/api/v1/device-groups", new { name, parent })).Expect(HttpStatusCode.Created).Id;

    public async Task<Guid> AddDeviceAsync(string name, Guid group, params string[] accounts) =>
        (await Owner.PostAsync(
            "/api/v1/devices",
            new { group, name, host = "192.0.2.1", services = new[] { new { protocol = "ssh" } }, accounts = accounts.Length == 0 ? ["root"] : accounts })).Expect(HttpStatusCode.Created).Id;

    public async Task<Guid> GrantAsync(Guid person, Guid device, RoleId role) =>
        (await Owner.PostAsync(
            "/api/v1/grants",
            new { subject = new { kind = "person", id = person }, scope = new { kind = "device", id = device }, role = role.Value })).Expect(HttpStatusCode.Created).Id;

    public async Task<Guid> GrantTeamAsync(Guid person, RoleId role) =>
        (await Owner.PostAsync(
            "/api/v1/grants",
            new { subject = new { kind = "person", id = person }, scope = new { kind = "team" }, role = role.Value })).Expect(HttpStatusCode.Created).Id;
}

/// <summary>Tokens that say in clear whose they are: the identity feature has tests of its own.</summary>
internal static class TestTokens
{
    /// <summary>For what looks for the caller's: all of one origin are one and the same.</summary>
    public static IEnumerable<ApiToken> Rows(OrganizationId organization, PersonId owner) => Enum.GetValues<TokenOrigin>().Select(origin => Row(organization, owner, origin));

    /// <summary>That of a sign-in.</summary>
    public static Guid Id { get; } = IdOf(TokenOrigin.SignIn);

    private static ApiToken Row(OrganizationId organization, PersonId owner, TokenOrigin origin) => new()
    {
        OrganizationId = organization,
        Id = IdOf(origin),
        Person = owner,
        Hash = RandomNumberGenerator.GetBytes(32),
        Label = "test",
        Scopes = TokenScopes.Write,
        Origin = origin,
        Strength = SignInStrength.OneFactor,
        Client = "",
        Created = TimeProvider.System.GetUtcNow(),
        Expires = TimeProvider.System.GetUtcNow().AddHours(1),
    };

    /// <summary>They count until somebody says otherwise.</summary>
    public static ValueTask<IReadOnlySet<Guid>> StandingAsync(IReadOnlyCollection<Guid> tokens, CancellationToken cancellation) =>
        ValueTask.FromResult<IReadOnlySet<Guid>>(tokens.ToHashSet());

    public static string Write(
        OrganizationId organization, PersonId person, TokenScopes scopes, SignInStrength strength = SignInStrength.OneFactor, TokenOrigin origin = TokenOrigin.SignIn) =>
        $"{organization.Value:N}.{person.Value:N}.{(uint)scopes}.{(byte)strength}.{(byte)origin}";

    public static ValueTask<TokenIdentity?> ValidateAsync(string token, IPAddress? source, CancellationToken cancellation)
    {
        var parts = token.Split('.');
        if (parts.Length != 5) return ValueTask.FromResult<TokenIdentity?>(null);
        var origin = (TokenOrigin)byte.Parse(parts[4], CultureInfo.InvariantCulture);
        return ValueTask.FromResult<TokenIdentity?>(new(
            new(Guid.Parse(parts[0])), new(Guid.Parse(parts[1])), IdOf(origin), (TokenScopes)uint.Parse(parts[2], CultureInfo.InvariantCulture),
            (SignInStrength)byte.Parse(parts[3], CultureInfo.InvariantCulture))
        {
            Carrier = origin == TokenOrigin.Browser ? TokenCarrier.Cookie : TokenCarrier.Header,
        });
    }

    private static Guid IdOf(TokenOrigin origin) => new($"00000000-0000-0000-0000-0000000007{(byte)origin:x2}");
}
