namespace Countersign.Ssh;

/// <summary>
/// What senders elsewhere have been promised that one connection will take, all of its channels together: each promise by itself is bounded by its
/// receiver's window, their sum by this, so that what is kept for a peer that reads slowly stays well below what a connection may queue.
/// </summary>
/// <param name="most">Bytes that are promised at once, but for what everybody has at least.</param>
public sealed class CreditBudget(long most = CreditBudget.Most)
{
    /// <summary>What one connection's budget has.</summary>
    public const long Most = 16 * 1024 * 1024;

    /// <summary>What each sender may be promised, however much is: nobody stands still for the others.</summary>
    public const long Least = 64 * 1024;

    private long _promised;

    public long Promised => Interlocked.Read(ref _promised);

    /// <summary>The budget of several connections together, in which all that is promised here counts as well; null: there is none. Set before the first promise.</summary>
    public CreditBudget? Whole { get; set; }

    /// <summary>What was promised before there was a budget to ask.</summary>
    public void Add(long bytes)
    {
        Interlocked.Add(ref _promised, bytes);
        Whole?.Add(bytes);
    }

    /// <summary>As much of what is wanted as there is; nothing where it would be a trifle.</summary>
    /// <param name="held">What this sender has been promised already.</param>
    public long Take(long wanted, long held)
    {
        if (Whole is not { } whole) return TakeOwn(wanted, held);
        var there = whole.Take(wanted, held);
        var taken = there == 0 ? 0 : TakeOwn(there, held);
        whole.Return(there - taken);
        return taken;
    }

    /// <summary>It has been sent, or will not be.</summary>
    public void Return(long bytes)
    {
        Interlocked.Add(ref _promised, -bytes);
        Whole?.Return(bytes);
    }

    private long TakeOwn(long wanted, long held)
    {
        while (true)
        {
            var promised = Promised;
            var taken = Math.Min(wanted, Math.Max(most - promised, Least - held));
            if (taken < Math.Min(wanted, Least / 2)) return 0;
            if (Interlocked.CompareExchange(ref _promised, promised + taken, promised) == promised) return taken;
        }
    }
}
