using System.Net;
using System.Net.Sockets;
using System.Text;
using Countersign.Cli.Api;
using Microsoft.AspNetCore.Http;

namespace Countersign.Cli;

public sealed class HostileServerTests : IDisposable
{
    private readonly FakeTerminal _terminal = new();

    [Theory]
    [InlineData(307)]
    [InlineData(308)]
    [InlineData(302)]
    public async Task A_password_does_not_follow_a_redirect(int status)
    {
        await using var elsewhere = await HostileServer.StartAsync(_ => Task.CompletedTask);
        await using var server = await HostileServer.StartAsync(context =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers.Location = elsewhere.Address + "/api/v1/sign-in";
            return Task.CompletedTask;
        });
        _terminal.Input = "hunter2\n";
        (await _terminal.RunAsync("login", "--server", server.Address, "--password-stdin", "anna")).ShouldBe(1);
        _terminal.Error.ShouldContain(elsewhere.Address);
        server.Requests.ShouldHaveSingleItem().ShouldContain("hunter2");
        elsewhere.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_answer_without_end_is_not_read_to_its_end()
    {
        // A socket of our own: Kestrel goes on for a while writing into a connection that is gone.
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var sending = SendWithoutEndAsync(listener);
        (await _terminal.RunAsync("devices", "--server", $"http://{listener.LocalEndpoint}", "--token", "cs_x")).ShouldBe(1);
        _terminal.Error.ShouldContain("larger than 8 MiB");

        // What the sockets of both sides hold comes on top of what was read.
        (await sending).ShouldBeLessThan(4L * ApiClient.LargestAnswer);
    }

    [Theory]
    [InlineData("<html>Sign in to the hotel's network</html>")]
    [InlineData("null")]
    [InlineData("7")]
    [InlineData("")]
    [InlineData("{\"items\":7}")]
    [InlineData("{\"items\":[")]
    public async Task What_is_not_an_answer_of_the_api_is_told(string body)
    {
        await using var server = await HostileServer.StartAsync(context => context.Response.WriteAsync(body));
        (await Devices(server)).ShouldBe(1);
        _terminal.Error.ShouldContain("is not one of a Countersign server");
        _terminal.Output.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_was_changed_is_told_also_where_the_answer_to_it_is_none()
    {
        await using var server = await HostileServer.StartAsync(context =>
        {
            context.Response.Headers["Countersign-Change"] = "7";
            return context.Response.WriteAsync("{\"summary\":[],\"added\":{},\"change\":1,\"change\":2}");
        });
        (await _terminal.RunAsync("policy", "undo", "3", "--server", server.Address, "--token", "cs_x")).ShouldBe(0);
        _terminal.Error.ShouldContain("It is change 7;");
        var table = _terminal.PathOf("devices.csv");
        await File.WriteAllTextAsync(table, "name\n", TestContext.Current.CancellationToken);
        (await _terminal.RunAsync("devices", "import", table, "--server", server.Address, "--token", "cs_x")).ShouldBe(0);
        _terminal.Error.ShouldContain("It is change 7;");
        (await _terminal.RunAsync("devices", "import", table, "--json", "--server", server.Address, "--token", "cs_x")).ShouldBe(0);
        _terminal.Output.ShouldBe("{\"summary\":[],\"added\":{},\"change\":7}\n");
    }

    [Fact]
    public async Task A_given_token_that_is_refused_is_not_replaced_by_signing_in()
    {
        await using var server = await HostileServer.StartAsync(context =>
        {
            context.Response.StatusCode = 401;
            return Task.CompletedTask;
        });
        (await _terminal.RunAsync("whoami", "--server", server.Address, "--token", "cs_x")).ShouldBe(3);
        _terminal.Error.ShouldContain("The one of --token has expired or was revoked");
        _terminal["COUNTERSIGN_TOKEN"] = "cs_x";
        (await _terminal.RunAsync("whoami", "--server", server.Address)).ShouldBe(3);
        _terminal.Error.ShouldContain("The one of COUNTERSIGN_TOKEN has expired or was revoked");
    }

    [Fact]
    public async Task Json_nested_without_end_is_told_like_any_other_nonsense()
    {
        var body = new StringBuilder().Insert(0, "{\"x\":", 10_000).ToString();
        await using var server = await HostileServer.StartAsync(context => context.Response.WriteAsync(body));
        (await Devices(server)).ShouldBe(1);
        (await _terminal.RunAsync("end", "0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d68", "--json", "--server", server.Address, "--token", "cs_x")).ShouldBe(1);
        _terminal.Error.ShouldContain("is not one of a Countersign server");
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("{\"items\":null}")]
    [InlineData("{\"items\":[]}")]
    public async Task A_page_with_nothing_in_it_is_empty(string body)
    {
        await using var server = await HostileServer.StartAsync(context => context.Response.WriteAsync(body));
        (await Devices(server)).ShouldBe(0);
        _terminal.Output.ShouldBeEmpty();
        _terminal.Error.ShouldContain("No device is yours to see");
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("{\"items\":[{}]}")]
    [InlineData("{\"items\":[{\"id\":\"../me\",\"login\":\"x\",\"name\":\"x\",\"setting\":\"x\",\"parent\":\"../me\"}],\"version\":7}")]
    [InlineData("{\"version\":7,\"changed\":null,\"cleared\":[{}],\"rows\":[{}],\"effects\":[{}]}")]
    [InlineData("{\"cleared\":7,\"changed\":[],\"rows\":{},\"summary\":[]}")]
    public async Task A_change_that_is_answered_with_anything_ends_with_an_exit_code(string body)
    {
        await using var server = await HostileServer.StartAsync(context => context.Response.WriteAsync(body));
        foreach (var line in new[]
        {
            "settings show", "settings set x 1", "settings force x 1 --group x", "settings clear x --device x", "device-groups list", "device-groups show x", "device-groups edit x --top",
            "devices show x", "devices edit x --tag a", "devices bulk --search x --tag a", "devices bulk x --disable", "devices remove x", "devices account set x a --certificate",
            "devices host-key x", "technicians edit x --name a", "contacts remove x", "contacts add x --name a", "technicians invite x", "technicians list --group x",
        })
        {
            foreach (var option in new[] { "--server", "--preview", "--json" })
            {
                var code = await _terminal.RunAsync([.. line.Split(' '), "--token", "cs_x", "--server", server.Address, .. option == "--server" ? Array.Empty<string>() : [option]]);
                code.ShouldBeInRange(0, 4, line);
                code.ShouldNotBe(3, line);
            }
        }

        server.Requests.ShouldNotContain(request => request.Contains(" /api/v1/me", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Names_can_t_drive_the_terminal_in_tables_in_errors_and_in_json()
    {
        const string Page = "{\"items\":[{\"name\":\"web\\u001b[2J\\u009b2J\\u202e\",\"state\":\"allowed\\u0007\"}],\"next\":\"\\u001b]0;x\\u0007\"}";
        await using var server = await HostileServer.StartAsync(context => context.Response.WriteAsync(Page));
        (await Devices(server)).ShouldBe(0);
        Dangerous(_terminal.Output + _terminal.Error).ShouldBeEmpty();
        _terminal.Output.ShouldContain("web[2J2J");
        (await Devices(server, "--json")).ShouldBe(0);
        Dangerous(_terminal.Output).ShouldBeEmpty();

        await using var refusing = await HostileServer.StartAsync(context =>
        {
            context.Response.StatusCode = 403;
            return context.Response.WriteAsync("{\"detail\":\"no\\u001b[2J\",\"title\":\"x\"}");
        });
        (await Devices(refusing)).ShouldBe(1);
        _terminal.Error.ShouldStartWith("countersign: no[2J\n");
    }

    [Theory]
    [InlineData(400, "{\"title\":\"Wrong\",\"errors\":{\"label\":[\"It can't be blank.\"]}}", 1, "label: It can't be blank.")]
    [InlineData(400, "{\"title\":\"Wrong\",\"errors\":{\"label\":null}}", 1, "label: ")]
    [InlineData(409, "{\"title\":\"Conflict\",\"detail\":\"The key is there.\"}", 1, "The key is there.")]
    [InlineData(403, "", 1, "The server does not allow it.")]
    [InlineData(404, "{\"title\":\"Not found\"}", 4, "Not found.")]
    [InlineData(401, "{}", 3, "does not accept the token")]
    [InlineData(429, "", 1, "Try again in 7 seconds.")]
    [InlineData(500, "{\"title\":\"The server failed\",\"detail\":\"Reference 1\"}", 1, "Reference 1")]
    [InlineData(502, "<html>Bad gateway</html>", 1, "The server failed (502).")]
    [InlineData(418, "[1]", 1, "The server refused (418).")]
    public async Task Refusals_are_told_in_the_server_s_words_with_the_exit_code_for_them(int status, string body, int code, string told)
    {
        await using var server = await HostileServer.StartAsync(context =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers.RetryAfter = "7";
            return context.Response.WriteAsync(body);
        });
        (await Devices(server)).ShouldBe(code);
        _terminal.Error.ShouldContain(told);
        _terminal.Output.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_is_typed_reaches_the_server_as_one_part_of_the_address()
    {
        await using var server = await HostileServer.StartAsync(context => context.Response.WriteAsync("{}"));
        (await Devices(server, "a&limit=9#/../x")).ShouldBe(0);
        server.Requests.ShouldHaveSingleItem().ShouldBe("GET /api/v1/devices?search=a%26limit%3D9%23%2F..%2Fx&limit=100 ");
    }

    [Fact]
    public async Task A_sign_in_that_answers_no_usable_token_saves_nothing()
    {
        await using var server = await HostileServer.StartAsync(context => context.Response.WriteAsync("{\"token\":\"two words\"}"));
        _terminal.Input = "hunter2\n";
        (await _terminal.RunAsync("login", "--server", server.Address, "--password-stdin", "anna")).ShouldBe(1);
        _terminal.Error.ShouldContain("holds no token");
        File.Exists(_terminal.ConfigFile).ShouldBeFalse();
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("7")]
    [InlineData("{\"state\":[]}")]
    public async Task An_answer_to_an_approval_that_is_none_is_told_and_not_taken_for_one(string answer)
    {
        await using var server = await HostileServer.StartAsync(context => context.Response.WriteAsync(answer));
        (await _terminal.RunAsync("approve", "1", "--server", server.Address, "--token", "cs_x")).ShouldBe(1);
        _terminal.Output.ShouldBeEmpty();
        _terminal.Error.ShouldContain("not one of a Countersign server");
    }

    [Theory]
    [InlineData("text/html", "<html>", 1)]
    [InlineData("text/event-stream", "event: ready\ndata: {}\n\nevent: request\ndata: not json\n\n", 1)]
    public async Task Events_that_are_none_end_the_following(string type, string body, int code)
    {
        await using var server = await HostileServer.StartAsync(context =>
        {
            var events = context.Request.Path.Value!.EndsWith("events", StringComparison.Ordinal);
            context.Response.ContentType = events ? type : "application/json";
            return context.Response.WriteAsync(events ? body : "{\"items\":[]}");
        });
        (await _terminal.RunAsync("approvals", "--follow", "--server", server.Address, "--token", "cs_x")).ShouldBe(code);
    }

    [Fact]
    public async Task What_events_hold_does_not_reach_the_terminal_as_it_is_and_a_line_has_an_end()
    {
        const string Request = "{\"number\":1,\"mayApprove\":true,\"login\":\"ned\\u001b[2J\\u202e\"}";
        await using var server = await HostileServer.StartAsync(async context =>
        {
            if (!context.Request.Path.Value!.EndsWith("events", StringComparison.Ordinal))
            {
                await context.Response.WriteAsync("{\"items\":[]}");
                return;
            }

            // The second time there is nothing more to follow.
            if (context.Request.Headers.ContainsKey("Last-Event-ID"))
            {
                context.Response.StatusCode = 401;
                return;
            }

            context.Response.ContentType = "text/event-stream";
            await context.Response.WriteAsync($"event: ready\nid: a-1\ndata: {{}}\n\nevent: request\ndata: {Request}\n\nevent: request\ndata: {new string('x', 2 * 1024 * 1024)}\n\n");
        });
        (await _terminal.RunAsync("approvals", "--follow", "--server", server.Address, "--token", "cs_x")).ShouldBe(3);
        _terminal.Output.ShouldStartWith("#1  ned[2J on ");
        Dangerous(_terminal.Output + _terminal.Error).ShouldBeEmpty();
    }

    public void Dispose() => _terminal.Dispose();

    private static string Dangerous(string text) => new([.. text.Where(character => char.IsControl(character) && character != '\n' || character is '\u202e')]);

    private Task<int> Devices(HostileServer server, params string[] more) => _terminal.RunAsync(["devices", .. more, "--server", server.Address, "--token", "cs_x"]);

    /// <returns>How many bytes were sent before the connection was gone.</returns>
    private static async Task<long> SendWithoutEndAsync(TcpListener listener)
    {
        using var socket = await listener.AcceptSocketAsync(TestContext.Current.CancellationToken);
        var sent = 0L;
        try
        {
            await socket.ReceiveAsync(new byte[4096], TestContext.Current.CancellationToken);
            await socket.SendAsync("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"u8.ToArray(), TestContext.Current.CancellationToken);
            var chunk = new byte[64 * 1024];
            chunk.AsSpan().Fill((byte)' ');
            while (true) sent += await socket.SendAsync(chunk, TestContext.Current.CancellationToken);
        }
        catch (SocketException)
        {
            return sent;
        }
    }
}
