using System.Text;
using Microsoft.AspNetCore.Http;

namespace Countersign.Cli;

/// <summary>What is shown of a recording's events, and how it ends, whatever the server sends.</summary>
public sealed class ShowingTests : IDisposable
{
    private const string Id = "0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d68";
    private const string Start = """{"start":{"login":"tina","device":"web1","account":"root","terminal":"xterm","columns":80,"rows":24}}""";
    private const string Complete = """{"closed":"complete","detail":""}""";

    private readonly FakeTerminal _terminal = new();

    [Fact]
    public async Task A_pipe_is_given_the_bytes_and_a_terminal_what_is_fit_for_it_and_is_put_in_order()
    {
        string[] lines = [Start, Output(0, "a\e[6n\e[31mb"), """{"alive":true}""", Event("error", 0, "c"), Event("notice", 0, "d"), """{"at":0,"end":{"reason":"completed"}}""", Complete];
        (await PlayAsync(lines)).ShouldBe(0);
        _terminal.Output.ShouldBe("a\e[6n\e[31mbcd");
        _terminal.Error.ShouldContain("The session ended: completed.");

        _terminal.IsTerminal = true;
        (await PlayAsync(lines)).ShouldBe(0);
        _terminal.Output.ShouldStartWith("a\e[31mbcd");
        _terminal.Output["a\e[31mbcd".Length..].ShouldContain("\e[0m");
        _terminal.Error.ShouldContain("tina on web1 as root");
    }

    [Fact]
    public async Task A_terminal_is_put_in_order_also_when_the_answer_breaks_off()
    {
        _terminal.IsTerminal = true;
        (await PlayAsync(Start, Output(0, "\e[?1049h\e[2;5rx"))).ShouldBe(5);
        _terminal.Output.ShouldContain("\e[?1049l");
        _terminal.Output.ShouldContain("\e[r");
        _terminal.Error.ShouldContain("broke off");
    }

    [Theory]
    [InlineData("""{"closed":"cut","detail":"the gateway stopped"}""", 0, "This is all that there is: the gateway stopped.")]
    [InlineData("""{"closed":"damaged","detail":"frame 3"}""", 1, "The recording is damaged: frame 3.")]
    [InlineData("""{"closed":"revoked","detail":"you may not"}""", 1, "The server ended it: you may not.")]
    [InlineData("""{"closed":"something new"}""", 1, "The server ended it")]
    public async Task It_says_how_it_came_to_its_end(string last, int code, string said)
    {
        (await PlayAsync(Start, Output(0, "x"), last)).ShouldBe(code);
        _terminal.Output.ShouldBe("x");
        _terminal.Error.ShouldContain(said);
    }

    [Theory]
    [InlineData("<html>")]
    [InlineData("null")]
    [InlineData("""{"at":0,"output":"no base64!"}""")]
    [InlineData("""{"at":-1,"output":"eA=="}""")]
    [InlineData("""{"at":1e300,"output":"eA=="}""")]
    public async Task What_is_no_recording_is_not_understood(string line)
    {
        (await PlayAsync(["play", Id], Start, line, Complete)).ShouldBe(1);
        _terminal.Error.ShouldContain("not one of a Countersign server");
    }

    [Fact]
    public async Task A_line_without_end_is_not_read_to_its_end()
    {
        await using var server = await HostileServer.StartAsync(async context =>
        {
            var piece = Encoding.ASCII.GetBytes(new string('x', 64 * 1024));
            while (!context.RequestAborted.IsCancellationRequested) await context.Response.Body.WriteAsync(piece, context.RequestAborted);
        });
        (await RunAsync(server, ["watch", Id])).ShouldBe(1);
    }

    [Fact]
    public async Task An_export_that_is_damaged_is_kept_and_told_and_one_that_breaks_off_is_not_kept()
    {
        var file = _terminal.PathOf("one.cast");
        (await PlayAsync(["export", Id, "--output", file], """{"version":2,"width":80,"height":24}""", """[0.5,"o","x"]""", """[0.5,"m","damaged: frame 3"]""")).ShouldBe(1);
        _terminal.Error.ShouldContain("The recording is damaged: frame 3.");
        File.Exists(file).ShouldBeTrue();
        (await PlayAsync(["export", Id, "--output", file], "{}")).ShouldBe(2);

        var other = _terminal.PathOf("other.cast");
        await using var server = await HostileServer.StartAsync(async context =>
        {
            context.Response.ContentLength = 1000;
            await context.Response.WriteAsync("{}\n");
            context.Abort();
        });
        (await RunAsync(server, ["export", Id, "--output", other])).ShouldBe(5);
        Directory.GetFiles(Path.GetDirectoryName(other)!, "other*").ShouldBeEmpty();
    }

    [Theory]
    [InlineData("--speed", "0")]
    [InlineData("--speed", "fast")]
    [InlineData("--idle-limit", "-1")]
    [InlineData("--from", "1e9")]
    public async Task A_number_that_makes_no_sense_is_a_wrong_command_line(string option, string value) =>
        (await _terminal.RunAsync("play", Id, option, value)).ShouldBe(2);

    public void Dispose() => _terminal.Dispose();

    private static string Output(double at, string text) => Event("output", at, text);

    private static string Event(string kind, double at, string text) =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $$"""{"at":{{at}},"{{kind}}":"{{Convert.ToBase64String(Encoding.UTF8.GetBytes(text))}}"}""");

    private Task<int> PlayAsync(params string[] lines) => PlayAsync(["play", Id, "--no-wait"], lines);

    private async Task<int> PlayAsync(string[] arguments, params string[] lines)
    {
        await using var server = await HostileServer.StartAsync(context => context.Response.WriteAsync(string.Concat(lines.Select(line => line + "\n"))));
        return await RunAsync(server, arguments);
    }

    private Task<int> RunAsync(HostileServer server, string[] arguments)
    {
        _terminal[CommonOptions.TokenVariable] = "token";
        return _terminal.RunAsync([.. arguments, "--server", server.Address]);
    }
}
