using Countersign.Ssh;

namespace Countersign.Sessions.Tests.Relay;

/// <summary>What several channels of one technician do to each other.</summary>
public sealed class RelayCreditTests
{
    /// <summary>For what would never happen otherwise.</summary>
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Twenty_transfers_over_one_connection_that_reads_slowly_all_arrive()
    {
        const int Channels = 20, Bytes = 8 * 1024 * 1024;
        await using var lab = await RelayLab.StartAsync(Cancellation);

        // By then most have used enough to be promised much; and at that moment much of it has not come yet.
        var left = Channels * Bytes / 2;
        var counts = Enumerable.Range(0, Channels).Select(_ => new Counter
        {
            Counted = bytes => (left -= bytes) <= 0 && !lab.IsHeld && lab.Door.Credit.Promised > (CreditBudget.Most / 2) + (1024 * 1024) ? lab.Hold : null,
        }).ToArray();
        foreach (var count in counts) count.Channel = await lab.StartAsync(count, SshChannelStreams.DefaultWindow, Bytes, Cancellation);
        foreach (var count in counts) await RelayLab.GoAsync(count.Channel!, Cancellation);

        // All that the devices may send has come, and nobody reads it.
        await UntilAsync(() => lab.IsHeld && (lab.Door.Credit.Promised == 0 || lab.Technician.Closed.IsCompleted));
        lab.Door.PendingBytes.ShouldBeInRange(CreditBudget.Most / 2, 2 * CreditBudget.Most);
        lab.Release();
        foreach (var count in counts) (await count.Closed.WaitAsync(Long, Cancellation)).ShouldBe(Bytes);
        await UntilAsync(() => lab.Door.Credit.Promised == 0);
    }

    [Fact]
    public async Task Who_says_nothing_is_promised_little_so_that_there_is_much_for_who_does()
    {
        const int Idle = 12, Bytes = 8 * 1024 * 1024;
        await using var lab = await RelayLab.StartAsync(Cancellation);
        for (var number = 0; number < Idle; number++) await lab.StartAsync(new Counter(), SshChannelStreams.DefaultWindow, 1, Cancellation);
        var busy = new Counter();
        busy.Channel = await lab.StartAsync(busy, SshChannelStreams.DefaultWindow, Bytes, Cancellation);
        lab.Door.Credit.Promised.ShouldBeInRange(Idle * CreditBudget.Least, (Idle + 1) * CreditBudget.Least);
        var most = 0L;
        busy.Counted = _ =>
        {
            most = Math.Max(most, lab.Door.Credit.Promised);
            return null;
        };
        await RelayLab.GoAsync(busy.Channel, Cancellation);
        (await busy.Closed.WaitAsync(Long, Cancellation)).ShouldBe(Bytes);
        most.ShouldBeGreaterThan((Idle * CreditBudget.Least) + (8 * CreditBudget.Least));
    }

    [Fact]
    public async Task A_size_and_an_end_of_writing_that_are_told_again_and_again_reach_the_device_once()
    {
        await using var lab = await RelayLab.StartAsync(Cancellation);
        var count = new Counter();
        var channel = await lab.StartAsync(count, SshChannelStreams.DefaultWindow, 1, Cancellation);
        for (var time = 0; time < 1000; time++)
        {
            channel.SendRequest(SessionRequests.WindowChange, new WindowSize(100, 40, 0, 0).Encode());
            channel.SendRequest(SessionRequests.EndOfWrite, []);
        }

        channel.SendRequest(SessionRequests.WindowChange, new WindowSize(101, 40, 0, 0).Encode());
        await RelayLab.GoAsync(channel, Cancellation);
        await count.Closed.WaitAsync(Long, Cancellation);
        lab.Asked.ShouldBe([SessionRequests.Exec, SessionRequests.WindowChange, SessionRequests.EndOfWrite, SessionRequests.WindowChange]);
    }

    [Fact]
    public async Task A_transfer_that_was_held_back_by_another_s_backlog_goes_on_when_that_is_gone()
    {
        await using var lab = await RelayLab.StartAsync(Cancellation);
        var held = new Counter { Grants = false };
        var other = new Counter();
        held.Channel = await lab.StartAsync(held, 100_000, 200_000, Cancellation);
        other.Channel = await lab.StartAsync(other, SshChannelStreams.DefaultWindow, 1_500_000, Cancellation);
        await RelayLab.GoAsync(held.Channel, Cancellation);
        await UntilAsync(() => held.Bytes == 100_000);
        lab.Hold();
        await RelayLab.GoAsync(other.Channel, Cancellation);
        await UntilAsync(() => lab.Door.PendingBytes > 512 * 1024);
        held.Channel.GrantWindow(100_000);
        await UntilAsync(() => lab.Adjusted >= 1);
        lab.Release();
        (await held.Closed.WaitAsync(Long, Cancellation)).ShouldBe(200_000);
        (await other.Closed.WaitAsync(Long, Cancellation)).ShouldBe(1_500_000);
    }

    [Fact]
    public void A_budget_leaves_everybody_something_and_no_trifles()
    {
        var budget = new CreditBudget();
        budget.Take(CreditBudget.Most + 1, 0).ShouldBe(CreditBudget.Most);
        budget.Take(1 << 20, 0).ShouldBe(CreditBudget.Least);
        budget.Take(1 << 20, CreditBudget.Least).ShouldBe(0);
        budget.Take(1 << 20, CreditBudget.Least - 1).ShouldBe(0);
        budget.Take(100, CreditBudget.Least - 100).ShouldBe(100);
        budget.Return(CreditBudget.Most);
        budget.Take(1 << 20, 1 << 20).ShouldBe(1 << 20);
        budget.Promised.ShouldBe(CreditBudget.Least + 100 + (1 << 20));
    }

    [Fact]
    public void Several_budgets_that_are_parts_of_one_promise_no_more_together_than_it_has()
    {
        var whole = new CreditBudget(2 * CreditBudget.Most);
        var parts = Enumerable.Range(0, 3).Select(_ => new CreditBudget { Whole = whole }).ToArray();
        parts[0].Take(3 * CreditBudget.Most, 0).ShouldBe(CreditBudget.Most);
        whole.Promised.ShouldBe(CreditBudget.Most);
        parts[1].Take(CreditBudget.Most / 2, 0).ShouldBe(CreditBudget.Most / 2);
        parts[2].Take(CreditBudget.Most, 0).ShouldBe(CreditBudget.Most / 2);

        // Nobody stands still for the others' sake, and a trifle is not given, here as there.
        parts[2].Take(CreditBudget.Most, 0).ShouldBe(CreditBudget.Least);
        parts[2].Take(CreditBudget.Most, CreditBudget.Least).ShouldBe(0);
        whole.Promised.ShouldBe((2 * CreditBudget.Most) + CreditBudget.Least);
        parts[0].Return(CreditBudget.Most);
        parts[1].Add(1000);
        whole.Promised.ShouldBe(CreditBudget.Most + CreditBudget.Least + 1000);
        parts.Sum(part => part.Promised).ShouldBe(whole.Promised);
    }

    [Fact]
    public async Task What_goes_to_the_device_counts_in_the_same_whole()
    {
        await using var lab = await RelayLab.StartAsync(Cancellation);
        var whole = lab.Door.Credit.Whole = new();
        await lab.StartAsync(new Counter(), SshChannelStreams.DefaultWindow, 1, Cancellation);
        await UntilAsync(() => lab.Device.Credit.Promised > 0 && lab.Door.Credit.Promised > 0);
        whole.Promised.ShouldBe(lab.Device.Credit.Promised + lab.Door.Credit.Promised);
        await lab.OpenTunnelAsync(Cancellation);
        await UntilAsync(() => lab.Tunnels.Count == 1 && whole.Promised == lab.Device.Credit.Promised + lab.Door.Credit.Promised);
    }

    [Fact]
    public async Task What_a_tunnel_sends_to_the_device_counts_in_it_also_where_nothing_else_goes_there()
    {
        await using var lab = await RelayLab.StartAsync(Cancellation);
        var whole = lab.Door.Credit.Whole = new();
        await lab.OpenTunnelAsync(Cancellation);
        await UntilAsync(() => lab.Device.Credit.Promised > 0 && lab.Door.Credit.Promised > 0 && whole.Promised == lab.Device.Credit.Promised + lab.Door.Credit.Promised);
    }

    private static async Task UntilAsync(Func<bool> isSo)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!isSo())
        {
            TimeProvider.System.GetElapsedTime(began).ShouldBeLessThan(Long);
            await Task.Yield();
        }
    }

    /// <summary>Counts what comes, and gives it back as credit, or not.</summary>
    private sealed class Counter : SshChannelHandler
    {
        private readonly TaskCompletionSource<long> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private long _bytes;

        public SshChannel? Channel { get; set; }

        public bool Grants { get; init; } = true;

        /// <summary>Told of each piece, on the receive loop; what it gives is done before more is read.</summary>
        public Func<int, Action?>? Counted { get; set; }

        public long Bytes => Interlocked.Read(ref _bytes);

        /// <summary>How much had come.</summary>
        public Task<long> Closed => _closed.Task;

        public override void OnData(SshChannel channel, uint type, ReadOnlySpan<byte> data)
        {
            Interlocked.Add(ref _bytes, data.Length);
            Counted?.Invoke(data.Length)?.Invoke();
            if (Grants) channel.GrantWindow((uint)data.Length);
        }

        public override void OnClosed(SshChannel channel) => _closed.TrySetResult(Bytes);
    }
}
