using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Countersign.EndToEnd.Fixtures;
using Countersign.Tests;

namespace Countersign.EndToEnd.Crashes;

/// <summary>The server's program is killed while it hands a mail over.</summary>
public sealed class MailCrashTests
{
    [Fact]
    public async Task A_mail_that_was_being_sent_when_the_server_was_killed_is_sent_after_the_next_start_as_the_same_mail()
    {
        using var folder = new TempFolder();
        await using var post = await MailServer.StartAsync();
        string[] mail = ["--mail", $"127.0.0.1:{post.Clear.Port}", "--mail-security", "none", "--mail-from", "gate@example.org", "--public", "https://gate.example.org"];
        await post.AnswerNextAsync("hang");
        string first;
        await using (var server = await ServerProgram.StartAsync(folder, mail))
        {
            using var owner = await SetUpAsync(server);
            using var invited = await owner.PostAsJsonAsync("invitations", new { mail = "eve@example.org" }, TestContext.Current.CancellationToken);
            invited.IsSuccessStatusCode.ShouldBeTrue(await invited.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
            first = (await post.NextAsync()).Id;
            await server.KillAsync();
        }

        await using var again = await ServerProgram.StartAsync(folder, mail);
        var taken = await post.NextAsync();
        (taken.Id, taken.To).ShouldBe((first, "eve@example.org"));
        taken.Text.ShouldContain("https://gate.example.org/join#");
        using var http = new HttpClient { BaseAddress = new(again.Address, "api/v1/") };
        using var joined = await http.PostAsJsonAsync("join", new { token = taken.Token, login = "eve", password = "wandering-otter-lantern-58" }, TestContext.Current.CancellationToken);
        joined.IsSuccessStatusCode.ShouldBeTrue(await joined.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    private static async Task<HttpClient> SetUpAsync(ServerProgram server)
    {
        var http = new HttpClient { BaseAddress = new(server.Address, "api/v1/") };
        var owner = new { token = server.SetupLink!.Fragment[1..], organization = "Acme", login = "olga", name = "Olga", mail = "olga@example.org", password = "correct horse battery staple 77" };
        using var answer = await http.PostAsJsonAsync("setup", owner, TestContext.Current.CancellationToken);
        var made = JsonNode.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;
        http.DefaultRequestHeaders.Authorization = new("Bearer", (string)made["token"]!);
        return http;
    }
}
