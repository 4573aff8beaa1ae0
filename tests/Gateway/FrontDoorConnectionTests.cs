using System.Net;
using Countersign.Access;
using Countersign.Gateway.SshDoor;
using Countersign.Gateway.SshDoor.Picking;
using Countersign.Sessions;
using Countersign.Ssh;
using Countersign.Ssh.Tests;
using Microsoft.Extensions.Logging.Abstractions;

namespace Countersign.Gateway.Tests;

public sealed class FrontDoorConnectionTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Nothing_listens_to_policy_for_a_connection_that_is_over(bool endsFirst)
    {
        using var nobody = new LoopbackDoor.NoPolicy();
        using var lists = new DeviceLists(nobody, TimeProvider.System);
        var policy = new Listened();
        var people = new Occupancy<PersonId>(1);
        var signIn = new LetsIn();
        var services = new SshFrontDoorServices(signIn, policy, null!, null!, NullLogger<SshFrontDoor>.Instance);
        var connection = new FrontDoorConnection(services, TimeProvider.System, IPAddress.Loopback, new Arrivals(1).Enter(IPAddress.Loopback), new Turns(1), people, lists);
        using var password = Secret.FromText("right");
        await connection.AuthenticateAsync(new SshAuthAttempt.Password("tina+web01", password), TestContext.Current.CancellationToken);

        // A client that leaves just when it is let in: the end may come first.
        if (endsFirst) await connection.DisposeAsync();
        connection.OnAuthenticated(null!, "tina+web01");
        if (!endsFirst) await connection.DisposeAsync();

        policy.Count.ShouldBe(0);
        signIn.Over.ShouldBe(1);
        people.Holders.ShouldBe(0);
    }

    [Fact]
    public async Task A_sign_in_that_ends_up_without_its_client_is_over_at_once()
    {
        using var nobody = new LoopbackDoor.NoPolicy();
        using var lists = new DeviceLists(nobody, TimeProvider.System);
        var people = new Occupancy<PersonId>(1);
        var signIn = new LetsIn();
        var services = new SshFrontDoorServices(signIn, new Listened(), null!, null!, NullLogger<SshFrontDoor>.Instance);
        var connection = new FrontDoorConnection(services, TimeProvider.System, IPAddress.Loopback, new Arrivals(1).Enter(IPAddress.Loopback), new Turns(1), people, lists);
        await connection.DisposeAsync();
        using var password = Secret.FromText("right");
        (await connection.AuthenticateAsync(new SshAuthAttempt.Password("tina", password), TestContext.Current.CancellationToken)).ShouldBe(SshAuthResult.Failure);
        signIn.Over.ShouldBe(1);
    }

    [Fact]
    public async Task Who_has_to_make_room_is_told_to_try_again_and_nothing_of_an_end_of_the_server()
    {
        using var nobody = new LoopbackDoor.NoPolicy();
        using var lists = new DeviceLists(nobody, TimeProvider.System);
        var arrivals = new Arrivals(1);
        var turns = new Turns(1);
        var services = new SshFrontDoorServices(new LetsIn(), new Listened(), null!, null!, NullLogger<SshFrontDoor>.Instance);
        await using var connection = new FrontDoorConnection(services, TimeProvider.System, IPAddress.Loopback, arrivals.Enter(IPAddress.Loopback), turns, new Occupancy<PersonId>(1), lists);
        connection.WhyStopped.ShouldBe("the server is shutting down");
        using (await connection.TurnAsync(TestContext.Current.CancellationToken))
        {
            var next = turns.TakeAsync(IPAddress.IPv6Loopback, TestContext.Current.CancellationToken).AsTask();
            next.IsCompleted.ShouldBeFalse();
            turns.Waiting.ShouldBe(1);
        }

        arrivals.Enter(IPAddress.Loopback);

        connection.WhyStopped.ShouldContain("try again");
    }

    [Fact]
    public async Task What_is_kept_for_all_connections_of_a_person_is_counted_together()
    {
        using var nobody = new LoopbackDoor.NoPolicy();
        using var lists = new DeviceLists(nobody, TimeProvider.System);
        var people = new Occupancy<PersonId>(2);
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        await using var first = await VisitAsync("tina");
        await using var second = await VisitAsync("tina");
        await using var other = await VisitAsync("nora");
        first.Credit.Whole.ShouldNotBeNull().ShouldBeSameAs(second.Credit.Whole);
        other.Credit.Whole.ShouldNotBeNull().ShouldNotBeSameAs(first.Credit.Whole);

        // The door's end, which is over when the client's is.
        async Task<SshServerConnection> VisitAsync(string login)
        {
            var services = new SshFrontDoorServices(new LoopbackDoor.RightPassword(), new Listened(), null!, null!, NullLogger<SshFrontDoor>.Instance);
            var watched = new Watched(new(services, TimeProvider.System, IPAddress.Loopback, new Arrivals(1).Enter(IPAddress.Loopback), new Turns(1), people, lists));
            var (client, server) = DuplexStream.Pair();
            _ = SshServerConnection.RunAsync(server, new() { HostKeys = [key] }, watched, TestContext.Current.CancellationToken);
            using var right = Secret.FromText("right");
            var connection = await SshClientConnection.ConnectAsync(
                client, new() { User = login, Credentials = [new SshCredential.Password(right)], TrustedHostKeys = [key.PublicKey] }, TestContext.Current.CancellationToken);
            await connection.OpenChannelAsync("session", default, new LoopbackDoor.Nobody(), 1024, TestContext.Current.CancellationToken);
            return watched.Connection!;
        }
    }

    /// <summary>Passes on what it is told, and keeps the connection.</summary>
    private sealed class Watched(FrontDoorConnection inner) : SshServerHandler
    {
        public SshServerConnection? Connection { get; private set; }

        public override IReadOnlyList<string> AuthenticationMethods => inner.AuthenticationMethods;

        public override ValueTask<SshAuthResult> AuthenticateAsync(SshAuthAttempt attempt, CancellationToken cancellation) => inner.AuthenticateAsync(attempt, cancellation);

        public override void OnAuthenticated(SshServerConnection connection, string user)
        {
            Connection = connection;
            inner.OnAuthenticated(connection, user);
        }

        public override SshChannelAnswer OnChannelOpen(SshServerConnection connection, string type, ReadOnlySpan<byte> extra) => inner.OnChannelOpen(connection, type, extra);
    }

    private sealed class Listened : IPolicySource
    {
        public int Count { get; private set; }

        public PolicySnapshot? Current(OrganizationId organization) => null;

        public IDisposable OnChange(Action<PolicySnapshot> changed)
        {
            Count++;
            return new Listening(this);
        }

        private sealed class Listening(Listened all) : IDisposable
        {
            public void Dispose() => all.Count--;
        }
    }

    private sealed class LetsIn : ISignIn
    {
        private readonly SignInStep _tina;

        public LetsIn() => _tina = new SignInStep.Done(new(new(Guid.NewGuid()), new(Guid.NewGuid()), "tina", SignInStrength.OneFactor, _ => Over++));

        /// <summary>How often it was told that the connection is over.</summary>
        public int Over { get; private set; }

        public ValueTask<SignInStep> WithPasswordAsync(string login, Secret password, IPAddress source, CancellationToken cancellation) => new(_tina);

        public ValueTask<bool> WouldAcceptKeyAsync(string login, SshPublicKey key, IPAddress source, CancellationToken cancellation) => new(true);

        public ValueTask<SignInStep> WithKeyAsync(string login, SshPublicKey key, IPAddress source, CancellationToken cancellation) => new(_tina);

        public string PrincipalOf(string login) => login;

        public ValueTask<bool> WouldAcceptCertificateAsync(string login, SshCertificate certificate, IPAddress source, CancellationToken cancellation) => new(false);

        public ValueTask<SignInStep> WithCertificateAsync(string login, SshCertificate certificate, IPAddress source, CancellationToken cancellation) => new(_tina);

        public ValueTask<SignInStep> WithCodeAsync(FirstFactor proven, Secret code, IPAddress source, CancellationToken cancellation) => new(_tina);
    }
}
