using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Countersign.Access;
using Countersign.Gateway.SshDoor;
using Countersign.Sessions;
using Countersign.Ssh;
using Microsoft.Extensions.Logging.Abstractions;

namespace Countersign.Gateway.Tests;

/// <summary>A front door on loopback that knows two people by their password, and whoever goes to it.</summary>
internal static class LoopbackDoor
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly SshPrivateKey Key = SshPrivateKey.Generate(SshKeyKind.Ed25519);

    public static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <param name="office">Where it asks; null: there is no policy, and nothing is asked.</param>
    public static SshFrontDoor Start(Func<SshFrontDoorOptions, SshFrontDoorOptions> configure, Office? office = null) => SshFrontDoor.Start(
        configure(new() { Listen = new(IPAddress.Loopback, 0), HostKeys = [Key] }),
        new(new RightPassword(), (IPolicySource?)office ?? new NoPolicy(), office?.Admission!, null!, NullLogger<SshFrontDoor>.Instance));

    public static async Task<SshClientConnection> SignInAsync(SshFrontDoor door, string login)
    {
        using var right = Secret.FromText("right");
        return await ConnectAsync(door, login, [new SshCredential.Password(right)]);
    }

    /// <summary>From another address than everybody else.</summary>
    public static async Task<SshClientConnection> SignInFromElsewhereAsync(SshFrontDoor door)
    {
        using var right = Secret.FromText("right");
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Parse("127.0.0.2"), 0));
        await socket.ConnectAsync(door.Address, Cancellation);
        return await TalkAsync(new NetworkStream(socket, ownsSocket: true), "tina", [new SshCredential.Password(right)]);
    }

    public static async Task<SshClientConnection> ConnectAsync(SshFrontDoor door, string login, IReadOnlyList<SshCredential> credentials) =>
        await TalkAsync(await OpenAsync(door), login, credentials);

    /// <summary>The network alone: nothing is said yet.</summary>
    public static async Task<Stream> OpenAsync(SshFrontDoor door)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(door.Address, Cancellation);
        return new NetworkStream(socket, ownsSocket: true);
    }

    /// <param name="stream">Owned by the connection, as soon as this is called.</param>
    public static Task<SshClientConnection> TalkAsync(Stream stream, string login, IReadOnlyList<SshCredential> credentials) =>
        SshClientConnection.ConnectAsync(stream, new() { User = login, Credentials = credentials, TrustedHostKeys = [Key.PublicKey] }, Cancellation);

    /// <summary>Whether the connection serves.</summary>
    public static async Task OpensAsync(SshClientConnection connection)
    {
        try
        {
            await connection.OpenChannelAsync("session", default, new Nobody(), 1024, Cancellation);
        }
        catch (SshConnectionException)
        {
            // It has ended, which the caller sees.
        }
    }

    /// <summary>Fails when it does not come true in a minute.</summary>
    public static Task UntilAsync(Func<bool> condition) => UntilAsync(() => Task.FromResult(condition()));

    /// <summary>Fails when it does not come true in a minute.</summary>
    public static async Task UntilAsync(Func<Task<bool>> condition)
    {
        var began = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            Stopwatch.GetElapsedTime(began).ShouldBeLessThan(Patience);
            await Task.Yield();
        }
    }

    public static async Task UntilAsync(List<Task<int>> ends, int wanted)
    {
        while (ends.Count(end => end.IsCompleted) < wanted) await Task.WhenAny(ends.Where(end => !end.IsCompleted)).WaitAsync(Patience, Cancellation);
    }

    public static async Task ReadLineAsync(Socket socket)
    {
        var one = new byte[1];
        do (await socket.ReceiveAsync(one, Cancellation)).ShouldBe(1, "it was closed within the line");
        while (one[0] != '\n');
    }

    /// <summary>How many bytes came.</summary>
    public static async Task<int> ReadToEndAsync(Socket socket)
    {
        var buffer = new byte[4096];
        var all = 0;
        try
        {
            while (await socket.ReceiveAsync(buffer, Cancellation) is > 0 and var read) all += read;
        }
        catch (SocketException)
        {
            // Closed while there was something that it had not read: closed all the same.
        }

        return all;
    }

    public sealed class Sockets : IDisposable
    {
        private readonly List<Socket> _all = [];

        public async Task<Socket> ConnectAsync(SshFrontDoor door)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            _all.Add(socket);
            await socket.ConnectAsync(door.Address, Cancellation);
            return socket;
        }

        public void Dispose()
        {
            foreach (var socket in _all) socket.Dispose();
        }
    }

    public sealed class Nobody : SshChannelHandler;

    public sealed class NoPolicy : IPolicySource, IDisposable
    {
        public PolicySnapshot? Current(OrganizationId organization) => null;

        public IDisposable OnChange(Action<PolicySnapshot> changed) => this;

        public void Dispose()
        {
        }
    }

    public sealed class RightPassword : ISignIn
    {
        public static readonly OrganizationId Organization = new(Guid.NewGuid());
        public static readonly IReadOnlyDictionary<string, PersonId> People = new Dictionary<string, PersonId> { ["tina"] = new(Guid.NewGuid()), ["nora"] = new(Guid.NewGuid()) };

        public ValueTask<SignInStep> WithPasswordAsync(string login, Secret password, IPAddress source, CancellationToken cancellation) =>
            new(password.ExposeText() == "right" ? new SignInStep.Done(new(Organization, People[login], login, SignInStrength.OneFactor)) : new SignInStep.Refused());

        public ValueTask<bool> WouldAcceptKeyAsync(string login, SshPublicKey key, IPAddress source, CancellationToken cancellation) => new(false);

        public ValueTask<SignInStep> WithKeyAsync(string login, SshPublicKey key, IPAddress source, CancellationToken cancellation) => new(new SignInStep.Refused());

        public string PrincipalOf(string login) => login;

        public ValueTask<bool> WouldAcceptCertificateAsync(string login, SshCertificate certificate, IPAddress source, CancellationToken cancellation) => new(false);

        public ValueTask<SignInStep> WithCertificateAsync(string login, SshCertificate certificate, IPAddress source, CancellationToken cancellation) => new(new SignInStep.Refused());

        public ValueTask<SignInStep> WithCodeAsync(FirstFactor proven, Secret code, IPAddress source, CancellationToken cancellation) => new(new SignInStep.Refused());
    }

    /// <summary>Time goes on as ever, but that timers are fired by the test.</summary>
    public sealed class FiredTime : TimeProvider
    {
        private readonly Lock _gate = new();
        private readonly List<Timer> _timers = [];

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            lock (_gate)
            {
                var timer = new Timer(() => callback(state)) { Due = dueTime };
                _timers.Add(timer);
                return timer;
            }
        }

        /// <summary>Those that were set for that long, once.</summary>
        public int Fire(TimeSpan due)
        {
            List<Timer> fired;
            lock (_gate) fired = _timers.FindAll(timer => timer.Due == due);
            foreach (var timer in fired)
            {
                timer.Due = Timeout.InfiniteTimeSpan;
                timer.Callback();
            }

            return fired.Count;
        }

        private sealed class Timer(Action callback) : ITimer
        {
            public Action Callback { get; } = callback;

            public TimeSpan Due { get; set; }

            public bool Change(TimeSpan dueTime, TimeSpan period)
            {
                Due = dueTime;
                return true;
            }

            public void Dispose() => Due = Timeout.InfiniteTimeSpan;

            public ValueTask DisposeAsync()
            {
                Dispose();
                return ValueTask.CompletedTask;
            }
        }
    }
}
