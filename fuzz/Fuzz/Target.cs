namespace Countersign.Fuzz;

/// <summary>Something that reads what others send, and what has to hold whatever they send.</summary>
internal abstract class Target
{
    public abstract string Name { get; }

    /// <summary>What conversations of this kind are made of: names, and text that is dangerous somewhere.</summary>
    public abstract IReadOnlyList<byte[]> Words { get; }

    /// <summary>So many bytes a case may allocate, beside 256 for each byte of it.</summary>
    public virtual long MostAllocated => 4 * 1024 * 1024;

    /// <summary>Plays one conversation. Throws nothing but <see cref="FindingException"/>, unless there is something to be mended.</summary>
    /// <param name="chance">For what is not in the conversation: where it is cut, how the application acts.</param>
    public abstract ValueTask PlayAsync(IReadOnlyList<Step> steps, Chance chance);

    /// <summary>After a change: most of the time the outermost length fits again, so that what is inside is read.</summary>
    public virtual Step Mend(Step step, Chance chance) => step;

    protected static void Require(bool holds, string what)
    {
        if (!holds) throw new FindingException(what);
    }
}

/// <summary>Something that must never be so was so.</summary>
internal sealed class FindingException(string message) : Exception(message);
