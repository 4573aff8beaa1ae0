using System.Diagnostics;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;

namespace Countersign.Server.Tests.Identity.Passkeys;

/// <summary>A real browser without a screen, told what to do over its DevTools protocol; it and its profile go with it.</summary>
internal sealed class Chromium : IAsyncDisposable
{
    private readonly DirectoryInfo _profile = Directory.CreateTempSubdirectory("countersign-chromium");
    private readonly ClientWebSocket _socket = new();
    private Process? _process;
    private int _last;
    private string? _session;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <param name="server">Where the browser finds <c>http://localhost</c>: what is said there is as safe to it as with TLS.</param>
    public static async Task<Chromium> StartAsync(Uri server)
    {
        var browser = new Chromium();
        try
        {
            await browser.ConnectAsync(server);
            return browser;
        }
        catch
        {
            await browser.DisposeAsync();
            throw;
        }
    }

    /// <summary>Opens the page in a window of its own, to which everything after it is told.</summary>
    public async Task OpenAsync(string address)
    {
        var target = await TellAsync("Target.createTarget", new() { ["url"] = "about:blank" });
        _session = (await TellAsync("Target.attachToTarget", new() { ["targetId"] = target["targetId"]!.DeepClone(), ["flatten"] = true }))["sessionId"]!.GetValue<string>();
        await TellAsync("Page.enable", []);
        var navigated = await TellAsync("Page.navigate", new() { ["url"] = address }, until: "Page.loadEventFired");
        navigated["errorText"].ShouldBeNull();
    }

    /// <summary>What the promise of the function's body yields, as text.</summary>
    public async Task<string> RunAsync(string body)
    {
        var answer = await TellAsync("Runtime.evaluate", new()
        {
            ["expression"] = $"(async () => {{ {body} }})()",
            ["awaitPromise"] = true,
            ["returnByValue"] = true,
            ["userGesture"] = true,
        });
        answer["exceptionDetails"].ShouldBeNull(answer["exceptionDetails"]?.ToJsonString());
        return answer["result"]!["value"]?.ToString() ?? "";
    }

    /// <param name="until">An event that has to have come as well.</param>
    public async Task<JsonObject> TellAsync(string method, JsonObject parameters, string? until = null)
    {
        var id = ++_last;
        var message = new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters };
        if (_session is not null) message["sessionId"] = _session;
        await _socket.SendAsync(Encoding.UTF8.GetBytes(message.ToJsonString()), WebSocketMessageType.Text, endOfMessage: true, Stop);
        JsonObject? result = null;
        while (result is null || until is not null)
        {
            var heard = await HearAsync();
            if (heard["method"]?.GetValue<string>() == until) until = null;
            if (heard["id"]?.GetValue<int>() != id) continue;
            heard["error"].ShouldBeNull(heard["error"]?.ToJsonString());
            result = heard["result"]!.AsObject();
        }

        return result;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            // It closes its profile and its own processes, where it can be told to.
            if (_socket.State == WebSocketState.Open) await _socket.SendAsync("{\"id\":0,\"method\":\"Browser.close\"}"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
            else _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync(CancellationToken.None);
            _process.Dispose();
        }

        _socket.Dispose();

        _profile.Delete(recursive: true);
    }

    private async Task ConnectAsync(Uri server)
    {
        var start = new ProcessStartInfo("chromium") { RedirectStandardError = true, UseShellExecute = false, Environment = { ["TMPDIR"] = _profile.FullName } };
        foreach (var argument in (string[])
        [
            // The tests may run as root, for whom it has no sandbox; it opens nothing but pages of this test.
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-breakpad", "--disable-background-networking", "--disable-component-update",
            "--remote-debugging-port=0", $"--user-data-dir={_profile.FullName}", $"--host-resolver-rules=MAP localhost:80 {server.Authority}, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            "about:blank",
        ])
            start.ArgumentList.Add(argument);
        _process = Process.Start(start)!;
        const string Listens = "DevTools listening on ";
        var listens = new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously);
        _process.ErrorDataReceived += (_, said) =>
        {
            if (said.Data is null) listens.TrySetException(new InvalidOperationException("The browser ended before it could be told anything."));
            else if (said.Data.StartsWith(Listens, StringComparison.Ordinal)) listens.TrySetResult(new(said.Data[Listens.Length..]));
        };
        _process.BeginErrorReadLine();
        await _socket.ConnectAsync(await listens.Task.WaitAsync(Stop), Stop);
    }

    private async Task<JsonObject> HearAsync()
    {
        var buffer = new byte[64 * 1024];
        using var whole = new MemoryStream();
        while (true)
        {
            var part = await _socket.ReceiveAsync(buffer.AsMemory(), Stop);
            if (part.MessageType == WebSocketMessageType.Close) throw new InvalidOperationException("The browser hung up.");
            whole.Write(buffer, 0, part.Count);
            if (part.EndOfMessage) return JsonNode.Parse(whole.ToArray())!.AsObject();
        }
    }
}
