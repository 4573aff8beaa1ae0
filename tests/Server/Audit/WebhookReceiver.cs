using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Countersign.Server.Features.Audit;
using Countersign.Server.Features.Vault;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Countersign.Server.Tests.Audit;

/// <summary>A post as it came over the wire.</summary>
internal sealed record ReceivedPost(string Path, string Delivery, string Signature, byte[] Body)
{
    public JsonNode Json => JsonNode.Parse(Body)!;

    public Guid Organization => (Guid)Json["organization"]!;

    public long First => (long)Json["first"]!;

    public IReadOnlyList<long> Numbers => [.. Json["records"]!.AsArray().Select(record => (long)record!["number"]!)];
}

/// <summary>A web server of one test that takes what is posted to it, and has a certificate that no machine trusts where it speaks TLS.</summary>
internal sealed class WebhookReceiver : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("countersign-webhook");
    private readonly Channel<ReceivedPost> _posts = Channel.CreateUnbounded<ReceivedPost>();
    private readonly ConcurrentQueue<int> _answers = new();
    private WebApplication _app = null!;
    private bool _isTls;
    private Task _held = Task.CompletedTask;

    public string Secret { get; } = Convert.ToHexString(RandomNumberGenerator.GetBytes(16));

    public string Certificate => Path.Combine(_folder.FullName, "certificate.pem");

    /// <summary>Whom everything is refused for.</summary>
    public Guid Refused { get; set; }

    public AuditWebhookOptions Options => new() { Url = new(Url, "/log"), SecretFile = Path.Combine(_folder.FullName, "secret"), AuthorityFile = _isTls ? Certificate : null };

    private Uri Url => new(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());

    public static async Task<WebhookReceiver> StartAsync(bool isTls = false)
    {
        var receiver = new WebhookReceiver { _isTls = isTls };
        PrivateFile.TryCreate(Path.Combine(receiver._folder.FullName, "secret"), System.Text.Encoding.UTF8.GetBytes(receiver.Secret + "\n")).ShouldBeTrue();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var certificate = isTls ? TestCertificate.Make(receiver.Certificate) : null;
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            if (certificate is not null) listen.UseHttps(certificate);
        }));
        receiver._app = builder.Build();
        receiver._app.Run(receiver.TakeAsync);
        await receiver._app.StartAsync(TestContext.Current.CancellationToken);
        return receiver;
    }

    /// <summary>The statuses that the posts which come next are answered with, each once; 200 afterwards.</summary>
    public void AnswerNext(params int[] statuses)
    {
        foreach (var status in statuses) _answers.Enqueue(status);
    }

    /// <summary>What is posted is received, and answered once this is over.</summary>
    public void AnswerAfter(Task held) => _held = held;

    public async Task<ReceivedPost> NextAsync()
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(TimeSpan.FromSeconds(60));
        return await _posts.Reader.ReadAsync(deadline.Token);
    }

    /// <summary>As a receiver has to check it.</summary>
    public bool IsSigned(ReceivedPost post)
    {
        var parts = post.Signature.Split(',');
        if (parts.Length != 2 || !parts[0].StartsWith("t=", StringComparison.Ordinal) || !parts[1].StartsWith("v1=", StringComparison.Ordinal)) return false;
        byte[] signed = [.. System.Text.Encoding.ASCII.GetBytes(parts[0][2..] + "."), .. post.Body];
        return parts[1][3..] == Convert.ToHexStringLower(HMACSHA256.HashData(System.Text.Encoding.ASCII.GetBytes(Secret), signed));
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private async Task TakeAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        var headers = context.Request.Headers;
        var post = new ReceivedPost(context.Request.Path, headers[AuditWebhook.DeliveryHeader].ToString(), headers[AuditWebhook.SignatureHeader].ToString(), body.ToArray());
        context.Response.StatusCode = _answers.TryDequeue(out var status) ? status : post.Organization == Refused ? 503 : 200;
        if (context.Response.StatusCode == 307) context.Response.Headers.Location = "/elsewhere";
        _posts.Writer.TryWrite(post);
        await _held;
    }
}

/// <summary>A certificate for 127.0.0.1 that only whoever is given its file trusts.</summary>
internal static class TestCertificate
{
    public static X509Certificate2 Make(string file)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=receiver.test", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        using var made = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        File.WriteAllText(file, made.ExportCertificatePem());
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }
}
