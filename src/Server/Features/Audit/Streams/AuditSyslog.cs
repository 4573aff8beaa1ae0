using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using System.Text.Json;
using Countersign.Server.Features.Vault;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;

namespace Countersign.Server.Features.Audit;

/// <summary>
/// Sends records to a syslog server, a message each (RFC 5424) with the record as JSON in it, framed by its length (RFC 5425, RFC 6587 section 3.4.1).
/// Syslog acknowledges nothing: what was on its way when a connection broke may be lost there, and what was sent twice is told by organization and number.
/// </summary>
internal sealed class AuditSyslog : IAuditDestination, IDisposable
{
    /// <summary>What receivers take at least as they come from their makers (RFC 5425 section 4.3.1 wants 8192 octets).</summary>
    internal const int LongestMessage = 8192;

    private const int LogAudit = 13;
    private const int LongestMessageId = 32;

    private readonly AuditSyslogOptions _options;
    private readonly TrustedAuthorities? _authorities;
    private Connection? _connection;

    /// <exception cref="KeyFileException">The authorities can't be read.</exception>
    public AuditSyslog(AuditSyslogOptions options)
    {
        if (options.Problem() is { } problem) throw new KeyFileException(problem);
        _options = options;
        if (options.AuthorityFile is { } file) _authorities = new(file);
    }

    public string Name => "syslog";

    public int MostBytes => 1024 * 1024;

    public async Task<string?> DeliverAsync(StreamedBatch batch, JsonSerializerOptions json, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(_options.Patience);
        try
        {
            if (_connection is not { IsOpen: true }) await ConnectAsync(patience.Token);
            foreach (var record in batch.Records) await _connection!.Stream.WriteAsync(Frame(batch.Organization.Value, record, json), patience.Token);
            await _connection!.Stream.FlushAsync(patience.Token);
            return null;
        }
        catch (Exception failure) when (failure is IOException or SocketException or AuthenticationException or InvalidOperationException)
        {
            Close();
            return failure is AuthenticationException ? "the syslog server's certificate is not trusted, or it does not speak TLS as it should" : "the syslog server can't be reached, or it broke off";
        }
        catch (OperationCanceledException)
        {
            Close();
            cancellation.ThrowIfCancellationRequested();
            return "the syslog server did not take it in time";
        }
    }

    public void Dispose() => Close();

    private async Task ConnectAsync(CancellationToken cancellation)
    {
        Close();
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        Stream? stream = null;
        try
        {
            await socket.ConnectAsync(_options.Host, _options.Port, cancellation);
            stream = new NetworkStream(socket, ownsSocket: true);
            if (_options.Security == SyslogSecurity.Tls)
            {
                var tls = new SslStream(stream);
                stream = tls;
                await tls.AuthenticateAsClientAsync(
                    new SslClientAuthenticationOptions { TargetHost = _options.Host, RemoteCertificateValidationCallback = _authorities is null ? null : _authorities.Accepts }, cancellation);
            }
        }
        catch
        {
            if (stream is not null) await stream.DisposeAsync();
            socket.Dispose();
            throw;
        }

        _connection = new(stream);
    }

    private void Close()
    {
        _connection?.Dispose();
        _connection = null;
    }

    private static byte[] Frame(Guid organization, AuditAnswer record, JsonSerializerOptions json)
    {
        var message = Message(organization, record, json);
        if (message.Length > LongestMessage) message = Message(organization, record with { Details = LeftOut }, json);
        return [.. Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{message.Length} ")), .. message];
    }

    private static JsonElement LeftOut { get; } = JsonDocument.Parse("""{"leftOut":"longer than a message may be"}""").RootElement;

    private static byte[] Message(Guid organization, AuditAnswer record, JsonSerializerOptions json)
    {
        var severity = record.Outcome switch
        {
            AuditOutcome.Done => 6,
            AuditOutcome.Refused => 4,
            _ => 3,
        };
        var id = record.Kind.Length <= LongestMessageId ? record.Kind : record.Kind[..LongestMessageId];
        var content = JsonSerializer.SerializeToNode(record, json)!.AsObject();
        content.Insert(0, "organization", organization);

        // Whatever is not ASCII is escaped by the writer, and so are line ends: the message is one line, and of no encoding that anybody could get wrong.
        return Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $"<{LogAudit * 8 + severity}>1 {record.At.UtcDateTime:yyyy-MM-ddTHH:mm:ss.ffffffZ} {Host} countersign {Environment.ProcessId} {id} - {content.ToJsonString()}"));
    }

    /// <summary>RFC 5424 section 6.2.4; nothing that is not a name of a machine.</summary>
    private static string Host { get; } = new([.. Environment.MachineName.Where(character => char.IsAsciiLetterOrDigit(character) || character is '.' or '-').Take(255).DefaultIfEmpty('-')]);

    /// <summary>A syslog server says nothing but, under TLS, what TLS itself has to say: it is read, so that its end is seen before anything more is sent.</summary>
    private sealed class Connection : IDisposable
    {
        private volatile bool _hasEnded;

        public Connection(Stream stream)
        {
            Stream = stream;
            _ = ReadAsync();
        }

        public Stream Stream { get; }

        public bool IsOpen => !_hasEnded;

        public void Dispose() => Stream.Dispose();

        private async Task ReadAsync()
        {
            var said = new byte[256];
            try
            {
                while (await Stream.ReadAsync(said) > 0)
                {
                    // Nothing that means anything here.
                }
            }
            catch (Exception failure) when (failure is IOException or ObjectDisposedException)
            {
                // That is its end, too.
            }

            _hasEnded = true;
        }
    }
}
