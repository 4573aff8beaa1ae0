using System.Globalization;
using System.Security.Cryptography;
using System.Threading.Channels;
using Countersign.Access;

namespace Countersign.Server.Platform.Events;

/// <summary>Bounds of the live events.</summary>
internal sealed record EventLimits
{
    /// <summary>An idle stream says something so often, so that both ends notice when the other is gone.</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Between two looks whether the tokens of open streams still count.</summary>
    public TimeSpan TokenCheck { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Streams of one person at once.</summary>
    public int MostOfPerson { get; init; } = 10;

    /// <summary>Events that wait for one reader; with one more the reader is cut off.</summary>
    public int MostQueued { get; init; } = 256;

    /// <summary>Events of an organization that are kept for readers who come back.</summary>
    public int MostKept { get; init; } = 1024;
}

/// <summary>
/// Hands what happens to those who listen. Whoever publishes never waits and never fails because of a reader: each has a bounded queue, and is cut off when it is full.
/// Events are kept in memory only: what is not there any more is read anew.
/// </summary>
internal sealed class EventHub : IDisposable
{
    private readonly EventLimits _limits;
    private readonly IDisposable _listening;
    private readonly Lock _gate = new();
    private readonly Dictionary<OrganizationId, Feed> _feeds = [];

    /// <summary>Positions of another run of the server mean nothing in this one.</summary>
    private readonly string _run = RandomNumberGenerator.GetHexString(12, lowercase: true);
    private bool _stopped;

    public EventHub(EventLimits limits, PolicySource policy, IHostApplicationLifetime lifetime)
    {
        _limits = limits;
        _listening = policy.OnChange(snapshot =>
        {
            foreach (var reader in Readers(snapshot.Organization))
            {
                if (snapshot.Standing(reader.Caller.Person, reader.Caller.Source, reader.Caller.Strength) != DenialReason.None) reader.End();
            }

            Publish(new PolicyEvent(snapshot.Organization, snapshot.Version));
        });
        lifetime.ApplicationStopping.Register(Stop);
    }

    /// <summary>Returns at once.</summary>
    public void Publish(LiveEvent happened)
    {
        lock (_gate)
        {
            var feed = FeedOf(happened.Organization);
            var next = new NumberedEvent(++feed.Last, happened);
            feed.Kept.Enqueue(next);
            if (feed.Kept.Count > _limits.MostKept) feed.Kept.Dequeue();
            foreach (var reader in feed.Readers) reader.Offer(next);
        }
    }

    /// <summary>Everything from now on, and before it what came after the position that the reader was at.</summary>
    /// <param name="after">A position as a stream named it, or anything else; null: from now on.</param>
    /// <returns>Null: the person has too many streams, or the server stops. The caller disposes it.</returns>
    public EventSubscription? Subscribe(Caller caller, string? after)
    {
        lock (_gate)
        {
            var feed = FeedOf(caller.Organization);
            if (_stopped || feed.Readers.Count(reader => reader.Caller.Person == caller.Person) >= _limits.MostOfPerson) return null;
            var missed = after is null ? [] : Missed(feed, after);
            var reader = new EventSubscription(caller, missed, feed.Last, _limits.MostQueued, Remove);
            feed.Readers.Add(reader);
            return reader;
        }
    }

    public string Position(long number) => string.Create(CultureInfo.InvariantCulture, $"{_run}-{number}");

    public IReadOnlyList<EventSubscription> Readers()
    {
        lock (_gate) return [.. _feeds.Values.SelectMany(feed => feed.Readers)];
    }

    public void Dispose()
    {
        _listening.Dispose();
        Stop();
    }

    private void Stop()
    {
        lock (_gate) _stopped = true;
        foreach (var reader in Readers()) reader.End();
    }

    private EventSubscription[] Readers(OrganizationId organization)
    {
        lock (_gate) return _feeds.TryGetValue(organization, out var feed) ? [.. feed.Readers] : [];
    }

    private void Remove(EventSubscription reader)
    {
        lock (_gate) FeedOf(reader.Caller.Organization).Readers.Remove(reader);
    }

    private Feed FeedOf(OrganizationId organization)
    {
        if (!_feeds.TryGetValue(organization, out var feed)) _feeds.Add(organization, feed = new());
        return feed;
    }

    /// <summary>Null: something may be missing.</summary>
    private NumberedEvent[]? Missed(Feed feed, string after)
    {
        var parts = after.Split('-');
        if (parts.Length != 2 || parts[0] != _run || !long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return null;
        if (number > feed.Last || number < feed.Last - feed.Kept.Count) return null;
        return [.. feed.Kept.Where(kept => kept.Number > number)];
    }

    private sealed class Feed
    {
        public long Last { get; set; }

        public Queue<NumberedEvent> Kept { get; } = [];

        public HashSet<EventSubscription> Readers { get; } = [];
    }
}

internal readonly record struct NumberedEvent(long Number, LiveEvent Happened);

/// <summary>One open stream's end of the hub.</summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Reliability", "CA1001", Justification = "A token source without a timer holds nothing that needs disposing, and the hub may cancel it at any moment.")]
internal sealed class EventSubscription(Caller caller, NumberedEvent[]? missed, long from, int mostQueued, Action<EventSubscription> remove) : IDisposable
{
    private readonly Channel<NumberedEvent> _queue = Channel.CreateBounded<NumberedEvent>(new BoundedChannelOptions(mostQueued) { SingleReader = true });
    private readonly CancellationTokenSource _ended = new();

    public Caller Caller => caller;

    /// <summary>What comes first; null: something may be missing, read anew.</summary>
    public IReadOnlyList<NumberedEvent>? Missed => missed;

    /// <summary>What <see cref="Missed"/> leads up to.</summary>
    public long From => from;

    public ChannelReader<NumberedEvent> Events => _queue.Reader;

    /// <summary>Cancelled when the stream has to end, whatever is being written.</summary>
    public CancellationToken Ended => _ended.Token;

    public void Offer(NumberedEvent next)
    {
        if (!_queue.Writer.TryWrite(next)) End();
    }

    public void End()
    {
        _queue.Writer.TryComplete();
        _ended.CancelAsync();
    }

    public void Dispose() => remove(this);
}
