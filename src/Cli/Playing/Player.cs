using System.Threading.Channels;

namespace Countersign.Cli.Playing;

/// <summary>Keeps the time of a recording: waits as long as it did, or shorter, and takes the keys of whoever looks at it.</summary>
/// <param name="keys">Null: nobody can type.</param>
/// <param name="speed">How many times as fast.</param>
/// <param name="idleLimit">No pause is longer; null: as long as it was.</param>
/// <param name="from">What comes before is shown at once.</param>
internal sealed class Player(TimeProvider time, ChannelReader<char>? keys, double speed, TimeSpan? idleLimit, TimeSpan from)
{
    private const double Slowest = 1 / 64.0;
    private const double Fastest = 4096;

    private readonly long _begun = time.GetTimestamp();
    private double _speed = speed;
    private TimeSpan _at;
    private TimeSpan _due;
    private TimeSpan _paused;

    /// <summary>Returns when it is time for what happened then. False: whoever looks has seen enough.</summary>
    public async ValueTask<bool> UntilAsync(TimeSpan at, CancellationToken cancellation)
    {
        if (at > _at && at > from)
        {
            var pause = at - (_at > from ? _at : from);
            if (pause > idleLimit) pause = idleLimit.Value;
            _due += pause / _speed;
        }

        _at = at > _at ? at : _at;
        while (true)
        {
            if (!await TakeKeysAsync(cancellation)) return false;
            var rest = _due - (time.GetElapsedTime(_begun) - _paused);
            if (rest <= TimeSpan.Zero) return true;
            await KeyOrAsync(rest, cancellation);
        }
    }

    /// <summary>For what has no time of its own to keep. False: enough.</summary>
    public ValueTask<bool> GoesOnAsync(CancellationToken cancellation) => TakeKeysAsync(cancellation);

    private async ValueTask<bool> TakeKeysAsync(CancellationToken cancellation)
    {
        while (keys is not null && keys.TryRead(out var key))
        {
            switch (key)
            {
                case 'q' or 'Q':
                    return false;
                case '+':
                    _speed = Math.Min(_speed * 2, Fastest);
                    break;
                case '-':
                    _speed = Math.Max(_speed / 2, Slowest);
                    break;
                case ' ':
                    if (!await PauseAsync(keys, cancellation)) return false;
                    break;
                default:
                    break;
            }
        }

        return true;
    }

    private async ValueTask<bool> PauseAsync(ChannelReader<char> typed, CancellationToken cancellation)
    {
        var since = time.GetTimestamp();
        while (true)
        {
            var key = await typed.ReadAsync(cancellation);
            if (key is 'q' or 'Q') return false;
            if (key != ' ') continue;
            _paused += time.GetElapsedTime(since);
            return true;
        }
    }

    private async Task KeyOrAsync(TimeSpan rest, CancellationToken cancellation)
    {
        if (keys is null)
        {
            await Task.Delay(rest, time, cancellation);
            return;
        }

        try
        {
            // False once nobody can type any more: then there is only the time to wait for.
            if (!await keys.WaitToReadAsync(cancellation).AsTask().WaitAsync(rest, time, cancellation)) await Task.Delay(rest, time, cancellation);
        }
        catch (TimeoutException)
        {
            // No key, and it is time.
        }
    }
}
