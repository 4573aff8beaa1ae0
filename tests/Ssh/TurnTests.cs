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
