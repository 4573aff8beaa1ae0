namespace Countersign.Ssh.Transport;

/// <summary>
/// What the handlers called by one receive loop send, on whichever connections, goes to the network together when the batch of packets is done: a
/// system call for some eight packets and not for each. A loop owns one of these; while it runs through its packets the batch is the current one
/// of the thread, because a relay's handler sends on another connection than the one whose loop it is called by, and nobody else knows both.
/// The loop does not await inside a batch, so the thread cannot change under it.
/// </summary>
internal sealed class FlushBatch
{
    [ThreadStatic]
    private static FlushBatch? t_current;

    private readonly List<PacketOutput> _touched = [];
    private FlushBatch? _outer;

    /// <summary>The batch that this thread is in.</summary>
    public static FlushBatch? Current => t_current;

    public void Begin()
    {
        _outer = t_current;
        t_current = this;
    }

    public void Add(PacketOutput output)
    {
        if (!_touched.Contains(output)) _touched.Add(output);
    }

    /// <summary>Flushing may tell handlers that their data has gone, and they may send more: until nothing is left.</summary>
    public void Flush()
    {
        while (_touched.Count > 0)
        {
            var output = _touched[^1];
            _touched.RemoveAt(_touched.Count - 1);
            output.FlushInBatch();
        }
    }

    public void End()
    {
        try
        {
            Flush();
        }
        finally
        {
            t_current = _outer;
            _outer = null;
        }
    }
}
