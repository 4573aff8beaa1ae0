using System.Diagnostics.CodeAnalysis;
using System.Numerics;

namespace Countersign.Access;

/// <summary>
/// An immutable hash table in buckets: versions share every bucket that no change touched. Looking up follows two references and then
/// probes one small array that holds the keys themselves.
/// </summary>
internal sealed class ChunkedMap<TKey, TValue>
    where TKey : IEquatable<TKey>
    where TValue : class
{
    private const int PerBucket = 8;

    /// <summary>What a bucket that holds nothing is: one free slot, shared and never written.</summary>
    private static readonly Entry[] Nothing = new Entry[1];

    private readonly Entry[][] _buckets;

    private ChunkedMap(Entry[][] buckets, int count)
    {
        _buckets = buckets;
        Count = count;
    }

    public static ChunkedMap<TKey, TValue> Empty { get; } = new([Nothing], 0);

    public int Count { get; }

    /// <summary>In no particular order.</summary>
    public IEnumerable<TValue> Values
    {
        get
        {
            foreach (var bucket in _buckets)
            {
                foreach (var entry in bucket)
                {
                    if (entry.Value is not null) yield return entry.Value;
                }
            }
        }
    }

    public bool TryGetValue(TKey key, [MaybeNullWhen(false)] out TValue value) => TryGet(_buckets, key, out value);

    public TValue? GetValueOrDefault(TKey key) => TryGet(_buckets, key, out var value) ? value : null;

    public bool ContainsKey(TKey key) => TryGet(_buckets, key, out _);

    public Builder ToBuilder() => new(_buckets, Count);

    /// <param name="capacity">How many entries are expected.</param>
    public static Builder NewBuilder(int capacity)
    {
        var buckets = new Entry[(int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(1, capacity / PerBucket))][];
        Array.Fill(buckets, Nothing);
        return new(buckets, 0);
    }

    private static bool TryGet(Entry[][] buckets, TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        var hash = Hash(key);
        var bucket = buckets[hash & (uint)(buckets.Length - 1)];
        var mask = (uint)(bucket.Length - 1);
        for (var slot = hash >> 20; ; slot++)
        {
            ref var entry = ref bucket[slot & mask];
            value = entry.Value;
            if (value is null) return false;
            if (entry.Key.Equals(key)) return true;
        }
    }

    private static uint Hash(TKey key)
    {
        var hash = (uint)key.GetHashCode();
        hash ^= hash >> 16;
        hash *= 0x7feb352d;
        hash ^= hash >> 15;
        hash *= 0x846ca68b;
        return hash ^ (hash >> 16);
    }

    internal struct Entry
    {
        public TKey Key;
        public TValue? Value;
    }

    /// <summary>A version in the making. Buckets are copied when they are first written to; what is built goes on sharing the others.</summary>
    public sealed class Builder
    {
        private const int Shared = -1;

        private Entry[][] _buckets;
        private int[] _used;
        private bool _copied;

        internal Builder(Entry[][] buckets, int count)
        {
            _buckets = buckets;
            _used = [];
            Count = count;
        }

        public int Count { get; private set; }

        public bool TryGetValue(TKey key, [MaybeNullWhen(false)] out TValue value) => TryGet(_buckets, key, out value);

        public TValue? GetValueOrDefault(TKey key) => TryGet(_buckets, key, out var value) ? value : null;

        public bool ContainsKey(TKey key) => TryGet(_buckets, key, out _);

        /// <returns>False: there is one with the key already, and nothing was done.</returns>
        public bool TryAdd(TKey key, TValue value)
        {
            if (ContainsKey(key)) return false;
            Set(key, value);
            return true;
        }

        public void Set(TKey key, TValue value)
        {
            if (Count >= _buckets.Length * PerBucket * 4) Grow();
            var hash = Hash(key);
            var number = (int)(hash & (uint)(_buckets.Length - 1));
            var bucket = Own(number);
            if (Put(bucket, hash, key, value)) return;
            Count++;
            if (++_used[number] * 4 < bucket.Length * 3) return;
            _buckets[number] = Rehash(bucket, bucket.Length * 2);
        }

        public bool Remove(TKey key)
        {
            if (!ContainsKey(key)) return false;
            var number = (int)(Hash(key) & (uint)(_buckets.Length - 1));
            var bucket = Own(number);
            var left = new Entry[bucket.Length];
            foreach (var entry in bucket)
            {
                if (entry.Value is not null && !entry.Key.Equals(key)) Put(left, Hash(entry.Key), entry.Key, entry.Value);
            }

            _buckets[number] = left;
            _used[number]--;
            Count--;
            return true;
        }

        public ChunkedMap<TKey, TValue> ToImmutable()
        {
            var built = new ChunkedMap<TKey, TValue>(_buckets, Count);
            _copied = false;
            return built;
        }

        /// <summary>The bucket, copied if a version still shares it, with a slot to spare.</summary>
        private Entry[] Own(int number)
        {
            if (!_copied)
            {
                _buckets = (Entry[][])_buckets.Clone();
                _used = new int[_buckets.Length];
                Array.Fill(_used, Shared);
                _copied = true;
            }

            if (_used[number] != Shared) return _buckets[number];
            var bucket = _buckets[number];
            _used[number] = bucket.Count(entry => entry.Value is not null);
            return _buckets[number] = bucket.Length < 4 ? Rehash(bucket, 4) : (Entry[])bucket.Clone();
        }

        private void Grow()
        {
            var larger = NewBuilder(Count * 2);
            foreach (var bucket in _buckets)
            {
                foreach (var entry in bucket)
                {
                    if (entry.Value is not null) larger.Set(entry.Key, entry.Value);
                }
            }

            (_buckets, _used, _copied) = (larger._buckets, larger._used, larger._copied);
        }

        private static Entry[] Rehash(Entry[] bucket, int length)
        {
            var larger = new Entry[length];
            foreach (var entry in bucket)
            {
                if (entry.Value is not null) Put(larger, Hash(entry.Key), entry.Key, entry.Value);
            }

            return larger;
        }

        /// <returns>Whether it took the place of one with the same key.</returns>
        private static bool Put(Entry[] bucket, uint hash, TKey key, TValue value)
        {
            var mask = (uint)(bucket.Length - 1);
            for (var slot = hash >> 20; ; slot++)
            {
                ref var entry = ref bucket[slot & mask];
                if (entry.Value is null)
                {
                    (entry.Key, entry.Value) = (key, value);
                    return false;
                }

                if (!entry.Key.Equals(key)) continue;
                entry.Value = value;
                return true;
            }
        }
    }
}
