namespace Countersign.Access;

/// <summary>
/// The labels that are still free directly below each device group (by index), and, at 0, directly below the organization. New groups take a
/// part of what is free where they come; only when nothing is left is everything labelled anew.
/// </summary>
internal sealed class LabelSpace(uint[] next, uint[] end)
{
    private const uint Most = uint.MaxValue - 1;

    /// <summary>A newcomer takes one part in so many of what is free, so that there is room for many more.</summary>
    private const uint Share = 64;

    public static LabelSpace Empty { get; } = new([1], [Most]);

    /// <summary>Room for labelling so many groups afresh.</summary>
    /// <param name="each">How many labels each group keeps for newcomers, itself counted in.</param>
    public static LabelSpace Fresh(int groups, int indices, out uint each)
    {
        each = Most / (uint)(groups + 2);
        var (next, end) = (new uint[indices], new uint[indices]);
        (next[0], end[0]) = (1, each);
        return new(next, end);
    }

    public LabelSpace Copy(int indices)
    {
        var (copiedNext, copiedEnd) = (next, end);
        Array.Resize(ref copiedNext, indices);
        Array.Resize(ref copiedEnd, indices);
        return new(ReferenceEquals(copiedNext, next) ? [.. next] : copiedNext, ReferenceEquals(copiedEnd, end) ? [.. end] : copiedEnd);
    }

    /// <summary>Takes labels below a group for a branch; false: there are too few.</summary>
    public bool TryTake(int index, int groups, out uint start, out uint each)
    {
        start = next[index];
        var free = end[index] - start;
        var taken = Math.Max(free / Share, (uint)groups);
        each = taken / (uint)groups;
        if (taken > free) return false;
        next[index] += taken;
        return true;
    }

    public void Free(int index, uint from, uint to) => (next[index], end[index]) = (from, to);
}
