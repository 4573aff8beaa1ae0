using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Countersign.Server;
using Countersign.Server.Features.Mail;
using Countersign.Server.Features.Organizations;
using Countersign.Tests;
using Microsoft.Extensions.DependencyInjection;

namespace Countersign.Cli.AgainstTheServer;

/// <summary>A whole server on loopback that has just been set up, and its owner, who makes what a test needs through the API.</summary>
public sealed class LiveServer : IAsyncDisposable
{
    public const string Password = "correct horse battery staple 77";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("countersign-cli-server-");
    private readonly HttpClient _owner = new();
    private CountersignServer _server = null!;

    private LiveServer()
    {
    }

    public string Address => _server.HttpAddress.AbsoluteUri.TrimEnd('/');

    public static async Task<LiveServer> StartAsync()
    {
        var live = new LiveServer();
        SharedHostKey.PutInto(Path.Combine(live._folder.FullName, "data"));
        live._server = await CountersignServer.StartAsync(
            new ServerOptions
            {
                DataDirectory = Path.Combine(live._folder.FullName, "data"),
                Http = new(IPAddress.Loopback, 0),
                // Nothing answers there: mails wait.
                Mail = new() { Host = "127.0.0.1", Port = 1, Security = MailSecurity.None, From = "gate@example.org" },
                Ssh = new(IPAddress.Loopback, 0),
                SignIn = new() { PasswordIterations = 1000 },
            },
            TestContext.Current.CancellationToken);
        live._owner.BaseAddress = new Uri(live._server.HttpAddress, "api/v1/");
        var setup = await live.PostAsync("setup", new JsonObject
        {
            ["token"] = live._server.Services.GetRequiredService<OrganizationSetup>().IssueToken(),
            ["organization"] = "Example",
            ["login"] = "olga",
            ["name"] = "Olga Owner",
            ["mail"] = "olga@example.org",
            ["password"] = Password,
        });
        live._owner.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (string)setup["token"]!);
        return live;
    }

    /// <summary>As the owner.</summary>
    public Task<string> GetAsync(string path) => _owner.GetStringAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);

    public IServiceProvider Services => _server.Services;

    /// <summary>As the owner. Anything but success is an exception.</summary>
    public async Task PutAsync(string path, JsonObject body)
    {
        using var response = await _owner.PutAsJsonAsync(path, body, TestContext.Current.CancellationToken);
        if (!response.IsSuccessStatusCode) throw new InvalidOperationException($"PUT {path}: {response.StatusCode}");
    }

    /// <summary>As the owner. Anything but success is an exception.</summary>
    public async Task<JsonObject> PostAsync(string path, JsonObject body)
    {
        using var response = await _owner.PostAsJsonAsync(path, body, TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return response.IsSuccessStatusCode ? JsonNode.Parse(text)!.AsObject() : throw new InvalidOperationException($"POST {path}: {response.StatusCode} {text}");
    }

    public async ValueTask DisposeAsync()
    {
        _owner.Dispose();
        await _server.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}
