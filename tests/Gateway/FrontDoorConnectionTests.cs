using System.Net;
using Countersign.Access;
using Countersign.Gateway.SshDoor;
using Countersign.Sessions;
using Countersign.Ssh;
using Microsoft.Extensions.Logging.Abstractions;

namespace Countersign.Gateway.Tests;

public sealed class FrontDoorConnectionTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Nothing_listens_to_policy_for_a_connection_that_is_over(bool endsFirst)
    {
        var policy = new Listened();
        var people = new Occupancy<PersonId>(1);
        var signIn = new LetsIn();
        var services = new SshFrontDoorServices(signIn, policy, null!, null!, NullLogger<SshFrontDoor>.Instance);
        var connection = new FrontDoorConnection(services, TimeProvider.System, IPAddress.Loopback, new Arrivals(1).Enter(IPAddress.Loopback), new Turns(1), people);
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
        var people = new Occupancy<PersonId>(1);
        var signIn = new LetsIn();
        var services = new SshFrontDoorServices(signIn, new Listened(), null!, null!, NullLogger<SshFrontDoor>.Instance);
        var connection = new FrontDoorConnection(services, TimeProvider.System, IPAddress.Loopback, new Arrivals(1).Enter(IPAddress.Loopback), new Turns(1), people);
        await connection.DisposeAsync();
        using var password = Secret.FromText("right");
        (await connection.AuthenticateAsync(new SshAuthAttempt.Password("tina", password), TestContext.Current.CancellationToken)).ShouldBe(SshAuthResult.Failure);
        signIn.Over.ShouldBe(1);
    }

    [Fact]
    public async Task Who_has_to_make_room_is_told_to_try_again_and_nothing_of_an_end_of_the_server()
    {
        var arrivals = new Arrivals(1);
        var turns = new Turns(1);
        var services = new SshFrontDoorServices(new LetsIn(), new Listened(), null!, null!, NullLogger<SshFrontDoor>.Instance);
        await using var connection = new FrontDoorConnection(services, TimeProvider.System, IPAddress.Loopback, arrivals.Enter(IPAddress.Loopback), turns, new Occupancy<PersonId>(1));
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
