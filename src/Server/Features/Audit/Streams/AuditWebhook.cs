using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Countersign.Server.Features.Vault;
using Countersign.Server.Platform;

namespace Countersign.Server.Features.Audit;

/// <param name="First">The number of the first record.</param>
/// <param name="Last">The number of the last one. In between only what is not in the database any more is left out.</param>
internal sealed record WebhookDelivery(Guid Organization, long First, long Last, IReadOnlyList<AuditAnswer> Records);

/// <summary>
/// Posts records to an address of the operator's, signed. A delivery that was not answered with 2xx comes again, with the same records and id, until it is. A
/// server that was stopped in between may cut anew what it sends again: whoever receives it takes each (organization, number) once.
/// </summary>
internal sealed class AuditWebhook : IAuditDestination, IDisposable
{
    /// <summary>Unix seconds and, over them, a dot and the body, HMAC-SHA256 in hex: <c>t=…,v1=…</c>.</summary>
    public const string SignatureHeader = "Countersign-Signature";

    /// <summary>Organization, first and last number: the same whenever a delivery comes again, unless the server was stopped in between.</summary>
    public const string DeliveryHeader = "Countersign-Delivery";

    private const int LargestSecretFile = 4096;
    private const int ShortestSecret = 32;

    private readonly AuditWebhookOptions _options;
    private readonly TimeProvider _time;
    private readonly byte[] _key;
    private readonly HttpClient _http;

    /// <exception cref="KeyFileException">The secret's file is not there, others can read it, or it is too short to be one.</exception>
    public AuditWebhook(AuditWebhookOptions options, TimeProvider time)
    {
        if (options.Problem() is { } problem) throw new KeyFileException(problem);
        (_options, _time) = (options, time);
        _key = KeyOf(options.SecretFile!);
        // A redirect is not gone after: the records would go where nobody has said that they may. And what is in the clear stays on this machine, whatever proxy the
        // environment names: HTTP_PROXY counts for 127.0.0.1, too.
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = options.Url.Scheme == "https",
            ConnectTimeout = options.Patience,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        };
        if (options.AuthorityFile is { } file) handler.SslOptions.RemoteCertificateValidationCallback = new TrustedAuthorities(file).Accepts;
        _http = new(handler) { Timeout = options.Patience };
    }

    public string Name => "webhook";

    public int MostBytes => 1024 * 1024;

    public async Task<string?> DeliverAsync(StreamedBatch batch, JsonSerializerOptions json, CancellationToken cancellation)
    {
        var delivery = new WebhookDelivery(batch.Organization.Value, batch.First, batch.Last, batch.Records);
        var body = JsonSerializer.SerializeToUtf8Bytes(delivery, json);
        using var request = new HttpRequestMessage(HttpMethod.Post, _options.Url) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.Add(DeliveryHeader, $"{delivery.Organization:D}:{delivery.First}-{delivery.Last}");
        request.Headers.Add(SignatureHeader, Sign(body));
        try
        {
            using var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
            return answer.IsSuccessStatusCode ? null : $"the receiver answered {(int)answer.StatusCode}";
        }
        catch (HttpRequestException failure)
        {
            return $"the receiver can't be reached ({failure.HttpRequestError})";
        }
        catch (TaskCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return "the receiver did not answer in time";
        }
    }

    public void Dispose()
    {
        _http.Dispose();
        CryptographicOperations.ZeroMemory(_key);
    }

    private string Sign(byte[] body)
    {
        var at = _time.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        byte[] signed = [.. Encoding.ASCII.GetBytes(at), (byte)'.', .. body];
        return $"t={at},v1={Convert.ToHexStringLower(HMACSHA256.HashData(_key, signed))}";
    }

    private static byte[] KeyOf(string file)
    {
        using var content = PrivateFile.Read(file, LargestSecretFile) ?? throw new KeyFileException($"{file}, the file with the secret of the audit webhook, is not there.");
        var line = content.Expose();
        if (line.IndexOf((byte)'\n') is >= 0 and var end) line = line[..end];
        line = line.TrimEnd((byte)'\r');
        if (line.Length < ShortestSecret) throw new KeyFileException($"The first line of {file} is shorter than {ShortestSecret} characters. Make one with: openssl rand -hex 32");
        var key = GC.AllocateUninitializedArray<byte>(line.Length, pinned: true);
        line.CopyTo(key);
        return key;
    }
}
