using System.Net;
using System.Text.Json.Nodes;
using Countersign.Server.Features.Organizations;
using Countersign.Server.Platform;
using Countersign.Server.Tests.Identity;
using Countersign.Tests;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Countersign.Server.Tests.Organizations;

/// <summary>Organizations that whoever comes makes, where the server's operator lets them.</summary>
public sealed class RegistrationTests : IAsyncLifetime
{
    private const string Password = "wandering-otter-lantern-58";

    private MailServer _post = null!;
    private IdentityLab _lab = null!;

    public async ValueTask InitializeAsync()
    {
        _post = await MailServer.StartAsync();
        _lab = await IdentityLab.StartAsync(mail: _post.Clear, with: options => options with { SelfRegistration = true });
    }

    public async ValueTask DisposeAsync()
    {
        await _lab.DisposeAsync();
        await _post.DisposeAsync();
    }

    [Fact]
    public async Task Whoever_proves_their_address_owns_a_new_organization_and_signs_in_with_their_password()
    {
        (await AskAsync("rita@new.example", "rita")).Status.ShouldBe(HttpStatusCode.Accepted);
        Organizations().ShouldBe(1);
        var mail = await _post.NextAsync();
        (mail.To, mail.Subject).ShouldBe(("rita@new.example", "Prove your address for a new organization"));
        mail.Text.ShouldContain("https://gate.example.org/register#");
        (await _lab.SignInAsync("rita", Password)).Status.ShouldBe(HttpStatusCode.Unauthorized);

        var made = await UseAsync(mail.Token);
        made.Status.ShouldBe(HttpStatusCode.OK, made.Text);
        (made.Json["login"]!.GetValue<string>(), made.Json["kind"]!.GetValue<string>()).ShouldBe(("rita", "owner"));
        made.Json["token"].ShouldBeNull();
        Organizations().ShouldBe(2);
        var token = await _lab.TokenOfAsync("rita", Password);
        (await _lab.SendAsync(HttpMethod.Get, "me", token: token)).Json["organization"]!["name"]!.GetValue<string>().ShouldBe("New");
        (await _lab.SendAsync(HttpMethod.Get, "technicians", token: token)).Json["items"]!.AsArray().Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_mail_that_fails_in_a_way_that_nobody_thought_of_ends_no_server()
    {
        using var told = new Told();
        await using var lab = await IdentityLab.StartAsync(
            // No time at all for a step is nothing that the library knows what to do with.
            mail: _post.Clear with { Patience = TimeSpan.FromMilliseconds(-2) },
            with: options => options with { SelfRegistration = true },
            services: services => services.AddSingleton<ILoggerProvider>(told));
        (await SendAsync(lab, "New", "rita", "rita@new.example", Password)).Status.ShouldBe(HttpStatusCode.Accepted);
        await Task.WhenAny(told.Warned, lab.Server.Failed);
        lab.Server.Failed.IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task A_link_makes_one_organization_also_of_many_that_come_at_once_and_none_when_it_is_late_or_bent()
    {
        await AskAsync("rita@new.example", "rita");
        var token = (await _post.NextAsync()).Token;
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(number => UseAsync(token, $"rita{number}")));
        answers.Count(answer => answer.Status == HttpStatusCode.OK).ShouldBe(1);
        Organizations().ShouldBe(2);
        var refused = answers.Where(answer => answer.Status != HttpStatusCode.OK).ToList();
        refused.Add(await UseAsync(token));
        await AskAsync("rob@new.example", "rob");
        var late = (await _post.NextAsync()).Token;
        refused.Add(await UseAsync((late[0] == 'A' ? 'B' : 'A') + late[1..]));
        refused.Add(await UseAsync(""));
        refused.Add(await UseAsync(new string('A', 9000)));
        _lab.Clock.Advance(Registration.Life);
        refused.Add(await UseAsync(late));
        refused.ShouldAllBe(answer => answer.Status == HttpStatusCode.NotFound);
        refused.Select(answer => answer.Body).Distinct().ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Asking_is_answered_alike_for_addresses_and_logins_that_are_known_and_a_taken_login_is_told_to_who_proved_an_address()
    {
        var answers = new List<Answer> { await AskAsync("rita@new.example", "rita"), await AskAsync("ann@example.org", "rita2"), await AskAsync("tim@new.example", "tom") };
        answers.ShouldAllBe(answer => answer.Status == HttpStatusCode.Accepted && answer.Text == "");
        (await _post.NextAsync()).To.ShouldBe("rita@new.example");
        (await _post.NextAsync()).To.ShouldBe("ann@example.org");
        var token = (await _post.NextAsync()).Token;
        (await UseAsync(token)).Errors("login").ShouldHaveSingleItem();
        (await UseAsync(token, "tim")).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("", "rita", "rita@new.example", Password, "organization")]
    [InlineData("New\u202E", "rita", "rita@new.example", Password, "organization")]
    [InlineData("New", "Rita", "rita@new.example", Password, "login")]
    [InlineData("New", "rita", "", Password, "mail")]
    [InlineData("New", "rita", "a@b@c", Password, "mail")]
    [InlineData("New", "rita", "rita@new.example", "short", "password")]
    public async Task What_can_not_be_is_told_beside_its_field(string organization, string login, string mail, string password, string field) =>
        (await SendAsync(organization, login, mail, password)).Errors(field).ShouldHaveSingleItem();

    [Theory]
    [InlineData("added", "invited-7")]
    [InlineData("joined", "contact-7")]
    [InlineData("asked", "invited-7")]
    [InlineData("registered", "contact-7")]
    [InlineData("set up", "contact-7")]
    public async Task Nobody_chooses_a_login_such_as_the_server_gives(string way, string login)
    {
        var answer = way switch
        {
            "added" => await _lab.SendAsync(HttpMethod.Post, "technicians", new JsonObject { ["kind"] = "technician", ["login"] = login, ["name"] = "X" }, await _lab.TokenOfAsync("ann")),
            "joined" => await JoinAsync(login),
            "asked" => await AskAsync("rita@new.example", login),
            "registered" => await RegisterAsync(login),
            _ => await SetUpAsync(login),
        };
        answer.Errors("login").ShouldBe(["Logins that begin so are given by the server: choose another one."]);
    }

    [Fact]
    public async Task Asking_is_slowed_by_address_and_by_where_it_comes_from()
    {
        for (var attempt = 0; attempt < 6; attempt++) (await AskAsync("rita@new.example", "rita")).Status.ShouldBe(HttpStatusCode.Accepted);
        (await AskAsync("rita@new.example", "rita")).Status.ShouldBe(HttpStatusCode.TooManyRequests);
        (await AskAsync("rob@new.example", "rob")).Status.ShouldBe(HttpStatusCode.Accepted);
    }

    [Fact]
    public async Task Whoever_uses_their_link_is_not_counted_for_having_asked()
    {
        await using var lab = await IdentityLab.StartAsync(new() { PasswordIterations = 1000, FailuresPerAddress = 3 }, _post.Clear, with: options => options with { SelfRegistration = true });
        for (var round = 0; round < 8; round++)
        {
            var asked = new JsonObject { ["organization"] = "New", ["login"] = $"rita{round}", ["name"] = "Rita", ["mail"] = "rita@new.example", ["password"] = Password };
            (await lab.SendAsync(HttpMethod.Post, "registrations", asked)).Status.ShouldBe(HttpStatusCode.Accepted, $"{round}");
            (await lab.SendAsync(HttpMethod.Post, "registrations/use", new JsonObject { ["token"] = (await _post.NextAsync()).Token })).Status.ShouldBe(HttpStatusCode.OK);
        }
    }

    [Fact]
    public async Task A_password_that_is_too_weak_is_counted_before_it_is_judged()
    {
        for (var attempt = 0; attempt < 6; attempt++) (await SendAsync("New", "rita", "rita@new.example", "aaaaaaaaaaaa")).Errors("password").ShouldHaveSingleItem();
        (await SendAsync("New", "rita", "rita@new.example", "aaaaaaaaaaaa")).Status.ShouldBe(HttpStatusCode.TooManyRequests);
    }

    [Fact]
    public async Task Whoever_tries_which_logins_are_taken_is_slowed()
    {
        (await AskAsync("rita@new.example", "rita")).Status.ShouldBe(HttpStatusCode.Accepted);
        var token = (await _post.NextAsync()).Token;
        for (var attempt = 0; attempt < 6; attempt++) (await UseAsync(token, "tom")).Errors("login").ShouldHaveSingleItem();
        (await UseAsync(token, "tom")).Status.ShouldBe(HttpStatusCode.TooManyRequests);
        (await UseAsync(token, "rita")).Status.ShouldBe(HttpStatusCode.TooManyRequests);
        _lab.Clock.Advance(TimeSpan.FromSeconds(1));
        (await UseAsync(token, "rita")).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Where_nobody_registers_there_is_nothing_to_register_at()
    {
        await using var lab = await IdentityLab.StartAsync(mail: _post.Clear);
        var body = new JsonObject { ["organization"] = "New", ["login"] = "rita", ["name"] = "Rita", ["mail"] = "rita@new.example", ["password"] = Password };
        foreach (var method in (HttpMethod[])[HttpMethod.Post, HttpMethod.Get, HttpMethod.Delete])
        {
            var nothing = await lab.SendAsync(method, "nothing/at/all", body.DeepClone());
            foreach (var path in (string[])["registrations", "registrations/use", "Registrations", "/register"])
            {
                var answer = await lab.SendAsync(method, path, body.DeepClone());
                (answer.Status, answer.Text).ShouldBe((HttpStatusCode.NotFound, nothing.Text), $"{method} {path}");
            }
        }
    }

    [Fact]
    public async Task Without_a_mail_server_nobody_can_prove_an_address()
    {
        await using var lab = await IdentityLab.StartAsync(with: options => options with { SelfRegistration = true });
        var body = new JsonObject { ["organization"] = "New", ["login"] = "rita", ["name"] = "Rita", ["mail"] = "rita@new.example", ["password"] = Password };
        (await lab.SendAsync(HttpMethod.Post, "registrations", body)).Status.ShouldBe(HttpStatusCode.Conflict);
    }

    private async Task<Answer> JoinAsync(string login)
    {
        await _lab.SendAsync(HttpMethod.Post, "invitations", new JsonObject { ["mail"] = "eve@example.org" }, await _lab.TokenOfAsync("ann"));
        return await _lab.SendAsync(HttpMethod.Post, "join", new JsonObject { ["token"] = (await _post.NextAsync()).Token, ["login"] = login, ["password"] = Password });
    }

    private async Task<Answer> RegisterAsync(string login)
    {
        await AskAsync("rita@new.example", "rita");
        return await UseAsync((await _post.NextAsync()).Token, login);
    }

    private static async Task<Answer> SetUpAsync(string login)
    {
        await using var lab = await IdentityLab.StartEmptyAsync();
        var token = lab.Get<OrganizationSetup>().IssueToken()!;
        return await lab.SendAsync(
            HttpMethod.Post, "setup", new JsonObject { ["token"] = token, ["organization"] = "New", ["login"] = login, ["name"] = "Rita", ["mail"] = "", ["password"] = Password });
    }

    private int Organizations() => _lab.Get<PolicySource>().All.Count();

    private Task<Answer> AskAsync(string mail, string login) => SendAsync("New", login, mail, Password);

    private Task<Answer> SendAsync(string organization, string login, string mail, string password) => SendAsync(_lab, organization, login, mail, password);

    private static Task<Answer> SendAsync(IdentityLab lab, string organization, string login, string mail, string password) => lab.SendAsync(
        HttpMethod.Post,
        "registrations",
        new JsonObject { ["organization"] = organization, ["login"] = login, ["name"] = "Rita", ["mail"] = mail, ["password"] = password });

    private Task<Answer> UseAsync(string token, string? login = null) => _lab.SendAsync(
        HttpMethod.Post, "registrations/use", login is null ? new JsonObject { ["token"] = token } : new JsonObject { ["token"] = token, ["login"] = login });

    /// <summary>Tells once the sender has warned of something.</summary>
    private sealed class Told : ILoggerProvider, ILogger
    {
        private readonly TaskCompletionSource _warned = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Warned => _warned.Task;

        public ILogger CreateLogger(string categoryName) => categoryName == typeof(Registration).FullName ? this : NullLogger.Instance;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel >= LogLevel.Warning) _warned.TrySetResult();
        }

        public bool IsEnabled(LogLevel logLevel) => true;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public void Dispose()
        {
        }
    }
}
