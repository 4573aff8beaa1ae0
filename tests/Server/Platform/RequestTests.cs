using System.Net;
using Countersign.Access;
using Countersign.Server.Platform;

namespace Countersign.Server.Tests.Platform;

/// <summary>What the edge refuses before any feature sees it.</summary>
public sealed class RequestTests : IAsyncLifetime
{
    private RunningServer _running = null!;
    private Tenant _tenant = null!;

    public async ValueTask InitializeAsync()
    {
        _running = await RunningServer.StartAsync();
        _tenant = await Tenant.FoundAsync(_running, "acme");
    }

    public ValueTask DisposeAsync() => _running.DisposeAsync();

    [Theory]
    [InlineData("""{"name":"a","surprise":1}""", "surprise")]
    [InlineData("""{"name":"a","name":"b"}""", "name")]
    [InlineData("""{"name":null}""", "name")]
    [InlineData("""{"name":7}""", "name")]
    [InlineData("""{"name":"a","parent":"not a guid"}""", "parent")]
    [InlineData("""{}""", "name")]
    [InlineData("""[""", "")]
    [InlineData("""null""", "")]
    public async Task A_body_that_is_not_what_was_asked_for_is_refused_and_the_field_named(string body, string field)
    {
        var answer = (await _tenant.Owner.PostAsync("/api/v1/device-groups", body)).Expect(HttpStatusCode.BadRequest);
        if (field.Length > 0) answer.ExpectInvalid(field);
        answer.Text.ShouldNotContain("Countersign.");
        _tenant.Policy.All<DeviceGroupRow>().ShouldBeEmpty();
    }

    [Fact]
    public async Task Every_field_that_is_missing_is_named_where_it_is_missing()
    {
        var grant = (await _tenant.Owner.PostAsync("/api/v1/grants", new { subject = new { kind = "person" } })).Expect(HttpStatusCode.BadRequest);
        grant.Body.GetProperty("errors").EnumerateObject().ToDictionary(error => error.Name, error => error.Value[0].GetString()).ShouldBe(new() { ["subject.id"] = "It is missing." });
        var role = (await _tenant.Owner.PostAsync("/api/v1/roles", new { name = "a" })).Expect(HttpStatusCode.BadRequest);
        role.Body.GetProperty("errors").EnumerateObject().Select(error => error.Name).Order().ShouldBe(["permissions", "purpose"]);
    }

    [Theory]
    [InlineData("""{"name":"a","purpose":1,"permissions":[]}""")]
    [InlineData("""{"name":"a","purpose":"everything","permissions":[]}""")]
    [InlineData("""{"name":"a","purpose":"devicesAndGroups","permissions":["NoSuchThing"]}""")]
    [InlineData("""{"name":"a","purpose":"devicesAndGroups","permissions":[6]}""")]
    public async Task Words_of_a_fixed_list_are_taken_by_name_only(string body) =>
        (await _tenant.Owner.PostAsync("/api/v1/roles", body)).Expect(HttpStatusCode.BadRequest);

    [Fact]
    public async Task A_body_of_over_a_mebibyte_is_refused()
    {
        var body = $$"""{"name":"{{new string('a', 1024 * 1024)}}"}""";
        (await _tenant.Owner.PostAsync("/api/v1/device-groups", body)).Expect(HttpStatusCode.RequestEntityTooLarge);
    }

    [Theory]
    [InlineData("?limit=0", "limit")]
    [InlineData("?limit=1001", "limit")]
    [InlineData("?cursor=***", "cursor")]
    public async Task A_page_that_can_not_be_is_refused(string query, string field) =>
        (await _tenant.Owner.GetAsync($"/api/v1/devices{query}")).ExpectInvalid(field);

    [Fact]
    public async Task A_list_is_read_page_by_page_without_missing_or_repeating_anything()
    {
        var parent = await _tenant.AddGroupAsync("same name");
        foreach (var number in Enumerable.Range(0, 6)) parent = await _tenant.AddGroupAsync(number % 2 == 0 ? "same name" : $"{number}", parent);
        var (seen, cursor) = (new List<Guid>(), "");
        do
        {
            var page = (await _tenant.Owner.GetAsync($"/api/v1/device-groups?limit=3{cursor}")).Expect(HttpStatusCode.OK);
            page.Items.Count.ShouldBeInRange(1, 3);
            seen.AddRange(page.Items.Select(item => item.GetProperty("id").GetGuid()));
            cursor = page.Body.GetProperty("next").GetString() is { } next ? $"&cursor={next}" : null!;
        }
        while (cursor is not null);

        seen.ShouldBe(_tenant.Policy.All<DeviceGroupRow>().OrderBy(row => row.Name, StringComparer.Ordinal).ThenBy(row => row.Id.ToString(), StringComparer.Ordinal).Select(row => row.Id.Value));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("nonsense")]
    [InlineData("a b")]
    [InlineData("")]
    public async Task A_token_that_is_none_is_refused(string? token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("/api/v1/devices", UriKind.Relative));
        if (token is not null) request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        using var answer = await _running.Http.SendAsync(request, TestContext.Current.CancellationToken);

        answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        answer.Headers.WwwAuthenticate.ToString().ShouldBe("Bearer");
        answer.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
    }

    [Fact]
    public async Task A_token_stops_at_once_when_its_person_is_disabled_or_deleted_and_an_invited_one_has_none_that_works()
    {
        var person = await _tenant.AddTechnicianAsync("ann");
        (await _tenant.As(person).GetAsync("/api/v1/devices")).Expect(HttpStatusCode.OK);
        (await _tenant.Owner.PostAsync($"/api/v1/technicians/{person}/disable")).Expect(HttpStatusCode.OK);
        (await _tenant.As(person).GetAsync("/api/v1/devices")).Expect(HttpStatusCode.Unauthorized);
        (await _tenant.Owner.PostAsync($"/api/v1/technicians/{person}/enable")).Expect(HttpStatusCode.OK);
        (await _tenant.As(person).GetAsync("/api/v1/devices")).Expect(HttpStatusCode.OK);
        (await _tenant.Owner.DeleteAsync($"/api/v1/technicians/{person}")).Expect(HttpStatusCode.OK);
        (await _tenant.As(person).GetAsync("/api/v1/devices")).Expect(HttpStatusCode.Unauthorized);

        var invited = (await _tenant.Owner.PostAsync("/api/v1/technicians", new { kind = "technician", login = "ben", name = "Ben" })).Expect(HttpStatusCode.Created);
        invited.Body.GetProperty("state").GetString().ShouldBe("invited");
        (await _tenant.As(invited.Id).GetAsync("/api/v1/devices")).Expect(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_token_counts_only_in_the_organization_of_its_person()
    {
        var other = await Tenant.FoundAsync(_running, "other");
        var forged = new ApiCaller(_running.Http, TestTokens.Write(other.Id, _tenant.OwnerId, TokenScopes.Write));
        (await forged.GetAsync("/api/v1/devices")).Expect(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task What_is_not_there_and_what_is_another_organizations_answer_with_the_same_body()
    {
        var other = await Tenant.FoundAsync(_running, "other");
        var group = await other.AddGroupAsync("Theirs");
        var device = await other.AddDeviceAsync("theirs", group);
        foreach (var (path, there) in ((string, Guid)[])[("device-groups", group), ("devices", device), ("technicians", other.OwnerId.Value), ("technician-groups", other.Everyone)])
        {
            var missing = (await _tenant.Owner.GetAsync($"/api/v1/{path}/{Guid.NewGuid()}")).Expect(HttpStatusCode.NotFound);
            (await _tenant.Owner.GetAsync($"/api/v1/{path}/{there}")).Expect(HttpStatusCode.NotFound).Text.ShouldBe(missing.Text, path);
            (await _tenant.Owner.DeleteAsync($"/api/v1/{path}/{there}")).Expect(HttpStatusCode.NotFound).Text.ShouldBe(missing.Text, path);
        }

        (await _tenant.Owner.GetAsync("/api/v1/devices")).Items.ShouldBeEmpty();
        (await _tenant.Owner.GetAsync("/api/v1/technicians")).Items.Select(item => item.GetProperty("login").GetString()).ShouldBe(["acme-owner"]);
    }
}
