using System.Data.Common;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Platform;

/// <summary>
/// Looks, while something is sent to somebody, whether they would be let in still and may have it: whoever has lost that is cut off within a second. By the machine's own clock,
/// whatever policy goes by. Disposing it ends the looking.
/// </summary>
internal sealed class StandingWatch : IAsyncDisposable
{
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(400);
    private static readonly TimeSpan _longestLook = TimeSpan.FromMilliseconds(500);

    private readonly CallersStanding _standing;
    private readonly PolicySource _policy;
    private readonly TimeProvider _time;
    private readonly Func<Caller, CallersPolicy, bool> _may;
    private readonly CancellationTokenSource _lost = new();
    private readonly CancellationTokenSource _over;
    private readonly Task _looking;

    /// <param name="may">By the policy in force when it is asked.</param>
    /// <param name="aborted">They have gone: nobody is looked after.</param>
    public StandingWatch(CallersStanding standing, PolicySource policy, TimeProvider time, Func<Caller, CallersPolicy, bool> may, CancellationToken aborted)
    {
        (_standing, _policy, _time, _may) = (standing, policy, time, may);
        _over = CancellationTokenSource.CreateLinkedTokenSource(aborted);
        _looking = LookAsync(_over.Token);
    }

    /// <summary>They may not have any more of it.</summary>
    public CancellationToken Lost => _lost.Token;

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        await _looking;
        _over.Dispose();
        _lost.Dispose();
    }

    private async Task LookAsync(CancellationToken over)
    {
        try
        {
            do await Task.Delay(_pause, TimeProvider.System, over);
            while (await StandsAsync(over));
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            // It has come to its end before.
        }
        finally
        {
            // Also if asking has failed in a way that nobody thought of: what nobody looks after is not sent.
            if (!over.IsCancellationRequested) await _lost.CancelAsync();
        }
    }

    private async Task<bool> StandsAsync(CancellationToken over)
    {
        try
        {
            if (await _standing.AskAsync(over).AsTask().WaitAsync(_longestLook, TimeProvider.System, over) is not { } caller) return false;
            return _policy.Current(caller.Organization) is { } inForce && _may(caller, new(inForce, caller, _time.GetUtcNow()));
        }
        catch (Exception away) when (away is DbException or TimeoutException)
        {
            // Who can't be asked about is sent nothing.
            return false;
        }
    }
}

/// <summary>A file that may take long to send, which is watched over. The one way to send one.</summary>
internal sealed class LongAnswer(HttpContext context, CallersStanding standing, PolicySource policy, TimeProvider time)
{
    /// <summary>Lets a handler take it as a parameter.</summary>
    public static ValueTask<LongAnswer?> BindAsync(HttpContext context)
    {
        var services = context.RequestServices;
        return ValueTask.FromResult(context.Features.Get<CallersStanding>() is { } standing
            ? new LongAnswer(context, standing, services.GetRequiredService<PolicySource>(), services.GetRequiredService<TimeProvider>())
            : null);
    }

    /// <param name="write">Stops where it is told to. The answer is then broken off, so that nobody takes what they have for the whole.</param>
    /// <param name="may">Besides being let in still, by the policy in force when it is asked.</param>
    public PushStreamHttpResult Send(Func<Stream, CancellationToken, Task> write, Func<Caller, CallersPolicy, bool> may, string contentType, string fileName) => TypedResults.Stream(
        async stream =>
        {
            await using var watch = new StandingWatch(standing, policy, time, may, context.RequestAborted);
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, watch.Lost);
            try
            {
                await write(stream, stop.Token);
            }
            catch (OperationCanceledException) when (watch.Lost.IsCancellationRequested)
            {
                context.Abort();
            }
        },
        contentType,
        fileName);
}
