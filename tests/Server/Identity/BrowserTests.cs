using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Countersign.Server.Tests.Identity;

/// <summary>Signing in with a browser: the cookie, and what other people's pages can make of it.</summary>
public sealed class BrowserTests
{
    [Fact]
    public async Task A_browser_gets_a_cookie_that_no_script_and_no_other_site_has_and_no_token()
    {
        await using var lab = await IdentityLab.StartAsync();
        using var signedIn = await SignInAsync(lab, ("Sec-Fetch-Site", "same-origin"));
        var json = JsonNode.Parse(await signedIn.Content.ReadAsStringAsync(IdentityLab.Stop))!;
        json["token"].ShouldBeNull();
        var cookie = signedIn.Headers.GetValues("Set-Cookie").ShouldHaveSingleItem();
        var parts = cookie.Split("; ").Select(part => part.ToLowerInvariant()).ToList();
        parts[0].ShouldStartWith("__Host-countersign=cst_");
        parts.ShouldContain("httponly");
        parts.ShouldContain("samesite=strict");
        parts.ShouldContain("path=/");
        parts.ShouldContain("secure");

        var value = ValueOf(signedIn);
        (await GetMeAsync(lab, ("Cookie", $"__Host-countersign={value}"))).ShouldBe(HttpStatusCode.OK);
        (await GetMeAsync(lab, ("Authorization", $"Bearer {value}"))).ShouldBe(HttpStatusCode.Unauthorized);
        (await GetMeAsync(lab, ("Authorization", "Bearer x"), ("Cookie", $"__Host-countersign={value}"))).ShouldBe(HttpStatusCode.Unauthorized);
        (await GetMeAsync(lab, ("Cookie", $"__Host-countersign={await lab.TokenOfAsync("tom")}"))).ShouldBe(HttpStatusCode.Unauthorized);
    }

    /// <summary>What a proxy does not say, or says in other words, must not leave the cookie to be planted and overheard.</summary>
    [Theory]
    [InlineData("https://gate.example.org/", "", true)]
    [InlineData("https://gate.example.org/", "http", true)]
    [InlineData("https://gate.example.org/", "http, https", true)]
    [InlineData("http://gate.example.org/", "", false)]
    [InlineData("http://gate.example.org/", "http", false)]
    [InlineData("http://gate.example.org/", "https", true)]
    [InlineData("http://gate.example.org/", "HTTPS,http", true)]
    public async Task With_TLS_the_cookie_is_bound_to_it_and_to_the_host_and_the_browser_told_to_stay(string address, string forwarded, bool isBound)
    {
        await using var lab = await IdentityLab.StartAsync(address: address);
        (string, string)[] headers = forwarded == "" ? [("Sec-Fetch-Site", "same-origin")] : [("Sec-Fetch-Site", "same-origin"), ("X-Forwarded-Proto", forwarded)];
        using var signedIn = await SignInAsync(lab, headers);
        var cookie = signedIn.Headers.GetValues("Set-Cookie").ShouldHaveSingleItem();
        cookie.ShouldStartWith(isBound ? "__Host-countersign=cst_" : "countersign=cst_");
        cookie.Split("; ").Contains("secure").ShouldBe(isBound);
        signedIn.Headers.TryGetValues("Strict-Transport-Security", out var stay).ShouldBe(isBound);
        if (isBound) stay.ShouldBe(["max-age=31536000"]);

        // It counts under its one name: what another page could plant under the other is nobody's.
        var other = isBound ? "countersign" : "__Host-countersign";
        (await GetMeAsync(lab, [.. headers, ("Cookie", cookie.Split(';')[0])])).ShouldBe(HttpStatusCode.OK);
        (await GetMeAsync(lab, [.. headers, ("Cookie", $"{other}={ValueOf(signedIn)}")])).ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Theory]
    [InlineData(null, null, false)]
    [InlineData("same-origin", null, true)]
    [InlineData("same-site", null, false)]
    [InlineData("cross-site", null, false)]
    [InlineData("none", null, false)]
    [InlineData("cross-site", "{own}", false)]
    [InlineData(null, "{own}", true)]
    [InlineData(null, "https://evil.example", false)]
    [InlineData(null, "null", false)]
    public async Task A_change_with_a_cookie_must_come_from_a_page_of_this_server(string? site, string? origin, bool passes)
    {
        await using var lab = await IdentityLab.StartAsync();
        using var signedIn = await SignInAsync(lab, ("Sec-Fetch-Site", "same-origin"));
        var headers = new List<(string, string)> { ("Cookie", $"__Host-countersign={ValueOf(signedIn)}") };
        if (site is not null) headers.Add(("Sec-Fetch-Site", site));
        if (origin is not null) headers.Add(("Origin", origin.Replace("{own}", lab.Server.HttpAddress.GetLeftPart(UriPartial.Authority), StringComparison.Ordinal)));
        var body = new JsonObject { ["label"] = "x", ["scopes"] = new JsonArray("read") };
        using var changed = await SendAsync(lab, HttpMethod.Post, "me/tokens", body, [.. headers]);
        changed.StatusCode.ShouldBe(passes ? HttpStatusCode.Created : HttpStatusCode.Forbidden);

        // Reading needs no proof: the answer can't be read by another page. Nor does a token that a program has put into the request.
        (await GetMeAsync(lab, [.. headers])).ShouldBe(HttpStatusCode.OK);
        using var byToken = await SendAsync(lab, HttpMethod.Post, "me/tokens", body, ("Authorization", $"Bearer {await lab.TokenOfAsync("tom")}"));
        byToken.StatusCode.ShouldBe(HttpStatusCode.Created);
    }

    [Fact]
    public async Task A_request_to_speak_another_protocol_is_no_mere_reading()
    {
        await using var lab = await IdentityLab.StartAsync();
        using var signedIn = await SignInAsync(lab, ("Sec-Fetch-Site", "same-origin"));
        (await GetMeAsync(lab, ("Cookie", $"__Host-countersign={ValueOf(signedIn)}"), ("Upgrade", "websocket"), ("Connection", "Upgrade"))).ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task Another_page_can_not_sign_a_browser_in()
    {
        await using var lab = await IdentityLab.StartAsync();
        using var foreign = await SignInAsync(lab, ("Sec-Fetch-Site", "cross-site"));
        foreign.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        foreign.Headers.Contains("Set-Cookie").ShouldBeFalse();
    }

    [Fact]
    public async Task Signing_in_again_replaces_the_session_and_signing_out_ends_it()
    {
        await using var lab = await IdentityLab.StartAsync();
        using var first = await SignInAsync(lab, ("Sec-Fetch-Site", "same-origin"));
        var old = ("Cookie", $"__Host-countersign={ValueOf(first)}");
        using var second = await SignInAsync(lab, ("Sec-Fetch-Site", "same-origin"), old);
        var now = ("Cookie", $"__Host-countersign={ValueOf(second)}");
        (await GetMeAsync(lab, old)).ShouldBe(HttpStatusCode.Unauthorized);
        (await GetMeAsync(lab, now)).ShouldBe(HttpStatusCode.OK);
        using var signedOut = await SendAsync(lab, HttpMethod.Post, "sign-out", null, now, ("Sec-Fetch-Site", "same-origin"));
        signedOut.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        signedOut.Headers.GetValues("Set-Cookie").ShouldHaveSingleItem().ShouldContain("expires=Thu, 01 Jan 1970");
        (await GetMeAsync(lab, now)).ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Signing_a_program_out_leaves_the_browser_its_cookie_and_its_session()
    {
        await using var lab = await IdentityLab.StartAsync();
        using var browser = await SignInAsync(lab, ("Sec-Fetch-Site", "same-origin"));
        var cookie = ("Cookie", $"__Host-countersign={ValueOf(browser)}");
        var bearer = ("Authorization", $"Bearer {await lab.TokenOfAsync("tom")}");
        using var signedOut = await SendAsync(lab, HttpMethod.Post, "sign-out", null, bearer, cookie);
        signedOut.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        signedOut.Headers.Contains("Set-Cookie").ShouldBeFalse();
        (await GetMeAsync(lab, bearer)).ShouldBe(HttpStatusCode.Unauthorized);
        (await GetMeAsync(lab, cookie)).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task The_second_step_gives_the_cookie_too()
    {
        await using var lab = await IdentityLab.StartAsync();
        var app = await lab.EnrolAsync("tom");
        using var first = await SignInAsync(lab, ("Sec-Fetch-Site", "same-origin"));
        first.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        first.Headers.Contains("Set-Cookie").ShouldBeFalse();
        var ticket = JsonNode.Parse(await first.Content.ReadAsStringAsync(IdentityLab.Stop))!["ticket"]!.GetValue<string>();
        var body = new JsonObject { ["ticket"] = ticket, ["code"] = app.Next(), ["as"] = "cookie" };
        using var second = await SendAsync(lab, HttpMethod.Post, "sign-in/code", body, ("Sec-Fetch-Site", "same-origin"));
        second.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await GetMeAsync(lab, ("Cookie", $"__Host-countersign={ValueOf(second)}"))).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Ones_sign_ins_are_listed_and_ended_from_elsewhere()
    {
        await using var lab = await IdentityLab.StartAsync();
        using var signedIn = await SignInAsync(lab, ("Sec-Fetch-Site", "same-origin"), ("User-Agent", "Browser/1.0"));
        var cookie = ("Cookie", $"__Host-countersign={ValueOf(signedIn)}");
        var token = await lab.TokenOfAsync("tom");
        var ann = await lab.TokenOfAsync("ann");
        var items = (await lab.SendAsync(HttpMethod.Get, "me/sign-ins", token: token)).Json["items"]!.AsArray();
        items.Count.ShouldBe(2);
        var browser = items.Single(item => item!["kind"]!.GetValue<string>() == "browser")!;
        (browser["client"]!.GetValue<string>(), browser["address"]!.GetValue<string>(), browser["current"]!.GetValue<bool>(), browser["since"]!.GetValue<DateTimeOffset>())
            .ShouldBe(("Browser/1.0", "127.0.0.1", false, lab.Clock.GetUtcNow()));
        items.Single(item => item!["kind"]!.GetValue<string>() == "token")!["current"]!.GetValue<bool>().ShouldBeTrue();

        var path = $"me/sign-ins/{browser["id"]!.GetValue<string>()}";
        (await lab.SendAsync(HttpMethod.Delete, path, token: ann)).Status.ShouldBe(HttpStatusCode.NotFound);
        (await GetMeAsync(lab, cookie)).ShouldBe(HttpStatusCode.OK);
        (await lab.SendAsync(HttpMethod.Delete, path, token: token)).Status.ShouldBe(HttpStatusCode.NoContent);
        (await GetMeAsync(lab, cookie)).ShouldBe(HttpStatusCode.Unauthorized);
        (await lab.SendAsync(HttpMethod.Delete, path, token: token)).Status.ShouldBe(HttpStatusCode.NotFound);
        (await lab.AuditAsync()).Count(record => record.Kind == "sign-in.ended").ShouldBe(1);

        var other = await lab.TokenOfAsync("tom");
        (await lab.SendAsync(HttpMethod.Delete, "me/sign-ins", token: token)).Status.ShouldBe(HttpStatusCode.NoContent);
        (await lab.SendAsync(HttpMethod.Get, "me", token: other)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await lab.SendAsync(HttpMethod.Get, "me", token: token)).Status.ShouldBe(HttpStatusCode.OK);
        (await lab.SendAsync(HttpMethod.Get, "me", token: ann)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_browser_that_nobody_uses_is_signed_out_and_a_program_is_not()
    {
        await using var lab = await IdentityLab.StartAsync();
        var token = await lab.TokenOfAsync("tom");
        using var signedIn = await SignInAsync(lab, ("Sec-Fetch-Site", "same-origin"));
        var cookie = ("Cookie", $"__Host-countersign={ValueOf(signedIn)}");
        for (var request = 0; request < 3; request++)
        {
            lab.Clock.Advance(TimeSpan.FromMinutes(29));
            (await GetMeAsync(lab, cookie)).ShouldBe(HttpStatusCode.OK);
        }

        lab.Clock.Advance(TimeSpan.FromMinutes(30));
        (await GetMeAsync(lab, cookie)).ShouldBe(HttpStatusCode.Unauthorized);
        (await lab.SendAsync(HttpMethod.Get, "me", token: token)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Disabling_somebody_ends_browsers_sign_ins_and_made_tokens_with_the_next_request()
    {
        await using var lab = await IdentityLab.StartAsync();
        using var signedIn = await SignInAsync(lab, ("Sec-Fetch-Site", "same-origin"));
        var cookie = ("Cookie", $"__Host-countersign={ValueOf(signedIn)}");
        var token = await lab.TokenOfAsync("tom");
        var made = (await lab.SendAsync(HttpMethod.Post, "me/tokens", new JsonObject { ["label"] = "job", ["scopes"] = new JsonArray("read") }, token)).Json["token"]!.GetValue<string>();
        (await lab.SendAsync(HttpMethod.Get, "me", token: made)).Status.ShouldBe(HttpStatusCode.OK);
        (await lab.SendAsync(HttpMethod.Post, $"technicians/{lab.Tom.Id}/disable", token: await lab.TokenOfAsync("ann"))).Status.ShouldBe(HttpStatusCode.OK);
        (await GetMeAsync(lab, cookie)).ShouldBe(HttpStatusCode.Unauthorized);
        foreach (var ended in (string[])[token, made]) (await lab.SendAsync(HttpMethod.Get, "me", token: ended)).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Every_answer_says_what_a_browser_must_not_do_with_it()
    {
        await using var lab = await IdentityLab.StartAsync();
        foreach (var path in (string[])["me", "sign-in", "nothing", "../../health/live"])
        {
            using var answer = await SendAsync(lab, HttpMethod.Get, path, null);
            answer.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
            answer.Headers.GetValues("Content-Security-Policy").ShouldHaveSingleItem().ShouldContain("frame-ancestors 'none'");
            answer.Headers.GetValues("Referrer-Policy").ShouldBe(["no-referrer"]);
        }

        // Also where a request can't be read, and what made the answer cleared all that was there.
        foreach (var length in (int[])[1, 2 * 1024 * 1024])
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "sign-in") { Content = new StringContent(new string('[', length), new System.Net.Http.Headers.MediaTypeHeaderValue("application/json")) };
            request.Headers.ExpectContinue = true;
            using var answer = await lab.Http.SendAsync(request, IdentityLab.Stop);
            answer.IsSuccessStatusCode.ShouldBeFalse();
            answer.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
            answer.Headers.GetValues("Content-Security-Policy").ShouldHaveSingleItem().ShouldContain("frame-ancestors 'none'");
            answer.Headers.GetValues("X-Request-Id").ShouldHaveSingleItem();
        }
    }

    private static Task<HttpResponseMessage> SignInAsync(IdentityLab lab, params (string, string)[] headers) =>
        SendAsync(lab, HttpMethod.Post, "sign-in", new JsonObject { ["login"] = "tom", ["password"] = IdentityLab.Password, ["as"] = "cookie" }, headers);

    private static async Task<HttpStatusCode> GetMeAsync(IdentityLab lab, params (string, string)[] headers)
    {
        using var answer = await SendAsync(lab, HttpMethod.Get, "me", null, headers);
        return answer.StatusCode;
    }

    private static string ValueOf(HttpResponseMessage answer) => answer.Headers.GetValues("Set-Cookie").Single().Split(';')[0].Split('=', 2)[1];

    /// <summary>Without a store of cookies: the test says what is sent.</summary>
    private static async Task<HttpResponseMessage> SendAsync(IdentityLab lab, HttpMethod method, string path, JsonNode? body, params (string Name, string Value)[] headers)
    {
        using var handler = new SocketsHttpHandler { UseCookies = false };
        using var http = new HttpClient(handler) { BaseAddress = lab.Http.BaseAddress };
        using var request = new HttpRequestMessage(method, path);
        if (body is not null) request.Content = JsonContent.Create(body);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value).ShouldBeTrue();
        return await http.SendAsync(request, IdentityLab.Stop);
    }
}
