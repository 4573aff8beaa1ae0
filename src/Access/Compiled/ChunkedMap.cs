using System.Diagnostics.CodeAnalysis;
using System.Numerics;

namespace Countersign.Access;

/// <summary>
/// An immutable hash table in buckets: versions share every bucket that no change touched. Looking up follows two references and then
/// probes one small array that holds the keys themselves. All buckets begin with the same number of places, so that the place is known before
/// anything of the bucket is: its length would be one more wait for memory. What finds no place there goes behind it.
/// </summary>
internal sealed class ChunkedMap<TKey, TValue>
    where TKey : IEquatable<TKey>
    where TValue : class
{
    /// <summary>Entries in a bucket, at most and on average. Half of the places stay free, so that most look-ups compare one key.</summary>
    private const int PerBucket = 8;

    private const int Places = 16;

    /// <summary>What a bucket that holds nothing is, shared and never written.</summary>
    private static readonly Entry[] Nothing = new Entry[Places];

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
        for (var place = Place(hash); place < (uint)bucket.Length; place++)
        {
            ref var entry = ref bucket[place];
            value = entry.Value;
            if (value is null) return false;
            if (entry.Key.Equals(key)) return true;
        }

        value = null;
        return false;
    }

    private static uint Place(uint hash) => hash >> 28;

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
        private Entry[][] _buckets;
        private bool[] _owned;
        private bool _copied;

        internal Builder(Entry[][] buckets, int count)
        {
            _buckets = buckets;
            _owned = [];
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
            if (Count >= _buckets.Length * PerBucket) Grow();
            var hash = Hash(key);
            var number = (int)(hash & (uint)(_buckets.Length - 1));
            if (!Put(ref Own(number), hash, key, value)) Count++;
        }

        public bool Remove(TKey key)
        {
            if (!ContainsKey(key)) return false;
            ref Entry[] bucket = ref Own((int)(Hash(key) & (uint)(_buckets.Length - 1)));
            var left = new Entry[Places];
            foreach (var entry in bucket)
            {
                if (entry.Value is not null && !entry.Key.Equals(key)) Put(ref left, Hash(entry.Key), entry.Key, entry.Value);
            }

            bucket = left;
            Count--;
            return true;
        }

        public ChunkedMap<TKey, TValue> ToImmutable()
        {
            var built = new ChunkedMap<TKey, TValue>(_buckets, Count);
            _copied = false;
            return built;
        }

        /// <summary>The bucket, copied if a version still shares it.</summary>
        private ref Entry[] Own(int number)
        {
            if (!_copied)
            {
                _buckets = (Entry[][])_buckets.Clone();
                _owned = new bool[_buckets.Length];
                _copied = true;
            }

            ref Entry[] bucket = ref _buckets[number];
            if (!_owned[number]) bucket = [.. bucket];
            _owned[number] = true;
            return ref bucket;
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

            (_buckets, _owned, _copied) = (larger._buckets, larger._owned, larger._copied);
        }

        /// <returns>Whether it took the place of one with the same key.</returns>
        private static bool Put(ref Entry[] bucket, uint hash, TKey key, TValue value)
        {
            for (var place = Place(hash); ; place++)
            {
                if (place == bucket.Length) Array.Resize(ref bucket, bucket.Length * 2);
                ref var entry = ref bucket[place];
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
