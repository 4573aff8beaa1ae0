using System.Net;

namespace Countersign.Gateway.SshDoor;

/// <summary>
/// Whose turn it is to have something computed before signing in: at most <paramref name="atOnce"/> at once, the networks that wait one after the other, those of one
/// network in the order in which they came. A flood from one network takes turns with everybody else, and a processor is left to those who are in.
/// </summary>
internal sealed class Turns(int atOnce)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<IPAddress, LinkedList<TaskCompletionSource<IDisposable?>>> _waiting = [];
    private readonly LinkedList<IPAddress> _next = new();
    private int _taken;

    /// <summary>How many wait.</summary>
    public int Waiting
    {
        get
        {
            lock (_gate) return _waiting.Values.Sum(queue => queue.Count);
        }
    }

    /// <param name="network">See <see cref="Arrivals.NetworkOf"/>.</param>
    /// <returns>The turn, which disposing ends.</returns>
    /// <exception cref="OperationCanceledException">Given up before it came.</exception>
    public async ValueTask<IDisposable?> TakeAsync(IPAddress network, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var turn = new TaskCompletionSource<IDisposable?>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (_taken < atOnce)
            {
                _taken++;
                return new Turn(this);
            }

            if (!_waiting.TryGetValue(network, out var queue))
            {
                _waiting.Add(network, queue = new());
                _next.AddLast(network);
            }

            queue.AddLast(turn);
        }

        await using (cancellation.UnsafeRegister(_ => GiveUp(network, turn, cancellation), null)) return await turn.Task;
    }

    private void GiveUp(IPAddress network, TaskCompletionSource<IDisposable?> turn, CancellationToken cancellation)
    {
        lock (_gate)
        {
            // Its turn has come just now: it is the caller's to end.
            if (!_waiting.TryGetValue(network, out var queue) || !queue.Remove(turn)) return;
            if (queue.Count == 0)
            {
                _waiting.Remove(network);
                _next.Remove(network);
            }
        }

        turn.TrySetCanceled(cancellation);
    }

    private void Pass()
    {
        TaskCompletionSource<IDisposable?> turn;
        lock (_gate)
        {
            if (_next.First is not { Value: var network })
            {
                _taken--;
                return;
            }

            _next.RemoveFirst();
            var queue = _waiting[network];
            turn = queue.First!.Value;
            queue.RemoveFirst();
            if (queue.Count == 0) _waiting.Remove(network);
            else _next.AddLast(network);
        }

        turn.SetResult(new Turn(this));
    }

    private sealed class Turn(Turns all) : IDisposable
    {
        private int _ended;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _ended, 1) == 0) all.Pass();
        }
    }
}
