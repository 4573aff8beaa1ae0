using System.Runtime.CompilerServices;
using Countersign.Access;
using Countersign.Server.Features.Identity;
using Countersign.Server.Platform;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Countersign.Server.Tests.Platform;

/// <summary>
/// Every route of the API against every kind of caller, through the real pipeline. The answers are beside this file: of each kind of caller in
/// <c>routes.txt</c>, of whoever holds one right and nothing else in <c>routes-by-right.txt</c>. <c>UPDATE_ROUTES=1</c> writes them anew, and fails: the
/// difference is what a reviewer reads.
/// </summary>
public sealed class RouteMatrixTests
{
    private const string Anybody = "anybody";
    private const string All = "all";
    private const string TheOthers = "all others";
    private const string Between = " | ";
    private const string Kinds = "routes.txt";
    private const string ByRight = "routes-by-right.txt";

    /// <summary>Makes a master administrator.</summary>
    private const string Master = nameof(Permission.ManageTechnicians);

    /// <summary>What even the owner is refused here, and why.</summary>
    private static readonly Dictionary<string, string> RefusedAnyway = new()
    {
        ["POST /api/v1/devices/host-key"] = "nothing answers where the test points",
        ["GET /api/v1/recordings/{id}/live"] = "the session has ended; one that runs would have the answer wait for its end",
        ["POST /api/v1/technicians/{id}/ownership"] = "the people of this test have no password",
        ["POST /api/v1/me/passkeys"] = "the server of this test has no name",
        ["POST /api/v1/me/passkeys/options"] = "the server of this test has no name",
        ["PATCH /api/v1/me/passkeys/{id}"] = "the owner of this test has shown one factor, and a passkey is a second one",
        ["POST /api/v1/me/passkeys/{id}/remove"] = "the people of this test have no password",
        ["POST /api/v1/me/password"] = "the people of this test have no password",
        ["POST /api/v1/me/two-factor/codes"] = "the people of this test have no password",
        ["POST /api/v1/me/two-factor/confirm"] = "nothing was set up",
        ["POST /api/v1/me/two-factor/disable"] = "the people of this test have no password",
        ["POST /api/v1/me/two-factor/enrol"] = "the people of this test have no password",
    };

    /// <summary>For whoever has signed in, whatever they are signed in for: what has to be done before everything else.</summary>
    private static readonly string[] OfOnesOwn =
        ["POST /api/v1/me/passkeys", "POST /api/v1/me/passkeys/options", "POST /api/v1/me/password", "POST /api/v1/me/two-factor/confirm", "POST /api/v1/me/two-factor/enrol", "POST /api/v1/sign-out"];

    /// <summary>What a token that was made for a program changes outside its area: it ends itself.</summary>
    private const string EndingItself = "POST /api/v1/sign-out";

    /// <summary>What a browser gets none of, and the owner's program does.</summary>
    private const string ForPrograms = "POST /api/v1/me/certificate";

    /// <summary>What a right lets somebody change, as it is meant to. Rights that are not here change nothing.</summary>
    private static readonly Dictionary<string, string[]> ChangedWith = new()
    {
        ["ModifyDevice"] =
        [
            "POST /api/v1/devices", "POST /api/v1/devices/bulk", "POST /api/v1/devices/import", "PATCH /api/v1/devices/{id}",
            "DELETE /api/v1/devices/{id}/accounts/{name}", "DELETE /api/v1/devices/{id}/accounts/{name}/secret", "PUT /api/v1/devices/{id}/accounts/{name}", "POST /api/v1/changes/{number}/undo",
        ],
        ["DeleteDevice"] = ["DELETE /api/v1/devices/{id}"],
        ["ManageSecurity"] =
        [
            "DELETE /api/v1/settings/device-groups/{id}/{setting}", "PUT /api/v1/settings/device-groups/{id}/{setting}",
            "POST /api/v1/settings/device-groups/{id}/{setting}/force", "DELETE /api/v1/settings/devices/{id}/{setting}",
            "PUT /api/v1/settings/devices/{id}/{setting}", "POST /api/v1/settings/devices/{id}/{setting}/force",
        ],
        ["TerminateSessions"] = ["POST /api/v1/sessions/{id}/end"],
        ["ConnectionHistory and DeleteRecordings"] = ["DELETE /api/v1/recordings/{id}"],
        ["RequestAccess"] = ["POST /api/v1/requests"],
        ["AcceptAccessRequests"] = ["POST /api/v1/requests/{number}/approve", "POST /api/v1/requests/{number}/reject", "POST /api/v1/requests/{number}/revoke"],
    };

    /// <summary>What is open to contacts: first of all what is about themselves.</summary>
    private static readonly string[] ForContacts =
    [
        "GET /api/v1/me", "GET /api/v1/me/keys", "GET /api/v1/me/passkeys", "GET /api/v1/me/sign-ins", "GET /api/v1/me/two-factor",
        "POST /api/v1/me/keys", "DELETE /api/v1/me/keys/{id}", "POST /api/v1/me/passkeys", "POST /api/v1/me/passkeys/options", "PATCH /api/v1/me/passkeys/{id}",
        "POST /api/v1/me/passkeys/{id}/remove", "POST /api/v1/me/password", "DELETE /api/v1/me/sign-ins", "DELETE /api/v1/me/sign-ins/{id}",
        "POST /api/v1/me/two-factor/codes", "POST /api/v1/me/two-factor/confirm", "POST /api/v1/me/two-factor/disable", "POST /api/v1/me/two-factor/enrol",
        "POST /api/v1/sign-out", "GET /api/v1/ssh",
        "GET /api/v1/devices", "GET /api/v1/devices/{id}",
        "GET /api/v1/requests", "GET /api/v1/requests/{number}", "POST /api/v1/requests", "POST /api/v1/requests/{number}/cancel", "POST /api/v1/requests/{number}/extension",
    ];

    /// <summary>What any technician reads: lists of what they may see, and what is no secret in the organization. What is in them, the walk looks at.</summary>
    private static readonly string[] ReadByAnyTechnician =
    [
        "GET /api/v1/device-groups", "GET /api/v1/devices", "GET /api/v1/devices/export", "GET /api/v1/events", "GET /api/v1/external-groups", "GET /api/v1/grants",
        "GET /api/v1/permissions", "GET /api/v1/recordings", "GET /api/v1/requests", "GET /api/v1/roles", "GET /api/v1/roles/{id}", "GET /api/v1/sessions",
        "GET /api/v1/settings/organization", "GET /api/v1/ssh", "GET /api/v1/technician-groups", "GET /api/v1/technicians", "GET /api/v1/workflows",
    ];

    /// <summary>What whoever administers some branch reads besides, wherever it is.</summary>
    private static readonly string[] ReadByAnyAdministrator = ["GET /api/v1/external-groups/{id}"];

    /// <summary>What administrators of a branch change in it.</summary>
    private static readonly string[] ChangedByAdministrators =
    [
        "POST /api/v1/technician-groups", "PATCH /api/v1/technician-groups/{id}", "PUT /api/v1/technician-groups/{id}/approved-external-groups",
        "PUT /api/v1/technician-groups/{id}/members/{person}", "DELETE /api/v1/technician-groups/{id}/members/{person}",
    ];

    /// <summary>What is open to anybody who reaches the server: probes, pages that hold nothing, and what takes the place of a token in another way.</summary>
    private static readonly string[] OpenToAnybody =
    [
        "GET /contact", "GET /health/live", "GET /health/ready", "GET /join", "GET /new-password", "GET /openapi/{documentName}.json", "GET /register", "GET /setup",
        "POST /api/v1/join", "POST /api/v1/join/look", "POST /api/v1/new-password", "POST /api/v1/registrations", "POST /api/v1/registrations/use", "POST /api/v1/setup",
        "POST /api/v1/sign-in", "POST /api/v1/sign-in/code", "POST /api/v1/sign-in/link", "POST /api/v1/sign-in/link/use", "POST /api/v1/sign-in/passkey",
        "POST /api/v1/sign-in/passkey/options",
    ];

    /// <summary>What a master administrator is refused although the owner is not.</summary>
    private static readonly string[] ForTheOwner = ["POST /api/v1/technicians/{id}/ownership"];

    [Fact]
    public async Task Every_route_answers_every_kind_of_caller_as_written_down()
    {
        // All of them guess from one address.
        await using var running = await RunningServer.StartAsync(services => services.AddSingleton(new SignInLimits { PasswordIterations = 1000, FreeFailures = 1000, FailuresPerAddress = 10_000, LinksToAnAddress = 10_000, LinksOfAnOrganization = 10_000 }));
        var tenant = await Tenant.FoundAsync(running, "acme");
        var other = await Tenant.FoundAsync(running, "other");
        var branches = await RouteBranches.AddAsync(tenant);
        var callers = await RouteCallers.AddAsync(running, tenant, other, branches);
        var walk = new RouteWalk(tenant, other, branches);
        var lines = new List<string> { string.Join(Between, callers.Kinds.Select(kind => kind.Name).Prepend("# route")) };
        var byRight = new List<string> { $"# route{Between}an answer and the rights that get it" };
        foreach (var (method, pattern) in Routes(running, isOpen: false))
        {
            // The owner comes last, as the table's columns have it.
            var answers = await walk.AnswersAsync(method, pattern, callers.ByRight.Select(one => (one.Name, one.Caller)).Concat(callers.Kinds));
            var route = $"{method} {pattern}";
            answers.ShouldNotContain(answer => answer >= 300 && answer < 400, $"{route} sends nobody elsewhere");
            lines.Add(string.Join(Between, answers.Skip(callers.ByRight.Count).Select(answer => $"{answer}").Prepend(route)));
            byRight.Add(string.Join(Between, Grouped(callers.ByRight.Zip(answers, (one, answer) => (one.Name, answer))).Prepend(route)));
        }

        // Those that are open to anybody are written down as well: one that is so by mistake is a line that nobody wrote.
        lines.AddRange(Routes(running, isOpen: true).Select(route => $"{route.Method} {route.Pattern}{Between}{Anybody}"));
        walk.ShownToTheOwner.Count.ShouldBeGreaterThan(30, "what is looked for in the answers to others stands in those to the owner");
        await HoldAsync((Kinds, lines), (ByRight, byRight));
    }

    [Fact]
    public async Task What_is_open_to_anybody_is_what_this_says_whatever_is_written_down()
    {
        await using var running = await RunningServer.StartAsync();
        Routes(running, isOpen: true).Select(route => $"{route.Method} {route.Pattern}").ShouldBe(OpenToAnybody, ignoreOrder: true);
        foreach (var route in OpenToAnybody.Where(route => route.StartsWith("GET", StringComparison.Ordinal)))
        {
            var answer = await running.Anybody.GetAsync(Pattern(route).Replace("{documentName}", "v1", StringComparison.Ordinal));
            ((int)answer.Status).ShouldBeOneOf([200, 404], route);
        }
    }

    [Fact]
    public async Task Whoever_stands_in_the_table_for_a_right_holds_it_and_nothing_else_and_every_right_has_somebody()
    {
        await using var running = await RunningServer.StartAsync();
        var tenant = await Tenant.FoundAsync(running, "acme");
        var branches = await RouteBranches.AddAsync(tenant);
        var holders = (await RouteCallers.AddAsync(running, tenant, await Tenant.FoundAsync(running, "other"), branches)).ByRight;
        var (device, now) = (new DeviceId((await RouteStage.SetAsync(tenant, branches)).Device), TimeProvider.System.GetUtcNow());
        foreach (var holder in holders)
        {
            var overTeam = PermissionCatalogue.AllowedFor(RolePurpose.Administration).Where(permission => tenant.Policy.HoldsOverTeam(holder.Person, permission, now));
            overTeam.ShouldBe(holder.Purpose == RolePurpose.Administration ? holder.Permissions : [], holder.Name);
            if (!tenant.Policy.IsMasterAdministrator(holder.Person, now))
                tenant.Policy.HeldOn(holder.Person, device, now).ShouldBe(holder.Purpose == RolePurpose.DevicesAndGroups ? holder.Permissions : PermissionSet.None, holder.Name);
            if (holder.Purpose != RolePurpose.Invitations) continue;
            var grant = tenant.Policy.All<GrantRow>().Single(row => row.Subject == GrantSubject.To(holder.Person));
            (grant.Scope, tenant.Policy.Role(grant.Role)!.Permissions).ShouldBe((GrantScope.QuickSupport, holder.Permissions));
        }

        foreach (var purpose in Enum.GetValues<RolePurpose>())
        {
            holders.Where(holder => holder.Purpose == purpose).Aggregate(PermissionSet.None, (set, holder) => set | holder.Permissions)
                .ShouldBe(PermissionCatalogue.AllowedFor(purpose), $"{purpose}");
        }
    }

    [Fact]
    public async Task What_is_written_down_lets_nobody_in_who_has_no_say_there()
    {
        foreach (var (route, answers) in await ReadAsync())
        {
            answers.Values.ShouldNotContain("429", $"{route} would answer otherwise to one who asks less often");
            foreach (var outside in (string[])[RouteCallers.Anonymous, RouteCallers.Disabled, RouteCallers.Invited]) answers[outside].ShouldBe("401", route);
            if (IsOfOne(route)) answers[RouteCallers.OtherOwner].ShouldBe("404", route);
            if (!RefusedAnyway.ContainsKey(route)) answers[RouteCallers.Owner].ShouldStartWith("2", customMessage: route);
            if (!ForContacts.Contains(route)) answers[RouteCallers.Contact].ShouldBe("403", route);
            else if (IsOfOne(route)) answers[RouteCallers.Contact].ShouldBe("404", route);
            if (!IsAboutOneself(route) && !ReadByAnyTechnician.Contains(route))
            {
                answers[RouteCallers.Nobody].ShouldStartWith("4", customMessage: route);
                if (!ReadByAnyAdministrator.Contains(route)) answers[RouteCallers.AdministratorElsewhere].ShouldStartWith("4", customMessage: route);
            }

            if (IsOfOne(route) && !NoSecretToAdministrators(route)) answers[RouteCallers.AdministratorElsewhere].ShouldBe(answers[RouteCallers.Nobody], route);
            if (route.StartsWith("GET", StringComparison.Ordinal)) continue;
            if (!OfOnesOwn.Contains(route)) answers[RouteCallers.Reading].ShouldBe("403", route);
            if (route != EndingItself) answers[RouteCallers.Program].ShouldBe(HasNoName(route) ? "409" : "403", route);
            answers[RouteCallers.OtherPage].ShouldBe("403", route);
            if (route != ForPrograms) answers[RouteCallers.Browser].ShouldBe(answers[RouteCallers.Owner], route);
            if (!IsAboutOneself(route) && !ChangedByAdministrators.Contains(route)) answers[RouteCallers.Administrator].ShouldStartWith("4", customMessage: route);
            if (!IsAboutOneself(route)) answers[RouteCallers.Auditor].ShouldStartWith("4", customMessage: route);
        }
    }

    [Fact]
    public async Task What_is_written_down_gives_with_a_right_only_what_it_is_for()
    {
        foreach (var line in (await File.ReadAllLinesAsync(Table(ByRight), TestContext.Current.CancellationToken)).Skip(1))
        {
            var cells = line.Split(Between);
            var route = cells[0];
            if (route.StartsWith("GET", StringComparison.Ordinal) || IsAboutOneself(route)) continue;
            var may = cells.Skip(1).Where(cell => cell[0] == '2').SelectMany(cell => cell[4..].Split(", ")).ToList();
            foreach (var right in may.Where(right => right != Master)) ChangedWith.GetValueOrDefault(right, []).ShouldContain(route, right);
            if (ForTheOwner.Contains(route)) may.ShouldBeEmpty(route);
        }
    }

    /// <summary>One thing is asked for by its id or number.</summary>
    private static bool IsOfOne(string route) => route.Contains("{id}", StringComparison.Ordinal) || route.Contains("{number}", StringComparison.Ordinal);

    /// <summary>That there are roles and external groups is no secret to whoever administers some branch.</summary>
    private static bool NoSecretToAdministrators(string route) =>
        Pattern(route).StartsWith("/api/v1/roles/", StringComparison.Ordinal) || Pattern(route).StartsWith("/api/v1/external-groups/", StringComparison.Ordinal);

    /// <summary>A server without a name has no passkeys to add, whoever asks.</summary>
    private static bool HasNoName(string route) => route is "POST /api/v1/me/passkeys" or "POST /api/v1/me/passkeys/options";

    private static bool IsAboutOneself(string route) => RouteWalk.IsAboutOneself(Pattern(route));

    private static string Pattern(string route) => route[(route.IndexOf(' ', StringComparison.Ordinal) + 1)..];

    /// <summary>Without those that are open to anybody.</summary>
    private static async Task<List<(string Route, Dictionary<string, string> Answers)>> ReadAsync()
    {
        var lines = await File.ReadAllLinesAsync(Table(Kinds), TestContext.Current.CancellationToken);
        var names = lines[0].Split(Between)[1..];
        return
        [
            .. from line in lines.Skip(1)
               let cells = line.Split(Between)
               where cells[1] != Anybody
               select (cells[0], names.Zip(cells[1..]).ToDictionary(one => one.First, one => one.Second)),
        ];
    }

    /// <summary>Each answer with the names that got it; the last of them, which most got, without.</summary>
    private static IEnumerable<string> Grouped(IEnumerable<(string Name, int Answer)> answers)
    {
        var groups = answers.GroupBy(one => one.Answer, one => one.Name).OrderBy(group => group.Count()).ThenBy(group => group.Key).ToList();
        return groups.SkipLast(1).OrderBy(group => group.Key).Select(group => $"{group.Key} {string.Join(", ", group)}").Append($"{groups[^1].Key} {(groups.Count == 1 ? All : TheOthers)}");
    }

    /// <summary>Writing them anew is no pass: the difference is to be read first.</summary>
    private static async Task HoldAsync(params IReadOnlyList<(string Name, List<string> Lines)> tables)
    {
        if (Environment.GetEnvironmentVariable("UPDATE_ROUTES") == "1")
        {
            foreach (var (name, lines) in tables) await File.WriteAllLinesAsync(Table(name), lines, TestContext.Current.CancellationToken);
            Assert.Fail("The tables are written anew: read what differs, and run without UPDATE_ROUTES.");
        }

        foreach (var (name, lines) in tables)
        {
            var written = await File.ReadAllLinesAsync(Table(name), TestContext.Current.CancellationToken);
            lines.Except(written).ShouldBeEmpty("answered so, and not written down");
            written.Except(lines).ShouldBeEmpty("written down, and not answered so");
        }
    }

    /// <summary>All that the server has, under whatever path.</summary>
    private static IEnumerable<(string Method, string Pattern)> Routes(RunningServer running, bool isOpen) =>
        from endpoint in running.Server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        let pattern = $"/{endpoint.RoutePattern.RawText!.Trim('/')}".Replace(":guid", "", StringComparison.Ordinal).Replace(":long", "", StringComparison.Ordinal)
        where endpoint.Metadata.GetMetadata<RouteAccess>()!.Scope is null == isOpen
        from method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["ANY"]
        orderby method != "GET", pattern, method
        select (method, pattern);

    private static string Table(string name, [CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, name);
}
