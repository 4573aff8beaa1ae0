using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Countersign.Access;
using Countersign.Server.Features.Organizations;
using Countersign.Server.Platform;
using Countersign.Server.Tests.Identity;

namespace Countersign.Server.Tests.Organizations;

public sealed partial class SetupTests
{
    private const string Password = "quiet-harbour-magnet-52";

    [Fact]
    public async Task Whoever_holds_the_token_founds_the_organization_and_owns_it()
    {
        await using var lab = await IdentityLab.StartEmptyAsync();
        var token = lab.Get<OrganizationSetup>().IssueToken()!;
        var answer = await SetUpAsync(lab, token);
        answer.Status.ShouldBe(HttpStatusCode.OK);
        answer.Json["person"]!["kind"]!.GetValue<string>().ShouldBe("owner");

        var policy = lab.Get<PolicySource>().All.ShouldHaveSingleItem();
        policy.Version.ShouldBe(1);
        policy.PersonByLogin("olga").ShouldNotBeNull().Kind.ShouldBe(PersonKind.Owner);
        var me = await lab.SendAsync(HttpMethod.Get, "me", token: answer.Json["token"]!.GetValue<string>());
        me.Json["organization"]!["name"]!.GetValue<string>().ShouldBe("Harbour & Sons");
        (await lab.SignInAsync("olga", Password)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task The_token_is_good_once_and_of_many_at_once_one_wins()
    {
        await using var lab = await IdentityLab.StartEmptyAsync();
        var token = lab.Get<OrganizationSetup>().IssueToken()!;
        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(number => SetUpAsync(lab, token, login: $"olga{number}")));
        answers.Count(answer => answer.Status == HttpStatusCode.OK).ShouldBe(1);
        answers.Count(answer => answer.Status == HttpStatusCode.NotFound).ShouldBe(11);
        lab.Get<PolicySource>().All.ShouldHaveSingleItem();
        (await SetUpAsync(lab, token, login: "late")).Status.ShouldBe(HttpStatusCode.NotFound);
        lab.Get<OrganizationSetup>().IssueToken().ShouldBeNull();
    }

    [Fact]
    public async Task Without_the_token_that_was_issued_last_nothing_is_there()
    {
        await using var lab = await IdentityLab.StartEmptyAsync();
        var answers = new List<Answer> { await SetUpAsync(lab, ""), await SetUpAsync(lab, new string('A', 43)) };
        var first = lab.Get<OrganizationSetup>().IssueToken()!;
        var second = lab.Get<OrganizationSetup>().IssueToken()!;
        answers.Add(await SetUpAsync(lab, first));
        answers.Add(await SetUpAsync(lab, ""));
        answers.Add(await SetUpAsync(lab, second + "A", password: "short"));
        answers.ShouldAllBe(answer => answer.Status == HttpStatusCode.NotFound);
        answers.Select(answer => answer.Body).Distinct().ShouldHaveSingleItem();
        (await SetUpAsync(lab, second)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("organization", " ")]
    [InlineData("login", "Olga")]
    [InlineData("login", "")]
    [InlineData("name", "")]
    [InlineData("mail", "nowhere")]
    [InlineData("mail", "a b@example.org")]
    [InlineData("password", "short")]
    [InlineData("password", "passwordpassword")]
    [InlineData("password", "xx-olga-magnet-52-yy")]
    public async Task A_wrong_field_is_named_and_the_token_stays_good(string field, string value)
    {
        await using var lab = await IdentityLab.StartEmptyAsync();
        var token = lab.Get<OrganizationSetup>().IssueToken()!;
        var body = Body(token);
        body[field] = value;
        var answer = await lab.SendAsync(HttpMethod.Post, "setup", body);
        answer.Status.ShouldBe(HttpStatusCode.BadRequest);
        answer.Errors(field).ShouldHaveSingleItem();
        lab.Get<PolicySource>().All.ShouldBeEmpty();
        (await SetUpAsync(lab, token)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task The_page_runs_its_own_script_and_nothing_else_and_goes_once_it_is_done()
    {
        await using var lab = await IdentityLab.StartEmptyAsync();
        var token = lab.Get<OrganizationSetup>().IssueToken()!;
        using (var page = await PageAsync(lab))
        {
            page.StatusCode.ShouldBe(HttpStatusCode.OK);
            page.Content.Headers.ContentType!.MediaType.ShouldBe("text/html");
            var policy = page.Headers.GetValues("Content-Security-Policy").ShouldHaveSingleItem();
            policy.ShouldStartWith("default-src 'none';");
            policy.ShouldNotContain("unsafe");
            policy.ShouldContain("frame-ancestors 'none'");
            var html = await page.Content.ReadAsStringAsync(IdentityLab.Stop);
            html.ShouldNotContain(token);
            html.ShouldNotContain("http://");
            html.ShouldNotContain("https://");
            foreach (var element in (string[])["script", "style"])
            {
                var inline = Regex.Matches(html, $"<{element}>(.*?)</{element}>", RegexOptions.Singleline).Select(match => match.Groups[1].Value).ToList();
                inline.ShouldNotBeEmpty();
                inline.ShouldAllBe(text => text.Length > 100);
                policy.ShouldContain($"{element}-src {string.Join(' ', inline.Select(text => $"'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}'"))};");
            }

            // What the policy would block anyway must not be there: handlers and styles in attributes.
            Inline().IsMatch(html).ShouldBeFalse();
            foreach (Match input in Input().Matches(html)) html.ShouldContain($"<label for=\"{input.Groups[1].Value}\">");
            html.ShouldContain("prefers-color-scheme: dark");
            html.ShouldContain("prefers-reduced-motion: reduce");
        }

        await SetUpAsync(lab, token);
        (await PageAsync(lab)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task The_server_itself_founds_further_organizations_with_logins_of_their_own()
    {
        await using var lab = await IdentityLab.StartAsync();
        var setup = lab.Get<OrganizationSetup>();
        (await setup.CreateAsync(new("Other", "ann", "Ann", "", Password), IdentityLab.Stop)).ShouldBeOfType<SetupOutcome.Taken>();
        (await setup.CreateAsync(new("Other", "olga", "Olga", "", "short"), IdentityLab.Stop)).ShouldBeOfType<SetupOutcome.Invalid>().Field.ShouldBe("password");
        var made = (await setup.CreateAsync(new("Other", "olga", "Olga", "", Password), IdentityLab.Stop)).ShouldBeOfType<SetupOutcome.Created>();
        (await lab.SendAsync(HttpMethod.Get, "me", token: made.Token.Text)).Json["organization"]!["name"]!.GetValue<string>().ShouldBe("Other");
        (await lab.SendAsync(HttpMethod.Get, "me", token: await lab.TokenOfAsync("ann"))).Json["organization"]!["name"]!.GetValue<string>().ShouldBe("Acme");
    }

    private static JsonObject Body(string token) => new()
    {
        ["token"] = token,
        ["organization"] = "Harbour & Sons",
        ["login"] = "olga",
        ["name"] = "Olga Owner",
        ["mail"] = "olga@example.org",
        ["password"] = Password,
    };

    private static Task<Answer> SetUpAsync(IdentityLab lab, string token, string login = "olga", string password = Password)
    {
        var body = Body(token);
        body["login"] = login;
        body["password"] = password;
        return lab.SendAsync(HttpMethod.Post, "setup", body);
    }

    private static Task<HttpResponseMessage> PageAsync(IdentityLab lab) => lab.Http.GetAsync(new Uri(lab.Server.HttpAddress, "/setup"), IdentityLab.Stop);

    [GeneratedRegex(@"<[^>]*\s(on\w+|style)=", RegexOptions.IgnoreCase)]
    private static partial Regex Inline();

    [GeneratedRegex(@"<input id=""(\w+)""")]
    private static partial Regex Input();
}
