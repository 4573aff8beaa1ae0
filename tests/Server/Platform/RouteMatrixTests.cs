using System.Net;
using System.Runtime.CompilerServices;
using Countersign.Server.Platform;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Countersign.Server.Tests.Platform;

/// <summary>
/// Every route of the API against every kind of caller, through the real pipeline. The answers are in <c>routes.txt</c> beside this file;
/// <c>UPDATE_ROUTES=1</c> writes it anew, and the difference is what a reviewer reads.
/// </summary>
public sealed class RouteMatrixTests
{
    private const string Anybody = "anybody";

    /// <summary>What even the owner is refused here, and why.</summary>
    private static readonly Dictionary<string, string> RefusedAnyway = new()
    {
        ["POST /api/v1/devices/host-key"] = "nothing answers where the test points",
        ["GET /api/v1/recordings/{id}/live"] = "the session has ended; one that runs would have the answer wait for its end",
        ["POST /api/v1/technicians/{id}/ownership"] = "the people of this test have no password",
        ["POST /api/v1/me/passkeys"] = "the server of this test has no name",
        ["POST /api/v1/me/passkeys/options"] = "the server of this test has no name",
        ["POST /api/v1/me/passkeys/{id}/remove"] = "the people of this test have no password",
        ["POST /api/v1/me/password"] = "the people of this test have no password",
        ["POST /api/v1/me/two-factor/codes"] = "the people of this test have no password",
        ["POST /api/v1/me/two-factor/confirm"] = "nothing was set up",
        ["POST /api/v1/me/two-factor/disable"] = "the people of this test have no password",
        ["POST /api/v1/me/two-factor/enrol"] = "the people of this test have no password",
    };

    /// <summary>For whoever holds a token, whatever its scope.</summary>
    private static readonly string[] OfOnesOwn =
        ["POST /api/v1/me/passkeys", "POST /api/v1/me/passkeys/options", "POST /api/v1/me/password", "POST /api/v1/me/two-factor/confirm", "POST /api/v1/me/two-factor/enrol", "POST /api/v1/sign-out"];

    [Fact]
    public async Task Every_route_answers_every_kind_of_caller_as_written_down()
    {
        await using var running = await RunningServer.StartAsync();
        var tenant = await Tenant.FoundAsync(running, "acme");
        var other = await Tenant.FoundAsync(running, "other");
        var nobody = await tenant.AddTechnicianAsync("nobody");
        var contact = (await tenant.Owner.PostAsync("/api/v1/contacts", new { name = "Contact", mail = "contact@example.org" })).Expect(HttpStatusCode.Created).Id;
        var lines = new List<string> { "# route | anonymous | owner of another organization | technician without rights | contact | owner's token for reading | owner" };
        var stage = await RouteStage.SetAsync(tenant);
        foreach (var (method, pattern) in Routes(running, isOpen: false))
        {
            if (method != "GET") stage = await RouteStage.SetAsync(tenant);
            stage.OwnersKey = pattern == "/api/v1/me/keys/{id}" ? await RouteStage.AddKeyAsync(tenant) : default;
            stage.OwnersToken = pattern == "/api/v1/me/tokens/{id}" ? await RouteStage.AddTokenAsync(tenant) : default;
            stage.OldAuthority = pattern is "/api/v1/ssh/ca/{id}" or "/api/v1/ssh/door-ca/{id}" ? await RouteStage.OldAuthorityAsync(tenant, pattern.Replace("/{id}", "", StringComparison.Ordinal)) : default;
            stage.OwnersPasskey = pattern.StartsWith("/api/v1/me/passkeys/{id}", StringComparison.Ordinal) ? await tenant.AddPasskeyAsync() : default;
            stage.Mail = pattern.StartsWith("/api/v1/mail/", StringComparison.Ordinal) ? await tenant.AddMailAsync() : default;
            stage.OwnersSignIn = pattern == "/api/v1/me/sign-ins/{id}" ? await tenant.AddSignInAsync() : default;
            stage.Session = pattern.StartsWith("/api/v1/sessions/", StringComparison.Ordinal) ? await tenant.BeginSessionAsync(stage.Unique) : default;
            if (pattern.StartsWith("/api/v1/recordings/", StringComparison.Ordinal)) stage.Session = await tenant.RecordSessionAsync(stage.Person, $"d{stage.Unique}");
            if (pattern.Contains("{number}", StringComparison.Ordinal)) await stage.AskAsync(tenant, pattern);
            var answers = new List<int>();
            foreach (var caller in (ApiCaller[])
            [
                running.Anybody, other.Owner, tenant.As(nobody), tenant.As(contact), tenant.As(tenant.OwnerId.Value, TokenScopes.Read), tenant.Owner,
            ])
                answers.Add((int)(await caller.SendAsync(new(method), stage.Path(method, pattern), stage.Body(method, pattern))).Status);
            if (stage.OwnersPasskey != default) await tenant.RemovePasskeysAsync();
            lines.Add($"{method} {pattern} | {string.Join(" | ", answers)}");
        }

        // Those that are open to anybody are written down as well: one that is so by mistake is a line that nobody wrote.
        lines.AddRange(Routes(running, isOpen: true).Select(route => $"{route.Method} {route.Pattern} | {Anybody}"));
        if (Environment.GetEnvironmentVariable("UPDATE_ROUTES") == "1") await File.WriteAllLinesAsync(Table(), lines, TestContext.Current.CancellationToken);
        var written = await File.ReadAllLinesAsync(Table(), TestContext.Current.CancellationToken);
        lines.Except(written).ShouldBeEmpty("answered so, and not written down");
        written.Except(lines).ShouldBeEmpty("written down, and not answered so");
    }

    [Fact]
    public async Task What_is_written_down_lets_nobody_in_who_has_no_token_and_no_other_organization_at_anything()
    {
        foreach (var line in (await File.ReadAllLinesAsync(Table(), TestContext.Current.CancellationToken)).Skip(1))
        {
            var cells = line.Split(" | ");
            if (cells[1] == Anybody) continue;
            cells[1].ShouldBe("401", line);
            if (cells[0].Contains("{id}", StringComparison.Ordinal) || cells[0].Contains("{number}", StringComparison.Ordinal)) cells[2].ShouldBe("404", line);
            if (!cells[0].StartsWith("GET", StringComparison.Ordinal) && !OfOnesOwn.Contains(cells[0])) cells[5].ShouldBe("403", line);
            if (!RefusedAnyway.ContainsKey(cells[0])) cells[6].ShouldStartWith("2", customMessage: line);
        }
    }

    private static IEnumerable<(string Method, string Pattern)> Routes(RunningServer running, bool isOpen) =>
        from endpoint in running.Server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        let pattern = endpoint.RoutePattern.RawText!.TrimEnd('/').Replace(":guid", "", StringComparison.Ordinal).Replace(":long", "", StringComparison.Ordinal)
        where pattern.StartsWith("/api/v1/", StringComparison.Ordinal) && endpoint.Metadata.GetMetadata<RouteAccess>()!.Scope is null == isOpen
        from method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods
        orderby method != "GET", pattern, method
        select (method, pattern);

    private static string Table([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "routes.txt");
}
