using System.Runtime.InteropServices;
using Countersign.Access;

namespace Countersign.Server.Features.Notifications;

/// <summary>How often what was told to whom within an hour. Each organization has counts of its own: whoever brings about many events in one mutes no other.</summary>
/// <remarks>They are of this process: a server that starts anew begins anew.</remarks>
internal sealed class EventCounts
{
    /// <summary>Of one organization, that are kept at once; beyond, nothing more is counted there until an hour is over for some.</summary>
    public const int Most = 10_000;

    private static readonly TimeSpan _hour = TimeSpan.FromHours(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<OrganizationId, OfOrganization> _counts = [];

    /// <param name="whom">In whatever case.</param>
    /// <param name="name">Of the event.</param>
    /// <returns>The how manieth it is within the hour that began with the first; null: there is no room to count it.</returns>
    public int? Next(OrganizationId organization, string whom, string name, DateTimeOffset now)
    {
        lock (_lock) return Of(organization).Next((whom.ToLowerInvariant(), name), now);
    }

    /// <summary>Of the events themselves, for whomever: there are few, and they always have room.</summary>
    public int NextWithoutRoom(OrganizationId organization, string name, DateTimeOffset now)
    {
        lock (_lock) return Of(organization).NextWithoutRoom(name, now);
    }

    /// <summary>What was counted last was told to nobody.</summary>
    public void TakeBack(OrganizationId organization, string whom, string name)
    {
        lock (_lock) Of(organization).TakeBack((whom.ToLowerInvariant(), name));
    }

    /// <inheritdoc cref="TakeBack"/>
    public void TakeBackWithoutRoom(OrganizationId organization, string name)
    {
        lock (_lock) Of(organization).TakeBackWithoutRoom(name);
    }

    private OfOrganization Of(OrganizationId organization) => CollectionsMarshal.GetValueRefOrAddDefault(_counts, organization, out _) ??= new();

    private sealed class OfOrganization
    {
        private readonly Dictionary<(string Whom, string Event), (DateTimeOffset Since, int Count)> _kept = [];

        /// <summary>In the order in which they began: what is over stands first, so that nothing has to be looked through to make room.</summary>
        private readonly Queue<((string Whom, string Event) Key, DateTimeOffset Since)> _begun = [];
        private readonly Dictionary<string, (DateTimeOffset Since, int Count)> _withoutRoom = [];

        public int? Next((string Whom, string Event) key, DateTimeOffset now)
        {
            MakeRoom(now);
            if (_kept.Count >= Most && !_kept.ContainsKey(key)) return null;
            var count = Next(_kept, key, now);
            if (count == 1) _begun.Enqueue((key, _kept[key].Since));
            return count;
        }

        public int NextWithoutRoom(string name, DateTimeOffset now) => Next(_withoutRoom, name, now);

        public void TakeBack((string Whom, string Event) key) => TakeBack(_kept, key);

        public void TakeBackWithoutRoom(string name) => TakeBack(_withoutRoom, name);

        private void MakeRoom(DateTimeOffset now)
        {
            while (_begun.TryPeek(out var oldest) && !Lasts(oldest.Since, now))
            {
                _begun.Dequeue();
                if (_kept.TryGetValue(oldest.Key, out var kept) && kept.Since == oldest.Since) _kept.Remove(oldest.Key);
            }
        }

        private static int Next<TKey>(Dictionary<TKey, (DateTimeOffset Since, int Count)> counts, TKey key, DateTimeOffset now)
            where TKey : notnull
        {
            var (since, count) = counts.TryGetValue(key, out var known) && Lasts(known.Since, now) ? known : (now, 0);
            counts[key] = (since, count + 1);
            return count + 1;
        }

        private static void TakeBack<TKey>(Dictionary<TKey, (DateTimeOffset Since, int Count)> counts, TKey key)
            where TKey : notnull
        {
            if (counts.TryGetValue(key, out var known) && known.Count > 0) counts[key] = known with { Count = known.Count - 1 };
        }

        /// <summary>Also over for a clock that was set back behind its beginning.</summary>
        private static bool Lasts(DateTimeOffset since, DateTimeOffset now) => now >= since && now - since < _hour;
    }
}
