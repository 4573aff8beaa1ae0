namespace Countersign.Ssh;

/// <summary>
/// What senders elsewhere have been promised that one connection will take, all of its channels together: each promise by itself is bounded by its
/// receiver's window, their sum by this, so that what is kept for a peer that reads slowly stays well below what a connection may queue.
/// </summary>
public sealed class CreditBudget
{
    /// <summary>Bytes that are promised at once, but for what everybody has at least.</summary>
    public const long Most = 16 * 1024 * 1024;

    /// <summary>What each sender may be promised, however much is: nobody stands still for the others.</summary>
    public const long Least = 64 * 1024;

    private long _promised;

    public long Promised => Interlocked.Read(ref _promised);

    /// <summary>What was promised before there was a budget to ask.</summary>
    public void Add(long bytes) => Interlocked.Add(ref _promised, bytes);

    /// <summary>As much of what is wanted as there is; nothing where it would be a trifle.</summary>
    /// <param name="held">What this sender has been promised already.</param>
    public long Take(long wanted, long held)
    {
        while (true)
        {
            var promised = Promised;
            var taken = Math.Min(wanted, Math.Max(Most - promised, Least - held));
            if (taken < Math.Min(wanted, Least / 2)) return 0;
            if (Interlocked.CompareExchange(ref _promised, promised + taken, promised) == promised) return taken;
        }
    }

    /// <summary>It has been sent, or will not be.</summary>
    public void Return(long bytes) => Interlocked.Add(ref _promised, -bytes);
}
