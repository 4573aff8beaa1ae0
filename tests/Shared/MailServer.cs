using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Countersign.Server.Features.Mail;
using Countersign.Server.Features.Vault;

namespace Countersign.Tests;

/// <summary>A mail as it came over the wire.</summary>
internal sealed record ReceivedMail(JsonNode Json)
{
    public string To => (string)Json["to"]!.AsArray().Single()!;

    public string Subject => (string)Json["subject"]!;

    public string Id => (string)Json["id"]!;

    public string Text => (string)Json["text"]!;

    public string Html => (string)Json["html"]!;

    /// <summary>The one-time token of the link in it.</summary>
    public string Token => Text.Split('#')[1].Split('\r', '\n')[0];
}

/// <summary>A real mail server (aiosmtpd) of one test, with a certificate of its own.</summary>
internal sealed class MailServer : IAsyncDisposable
{
    private const string User = "robot";
    /// <summary>What the server signs in with there.</summary>
    public const string Password = "sesame-opens-nothing";

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("countersign-mail");
    private readonly Channel<JsonNode> _mails = Channel.CreateUnbounded<JsonNode>();
    private readonly Channel<bool> _told = Channel.CreateUnbounded<bool>();
    private Process _process = null!;
    private Task _reading = Task.CompletedTask;
    private JsonNode _ports = null!;

    private string PasswordFile => Path.Combine(_folder.FullName, "password");

    private string Certificate => Path.Combine(_folder.FullName, "certificate.pem");

    /// <summary>STARTTLS and a password, as in production.</summary>
    public MailOptions Options => new()
    {
        Host = "127.0.0.1",
        Port = (int)_ports["startTls"]!,
        User = User,
        PasswordFile = PasswordFile,
        From = "Countersign <gate@example.org>",
        AuthorityFile = Certificate,
    };

    /// <summary>Neither.</summary>
    public MailOptions Clear => new() { Host = "127.0.0.1", Port = (int)_ports["clear"]!, Security = MailSecurity.None, From = "gate@example.org" };

    public static async Task<MailServer> StartAsync()
    {
        var server = new MailServer();
        var key = server.WriteCertificate();
        PrivateFile.TryCreate(server.PasswordFile, Encoding.UTF8.GetBytes(Password + "\n")).ShouldBeTrue();
        server._process = Process.Start(new ProcessStartInfo("/usr/bin/python3", ["-W", "ignore", Path.Combine(AppContext.BaseDirectory, "mail_server.py"), server.Certificate, key, User, Password])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        var first = await server._process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
        server._ports = JsonNode.Parse(first ?? throw new InvalidOperationException("The mail server did not start."))!;
        server._reading = server.ReadAsync();
        return server;
    }

    /// <summary>What the messages that come next are answered, each once, such as <c>451 later</c>.</summary>
    public async Task AnswerNextAsync(params string[] answers)
    {
        foreach (var answer in answers)
        {
            await _process.StandardInput.WriteLineAsync(answer);
            await _process.StandardInput.FlushAsync(TestContext.Current.CancellationToken);
            await WithinAsync(_told.Reader);
        }
    }

    /// <summary>The next mail that it took.</summary>
    public async Task<ReceivedMail> NextAsync() => new(await WithinAsync(_mails.Reader));

    /// <summary>What it took and nobody has asked for.</summary>
    public int Waiting => _mails.Reader.Count;

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
        await _reading;
        _process.Dispose();
        _folder.Delete(recursive: true);
    }

    private async Task ReadAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync(CancellationToken.None) is { } line)
        {
            var said = JsonNode.Parse(line)!;
            if (said is JsonObject) _mails.Writer.TryWrite(said);
            else _told.Writer.TryWrite(true);
        }

        _mails.Writer.TryComplete();
        _told.Writer.TryComplete();
    }

    private static async Task<T> WithinAsync<T>(ChannelReader<T> from)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(_patience);
        return await from.ReadAsync(deadline.Token);
    }

    /// <returns>The key's file.</returns>
    private string WriteCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=mail.test", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        File.WriteAllText(Certificate, certificate.ExportCertificatePem());
        var file = Path.Combine(_folder.FullName, "key.pem");
        PrivateFile.TryCreate(file, Encoding.UTF8.GetBytes(key.ExportPkcs8PrivateKeyPem())).ShouldBeTrue();
        return file;
    }
}
