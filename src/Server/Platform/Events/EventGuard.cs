using System.Data.Common;

namespace Countersign.Server.Platform.Events;

/// <summary>Which of these tokens still count. Implemented by the identity feature; without one none does.</summary>
internal delegate ValueTask<IReadOnlySet<Guid>> StandingTokens(IReadOnlyCollection<Guid> tokens, CancellationToken cancellation);

/// <summary>
/// Ends streams whose token was revoked or has expired. It looks instead of being told: there are many ways for a token to go, and a stream must not outlive one that
/// somebody forgot to tell of.
/// </summary>
internal sealed partial class EventGuard(EventHub hub, EventLimits limits, StandingTokens standing, ILogger<EventGuard> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(limits.TokenCheck, TimeProvider.System);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) await LookAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops; the hub ends the streams.
        }
    }

    private async Task LookAsync(CancellationToken cancellation)
    {
        var readers = hub.Readers();
        if (readers.Count == 0) return;
        IReadOnlySet<Guid> valid;
        try
        {
            valid = await standing([.. readers.Select(reader => reader.Caller.TokenId).Distinct()], cancellation);
        }
        catch (DbException failure)
        {
            // Whoever can't be vouched for hears nothing more. They come back, and go on where they were.
            LogFailed(failure, readers.Count);
            valid = new HashSet<Guid>();
        }

        foreach (var reader in readers)
        {
            if (!valid.Contains(reader.Caller.TokenId)) reader.End();
        }
    }

    [LoggerMessage(1, LogLevel.Error, "Tokens could not be looked up: {Count} streams of events are ended")]
    private partial void LogFailed(Exception failure, int count);
}
