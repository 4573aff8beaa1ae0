namespace Countersign.Server.Platform;

/// <summary>Whether new work should be sent here: not any more once the server stops, or a part of it has died.</summary>
internal sealed class Readiness(IHostApplicationLifetime lifetime)
{
    private volatile bool _stopping;

    public bool IsReady => !_stopping && !lifetime.ApplicationStopping.IsCancellationRequested;

    /// <summary>From here on it is not. The first step of stopping: sessions take a while to end.</summary>
    public void Stop() => _stopping = true;
}
