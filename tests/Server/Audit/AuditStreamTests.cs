using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Countersign.Access;
using Countersign.Server.Features.Audit;
using Countersign.Server.Features.Vault;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Countersign.Server.Tests.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Countersign.Server.Tests.Audit;

/// <summary>The log as it is carried to places elsewhere.</summary>
public sealed partial class AuditStreamTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_record_is_posted_in_order_and_signed_and_comes_again_under_one_id_until_it_is_taken()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.AnswerNext(500, 307);
        await using var lab = await IdentityLab.StartAsync(with: options => options with { AuditWebhook = receiver.Options });
        var (refused, redirected) = (await receiver.NextAsync(), await receiver.NextAsync());
        (refused.First, redirected.First).ShouldBe((1, 1));
        redirected.Delivery.ShouldStartWith($"{lab.Organization.Value:D}:1-");
        for (var number = 0; number < 5; number++) await LogAsync(lab, lab.Organization, $"Größe {number}");
        var (numbers, subjects) = (new List<long>(), new List<string>());
        while (!subjects.Contains("Größe 4"))
        {
            var post = await receiver.NextAsync();
            (post.Path, receiver.IsSigned(post), post.Organization).ShouldBe(("/log", true, lab.Organization.Value));
            post.Delivery.ShouldBe($"{lab.Organization.Value:D}:{post.Numbers[0]}-{post.Numbers[^1]}");
            numbers.AddRange(post.Numbers);
            subjects.AddRange(post.Json["records"]!.AsArray().Select(record => (string)record!["subject"]!));
        }

        numbers.ShouldBe(Enumerable.Range(1, numbers.Count).Select(number => (long)number));
        lab.Log.Lines.ShouldContain(line => line.Contains("is not carried on to the webhook: the receiver answered 500", StringComparison.Ordinal));
        lab.Log.Lines.ShouldNotContain(line => line.Contains(receiver.Secret, StringComparison.Ordinal));

        // Another start goes on from there.
        await TakenAsync(lab, numbers.Count);
        await lab.RestartAsync();
        await LogAsync(lab, lab.Organization, "after it");
        (await receiver.NextAsync()).First.ShouldBe(numbers.Count + 1);
    }

    [Fact]
    public async Task What_was_refused_comes_again_with_the_same_records_and_id_whatever_was_sealed_meanwhile()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var answers = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        receiver.AnswerNext(500);
        receiver.AnswerAfter(answers.Task);
        await using var lab = await IdentityLab.StartAsync(with: options => options with { AuditWebhook = receiver.Options });
        var first = await receiver.NextAsync();
        await LogAsync(lab, lab.Organization, "meanwhile");
        await UntilAsync(async () => await SealedAsync(lab, lab.Organization) > first.Numbers[^1]);
        answers.SetResult();
        var again = await receiver.NextAsync();
        again.Delivery.ShouldBe(first.Delivery);
        again.Body.ShouldBe(first.Body);
        (await receiver.NextAsync()).First.ShouldBe(first.Numbers[^1] + 1);
    }

    [Fact]
    public async Task One_organization_that_always_has_more_keeps_nobody_else_s_log_back()
    {
        var (busy, theirs) = (new OrganizationId(Guid.NewGuid()), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        IdentityLab lab = null!;
        var endless = new Endless(async batch =>
        {
            if (batch.Organization != busy)
            {
                if (batch.Records.Any(record => record.Subject == "theirs")) theirs.TrySetResult();
                return;
            }

            // Another one is there by the time that this one is taken.
            if (theirs.Task.IsCompleted) return;
            await LogAsync(lab, busy, "more");
            await UntilAsync(async () => await SealedAsync(lab, busy) > batch.Last);
        });
        lab = await IdentityLab.StartAsync(services: services => services.AddSingleton<IAuditDestination>(endless).AddHostedService<AuditStreaming>());
        await using (lab)
        {
            await FoundAsync(lab, busy);
            await endless.CameAsync(busy);
            await LogAsync(lab, lab.Organization, "theirs");
            await theirs.Task.WaitAsync(TimeSpan.FromSeconds(60), Stop);
        }
    }

    [Fact]
    public async Task What_is_posted_in_the_clear_goes_by_no_proxy()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var before = HttpClient.DefaultProxy;
        HttpClient.DefaultProxy = new ProxyFor(receiver.Options.Url);
        try
        {
            await using var lab = await IdentityLab.StartAsync(with: options => options with { AuditWebhook = receiver.Options });
            (await receiver.NextAsync()).First.ShouldBe(1);
        }
        finally
        {
            HttpClient.DefaultProxy = before;
        }
    }

    [Fact]
    public async Task One_organization_s_records_that_are_refused_keep_nobody_else_s_back()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var lab = await IdentityLab.StartAsync(with: options => options with { AuditWebhook = receiver.Options });
        receiver.Refused = lab.Organization.Value;
        var other = new OrganizationId(Guid.NewGuid());
        await FoundAsync(lab, other);
        await LogAsync(lab, lab.Organization, "refused");
        var taken = new List<string>();
        while (!taken.Contains("theirs"))
        {
            if (taken.Count == 0) await LogAsync(lab, other, "theirs");
            var post = await receiver.NextAsync();
            if (post.Organization == other.Value) taken.AddRange(post.Json["records"]!.AsArray().Select(record => (string)record!["subject"]!));
        }

        taken[0].ShouldBe("Other");
        taken.ShouldNotContain("refused");
    }

    [Fact]
    public async Task A_destination_that_fails_as_nobody_has_thought_of_ends_no_server_and_is_tried_again()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var broken = new Broken();
        await using var lab = await IdentityLab.StartAsync(
            with: options => options with { AuditWebhook = receiver.Options }, services: services => services.AddSingleton<IAuditDestination>(broken));
        await UntilAsync(() => Task.FromResult(broken.Tried >= 2));
        (await receiver.NextAsync()).First.ShouldBe(1);
        (await lab.SignInAsync("ann", IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.OK);
        (await PositionAsync(lab, broken.Name)).ShouldBeNull();
    }

    [Fact]
    public async Task A_receiver_whose_certificate_is_not_trusted_gets_nothing()
    {
        await using var receiver = await WebhookReceiver.StartAsync(isTls: true);
        await using (var lab = await IdentityLab.StartAsync(with: options => options with { AuditWebhook = receiver.Options }))
            (await receiver.NextAsync()).First.ShouldBe(1);
        await using var distrusting = await IdentityLab.StartAsync(with: options => options with { AuditWebhook = receiver.Options with { AuthorityFile = null } });
        await SaidAsync(distrusting, "is not carried on to the webhook: the receiver can't be reached (SecureConnectionError)");
        (await PositionAsync(distrusting, "webhook")).ShouldBeNull();
    }

    [Theory]
    [InlineData("http://siem.example.org/", true, "in the clear to this machine only")]
    [InlineData("ftp://127.0.0.1/", true, "address such as")]
    [InlineData("https://user:word@siem.example.org/", true, "address such as")]
    [InlineData("https://siem.example.org/#part", true, "address such as")]
    [InlineData("https://siem.example.org/", false, "--audit-webhook-secret-file")]
    [InlineData("http://127.0.0.1:8081/", true, null)]
    [InlineData("http://[::1]:8081/", true, null)]
    [InlineData("https://siem.example.org/", true, null)]
    public void A_webhook_is_private_and_signed(string url, bool hasSecret, string? problem)
    {
        var told = new AuditWebhookOptions { Url = new(url), SecretFile = hasSecret ? "secret" : null }.Problem();
        if (problem is null) told.ShouldBeNull();
        else told.ShouldNotBeNull().ShouldContain(problem);
    }

    [Theory]
    [InlineData("log.example.org", 601, SyslogSecurity.None, "in the clear to this machine only")]
    [InlineData("log.example.org", 0, SyslogSecurity.Tls, "from 1 to 65535")]
    [InlineData("log example", 6514, SyslogSecurity.Tls, "no host")]
    [InlineData("log.example.org", 6514, (SyslogSecurity)0, "no such security")]
    [InlineData("log.example.org", 6514, SyslogSecurity.Tls, null)]
    [InlineData("127.0.0.1", 601, SyslogSecurity.None, null)]
    public void A_syslog_server_elsewhere_is_spoken_to_over_TLS(string host, int port, SyslogSecurity security, string? problem)
    {
        var told = new AuditSyslogOptions { Host = host, Port = port, Security = security }.Problem();
        if (problem is null) told.ShouldBeNull();
        else told.ShouldNotBeNull().ShouldContain(problem);
    }

    [Fact]
    public async Task A_server_does_not_start_with_a_secret_that_is_none()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var file = receiver.Options.SecretFile!;
        await File.WriteAllTextAsync(file, "short\n" + new string('x', 100), Stop);
        (await Should.ThrowAsync<KeyFileException>(() => IdentityLab.StartAsync(with: options => options with { AuditWebhook = receiver.Options }))).Message.ShouldContain("shorter than 32");
        File.Delete(file);
        (await Should.ThrowAsync<KeyFileException>(() => IdentityLab.StartAsync(with: options => options with { AuditWebhook = receiver.Options }))).Message.ShouldContain("is not there");
    }

    [Fact]
    public async Task Syslog_gets_a_message_for_each_record_over_TLS_and_again_after_it_broke_off()
    {
        var folder = Directory.CreateTempSubdirectory("countersign-syslog");
        try
        {
            var file = Path.Combine(folder.FullName, "certificate.pem");
            using var certificate = TestCertificate.Make(file);
            using var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            var options = new AuditSyslogOptions { Host = "127.0.0.1", Port = ((IPEndPoint)listener.LocalEndpoint).Port, AuthorityFile = file };
            await using var lab = await IdentityLab.StartAsync(with: with => with with { AuditSyslog = options });
            await LogAsync(lab, lab.Organization, "Größe\n<34>1 - forged", new() { ["long"] = new string('x', AuditSyslog.LongestMessage) });
            using (var client = await listener.AcceptTcpClientAsync(Stop))
            {
                await using var tls = await SpeakAsync(client, certificate);
                ((long)(await ReadAsync(tls, lab))["number"]!).ShouldBe(1);
                var found = await FindAsync(tls, lab, "Größe\n<34>1 - forged");
                found["details"]!.ToJsonString().ShouldBe("""{"leftOut":"longer than a message may be"}""");
            }

            // What was on its way when it broke off may be lost; what comes later arrives.
            var again = listener.AcceptTcpClientAsync(Stop).AsTask();
            using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
            while (!again.IsCompleted)
            {
                await LogAsync(lab, lab.Organization, "another");
                await pause.WaitForNextTickAsync(Stop);
            }

            await LogAsync(lab, lab.Organization, "the last");
            using var second = await again;
            await using var speaking = await SpeakAsync(second, certificate);
            await FindAsync(speaking, lab, "the last");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<SslStream> SpeakAsync(TcpClient client, X509Certificate2 certificate)
    {
        var tls = new SslStream(client.GetStream());
        await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, Stop);
        return tls;
    }

    private static async Task<JsonNode> FindAsync(Stream stream, IdentityLab lab, string subject)
    {
        while (true)
        {
            var record = await ReadAsync(stream, lab);
            if ((string)record["subject"]! == subject) return record;
        }
    }

    private static async Task<JsonNode> ReadAsync(Stream stream, IdentityLab lab)
    {
        var message = await ReadFrameAsync(stream);
        var parts = Message().Match(message);
        parts.Success.ShouldBeTrue(message);
        var record = JsonNode.Parse(parts.Groups["json"].Value)!;
        ((Guid)record["organization"]!).ShouldBe(lab.Organization.Value);
        return record;
    }

    /// <summary>RFC 5425 section 4.3: the length, a space, the message. Pure ASCII, no line ends.</summary>
    private static async Task<string> ReadFrameAsync(Stream stream)
    {
        var length = 0;
        var one = new byte[1];
        while (true)
        {
            await stream.ReadExactlyAsync(one, Stop);
            if (one[0] == ' ') break;
            one[0].ShouldBeInRange((byte)'0', (byte)'9');
            length = length * 10 + one[0] - '0';
        }

        length.ShouldBeLessThanOrEqualTo(AuditSyslog.LongestMessage);
        var message = new byte[length];
        await stream.ReadExactlyAsync(message, Stop);
        message.ShouldAllBe(octet => octet >= 0x20 && octet < 0x7f);
        return Encoding.ASCII.GetString(message);
    }

    private static Task LogAsync(IdentityLab lab, OrganizationId organization, string subject, JsonObject? details = null) => lab.Get<WriteQueue>().AppendAsync(
        organization, db => lab.Get<AuditLog>().Add(db, new() { Kind = "test.said", Channel = "system", Subject = subject, Details = details ?? [] }), Stop);

    private static async Task<long?> PositionAsync(IdentityLab lab, string destination)
    {
        await using var db = lab.Get<Database>().Read(lab.Organization);
        return (await db.Set<AuditStreamPosition>().AsNoTracking().SingleOrDefaultAsync(row => row.Destination == destination, Stop))?.Number;
    }

    /// <summary>The number of the last record that is sealed.</summary>
    private static async Task<long> SealedAsync(IdentityLab lab, OrganizationId organization)
    {
        await using var db = lab.Get<Database>().Read(organization);
        return await db.Set<AuditSeal>().MaxAsync(seal => (long?)seal.Number, Stop) ?? 0;
    }

    private static async Task FoundAsync(IdentityLab lab, OrganizationId organization)
    {
        var founding = PolicySnapshot.Bootstrap(organization, new(Guid.NewGuid()), "otto", "Otto", "", new(Guid.NewGuid()));
        await lab.Get<PolicyWriter>().FoundAsync(
            "Other", founding, new() { Kind = "organization.founded", Channel = "system", Subject = "Other" }, (_, _, _) => Task.CompletedTask, Stop);
    }

    private static Task TakenAsync(IdentityLab lab, long number) => UntilAsync(async () => await PositionAsync(lab, "webhook") == number);

    private static Task SaidAsync(IdentityLab lab, string text) =>
        UntilAsync(() => Task.FromResult(lab.Log.Lines.Any(line => line.Contains(text, StringComparison.Ordinal))));

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        using var looking = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        deadline.CancelAfter(TimeSpan.FromSeconds(60));
        while (!await isSo()) await looking.WaitForNextTickAsync(deadline.Token);
    }

    private sealed class Broken : IAuditDestination
    {
        public string Name => "broken";

        public int MostBytes => 1;

        public int Tried { get; private set; }

        public Task<string?> DeliverAsync(StreamedBatch batch, JsonSerializerOptions json, CancellationToken cancellation)
        {
            Tried++;
            throw new NotSupportedException("on purpose");
        }
    }

    /// <summary>Takes everything, one record at a time, once what follows from it is over.</summary>
    private sealed class Endless(Func<StreamedBatch, Task> taken) : IAuditDestination
    {
        private readonly ConcurrentDictionary<OrganizationId, bool> _came = new();

        public string Name => "endless";

        public int MostBytes => 0;

        public Task CameAsync(OrganizationId organization) => UntilAsync(() => Task.FromResult(_came.ContainsKey(organization)));

        public async Task<string?> DeliverAsync(StreamedBatch batch, JsonSerializerOptions json, CancellationToken cancellation)
        {
            _came[batch.Organization] = true;
            await taken(batch);
            return null;
        }
    }

    /// <summary>Stands in the way of one address, as a proxy that the environment names does; others go by none.</summary>
    private sealed class ProxyFor(Uri address) : IWebProxy
    {
        public ICredentials? Credentials { get; set; }

        public Uri GetProxy(Uri destination) => new("http://127.0.0.1:1/");

        public bool IsBypassed(Uri host) => host.Port != address.Port;
    }

    [GeneratedRegex("^<(110|108|107)>1 [0-9-]{10}T[0-9:]{8}\\.[0-9]{6}Z [A-Za-z0-9.-]+ countersign [0-9]+ [a-zA-Z.-]{1,32} - (?<json>\\{.*\\})$")]
    private static partial Regex Message();
}
