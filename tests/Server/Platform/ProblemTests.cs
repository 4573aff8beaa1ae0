using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Countersign.Server.Platform;
using Countersign.Server.Tests.Identity;
using Microsoft.AspNetCore.Http;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Countersign.Server.Tests.Platform;

/// <summary>What is said of a body that could not be read, whatever its fields are called.</summary>
public sealed class ProblemTests
{
    private static readonly JsonSerializerOptions _asTheApi = new(JsonSerializerDefaults.Web) { RespectRequiredConstructorParameters = true };

    private sealed record Long(string FirstOfTheLongNames, string SecondOfTheLongNames, string ThirdOfTheLongNames, string FourthOfTheLongNames, string FifthOfTheLongNames, string SixthOfTheLongNames);

    private sealed record Numbered(string Line2);

    private sealed record Accented(string Größe);

    [Fact]
    public async Task Of_many_fields_that_are_missing_those_are_told_that_are_known_and_each_by_its_whole_name()
    {
        var told = await ToldAsync<Long>("{}");
        told.ShouldNotBeEmpty();
        told.Keys.ShouldBeSubsetOf(typeof(Long).GetProperties().Select(property => JsonNamingPolicy.CamelCase.ConvertName(property.Name)));
        told.Values.ShouldAllBe(message => message == "It is missing.");
    }

    [Fact]
    public async Task A_field_with_a_digit_in_its_name_is_told() => (await ToldAsync<Numbered>("{}")).ShouldBe(new Dictionary<string, string> { ["line2"] = "It is missing." });

    [Fact]
    public async Task Where_no_name_can_be_made_out_the_place_is_told() =>
        (await ToldAsync<Dictionary<string, Accented>>("""{"here":{}}""")).ShouldBe(new Dictionary<string, string> { ["here"] = "It is unknown, missing, given twice or not of the right form." });

    [Fact]
    public async Task Of_what_the_database_made_fail_its_codes_are_logged_and_not_told()
    {
        using var log = new CapturedLog();
        using var logs = LoggerFactory.Create(building => building.AddProvider(log));
        await using var services = new ServiceCollection().AddLogging().BuildServiceProvider();
        using var answer = new MemoryStream();
        var context = new DefaultHttpContext { RequestServices = services, Response = { Body = answer } };
        var handler = new ProblemOfException(logs.CreateLogger<ProblemOfException>());
        (await handler.TryHandleAsync(context, new DbUpdateException("", new SqliteException("disk I/O error", 10, 778)), TestContext.Current.CancellationToken)).ShouldBeTrue();
        context.Response.StatusCode.ShouldBe(StatusCodes.Status500InternalServerError);
        log.Lines.ShouldHaveSingleItem().ShouldContain("the database says 10, extended 778");
        Encoding.UTF8.GetString(answer.ToArray()).ShouldNotContain("778");
    }

    private static async Task<Dictionary<string, string>> ToldAsync<T>(string body)
    {
        var wrong = Should.Throw<JsonException>(() => JsonSerializer.Deserialize<T>(body, _asTheApi));
        await using var services = new ServiceCollection().AddLogging().BuildServiceProvider();
        using var answer = new MemoryStream();
        var context = new DefaultHttpContext { RequestServices = services, Response = { Body = answer } };
        var handler = new ProblemOfException(NullLogger<ProblemOfException>.Instance);
        (await handler.TryHandleAsync(context, new BadHttpRequestException("", wrong), TestContext.Current.CancellationToken)).ShouldBeTrue();
        context.Response.StatusCode.ShouldBe(StatusCodes.Status400BadRequest);
        return JsonNode.Parse(answer.ToArray())!["errors"]!.AsObject().ToDictionary(error => error.Key, error => error.Value![0]!.GetValue<string>());
    }
}
