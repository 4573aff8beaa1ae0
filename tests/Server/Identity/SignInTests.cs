using System.Net;
using System.Text.Json.Nodes;
using Countersign.Access;
using Countersign.Server.Features.Identity;

namespace Countersign.Server.Tests.Identity;

public sealed class SignInTests
{
    [Theory]
    [InlineData("Browser/1.0 (Ä)", "Browser/1.0 (Ä)")]
    [InlineData("a\u202Eb\u2066c\u2028d\u0007e", "abcde")]
    [InlineData("a\uD83Db", "ab")]
    public void What_a_client_calls_itself_is_kept_as_far_as_names_may_hold_it(string client, string kept) => SignInGrant.CleanClient(client).ShouldBe(kept);

    [Fact]
    public void What_a_client_calls_itself_is_cut_between_characters()
    {
        var cut = SignInGrant.CleanClient(new string('x', ApiToken.LongestClient - 1) + "\U0001F511");
        cut.ShouldBe(new string('x', ApiToken.LongestClient - 1));
    }

    [Fact]
    public async Task The_right_password_yields_a_token_that_says_who_one_is()
    {
        await using var lab = await IdentityLab.StartAsync();
        var answer = await lab.SignInAsync("tom", IdentityLab.Password);
        answer.Status.ShouldBe(HttpStatusCode.OK);
        answer.Json["person"]!.ToJsonString().ShouldBe($$"""{"id":"{{lab.Tom.Id}}","login":"tom","name":"TOM","kind":"technician"}""");
        answer.Json["expires"]!.GetValue<DateTimeOffset>().ShouldBe(lab.Clock.GetUtcNow().AddHours(12));

        var me = await lab.SendAsync(HttpMethod.Get, "me", token: answer.Json["token"]!.GetValue<string>());
        me.Status.ShouldBe(HttpStatusCode.OK);
        me.Json["person"]!["login"]!.GetValue<string>().ShouldBe("tom");
        me.Json["organization"]!["name"]!.GetValue<string>().ShouldBe("Acme");
        me.Json["scopes"]!.ToJsonString().ShouldBe("""["read","write"]""");
    }

    [Fact]
    public async Task Every_refusal_is_the_same_answer()
    {
        await using var lab = await IdentityLab.StartAsync();
        Answer[] answers =
        [
            await lab.SignInAsync("nobody", IdentityLab.Password),
            await lab.SignInAsync("NOT a login\u0000", IdentityLab.Password),
            await lab.SignInAsync("tom", "wrong"),
            await lab.SignInAsync("tom", ""),
            await lab.SignInAsync("tom", new string('x', 100_000)),
            await lab.SignInAsync("dora", IdentityLab.Password),
            await lab.SignInAsync("ida", IdentityLab.Password),
            await lab.SignInAsync("kim", IdentityLab.Password),
        ];
        answers.ShouldAllBe(answer => answer.Status == HttpStatusCode.Unauthorized);
        answers.Select(answer => answer.Body).Distinct().ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_locked_login_is_refused_alike_whether_it_exists_or_not_and_even_with_the_right_password()
    {
        await using var lab = await IdentityLab.StartAsync();
        foreach (var login in (string[])["tom", "nobody", "dora", "ida", "kim"])
        {
            for (var attempt = 0; attempt < 6; attempt++) (await lab.SignInAsync(login, "wrong")).Status.ShouldBe(HttpStatusCode.Unauthorized);
        }

        var answers = new List<Answer>();
        foreach (var login in (string[])["tom", "nobody", "dora", "ida", "kim"]) answers.Add(await lab.SignInAsync(login, IdentityLab.Password));
        answers.ShouldAllBe(answer => answer.Status == HttpStatusCode.TooManyRequests);
        answers.Select(answer => answer.Body).Distinct().ShouldHaveSingleItem();
        answers.Select(answer => answer.RetryAfter).Distinct().ShouldBe([TimeSpan.FromSeconds(1)]);

        lab.Clock.Advance(TimeSpan.FromSeconds(1));
        (await lab.SignInAsync("tom", IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task That_somebody_has_signed_in_meanwhile_shows_in_no_wait()
    {
        await using var lab = await IdentityLab.StartAsync();
        for (var attempt = 0; attempt < 5; attempt++)
        {
            foreach (var login in (string[])["tom", "nobody"]) (await lab.SignInAsync(login, "wrong")).Status.ShouldBe(HttpStatusCode.Unauthorized);
        }

        (await lab.SignInAsync("tom", IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.OK);
        foreach (var login in (string[])["tom", "nobody"])
        {
            (await lab.SignInAsync(login, "wrong")).Status.ShouldBe(HttpStatusCode.Unauthorized);
            (await lab.SignInAsync(login, "wrong")).RetryAfter.ShouldBe(TimeSpan.FromSeconds(1));
        }
    }

    [Fact]
    public async Task Guesses_that_come_all_at_once_get_no_further_than_one_after_the_other()
    {
        await using var lab = await IdentityLab.StartAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(number => lab.SignInAsync("tom", $"wrong-{number}")));
        answers.Count(answer => answer.Status == HttpStatusCode.Unauthorized).ShouldBe(6);
        answers.Count(answer => answer.Status == HttpStatusCode.TooManyRequests).ShouldBe(34);
    }

    [Fact]
    public async Task The_right_password_may_come_many_times_at_once()
    {
        await using var lab = await IdentityLab.StartAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => lab.SignInAsync("tom", IdentityLab.Password)));
        answers.ShouldAllBe(answer => answer.Status == HttpStatusCode.OK);
    }

    [Fact]
    public async Task An_address_that_guesses_at_many_logins_is_refused_for_all_of_them()
    {
        await using var lab = await IdentityLab.StartAsync(new() { PasswordIterations = 1000, FailuresPerAddress = 10 });
        for (var number = 0; number < 10; number++) (await lab.SignInAsync($"login{number}", "wrong")).Status.ShouldBe(HttpStatusCode.Unauthorized);
        var answer = await lab.SignInAsync("tom", IdentityLab.Password);
        answer.Status.ShouldBe(HttpStatusCode.TooManyRequests);
        answer.RetryAfter.ShouldBe(TimeSpan.FromMinutes(10));
        lab.Clock.Advance(TimeSpan.FromMinutes(10));
        (await lab.SignInAsync("tom", IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Somebody_disabled_is_out_at_once_and_back_when_enabled()
    {
        await using var lab = await IdentityLab.StartAsync();
        var token = await lab.TokenOfAsync("tom");
        lab.Change(lab.Tom with { Status = PersonStatus.Disabled });
        var refused = await lab.SendAsync(HttpMethod.Get, "me", token: token);
        refused.Status.ShouldBe(HttpStatusCode.Unauthorized);
        refused.Body.ShouldBe((await lab.SendAsync(HttpMethod.Get, "me", token: "cst_" + new string('A', 43))).Body);
        lab.Change(lab.Tom);
        (await lab.SendAsync(HttpMethod.Get, "me", token: token)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_sign_in_lasts_twelve_hours_and_ends_with_signing_out()
    {
        await using var lab = await IdentityLab.StartAsync();
        var first = await lab.TokenOfAsync("tom");
        var second = await lab.TokenOfAsync("tom");
        (await lab.SendAsync(HttpMethod.Post, "sign-out", token: first)).Status.ShouldBe(HttpStatusCode.NoContent);
        (await lab.SendAsync(HttpMethod.Get, "me", token: first)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        lab.Clock.Advance(TimeSpan.FromHours(12) - TimeSpan.FromTicks(1));
        (await lab.SendAsync(HttpMethod.Get, "me", token: second)).Status.ShouldBe(HttpStatusCode.OK);
        lab.Clock.Advance(TimeSpan.FromTicks(1));
        (await lab.SendAsync(HttpMethod.Get, "me", token: second)).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Signing_in_is_written_down_and_a_flood_of_failures_as_two_records_with_their_count()
    {
        await using var lab = await IdentityLab.StartAsync();
        await lab.TokenOfAsync("tom");
        var failures = lab.Get<Server.Platform.RepeatedRefusals>();
        for (var attempt = 0; attempt < 3; attempt++) await lab.SignInAsync("tom", "wrong");
        await failures.FlushAsync(IdentityLab.Stop);
        for (var attempt = 0; attempt < 60; attempt++) await lab.SignInAsync("tom", "wrong");
        await failures.FlushAsync(IdentityLab.Stop);
        lab.Clock.Advance(TimeSpan.FromMinutes(1));
        await failures.FlushAsync(IdentityLab.Stop);
        await failures.FlushAsync(IdentityLab.Stop);

        var records = await lab.AuditAsync();
        var success = records.Single(record => record.Kind == "sign-in.succeeded");
        (success.Actor, success.ActorLogin, success.Channel, success.Source).ShouldBe((lab.Tom.Id, "tom", "api", IPAddress.Loopback));
        var refused = records.Where(record => record.Kind == "sign-in.refused").ToList();
        refused.ShouldAllBe(record => record.Actor == lab.Tom.Id && record.ActorLogin == "tom" && record.Source!.Equals(IPAddress.Loopback));
        refused.Count.ShouldBe(2);
        refused.Sum(record => JsonNode.Parse(record.Details)!["count"]!.GetValue<int>()).ShouldBe(63);
    }

    [Fact]
    public async Task A_login_that_nobody_has_is_not_written_down_because_it_may_be_a_password()
    {
        await using var lab = await IdentityLab.StartAsync();
        await lab.SignInAsync("hunter2-typed-into-the-wrong-field", "wrong");
        await lab.SignInAsync("another-one", "wrong");
        lab.Clock.Advance(TimeSpan.FromMinutes(1));
        await lab.Get<Server.Platform.RepeatedRefusals>().FlushAsync(IdentityLab.Stop);
        var refused = (await lab.AuditAsync()).Where(record => record.Kind == "sign-in.refused").ToList();
        refused.ShouldAllBe(record => record.Actor == null && record.ActorLogin == "" && record.Subject == "");
        refused.Sum(record => JsonNode.Parse(record.Details)!["count"]!.GetValue<int>()).ShouldBe(2);
        lab.Log.Lines.ShouldAllBe(line => !line.Contains("hunter2"));
    }
}
