namespace Countersign.Gateway.SshDoor;

/// <summary>How many connections each has at once: whoever has <paramref name="most"/> gets no further one. Holds nothing of those who have none.</summary>
internal sealed class Occupancy<TKey>(int most)
    where TKey : notnull
{
    private readonly Lock _gate = new();
    private readonly Dictionary<TKey, int> _held = [];

    /// <summary>How many have a place at all.</summary>
    public int Holders
    {
        get
        {
            lock (_gate) return _held.Count;
        }
    }

    /// <summary>Null: they have as many as they may. Disposing gives the place back.</summary>
    public IDisposable? TryEnter(TKey key)
    {
        lock (_gate)
        {
            var held = _held.GetValueOrDefault(key);
            if (held >= most) return null;
            _held[key] = held + 1;
        }

        return new Place(this, key);
    }

    private void Leave(TKey key)
    {
        lock (_gate)
        {
            if (--_held[key] == 0) _held.Remove(key);
        }
    }

    private sealed class Place(Occupancy<TKey> all, TKey key) : IDisposable
    {
        private int _left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0) all.Leave(key);
        }
    }
}
