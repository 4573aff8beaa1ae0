using System.Net;
using Countersign.Access;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Countersign.Server.Tests.Platform;

public sealed class PolicyWriterTests : IAsyncLifetime
{
    private RunningServer _running = null!;
    private Tenant _tenant = null!;

    public async ValueTask InitializeAsync()
    {
        _running = await RunningServer.StartAsync();
        _tenant = await Tenant.FoundAsync(_running, "acme");
    }

    public ValueTask DisposeAsync() => _running.DisposeAsync();

    [Fact]
    public async Task A_hundred_commands_at_once_all_land_with_versions_in_one_row()
    {
        var first = _tenant.Policy.Version;
        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(number => _tenant.Owner.PostAsync("/api/v1/device-groups", new { name = $"group {number}" })));

        answers.Select(answer => answer.Expect(HttpStatusCode.Created).Version).Order().ShouldBe(Enumerable.Range(1, 100).Select(number => first + number));
        await using var db = _running.Database.Read(_tenant.Id);
        (await db.Set<PolicyChange>().Select(change => change.Version).ToListAsync(TestContext.Current.CancellationToken)).Order()
            .ShouldBe(Enumerable.Range(1, (int)first + 100).Select(number => (long)number));
        (await db.Set<Organization>().SingleAsync(row => row.Id == _tenant.Id, TestContext.Current.CancellationToken)).Version.ShouldBe(first + 100);
        _tenant.Policy.Version.ShouldBe(first + 100);
        await PolicyInForceIsWhatIsStoredAsync();
    }

    [Fact]
    public async Task After_every_kind_of_command_what_is_stored_is_what_the_delta_made()
    {
        var person = await _tenant.AddTechnicianAsync("ann");
        var group = (await _tenant.Owner.PostAsync("/api/v1/technician-groups", new { parent = _tenant.Everyone, name = "Support" })).Id;
        var deviceGroup = await _tenant.AddGroupAsync("Clients");
        var device = await _tenant.AddDeviceAsync("web1", deviceGroup, "root", "deploy");
        await PolicyInForceIsWhatIsStoredAsync();
        var role = (await _tenant.Owner.PostAsync("/api/v1/roles", new { name = "Shell", purpose = "devicesAndGroups", permissions = new[] { "Terminal" } })).Id;
        var grant = (await _tenant.Owner.PostAsync("/api/v1/grants", new
        {
            subject = new { kind = "technicianGroup", id = group },
            scope = new { kind = "deviceGroup", id = deviceGroup },
            role,
            accounts = new { rule = "named", names = new[] { "root", "deploy" } },
            window = new { from = "2026-01-01T00:00:00Z", to = "2027-01-01T00:00:00+02:00" },
        })).Expect(HttpStatusCode.Created).Id;
        foreach (var (method, path, body) in ((string, string, object?)[])
        [
            ("PUT", $"technician-groups/{group}/members/{person}", null),
            ("PUT", $"technician-groups/{group}/managers/{person}", null),
            ("PUT", $"technician-groups/{group}/administrators/{person}", null),
            ("PUT", $"technician-groups/{group}/permissions/Terminal", new { value = "deny", locked = true }),
            ("PATCH", $"technician-groups/{group}", new { requiresManagerialApproval = true, consent = "ask" }),
            ("PUT", $"settings/devices/{device}/maxSession", new { value = "8h" }),
            ("PUT", $"settings/organization/recording", new { value = "required" }),
            ("POST", $"settings/device-groups/{deviceGroup}/maxSession/force", new { value = "2h" }),
            ("PATCH", $"devices/{device}", new { host = "192.0.2.9", description = "moved" }),
            ("PATCH", $"grants/{grant}", new { accounts = new { rule = "any" }, window = new { } }),
            ("PATCH", $"roles/{role}", new { permissions = new[] { "Terminal", "FileManager" } }),
            ("PATCH", $"technicians/{person}", new { name = "Ann B.", mail = "ann@example.org" }),
            ("DELETE", $"technician-groups/{group}/managers/{person}", null),
            ("DELETE", $"technician-groups/{group}/administrators/{person}", null),
            ("POST", $"technicians/{person}/disable", null),
            ("DELETE", $"settings/device-groups/{deviceGroup}/maxSession", null),
            ("DELETE", $"technician-groups/{group}/permissions/Terminal", null),
            ("DELETE", $"roles/{role}", null),
            ("DELETE", $"devices/{device}", null),
            ("DELETE", $"device-groups/{deviceGroup}", null),
            ("DELETE", $"technicians/{person}", null),
            ("DELETE", $"technician-groups/{group}", null),
        ])
        {
            if (path.EndsWith("permissions/Terminal", StringComparison.Ordinal) && method == "DELETE")
                (await _tenant.Owner.PutAsync($"/api/v1/{path}", new { value = (string?)null })).Expect(HttpStatusCode.OK);
            else
                (await _tenant.Owner.SendAsync(new(method), $"/api/v1/{path}", body)).Expect(HttpStatusCode.OK);
            await PolicyInForceIsWhatIsStoredAsync();
        }
    }

    [Fact]
    public async Task A_command_that_changes_nothing_leaves_the_version_and_the_log_as_they_are()
    {
        var group = await _tenant.AddGroupAsync("Clients");
        var (version, records) = (_tenant.Policy.Version, await RecordsAsync());
        (await _tenant.Owner.PatchAsync($"/api/v1/device-groups/{group}", new { name = "Clients" })).Expect(HttpStatusCode.OK).Version.ShouldBe(version);

        _tenant.Policy.Version.ShouldBe(version);
        (await RecordsAsync()).Count.ShouldBe(records.Count);
    }

    [Fact]
    public async Task Every_change_has_its_audit_record_and_every_refusal_too()
    {
        var nobody = await _tenant.AddTechnicianAsync("nobody");
        var group = await _tenant.AddGroupAsync("Clients");
        var changes = (await RecordsAsync()).Where(record => record.Kind == "policy.changed").ToList();
        changes.Count.ShouldBe(2);
        changes[^1].SubjectId.ShouldBe(group);
        changes[^1].Actor.ShouldBe(_tenant.OwnerId);
        changes[^1].Source.ShouldBe(IPAddress.Loopback);
        changes[^1].Correlation.ShouldNotBeEmpty();

        var version = _tenant.Policy.Version;
        (await _tenant.As(nobody).PostAsync("/api/v1/device-groups", new { name = "Mine" })).Expect(HttpStatusCode.Forbidden);
        var refusal = (await RecordsAsync())[^1];
        refusal.Kind.ShouldBe("policy.refused");
        refusal.Outcome.ShouldBe(AuditOutcome.Refused);
        refusal.Actor!.Value.Value.ShouldBe(nobody);
        _tenant.Policy.Version.ShouldBe(version);
    }

    [Fact]
    public async Task Work_that_goes_along_and_throws_leaves_nothing_behind()
    {
        var writer = Writer;
        var caller = new Caller(_tenant.Id, _tenant.OwnerId, "acme-owner", TokenScopes.Write, Guid.Empty, null, SignInStrength.OneFactor, "test");
        var (version, records) = (_tenant.Policy.Version, await RecordsAsync());
        await Should.ThrowAsync<InvalidDataException>(() => writer.ApplyAsync(
            caller, new PolicyCommand.AddDeviceGroup(new(Guid.NewGuid()), null, "Clients"), TestContext.Current.CancellationToken, (_, _, _) => throw new InvalidDataException()));

        _tenant.Policy.Version.ShouldBe(version);
        (await RecordsAsync()).Count.ShouldBe(records.Count);
        await PolicyInForceIsWhatIsStoredAsync();
        await _tenant.AddGroupAsync("Clients");
        _tenant.Policy.Version.ShouldBe(version + 1);
    }

    [Fact]
    public async Task A_server_that_starts_again_has_the_same_policy()
    {
        var group = await _tenant.AddGroupAsync("Clients");
        await _tenant.AddDeviceAsync("web1", group);
        var before = _tenant.Policy;
        await _running.RestartAsync();

        _tenant.Policy.ShouldNotBeSameAs(before);
        _tenant.Policy.Version.ShouldBe(before.Version);
        Rows(_tenant.Policy).ShouldBe(Rows(before), ignoreOrder: true);
        await _tenant.AddGroupAsync("More");
        (await RecordsAsync()).Select(record => record.Id).ShouldBeInOrder(SortDirection.Ascending);
    }

    [Fact]
    public async Task Those_who_listen_hear_of_every_version_in_order_also_beside_one_that_fails()
    {
        var heard = new List<long>();
        var source = _running.Server.Services.GetRequiredService<PolicySource>();
        using var failing = source.OnChange(_ => throw new InvalidOperationException("a listener's fault"));
        using (source.OnChange(snapshot => heard.Add(snapshot.Version))) await Task.WhenAll(Enumerable.Range(0, 10).Select(number => _tenant.AddGroupAsync($"group {number}")));
        await _tenant.AddGroupAsync("unheard");

        heard.ShouldBe(Enumerable.Range(2, 10).Select(number => (long)number));
    }

    /// <summary>Rows loaded anew, and the first version with every stored delta applied to it, are the policy in force.</summary>
    private async Task PolicyInForceIsWhatIsStoredAsync()
    {
        await using var db = _running.Database.Read(_tenant.Id);
        var inForce = Rows(_tenant.Policy);
        (await PolicyTables.LoadAsync(_running.Database, _tenant.Id, TestContext.Current.CancellationToken)).ShouldBe(inForce, ignoreOrder: true);

        var replayed = PolicySnapshot.Empty(_tenant.Id);
        foreach (var change in await db.Set<PolicyChange>().OrderBy(change => change.Version).ToListAsync(TestContext.Current.CancellationToken))
            replayed = replayed.Apply(new PolicyDelta(_tenant.Id, change.Version - 1, change.Summary, DeltaJson.Read(change.Delta)));
        Rows(replayed).ShouldBe(inForce, ignoreOrder: true);
    }

    private async Task<List<AuditRecord>> RecordsAsync()
    {
        await using var db = _running.Database.Read(_tenant.Id);
        return await db.Set<AuditRecord>().OrderBy(record => record.Id).ToListAsync(TestContext.Current.CancellationToken);
    }

    private static List<PolicyRow> Rows(PolicySnapshot snapshot) => [.. snapshot.All<PolicyRow>()];

    [Fact]
    public async Task A_long_command_is_planned_before_its_turn_and_only_once_where_nothing_was_changed_meanwhile()
    {
        var (held, writing) = await HoldAsync();
        var planned = new List<bool>();
        var applying = AddGroupAheadAsync("Long", planned);
        planned.ShouldBe([false]);
        held.SetResult();
        await writing;
        (await applying).ShouldBeOfType<PolicyOutcome.Applied>();
        planned.ShouldBe([false]);
        await PolicyInForceIsWhatIsStoredAsync();
    }

    [Fact]
    public async Task A_long_command_is_planned_again_on_the_writer_where_something_was_changed_meanwhile()
    {
        var (held, writing) = await HoldAsync();
        var first = Writer.ApplyAsync(AsOwner, new PolicyCommand.AddDeviceGroup(new(Guid.NewGuid()), null, "Long"), TestContext.Current.CancellationToken);
        var planned = new List<bool>();
        var applying = AddGroupAheadAsync("Long", planned);
        planned.ShouldBe([false]);
        held.SetResult();
        await writing;
        (await first).ShouldBeOfType<PolicyOutcome.Applied>();
        (await applying).ShouldBeOfType<PolicyOutcome.Refused>().Reason.ShouldBeOfType<PlanResult.Conflict>();
        planned.ShouldBe([false, true]);
    }

    [Fact]
    public async Task Who_is_refused_a_long_command_is_told_while_the_writer_is_at_something_else()
    {
        await _tenant.AddGroupAsync("Long");
        var (held, writing) = await HoldAsync();
        (await AddGroupAheadAsync("Long", []).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken)).ShouldBeOfType<PolicyOutcome.Refused>();
        held.SetResult();
        await writing;
    }

    [Fact]
    public async Task What_was_changed_since_is_read_up_to_a_bound_and_from_the_newest_on()
    {
        var group = await _tenant.AddGroupAsync("Clients");
        var before = _tenant.Policy.Version;
        (await _tenant.Owner.PatchAsync($"/api/v1/device-groups/{group}", new { name = "Customers" })).Expect(HttpStatusCode.OK);
        await _tenant.AddGroupAsync("Others");
        var keys = new HashSet<RowKey> { new(PolicyTable.DeviceGroup, group) };
        await using var db = _running.Database.Read(_tenant.Id);
        var lengths = await db.Set<PolicyChange>().Where(change => change.Version > before).Select(change => change.Delta.Length).ToListAsync(TestContext.Current.CancellationToken);

        (await new TouchedRows(before, keys, lengths.Sum()).ReadOnAsync(db, _tenant.Policy.Version, TestContext.Current.CancellationToken)).ShouldBe(keys);
        (await new TouchedRows(before, keys, lengths.Sum() - 1).ReadOnAsync(db, _tenant.Policy.Version, TestContext.Current.CancellationToken)).ShouldBeNull();
    }

    private PolicyWriter Writer => _running.Server.Services.GetRequiredService<PolicyWriter>();

    private Caller AsOwner => new(_tenant.Id, _tenant.OwnerId, "acme-owner", TokenScopes.Write, TestTokens.Id, null, SignInStrength.OneFactor, "");

    /// <param name="planned">Gets whether the command was made on the writer, each time that it is made.</param>
    private Task<PolicyOutcome> AddGroupAheadAsync(string name, List<bool> planned)
    {
        var command = new PolicyCommand.AddDeviceGroup(new(Guid.NewGuid()), null, name);
        return Writer.ApplyPlannedAheadAsync(
            AsOwner,
            (db, _, _) =>
            {
                planned.Add(db.Database.CurrentTransaction is not null);
                return ValueTask.FromResult<PolicyCommand?>(command);
            },
            TestContext.Current.CancellationToken);
    }

    /// <summary>The writer is at work until it is let go.</summary>
    private async Task<(TaskCompletionSource Go, Task Writing)> HoldAsync()
    {
        var (entered, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        var writing = _running.Server.Services.GetRequiredService<WriteQueue>().WriteAsync(
            _tenant.Id,
            async (_, _) =>
            {
                entered.SetResult();
                await go.Task;
            },
            TestContext.Current.CancellationToken);
        await entered.Task;
        return (go, writing);
    }
}
