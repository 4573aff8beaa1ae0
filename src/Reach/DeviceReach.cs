using System.Net.Sockets;
using Countersign.Access;
using Countersign.Sessions;
using Countersign.Ssh;
using Microsoft.Extensions.Logging;

namespace Countersign.Reach;

/// <summary>What came of opening the way to a device.</summary>
public abstract record ReachResult
{
    private ReachResult()
    {
    }

    /// <param name="Connection">Owned by the caller.</param>
    public sealed record Opened(SshClientConnection Connection) : ReachResult;

    /// <param name="Message">One plain sentence for the technician; it names neither the device's address nor anything of the credentials.</param>
    public sealed record Failed(string Message) : ReachResult;
}

/// <summary>The way out to endpoints. Opens nothing without an <see cref="AuthorizedConnection"/>.</summary>
/// <param name="time">The time that policy goes by. The network's timers are the machine's own.</param>
public sealed partial class DeviceReach(IPolicySource policy, IAccountVault vault, IHostKeyBook hostKeys, TimeProvider time, ILogger<DeviceReach> log)
{
    private static readonly ReachResult Expired = new ReachResult.Failed("the permission for this connection is no longer valid");

    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Connects and signs in at the device with what opens the account there.</summary>
    public async Task<ReachResult> OpenAsync(AuthorizedConnection authorized, CancellationToken cancellation)
    {
        var opening = authorized.Session.Opening;
        if (!authorized.TryUse() || policy.Current(opening.Organization)?.HostTrust is not { } trust) return Expired;
        var device = authorized.Device;
        if (authorized.Endpoint is not { } endpoint) return new ReachResult.Failed($"{device.Name} can't be reached: it has no service by ssh");
        if (endpoint.Service.Pin.Length == 0 && trust is { Unpinned: HostKeyTrust.Pinned, Authorities.Count: 0 }) return Unpinned(device);
        try
        {
            using var credential = await vault.OpenAsync(opening, cancellation);
            if (credential is null)
            {
                return new ReachResult.Failed($"no secret is stored for the account {authorized.Account} on {device.Name}: an administrator has to store it first");
            }

            return await OpenAsync(authorized, endpoint, credential, trust, cancellation);
        }
        catch (SocketException error)
        {
            LogFailed(device.Name, error.Message, error);
            return new ReachResult.Failed($"{device.Name} can't be reached: {Describe(error.SocketErrorCode)}");
        }
        catch (SshConnectionException error)
        {
            LogFailed(device.Name, error.Message, error);
            return new ReachResult.Failed($"{device.Name} can't be reached: it did not complete the SSH handshake");
        }
        catch (TimeoutException error)
        {
            LogFailed(device.Name, error.Message, error);
            return new ReachResult.Failed($"{device.Name} can't be reached: it did not answer in time");
        }
    }

    /// <summary>
    /// By a certificate of an authority that is trusted for hosts, where there is one; otherwise by the pinned key, which may be pinned only now. Not beside trusted
    /// authorities: a device that came in by its certificates has left no mark, and whoever stands in its place with a key of their own would be seen "first".
    /// </summary>
    private async Task<ReachResult> OpenAsync(AuthorizedConnection authorized, DeviceEndpoint endpoint, AccountCredential credential, HostTrust trust, CancellationToken cancellation)
    {
        var opening = authorized.Session.Opening;
        IReadOnlyList<SshPublicKey> pinned = [.. Keys([endpoint.Service.Pin])];
        if (Keys(trust.Authorities).Any())
        {
            try
            {
                return await ConnectAsync(authorized, endpoint, credential, pinned, now => now.Authorities, cancellation);
            }
            catch (SshHostKeyException)
            {
                // It shows no certificate, or one that does not count: then the pinned key does.
            }
        }

        var device = endpoint.Device;
        if (endpoint.Service.Pin.Length == 0)
        {
            if (trust.Authorities.Count > 0) return Uncertified(device);
            if (trust.Unpinned != HostKeyTrust.FirstUse) return Unpinned(device);
            var seen = await SshClientConnection.FetchHostKeyAsync(await DialAsync(endpoint, TimeProvider.System, cancellation), cancellation);
            if (await hostKeys.PinAsync(opening, endpoint, seen, cancellation) is not { } first) return Expired;
            endpoint = endpoint with { Service = endpoint.Service with { Pin = first } };
            pinned = [.. Keys([first])];
        }

        if (pinned.Count == 0) return Unpinned(device);
        try
        {
            return await ConnectAsync(authorized, endpoint, credential, pinned, _ => [], cancellation);
        }
        catch (SshHostKeyException changed)
        {
            LogHostKey(device.Name, changed.Offered.Fingerprint, pinned[0].Fingerprint);
            await hostKeys.ChangedAsync(opening, endpoint, changed.Offered, cancellation);
            return new ReachResult.Failed($"the host key of {device.Name} is not the pinned one; nothing was sent to it. An administrator has to look into this");
        }
    }

    /// <param name="authorities">Those that count: of what is trusted at the moment of connecting, and not of when the device was looked up.</param>
    private async Task<ReachResult> ConnectAsync(
        AuthorizedConnection authorized, DeviceEndpoint endpoint, AccountCredential credential, IReadOnlyList<SshPublicKey> pinned, Func<HostTrust, IReadOnlyList<string>> authorities,
        CancellationToken cancellation)
    {
        // After the secret has been read: it must not be one that was stored for where the device has been moved to since.
        if (StillAllowed(authorized, endpoint) is null) return Expired;
        var device = endpoint.Device;
        using var key = credential is AccountCredential.PrivateKey(var text) ? SshPrivateKey.Parse(text) : null;
        var transport = await DialAsync(endpoint, TimeProvider.System, cancellation);

        // And once more when there is somebody to talk to, which takes its time: an authority may have been taken away because its key has got out.
        if (StillAllowed(authorized, endpoint) is not { } now)
        {
            await transport.DisposeAsync();
            return Expired;
        }

        var options = new SshClientOptions
        {
            User = authorized.Account,
            Credentials = credential switch
            {
                AccountCredential.Password(var password) => [new SshCredential.Password(password)],
                AccountCredential.Certificates(var holder, var issued) => [.. issued.Select(certificate => new SshCredential.Certificate(holder, certificate))],
                _ => [new SshCredential.Key(key!)],
            },
            TrustedHostKeys = pinned,
            TrustedHostAuthorities = [.. Keys(authorities(now.HostTrust))],
            HostName = device.Host,
        };
        try
        {
            return new ReachResult.Opened(await SshClientConnection.ConnectAsync(transport, options, cancellation));
        }
        catch (SshAuthenticationException)
        {
            LogFailed(device.Name, "the device refused the credential", null);
            return new ReachResult.Failed(credential is AccountCredential.Certificates
                ? $"{device.Name} refused the certificate for the account {authorized.Account}: it has to trust the organization's certificate authority"
                : $"{device.Name} refused the stored secret of the account {authorized.Account}");
        }
    }

    private static ReachResult.Failed Unpinned(DeviceRow device) => new($"{device.Name} has no pinned host key: an administrator has to confirm it first");

    private static ReachResult.Failed Uncertified(DeviceRow device) =>
        new($"{device.Name} has no pinned host key and showed no certificate of an authority that the organization trusts: an administrator has to look into this, or confirm its key first");

    /// <summary>What is none is left out, and trusts nothing.</summary>
    private static IEnumerable<SshPublicKey> Keys(IEnumerable<string> lines)
    {
        foreach (var line in lines)
        {
            if (SshPublicKey.TryParse(line, out var key)) yield return key;
        }
    }

    /// <summary>Policy may have changed between admission and now: whatever version is in force decides once more. Null: it does not allow it.</summary>
    private PolicySnapshot? StillAllowed(AuthorizedConnection authorized, DeviceEndpoint endpoint)
    {
        var session = authorized.Session;
        var snapshot = policy.Current(session.Opening.Organization);
        if (snapshot is null || snapshot.Version == session.Opening.PolicyVersion) return snapshot;
        var isAllowed = session.Question.Foresee(snapshot, time.GetUtcNow()).Kind == DecisionKind.Allowed;
        return isAllowed && endpoint.IsSameAs(snapshot.Endpoint(endpoint.Device.Id, endpoint.Service.Protocol)) ? snapshot : null;
    }

    private static async Task<NetworkStream> DialAsync(DeviceEndpoint endpoint, TimeProvider clock, CancellationToken cancellation)
    {
        using var limit = new CancellationTokenSource(ConnectTimeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, limit.Token);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(endpoint.Device.Host, endpoint.Service.Port, either.Token);
            return new(socket, ownsSocket: true);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            socket.Dispose();
            throw new TimeoutException($"no TCP connection within {ConnectTimeout.TotalSeconds:0} s");
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static string Describe(SocketError error) => error switch
    {
        SocketError.ConnectionRefused => "it refused the connection",
        SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain => "its name can't be resolved",
        SocketError.HostUnreachable or SocketError.NetworkUnreachable => "there is no route to it",
        SocketError.TimedOut => "it did not answer in time",
        _ => "the network failed",
    };

    [LoggerMessage(Level = LogLevel.Error, Message = "Host key of {Device} is {Offered}, pinned is {Pinned}: refused")]
    private partial void LogHostKey(string device, string offered, string pinned);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Device} can't be reached: {Why}")]
    private partial void LogFailed(string device, string why, Exception? error);
}
