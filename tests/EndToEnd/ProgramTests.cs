using System.Net;
using System.Text.Json.Nodes;
using Countersign.EndToEnd.Fixtures;

namespace Countersign.EndToEnd;

/// <summary>The server's program as a newcomer starts it: the first run, and the demo.</summary>
public sealed class ProgramTests : IDisposable
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "countersign-server");

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_first_run_prints_a_link_that_makes_an_owner_once()
    {
        string hostKey;
        await using (var server = Start("--data", _folder["data"]))
        {
            var said = await ReadyAsync(server);
            hostKey = (string)said["sshHostKeys"]![0]!;
            var link = new Uri((string)said["setupLink"]!);
            server.OutputSoFar.ShouldContain(link.ToString());
            File.GetUnixFileMode(_folder["ready"]).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
            using var http = new HttpClient();
            (await http.GetStringAsync(link, TestContext.Current.CancellationToken)).ShouldContain("Set up Countersign");

            using var api = new Api(new((string)said["http"]!));
            var founding = new JsonObject
            {
                ["token"] = link.Fragment[1..],
                ["organization"] = "Example",
                ["login"] = "olga",
                ["name"] = "Olga",
                ["mail"] = "",
                ["password"] = "a password that is long enough 4711",
            };
            ((string)(await api.PostAsync("setup", founding))["token"]!).ShouldStartWith("cst_");
            (await api.SendAsync(HttpMethod.Post, "setup", founding)).Status.ShouldBe(HttpStatusCode.NotFound);
            server.Terminate();
            (await server.EndAsync()).ExitCode.ShouldBe(0);
            File.Exists(_folder["ready"]).ShouldBeFalse();
        }

        await using (var again = Start("--data", _folder["data"]))
        {
            var said = await ReadyAsync(again);
            said["setupLink"].ShouldBeNull();
            ((string)said["sshHostKeys"]![0]!).ShouldBe(hostKey);
        }

        File.GetUnixFileMode(_folder["data"]).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    [Fact]
    public async Task Each_command_that_the_demo_prints_works_when_pasted()
    {
        await using var demo = Start("demo");
        var said = await ReadyAsync(demo);
        var waiting = new List<(RunningCommand Command, string Line, int Status)>();
        foreach (var command in said["commands"]!.AsArray())
        {
            var (line, status) = ((string)command!["command"]!, (int)command["exitStatus"]!);
            demo.OutputSoFar.ShouldContain(line);
            if ((bool)command["interactive"]!)
            {
                await using var terminal = await Terminal.StartAsync(["bash", "-c", line]);
                await terminal.EnterAsync("echo $((6*7)) is the answer; exit 0");
                await terminal.WaitForAsync("42 is the answer");
                (await terminal.WaitForEndAsync()).ShouldBe(status, line);
                continue;
            }

            if ((bool)command["waits"]!)
            {
                var waits = RunningCommand.Start("bash", ["-c", line]);
                waiting.Add((waits, line, status));
                await Eventually.TrueAsync(() => waits.ErrorSoFar.Contains("waiting for approval", StringComparison.Ordinal), line, () => waits.ErrorSoFar);
                continue;
            }

            var outcome = await RunningCommand.RunAsync("bash", ["-c", line]);
            outcome.ExitCode.ShouldBe(status, $"{line}\n{outcome}");
        }

        waiting.ShouldHaveSingleItem();
        foreach (var (command, line, status) in waiting)
        {
            await using var running = command;
            var outcome = await running.EndAsync();
            outcome.ExitCode.ShouldBe(status, $"{line}\n{outcome}");
        }

        var folder = Path.GetDirectoryName((string)said["dataDirectory"]!)!;
        demo.Terminate();
        (await demo.EndAsync()).ExitCode.ShouldBe(0);
        Directory.Exists(folder).ShouldBeFalse();
    }

    [Fact]
    public async Task The_demo_s_people_sign_in_with_the_printed_passwords_and_tokens()
    {
        await using var demo = Start("demo");
        var said = await ReadyAsync(demo);
        using var client = new OpenSsh(IPEndPoint.Parse((string)said["ssh"]!).Port, said["sshHostKeys"]!.AsArray().Select(key => (string)key!));
        foreach (var person in said["people"]!.AsArray())
        {
            var login = (string)person!["login"]!;
            var outcome = await client.SshAsync(login, Credential.OfPassword((string)person["password"]!), "true");
            outcome.Error.ShouldContain("countersign: name a device", customMessage: login);
            using var api = new Api(new((string)said["http"]!), (string)person["token"]!);
            ((string)(await api.GetAsync("me"))["person"]!["login"]!).ShouldBe(login);
        }
    }

    [Theory]
    [InlineData("--http", "nonsense", "wants an address and a port")]
    [InlineData("--ssh", "127.0.0.1", "wants an address and a port")]
    [InlineData("--proxy-from", "10.0.0.7/24", "wants a network")]
    [InlineData("--proxy-from", "10.0.0.7", "wants a network")]
    [InlineData("--ssh-public", "gate.example.org", "wants a host and a port")]
    [InlineData("--speed", "fast", "Unrecognized")]
    public async Task Wrong_usage_is_answered_with_what_is_wrong(string option, string value, string said)
    {
        var outcome = await RunningCommand.RunAsync(Program, ["--data", _folder["data"], option, value]);
        outcome.ExitCode.ShouldBe(1, outcome.ToString());
        outcome.Error.ShouldContain(said);
        Directory.Exists(_folder["data"]).ShouldBeFalse();
    }

    [Fact]
    public async Task A_port_that_is_taken_is_said_in_one_line()
    {
        using var taken = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var outcome = await RunningCommand.RunAsync(Program, ["--data", _folder["data"], "--http", "127.0.0.1:0", "--ssh", taken.LocalEndpoint.ToString()!]);
        outcome.ExitCode.ShouldBe(1, outcome.ToString());
        outcome.Error.ShouldContain("countersign-server: Address already in use");
        outcome.Error.ShouldNotContain("   at ");
    }

    [Fact]
    public async Task A_database_that_is_none_is_said_in_one_line()
    {
        Directory.CreateDirectory(_folder["data"]);
        _folder.Write(Path.Combine("data", "countersign.db"), new string('x', 8192));
        var outcome = await RunningCommand.RunAsync(Program, ["--data", _folder["data"], "--http", "127.0.0.1:0", "--ssh", "127.0.0.1:0"]);
        outcome.ExitCode.ShouldBe(1, outcome.ToString());
        outcome.Error.ShouldContain("file is not a database");
        outcome.Error.ShouldNotContain("   at ");
    }

    private RunningCommand Start(params string[] arguments) =>
        RunningCommand.Start(Program, [.. arguments, "--http", "127.0.0.1:0", "--ssh", "127.0.0.1:0", "--ready-file", _folder["ready"]]);

    private async Task<JsonNode> ReadyAsync(RunningCommand server)
    {
        await Eventually.TrueAsync(() => File.Exists(_folder["ready"]) || server.HasExited, "the server to be ready", () => server.OutputSoFar + server.ErrorSoFar, TimeSpan.FromMinutes(2));
        server.HasExited.ShouldBeFalse(server.ErrorSoFar);
        return JsonNode.Parse(await File.ReadAllTextAsync(_folder["ready"], TestContext.Current.CancellationToken))!;
    }
}
