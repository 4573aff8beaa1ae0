namespace Countersign.Fuzz;

/// <summary>Numbers that look random and are the same for the same seed on every machine and version: SplitMix64.</summary>
internal sealed class Chance(ulong seed)
{
    private ulong _state = seed;

    /// <summary>One case of one run, by itself.</summary>
    public static Chance Of(ulong seed, long number) => new(new Chance(seed ^ ((ulong)number * 0xD1B54A32D192ED03)).Next());

    public ulong Next()
    {
        _state += 0x9E3779B97F4A7C15;
        var mixed = (_state ^ (_state >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return mixed ^ (mixed >> 31);
    }

    /// <summary>0 to one less than <paramref name="bound"/>; 0 for a bound of 0.</summary>
    public int Below(int bound) => (int)(((Next() >> 32) * (ulong)bound) >> 32);

    public bool OneIn(int number) => Below(number) == 0;

    public T Pick<T>(IReadOnlyList<T> of) => of[Below(of.Count)];

    public void Fill(Span<byte> bytes)
    {
        foreach (ref var one in bytes) one = (byte)(Next() >> 56);
    }
}
