using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Countersign.Access;
using Countersign.Gateway;
using Countersign.Server.Features.Identity;
using Countersign.Server.Features.Mail;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Countersign.Ssh;
using Countersign.Tests;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Countersign.Server.Tests.Identity;

/// <summary>
/// A whole server with an organization: ann owns it; tom is a technician; dora is disabled, ida invited, and both have a password; kim has none.
/// Its clock stands still, its passwords are cheap to verify.
/// </summary>
internal sealed class IdentityLab : IAsyncDisposable
{
    public const string Password = "correct-zebra-battery-41";

    private static readonly string _hostKey = MakeHostKey();

    private ServerOptions _options = null!;

    private Action<IServiceCollection> _services = _ => { };

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("countersign-identity");

    public SetClock Clock { get; } = new();

    public CapturedLog Log { get; } = new();

    public CountersignServer Server { get; private set; } = null!;

    public HttpClient Http { get; private set; } = null!;

    public OrganizationId Organization { get; } = new(Guid.NewGuid());

    public PersonRow Ann { get; } = Person(PersonKind.Owner, "ann", PersonState.Activated, PersonStatus.Active);

    public PersonRow Tom { get; } = Person(PersonKind.Technician, "tom", PersonState.Activated, PersonStatus.Active);

    public PersonRow Dora { get; } = Person(PersonKind.Technician, "dora", PersonState.Activated, PersonStatus.Disabled);

    public PersonRow Ida { get; } = Person(PersonKind.Technician, "ida", PersonState.Invited, PersonStatus.Active);

    public PersonRow Kim { get; } = Person(PersonKind.Technician, "kim", PersonState.Activated, PersonStatus.Active);

    public DeviceRow Web { get; private set; } = null!;

    /// <summary>The service by ssh of <see cref="Web"/>, its host key pinned.</summary>
    public DeviceServiceRow WebSsh => new(Web.Id, ServiceProtocol.Ssh, 22, _hostKey);

    public DeviceRow Mail { get; private set; } = null!;

    public string DataDirectory => Path.Combine(_folder.FullName, "data");

    /// <summary>As if she had come by the gate, with no token that could end.</summary>
    public Caller AsAnn => new(Organization, Ann.Id, Ann.Login, TokenScopes.Write, default, null, SignInStrength.OneFactor, "");

    public ISignIn SshDoor => Get<ISignIn>();

    public static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>A server that nobody has set up.</summary>
    /// <param name="services">Further ones; the last registration counts.</param>
    public static async Task<IdentityLab> StartEmptyAsync(
        SignInLimits? limits = null, MailOptions? mail = null, string address = "https://gate.example.org/", Func<ServerOptions, ServerOptions>? with = null, Action<IServiceCollection>? services = null)
    {
        var lab = new IdentityLab();
        if (services is not null) lab._services = services;
        var options = new ServerOptions
        {
            DataDirectory = lab.DataDirectory,
            Http = new(IPAddress.Loopback, 0),
            Ssh = new(IPAddress.Loopback, 0),
            Time = lab.Clock,
            SignIn = limits ?? new() { PasswordIterations = 1000 },
            Mail = mail,
            Public = new(address),
        };
        lab._options = with?.Invoke(options) ?? options;
        SharedHostKey.PutInto(lab._options.DataDirectory);
        await lab.BeginAsync();
        return lab;
    }

    /// <summary>Stops the server and starts one on the same data.</summary>
    public async Task RestartAsync()
    {
        Http.Dispose();
        await Server.DisposeAsync();
        await BeginAsync();
    }

    public static async Task<IdentityLab> StartAsync(
        SignInLimits? limits = null, MailOptions? mail = null, string address = "https://gate.example.org/", Func<ServerOptions, ServerOptions>? with = null, Action<IServiceCollection>? services = null)
    {
        var lab = await StartEmptyAsync(limits, mail, address, with, services);
        await lab.FoundAsync();
        return lab;
    }

    public T Get<T>() where T : notnull => Server.Services.GetRequiredService<T>();

    /// <summary>What the handler answers to this person's token, or to nobody's.</summary>
    public async Task<Answer> SendAsync(HttpMethod method, string path, JsonNode? body = null, string? token = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null) request.Content = JsonContent.Create(body);
        if (token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var response = await Http.SendAsync(request, Stop);
        var text = await response.Content.ReadAsStringAsync(Stop);
        return new(response.StatusCode, text, response.Headers.RetryAfter?.Delta);
    }

    /// <summary>The second step.</summary>
    public Task<Answer> SendCodeAsync(string ticket, string code) =>
        SendAsync(HttpMethod.Post, "sign-in/code", new JsonObject { ["ticket"] = ticket, ["code"] = code });

    /// <summary>Both steps, with the code that the app shows then.</summary>
    public async Task<Answer> SignInAsync(string login, TestAuthenticator app) =>
        await SendCodeAsync((await SignInAsync(login, Password)).Json["ticket"]!.GetValue<string>(), app.Next());

    /// <summary>Sets a second factor up, as the person would.</summary>
    public async Task<TestAuthenticator> EnrolAsync(string login, string? token = null)
    {
        token ??= await TokenOfAsync(login);
        var enrolled = await SendAsync(HttpMethod.Post, "me/two-factor/enrol", new JsonObject { ["password"] = Password }, token);
        enrolled.Status.ShouldBe(HttpStatusCode.OK, enrolled.Text);
        var app = new TestAuthenticator(enrolled.Json["uri"]!.GetValue<string>(), Clock);
        var confirmed = await SendAsync(HttpMethod.Post, "me/two-factor/confirm", new JsonObject { ["code"] = app.Next() }, token);
        confirmed.Status.ShouldBe(HttpStatusCode.OK, confirmed.Text);
        app.RecoveryCodes = [.. confirmed.Json["recoveryCodes"]!.AsArray().Select(code => code!.GetValue<string>())];
        return app;
    }

    public Task<Answer> SignInAsync(string login, string password) =>
        SendAsync(HttpMethod.Post, "sign-in", new JsonObject { ["login"] = login, ["password"] = password });

    public async Task<string> TokenOfAsync(string login, string password = Password) =>
        (await SignInAsync(login, password)).Json["token"]!.GetValue<string>();

    public async Task<List<AuditRecord>> AuditAsync()
    {
        await using var db = Get<Database>().Read(Organization);
        return await db.Set<AuditRecord>().AsNoTracking().OrderBy(record => record.Id).ToListAsync(Stop);
    }

    /// <summary>Puts rows in force as if the writer had stored them.</summary>
    public void Change(params PolicyRow[] rows)
    {
        var policy = Get<PolicySource>();
        var now = policy.Current(Organization)!;
        policy.Swap(now.Apply(new(Organization, now.Version, "test", [.. rows.Select(row => new RowChange(now.Find(row.Key), row))])));
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Server.DisposeAsync();
        Log.Dispose();
        _folder.Delete(recursive: true);
    }

    private async Task BeginAsync()
    {
        Server = await CountersignServer.StartAsync(_options, Stop, builder =>
        {
            builder.Logging.AddProvider(Log).AddFilter<CapturedLog>(null, LogLevel.Trace);
            _services(builder.Services);
        });
        Http = new() { BaseAddress = new(Server.HttpAddress, "/api/v1/") };
    }

    private async Task FoundAsync()
    {
        var group = new DeviceGroupRow(new(Guid.NewGuid()), null, "Servers");
        Web = Device(group.Id, "web01");
        Mail = Device(group.Id, "mail01");
        var first = PolicySnapshot.Bootstrap(Organization, Ann.Id, Ann.Login, Ann.Name, Ann.Mail, new(Guid.NewGuid()));
        PolicyRow[] rows =
        [
            Tom, Dora, Ida, Kim, group, Web, Mail, WebSsh, new DeviceServiceRow(Mail.Id, ServiceProtocol.Ssh, 22, _hostKey),
            new DeviceAccountRow(Web.Id, "root", IsDefault: true), new DeviceAccountRow(Web.Id, "deploy", IsDefault: false), new DeviceAccountRow(Mail.Id, "root", IsDefault: true),
        ];
        var passwords = Get<Passwords>();
        var hash = await passwords.HashAsync(Password, Stop);
        await Get<PolicyWriter>().FoundAsync(
            "Acme",
            first with { Changes = [.. first.Changes, .. rows.Select(row => new RowChange(null, row))] },
            new() { Kind = "organization.founded", Channel = "system" },
            async (db, _, stop) =>
            {
                foreach (var person in (PersonRow[])[Ann, Tom, Dora, Ida]) await passwords.SetAsync(db, person.Id, hash, PasswordChoice.Own, stop);
            },
            Stop);
    }

    private static string MakeHostKey()
    {
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        return key.PublicKey.ToString();
    }

    private static PersonRow Person(PersonKind kind, string login, PersonState state, PersonStatus status) =>
        new(new(Guid.NewGuid()), kind, login, login.ToUpperInvariant(), $"{login}@example.org", state, status);

    private static DeviceRow Device(DeviceGroupId group, string name) => new(new(Guid.NewGuid()), group, name, "", Enabled: true, "192.0.2.1");
}

/// <summary>What came back.</summary>
internal sealed record Answer(HttpStatusCode Status, string Text, TimeSpan? RetryAfter)
{
    public JsonObject Json => JsonNode.Parse(Text)!.AsObject();

    /// <summary>Without what names the one request.</summary>
    public string Body
    {
        get
        {
            var json = Json;
            json.Remove("traceId");
            return json.ToJsonString();
        }
    }

    public IReadOnlyList<string> Errors(string field) => [.. Json["errors"]![field]!.AsArray().Select(message => message!.GetValue<string>())];
}
