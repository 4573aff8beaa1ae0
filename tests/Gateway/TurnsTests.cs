using System.Net;
using Countersign.Gateway.SshDoor;

namespace Countersign.Gateway.Tests;

public sealed class TurnsTests
{
    private static readonly IPAddress Flood = IPAddress.Parse("192.0.2.1");
    private static readonly IPAddress Somebody = IPAddress.Parse("192.0.2.2");
    private static readonly IPAddress Another = IPAddress.Parse("192.0.2.3");

    [Fact]
    public async Task Networks_that_wait_have_their_turns_one_after_the_other()
    {
        var turns = new Turns(1);
        var running = await turns.TakeAsync(Flood, CancellationToken.None);
        var order = new List<string>();
        List<Task> waiting = [.. Enumerable.Range(0, 3).Select(number => WaitAsync(Flood, $"flood {number}")), WaitAsync(Somebody, "somebody"), WaitAsync(Another, "another"), WaitAsync(Somebody, "somebody again")];
        turns.Waiting.ShouldBe(6);

        running!.Dispose();
        await Task.WhenAll(waiting);

        order.ShouldBe(["flood 0", "somebody", "another", "flood 1", "somebody again", "flood 2"]);
        turns.Waiting.ShouldBe(0);

        async Task WaitAsync(IPAddress network, string name)
        {
            using var turn = await turns.TakeAsync(network, CancellationToken.None);
            order.Add(name);
        }
    }

    [Fact]
    public async Task There_are_never_more_at_once_than_there_may_be()
    {
        var turns = new Turns(3);
        var (now, most) = (0, 0);
        await Task.WhenAll(Enumerable.Range(0, 200).Select(number => Task.Run(async () =>
        {
            using var turn = await turns.TakeAsync(IPAddress.Parse($"192.0.2.{number % 7}"), CancellationToken.None);
            InterlockedMax(ref most, Interlocked.Increment(ref now));
            await Task.Yield();
            Interlocked.Decrement(ref now);
        })));

        most.ShouldBeInRange(1, 3);
        turns.Waiting.ShouldBe(0);

        static void InterlockedMax(ref int most, int value)
        {
            for (var seen = Volatile.Read(ref most); value > seen; seen = Volatile.Read(ref most)) Interlocked.CompareExchange(ref most, value, seen);
        }
    }

    [Fact]
    public async Task Who_gives_up_is_passed_over_and_a_turn_ended_twice_is_ended_once()
    {
        var turns = new Turns(1);
        var running = await turns.TakeAsync(Flood, CancellationToken.None);
        using var gone = new CancellationTokenSource();
        var givenUp = turns.TakeAsync(Somebody, gone.Token).AsTask();
        var next = turns.TakeAsync(Another, CancellationToken.None).AsTask();

        await gone.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(givenUp);
        turns.Waiting.ShouldBe(1);
        running!.Dispose();
        running.Dispose();

        var turn = await next;
        var last = turns.TakeAsync(Flood, CancellationToken.None).AsTask();
        last.IsCompleted.ShouldBeFalse();
        turn!.Dispose();
        (await last).ShouldNotBeNull();
    }
}
