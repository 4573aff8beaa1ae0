using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Countersign.Access;

namespace Countersign.Sessions.Tests;

/// <summary>Of a command that is longer than a list can show, what is shown says so, and the journal has all of it.</summary>
public sealed class LongCommandTests
{
    [Theory]
    [InlineData(4096, 0)]
    [InlineData(4097, 1)]
    [InlineData(5000, 1)]
    [InlineData(32_000, 4)]
    public async Task The_journal_has_its_last_word(int length, int parts)
    {
        await using var world = new World();
        var command = "true " + new string(' ', length - 15) + "; curl evil";
        command = command[^length..];
        var session = (await AskAsync(world, command)).Session;
        await session.DisposeAsync();
        var shown = world.Begun.ShouldHaveSingleItem().Command;
        shown.Length.ShouldBeLessThanOrEqualTo(4096);
        var journal = await ReadAsync(world, session.Opening.Id);
        ((string)journal[0]["command"]!).ShouldBe(shown);
        var given = journal.Where(one => (string)one["event"]! == "command").ToList();
        given.Count.ShouldBe(parts);
        if (parts == 0)
        {
            shown.ShouldBe(command);
            return;
        }

        shown.ShouldEndWith($" more characters, sha256 {Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(command)))}]");
        string.Concat(given.OrderBy(one => (int)one["part"]!).Select(one => (string)one["text"]!)).ShouldBe(command);
    }

    [Theory]
    [InlineData("a")]
    [InlineData("")]
    public async Task No_character_is_cut_in_half(string before)
    {
        await using var world = new World();
        var command = before + string.Concat(Enumerable.Repeat("\U0001F4BE", 7000));
        var session = (await AskAsync(world, command)).Session;
        await session.DisposeAsync();
        world.Begun.Single().Command.EnumerateRunes().ShouldNotContain(new Rune(0xFFFD));
        var given = (await ReadAsync(world, session.Opening.Id)).Where(one => (string)one["event"]! == "command").Select(one => (string)one["text"]!).ToList();
        string.Concat(given).ShouldBe(command);
        given.ShouldAllBe(part => !part.EnumerateRunes().Any(rune => rune.Value == 0xFFFD));
    }

    private static async Task<AdmissionResult.Admitted> AskAsync(World world, string command) => (await world.Admission.AskAsync(
        new(world.Snapshot.Organization, World.Tina, "tina", SignInStrength.OneFactor, null, "web01", null, SessionKind.Command, command), TestContext.Current.CancellationToken))
        .ShouldBeOfType<AdmissionResult.Admitted>();

    private static async Task<List<JsonNode>> ReadAsync(World world, SessionId session)
    {
        using var journal = world.Journals.Open(world.Snapshot.Organization, session)!;
        var lines = new List<JsonNode>();
        while (await journal.Reader.ReadAsync(TestContext.Current.CancellationToken) is { Count: > 0 } read) lines.AddRange(read.Select(line => JsonNode.Parse(line.Span)!));
        return lines;
    }
}
