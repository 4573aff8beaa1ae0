using Countersign.Ssh;

namespace Countersign.Gateway.SshDoor;

/// <summary>
/// How many connections each has at once: whoever has <paramref name="most"/> gets no further one. All that one has share a budget of what is kept for
/// them. Holds nothing of those who have none.
/// </summary>
internal sealed class Occupancy<TKey>(int most)
    where TKey : notnull
{
    /// <summary>As much as four connections have: nobody reads from more at full speed, and who reads from none costs no more than this.</summary>
    private const long MostPromised = 4 * CreditBudget.Most;

    private readonly Lock _gate = new();
    private readonly Dictionary<TKey, Held> _held = [];

    /// <summary>How many have a place at all.</summary>
    public int Holders
    {
        get
        {
            lock (_gate) return _held.Count;
        }
    }

    /// <summary>Null: they have as many as they may. Disposing gives the place back.</summary>
    public Place? TryEnter(TKey key)
    {
        lock (_gate)
        {
            if (!_held.TryGetValue(key, out var held)) held = new(0, new(MostPromised));
            if (held.Places >= most) return null;
            _held[key] = held with { Places = held.Places + 1 };
            return new(this, key, held.Credit);
        }
    }

    private void Leave(TKey key)
    {
        lock (_gate)
        {
            var held = _held[key];
            if (held.Places == 1) _held.Remove(key);
            else _held[key] = held with { Places = held.Places - 1 };
        }
    }

    internal sealed class Place(Occupancy<TKey> all, TKey key, CreditBudget credit) : IDisposable
    {
        private int _left;

        /// <summary>Of all who have places under this key.</summary>
        public CreditBudget Credit => credit;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0) all.Leave(key);
        }
    }

    private sealed record Held(int Places, CreditBudget Credit);
}
