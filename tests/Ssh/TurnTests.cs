using Countersign.Ssh.Crypto;
using Countersign.Ssh.Transport;

namespace Countersign.Ssh.Tests;

/// <summary>What is computed for a client before it has signed in waits for its turn.</summary>
public sealed class TurnTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_first_key_exchange_waits_for_its_turn_and_ends_it()
    {
        var turns = new HeldTurns();
        await using var server = RawServer.Start(new TestServerHandler { Turn = turns.TakeAsync });
        var connecting = RawPeer.ConnectAsync(server.Stream, Cancellation);
        await turns.Asked.WaitAsync(Cancellation);
        connecting.IsCompleted.ShouldBeFalse();

        turns.Allow();
        await connecting;

        (turns.Taken, turns.Ended).ShouldBe((1, 1));
    }

    [Theory]
    [InlineData("diffie-hellman-group16-sha512")]
    [InlineData("diffie-hellman-group14-sha256")]
    [InlineData("curve25519-sha256")]
    public async Task Before_its_turn_nothing_of_the_exchange_has_been_computed_our_own_half_neither(string method)
    {
        var turns = new HeldTurns();
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        var (here, there) = DuplexStream.Pair();
        var server = new SshTransport(there, new Nobody(), new()
        {
            Side = Side.Server,
            Offer = new() { HostKeys = ["ssh-ed25519"] },
            Time = TimeProvider.System,
            HostKey = _ => new(key, key.PublicKey.Blob),
            Turn = turns.TakeAsync,
        });
        var running = server.RunAsync();
        using var peer = new PlainPeer(here);
        var own = KexInit.Create(new() { HostKeys = ["ssh-ed25519"], KeyExchanges = [method] }, Side.Client);
        var theirs = await peer.OpenAsync(own, Cancellation);
        using var exchange = new KeyExchange(new(Agreement.Between(own, theirs, Side.Client), [], [], own, theirs));
        await peer.SendAsync(PlainPeer.Packet(exchange.Init()), Cancellation);

        await turns.Asked.WaitAsync(Cancellation);
        server.HasOwnHalf.ShouldBeFalse();

        turns.Allow();
        (await peer.ReadAsync(Cancellation))![0].ShouldBe(SshMessage.KexReply);
        server.HasOwnHalf.ShouldBeTrue();
        await here.DisposeAsync();
        await running;
    }

    [Fact]
    public async Task A_first_value_that_is_longer_than_any_is_not_kept_for_its_turn()
    {
        var turns = new HeldTurns();
        await using var server = RawServer.Start(new TestServerHandler { Turn = turns.TakeAsync });
        using var peer = new PlainPeer(server.Stream);
        await peer.OpenAsync(KexInit.Create(new() { HostKeys = ["ssh-ed25519"] }, Side.Client), Cancellation);
        await peer.SendAsync(PlainPeer.Packet(new SshWriter().Byte(SshMessage.KexStart).String(new byte[1217]).Written.Span), Cancellation);

        (await peer.DisconnectedAsync(Cancellation)).ShouldNotBeNull().ShouldContain("longer than any");
        turns.Asked.IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task A_key_that_is_shown_waits_for_its_turn_and_a_password_and_new_keys_have_none()
    {
        var turns = new HeldTurns();
        turns.Allow();
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        await using var server = RawServer.Start(new TestServerHandler { Turn = turns.TakeAsync });
        var peer = await RawPeer.ConnectAsync(server.Stream, Cancellation);
        peer.Send(RawPeer.Request("alice", "publickey").Boolean(false).String("ssh-ed25519").String(key.PublicKey.Blob.Span));
        (await peer.ReadAsync(Cancellation))[0].ShouldBe(SshMessage.UserAuthFailure);
        (turns.Taken, turns.Ended).ShouldBe((2, 2));

        peer.Send(RawPeer.Request("alice", "password").Boolean(false).String("right"));
        (await peer.ReadAsync(Cancellation))[0].ShouldBe(SshMessage.UserAuthSuccess);
        (turns.Taken, turns.Ended).ShouldBe((2, 2));
    }

    [Fact]
    public async Task Whoever_is_told_to_go_while_waiting_goes()
    {
        var turns = new HeldTurns();
        using var stop = new CancellationTokenSource();
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        var (here, there) = DuplexStream.Pair();
        var serving = SshServerConnection.RunAsync(there, new SshServerOptions { HostKeys = [key] }, new TestServerHandler { Turn = turns.TakeAsync }, stop.Token);
        _ = RawPeer.ConnectAsync(here, Cancellation);
        await turns.Asked.WaitAsync(Cancellation);

        await stop.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(serving.WaitAsync(Cancellation));
        turns.Taken.ShouldBe(0);
        await here.DisposeAsync();
    }

    private sealed class Nobody : ITransportUser
    {
        public bool IsAuthenticated => false;

        public bool IsIdle => true;

        public void OnHostKey(ShownKey shown)
        {
            // A server sees none.
        }

        public void OnReady()
        {
            // It comes no further than the exchange.
        }

        public void OnMessage(ReadOnlySpan<byte> payload)
        {
            // None comes before there are keys.
        }

        public void OnEnded()
        {
            // The end is awaited.
        }
    }

    private sealed class HeldTurns
    {
        private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _allowed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _taken;
        private int _ended;

        public Task Asked => _asked.Task;

        public int Taken => Volatile.Read(ref _taken);

        public int Ended => Volatile.Read(ref _ended);

        public void Allow() => _allowed.TrySetResult();

        public async ValueTask<IDisposable?> TakeAsync(CancellationToken cancellation)
        {
            _asked.TrySetResult();
            await _allowed.Task.WaitAsync(cancellation);
            Interlocked.Increment(ref _taken);
            return new Turn(this);
        }

        private sealed class Turn(HeldTurns turns) : IDisposable
        {
            public void Dispose() => Interlocked.Increment(ref turns._ended);
        }
    }
}
