namespace Countersign.EndToEnd.Fixtures;

/// <summary>
/// Waits until something is so, and not for a while in the hope that it then is. The one place in the end-to-end tests that polls.
/// Fails with what was waited for, and with what was there instead where the caller can tell.
/// </summary>
public static class Eventually
{
    /// <summary>A deadline for what is broken, not an expectation: two cores may be shared with anything.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(15);

    public static Task TrueAsync(Func<bool> condition, string what, Func<string>? instead = null, TimeSpan? patience = null) =>
        TrueAsync(() => Task.FromResult(condition()), what, instead, patience);

    public static async Task TrueAsync(Func<Task<bool>> condition, string what, Func<string>? instead = null, TimeSpan? patience = null) =>
        await SomeAsync(async () => await condition() ? new object() : null, what, instead, patience);

    /// <summary>The first answer of <paramref name="probe"/> that is not null.</summary>
    public static async Task<T> SomeAsync<T>(Func<Task<T?>> probe, string what, Func<string>? instead = null, TimeSpan? patience = null)
        where T : class
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(patience ?? Patience);
        using var poll = new PeriodicTimer(Interval);
        try
        {
            while (true)
            {
                if (await probe() is { } found)
                    return found;
                await poll.WaitForNextTickAsync(deadline.Token);
            }
        }
        catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            var was = instead is null ? "" : $" Instead:\n{instead()}";
            throw new TimeoutException($"Waited {patience ?? Patience} for {what}.{was}");
        }
    }
}
