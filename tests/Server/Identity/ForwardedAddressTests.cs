using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Countersign.Access;

namespace Countersign.Server.Tests.Identity;

/// <summary>Behind a proxy: who is where.</summary>
public sealed class ForwardedAddressTests
{
    [Fact]
    public async Task Behind_a_proxy_of_ours_each_client_is_counted_and_let_in_by_their_own_address()
    {
        await using var lab = await StartAsync("127.0.0.0/8, 10.0.0.0/8");
        for (var attempt = 0; attempt < 3; attempt++) (await SignInAsync(lab, "203.0.113.9", $"nobody{attempt}")).ShouldBe(HttpStatusCode.Unauthorized);
        (await SignInAsync(lab, "203.0.113.9")).ShouldBe(HttpStatusCode.TooManyRequests);
        (await SignInAsync(lab, "203.0.113.10")).ShouldBe(HttpStatusCode.OK);

        // Proxies of ours one behind the other; and what a client says of itself stands further left, and is not looked at.
        (await SignInAsync(lab, "203.0.113.10, 203.0.113.9, 10.0.0.7")).ShouldBe(HttpStatusCode.TooManyRequests);
        (await lab.AuditAsync()).Where(record => record.Kind == "sign-in.succeeded").Select(record => record.Source).ShouldBe([IPAddress.Parse("203.0.113.10")]);

        lab.Change(new SettingRow(SettingNode.Organization, SettingKind.AllowedNetworks, "198.51.100.0/24", 1));
        (await SignInAsync(lab, "203.0.113.11")).ShouldBe(HttpStatusCode.Unauthorized);
        (await SignInAsync(lab, "198.51.100.1")).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task From_elsewhere_the_header_is_not_read()
    {
        await using var lab = await StartAsync("10.0.0.0/8");
        (await SignInAsync(lab, "203.0.113.9")).ShouldBe(HttpStatusCode.OK);
        (await lab.AuditAsync()).Single(record => record.Kind == "sign-in.succeeded").Source.ShouldBe(IPAddress.Loopback);
    }

    private static Task<IdentityLab> StartAsync(string proxies) => IdentityLab.StartAsync(
        new() { PasswordIterations = 1000, FailuresPerAddress = 3 },
        with: options => options with { HttpProxyFrom = [.. proxies.Split(", ").Select(network => IPNetwork.Parse(network))] });

    private static async Task<HttpStatusCode> SignInAsync(IdentityLab lab, string from, string login = "tom")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "sign-in") { Content = JsonContent.Create(new JsonObject { ["login"] = login, ["password"] = IdentityLab.Password }) };
        request.Headers.Add("X-Forwarded-For", from);
        using var answer = await lab.Http.SendAsync(request, IdentityLab.Stop);
        return answer.StatusCode;
    }
}
