namespace Countersign.Agent.Processes;

/// <summary>
/// Remembers that something became possible until somebody has waited for it: one waiter, one memory. A wait may end without cause; who waits
/// tries again and waits anew.
/// </summary>
internal sealed class Readiness
{
    private readonly Lock _gate = new();
    private TaskCompletionSource? _waiter;
    private bool _ready;

    public Task WaitAsync()
    {
        lock (_gate)
        {
            if (_ready)
            {
                _ready = false;
                return Task.CompletedTask;
            }

            _waiter ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
            return _waiter.Task;
        }
    }

    public void Set()
    {
        TaskCompletionSource? waiter;
        lock (_gate)
        {
            waiter = _waiter;
            _waiter = null;
            _ready = waiter is null;
        }

        waiter?.SetResult();
    }
}
