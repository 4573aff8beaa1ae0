using System.Net;
using System.Net.Sockets;
using Countersign.Access;
using Countersign.Gateway.SshDoor;
using Countersign.Sessions;
using Countersign.Ssh;
using Microsoft.Extensions.Logging.Abstractions;

namespace Countersign.Gateway.Tests;

/// <summary>A front door on loopback that is asked for too much: it holds what it may, and others are served.</summary>
public sealed class FrontDoorLimitTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly SshPrivateKey _key = SshPrivateKey.Generate(SshKeyKind.Ed25519);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _key.Dispose();

    [Fact]
    public async Task A_person_has_a_bounded_number_of_connections_and_others_theirs()
    {
        await using var door = Start(options => options with { MostOfPerson = 3 });
        var held = new List<SshClientConnection>();
        for (var number = 0; number < 3; number++) held.Add(await SignInAsync(door, "tina"));

        await using var fourth = await SignInAsync(door, "tina");
        await fourth.Closed.WaitAsync(Patience, Cancellation);
        fourth.EndReason!.ShouldContain("too many connections");

        await using var nora = await SignInAsync(door, "nora");
        nora.Closed.IsCompleted.ShouldBeFalse();
        held.ShouldAllBe(connection => !connection.Closed.IsCompleted);
        foreach (var connection in held) await connection.DisposeAsync();

        // A place is free when the server has seen the end: until then a new connection is turned away, and asks again.
        while (true)
        {
            await using var again = await SignInAsync(door, "tina");
            await Task.WhenAny(again.Closed, OpensAsync(again)).WaitAsync(Patience, Cancellation);
            if (!again.Closed.IsCompleted) break;
        }
    }

    [Fact]
    public async Task An_address_has_a_bounded_number_of_connections()
    {
        await using var door = Start(options => options with { MostFromAddress = 4 });
        using var silent = new Sockets();
        for (var number = 0; number < 4; number++) await ReadLineAsync(await silent.ConnectAsync(door));

        (await ReadToEndAsync(await silent.ConnectAsync(door))).ShouldBe(0);
    }

    [Fact]
    public async Task Of_a_flood_that_says_nothing_no_more_stay_than_there_are_places_and_a_client_comes_in()
    {
        await using var door = Start(options => options with { MostArrivals = 16 });
        using var silent = new Sockets();
        var ends = new List<Task<int>>();
        for (var number = 0; number < 400; number++) ends.Add(ReadToEndAsync(await silent.ConnectAsync(door)));

        await using (await SignInAsync(door, "tina"))
        {
            await UntilAsync(ends, 400 - 16);
        }

        ends.Count(end => !end.IsCompleted).ShouldBeLessThanOrEqualTo(16);
    }

    [Fact]
    public async Task Whoever_sends_a_byte_now_and_then_is_closed_when_the_time_to_sign_in_is_over()
    {
        var time = new FiredTime();
        await using var door = Start(options => options with { Time = time, LoginTimeout = TimeSpan.FromSeconds(61) });
        using var slow = new Sockets();
        var ends = new List<Task<int>>();
        var banner = "SSH-2.0-slow\r\n"u8.ToArray();
        for (var number = 0; number < 100; number++)
        {
            var socket = await slow.ConnectAsync(door);
            await ReadLineAsync(socket);
            await socket.SendAsync(banner.AsMemory(0, number % banner.Length), Cancellation);
            ends.Add(ReadToEndAsync(socket));
        }

        ends.ShouldAllBe(end => !end.IsCompleted);
        time.Fire(TimeSpan.FromSeconds(61)).ShouldBe(100);

        await Task.WhenAll(ends).WaitAsync(Patience, Cancellation);
        await using var tina = await SignInAsync(door, "tina");
    }

    [Fact]
    public async Task A_proxy_that_sends_its_header_byte_by_byte_is_closed_when_its_time_is_over()
    {
        var time = new FiredTime();
        await using var door = Start(options => options with { Time = time, ProxyFrom = [IPNetwork.Parse("127.0.0.1/32")] });
        using var slow = new Sockets();
        var socket = await slow.ConnectAsync(door);
        await socket.SendAsync("\r\n\r\n"u8.ToArray(), Cancellation);
        var end = ReadToEndAsync(socket);
        while (time.Fire(TimeSpan.FromSeconds(10)) == 0) await Task.Yield();

        (await end.WaitAsync(Patience, Cancellation)).ShouldBe(0);
    }

    [Fact]
    public async Task After_thousands_of_failed_logins_nothing_of_them_is_left_and_a_client_comes_in()
    {
        await using var door = Start(options => options with { MostArrivals = 32 });
        var attempts = 0;
        await Parallel.ForEachAsync(Enumerable.Range(0, 500), new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = Cancellation }, async (_, stop) =>
        {
            using var wrong = Secret.FromText("wrong");
            var credentials = Enumerable.Repeat<SshCredential>(new SshCredential.Password(wrong), 4).ToArray();
            await Should.ThrowAsync<SshAuthenticationException>(async () => await ConnectAsync(door, "tina", credentials));
            Interlocked.Add(ref attempts, credentials.Length);
        });

        attempts.ShouldBe(2000);
        await using var tina = await SignInAsync(door, "tina");
        tina.Closed.IsCompleted.ShouldBeFalse();
    }

    private SshFrontDoor Start(Func<SshFrontDoorOptions, SshFrontDoorOptions> configure) => SshFrontDoor.Start(
        configure(new() { Listen = new(IPAddress.Loopback, 0), HostKeys = [_key] }),
        new(new RightPassword(), new NoPolicy(), null!, null!, NullLogger<SshFrontDoor>.Instance));

    private async Task<SshClientConnection> SignInAsync(SshFrontDoor door, string login)
    {
        using var right = Secret.FromText("right");
        return await ConnectAsync(door, login, [new SshCredential.Password(right)]);
    }

    private async Task<SshClientConnection> ConnectAsync(SshFrontDoor door, string login, IReadOnlyList<SshCredential> credentials)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(door.Address, Cancellation);
        return await SshClientConnection.ConnectAsync(
            new NetworkStream(socket, ownsSocket: true), new() { User = login, Credentials = credentials, TrustedHostKeys = [_key.PublicKey] }, Cancellation);
    }

    /// <summary>Whether the connection serves.</summary>
    private static async Task OpensAsync(SshClientConnection connection)
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

    private static async Task UntilAsync(List<Task<int>> ends, int wanted)
    {
        while (ends.Count(end => end.IsCompleted) < wanted) await Task.WhenAny(ends.Where(end => !end.IsCompleted)).WaitAsync(Patience, Cancellation);
    }

    private static async Task ReadLineAsync(Socket socket)
    {
        var one = new byte[1];
        do await socket.ReceiveAsync(one, Cancellation);
        while (one[0] != '\n');
    }

    /// <summary>How many bytes came.</summary>
    private static async Task<int> ReadToEndAsync(Socket socket)
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

    private sealed class Sockets : IDisposable
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

    private sealed class Nobody : SshChannelHandler;

    private sealed class NoPolicy : IPolicySource, IDisposable
    {
        public PolicySnapshot? Current(OrganizationId organization) => null;

        public IDisposable OnChange(Action<PolicySnapshot> changed) => this;

        public void Dispose()
        {
        }
    }

    private sealed class RightPassword : ISignIn
    {
        private static readonly OrganizationId Organization = new(Guid.NewGuid());
        private static readonly Dictionary<string, PersonId> People = new() { ["tina"] = new(Guid.NewGuid()), ["nora"] = new(Guid.NewGuid()) };

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
    private sealed class FiredTime : TimeProvider
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
