using System.Collections.Concurrent;

namespace Countersign.Ssh.Tests;

/// <summary>A channel whose opening is answered when the application knows.</summary>
public sealed class LaterAnswerTests
{
    private readonly LateHandler _handler = new();

    [Fact]
    public async Task A_channel_that_is_accepted_later_works_like_any_other()
    {
        await using var pair = await OwnPair.StartAsync(TestContext.Current.CancellationToken, handler: _handler);
        var opening = pair.Client.OpenChannelAsync("direct-tcpip", default, new Told(), 1000, TestContext.Current.CancellationToken);
        await _handler.Asked.Task.WaitAsync(TestContext.Current.CancellationToken);
        opening.IsCompleted.ShouldBeFalse();
        var end = new Told();
        _handler.Answer.SetResult(new SshChannelAnswer.Accept(end, 1000));
        var channel = await opening;
        channel.SendData("hello"u8);
        channel.Close();
        await Task.WhenAll(end.Opened.Task, end.Closed.Task).WaitAsync(TestContext.Current.CancellationToken);
        end.Calls.Order().ShouldBe(["closed", "data hello", "opened"]);
    }

    [Fact]
    public async Task A_channel_that_is_refused_later_says_why()
    {
        await using var pair = await OwnPair.StartAsync(TestContext.Current.CancellationToken, handler: _handler);
        var opening = pair.Client.OpenChannelAsync("direct-tcpip", default, new Told(), 1000, TestContext.Current.CancellationToken);
        await _handler.Asked.Task.WaitAsync(TestContext.Current.CancellationToken);
        _handler.Answer.SetResult(new SshChannelAnswer.Refuse(1, "not today"));
        (await Should.ThrowAsync<SshChannelRefusedException>(() => opening)).Message.ShouldContain("not today");
    }

    [Fact]
    public async Task Openings_that_wait_count_as_channels()
    {
        await using var pair = await OwnPair.StartAsync(TestContext.Current.CancellationToken, server: options => options with { MaxChannels = 1 }, handler: _handler);
        var opening = pair.Client.OpenChannelAsync("direct-tcpip", default, new Told(), 1000, TestContext.Current.CancellationToken);
        await Should.ThrowAsync<SshChannelRefusedException>(() => pair.Client.OpenChannelAsync("direct-tcpip", default, new Told(), 1000, TestContext.Current.CancellationToken));
        _handler.Answer.SetResult(new SshChannelAnswer.Refuse(1, "not today"));
        await Should.ThrowAsync<SshChannelRefusedException>(() => opening);
    }

    [Fact]
    public async Task An_answer_that_comes_after_the_connection_closes_what_it_accepts()
    {
        var pair = await OwnPair.StartAsync(TestContext.Current.CancellationToken, handler: _handler);
        var opening = pair.Client.OpenChannelAsync("direct-tcpip", default, new Told(), 1000, TestContext.Current.CancellationToken);
        await _handler.Asked.Task.WaitAsync(TestContext.Current.CancellationToken);
        await pair.DisposeAsync();
        await Should.ThrowAsync<SshConnectionException>(() => opening);
        var end = new Told();
        _handler.Answer.SetResult(new SshChannelAnswer.Accept(end, 1000));
        await end.Closed.Task.WaitAsync(TestContext.Current.CancellationToken);
        end.Calls.ShouldBe(["opened", "closed"]);
    }

    [Fact]
    public async Task A_fault_in_place_of_an_answer_ends_the_connection()
    {
        await using var pair = await OwnPair.StartAsync(TestContext.Current.CancellationToken, handler: _handler);
        var opening = pair.Client.OpenChannelAsync("direct-tcpip", default, new Told(), 1000, TestContext.Current.CancellationToken);
        _handler.Answer.SetException(new InvalidOperationException("a fault of the application"));
        await Should.ThrowAsync<SshConnectionException>(() => opening);
        (await pair.Outcome).Error.ShouldNotBeNull().ShouldNotContain("a fault of the application");
    }

    [Fact]
    public async Task A_handler_that_throws_when_its_channel_is_opened_later_ends_the_connection()
    {
        await using var pair = await OwnPair.StartAsync(TestContext.Current.CancellationToken, handler: _handler);
        var opening = pair.Client.OpenChannelAsync("direct-tcpip", default, new Told(), 1000, TestContext.Current.CancellationToken);
        _handler.Answer.SetResult(new SshChannelAnswer.Accept(new Throws(), 1000));
        (await pair.Outcome.WaitAsync(TestContext.Current.CancellationToken)).Fault.ShouldBeOfType<InvalidOperationException>();
        try
        {
            await opening;
        }
        catch (SshConnectionException)
        {
            // The confirmation may have come before the end, or not.
        }
    }

    [Fact]
    public async Task A_channel_that_is_opened_when_nobody_wants_it_any_more_is_closed_at_once()
    {
        await using var pair = await OwnPair.StartAsync(TestContext.Current.CancellationToken, handler: _handler);
        using var given = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var wanted = new Told();
        var opening = pair.Client.OpenChannelAsync("direct-tcpip", default, wanted, 1000, given.Token);
        await _handler.Asked.Task.WaitAsync(TestContext.Current.CancellationToken);
        await given.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => opening);
        var end = new Told();
        _handler.Answer.SetResult(new SshChannelAnswer.Accept(end, 1000));
        await end.Closed.Task.WaitAsync(TestContext.Current.CancellationToken);
        end.Calls.ShouldContain("closed");
        wanted.Calls.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_answer_that_is_neither_refuses()
    {
        await using var pair = await OwnPair.StartAsync(TestContext.Current.CancellationToken, handler: _handler);
        var opening = pair.Client.OpenChannelAsync("direct-tcpip", default, new Told(), 1000, TestContext.Current.CancellationToken);
        _handler.Answer.SetResult(new SshChannelAnswer.Later(_handler.Answer.Task));
        (await Should.ThrowAsync<SshChannelRefusedException>(() => opening)).Reason.ShouldBe(2u);
    }

    [Fact]
    public async Task A_refusal_that_comes_after_the_connection_is_told_to_nobody()
    {
        var pair = await OwnPair.StartAsync(TestContext.Current.CancellationToken, handler: _handler);
        var opening = pair.Client.OpenChannelAsync("direct-tcpip", default, new Told(), 1000, TestContext.Current.CancellationToken);
        await _handler.Asked.Task.WaitAsync(TestContext.Current.CancellationToken);
        await pair.DisposeAsync();
        await Should.ThrowAsync<SshConnectionException>(() => opening);
        _handler.Answer.SetResult(new SshChannelAnswer.Refuse(1, "not today"));
        (await pair.Outcome).Fault.ShouldBeNull();
    }

    [Theory]
    [InlineData("the channel is closed")]
    [InlineData("the connection ends")]
    public async Task An_end_that_comes_while_a_channel_is_being_opened_is_told_after_that(string end)
    {
        await using var pair = await OwnPair.StartAsync(TestContext.Current.CancellationToken, handler: _handler);
        var opening = pair.Client.OpenChannelAsync("direct-tcpip", default, new Told(), 1000, TestContext.Current.CancellationToken);
        using var slow = new Slow();

        // The server's loop has gone on to another message, so it is not this loop that opens the channel.
        await AskSomethingElseAsync();
        _handler.Answer.SetResult(new SshChannelAnswer.Accept(slow, 1000));
        var channel = await opening;
        await slow.Opening.Task.WaitAsync(TestContext.Current.CancellationToken);
        if (end == "the channel is closed")
        {
            channel.Close();
            await AskSomethingElseAsync();
        }
        else
        {
            await pair.Client.DisposeAsync();
            await pair.Outcome;
        }

        slow.Calls.ShouldBeEmpty();
        slow.Open.Set();
        await slow.Closed.Task.WaitAsync(TestContext.Current.CancellationToken);
        slow.Calls.ShouldBe(["opened", "closed"]);

        Task AskSomethingElseAsync() => Should.ThrowAsync<SshChannelRefusedException>(
            () => pair.Client.OpenChannelAsync("session", new byte[1], new Told(), 1000, TestContext.Current.CancellationToken));
    }

    /// <summary>Is being told that its channel is open until the test lets it go.</summary>
    private sealed class Slow : SshChannelHandler, IDisposable
    {
        public ConcurrentQueue<string> Calls { get; } = [];

        public TaskCompletionSource Opening { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ManualResetEventSlim Open { get; } = new();

        public TaskCompletionSource Closed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override void OnOpened(SshChannel channel)
        {
            Opening.SetResult();
            Open.Wait(TestContext.Current.CancellationToken);
            Calls.Enqueue("opened");
        }

        public override void OnClosed(SshChannel channel)
        {
            Calls.Enqueue("closed");
            Closed.SetResult();
        }

        public void Dispose()
        {
            Open.Set();
            Open.Dispose();
        }
    }

    private sealed class Throws : SshChannelHandler
    {
        public override void OnOpened(SshChannel channel) => throw new InvalidOperationException("a fault of the application");
    }

    private sealed class LateHandler : SshServerHandler
    {
        public TaskCompletionSource Asked { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource<SshChannelAnswer> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override IReadOnlyList<string> AuthenticationMethods { get; } = ["password"];

        public override ValueTask<SshAuthResult> AuthenticateAsync(SshAuthAttempt attempt, CancellationToken cancellation) =>
            new(attempt is SshAuthAttempt.Password ? SshAuthResult.Success : SshAuthResult.Failure);

        public override SshChannelAnswer OnChannelOpen(SshServerConnection connection, string type, ReadOnlySpan<byte> extra)
        {
            if (!extra.IsEmpty) return new SshChannelAnswer.Refuse(1, "not this one");
            Asked.TrySetResult();
            return new SshChannelAnswer.Later(Answer.Task);
        }
    }

    private sealed class Told : SshChannelHandler
    {
        private readonly Lock _gate = new();
        private readonly List<string> _calls = [];

        public TaskCompletionSource Opened { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Closed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public List<string> Calls
        {
            get
            {
                lock (_gate) return [.. _calls];
            }
        }

        public override void OnOpened(SshChannel channel)
        {
            Note("opened");
            Opened.TrySetResult();
        }

        public override void OnData(SshChannel channel, uint type, ReadOnlySpan<byte> data) => Note($"data {System.Text.Encoding.ASCII.GetString(data)}");

        public override void OnClosed(SshChannel channel)
        {
            Note("closed");
            Closed.TrySetResult();
        }

        private void Note(string call)
        {
            lock (_gate) _calls.Add(call);
        }
    }
}
