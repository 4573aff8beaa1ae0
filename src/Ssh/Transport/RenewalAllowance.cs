namespace Countersign.Ssh.Transport;

/// <summary>
/// How often a peer may renew the keys. A renewal costs us a computation and a signature, and a peer that does not compute its own part next to
/// nothing: so it is earned by what was sent under the keys, or by time, with enough in hand for whoever renews often in the beginning.
/// </summary>
internal sealed class RenewalAllowance(TimeProvider time)
{
    /// <summary>What can be in hand, and is in the beginning.</summary>
    public const int Most = 64;

    /// <summary>Bytes, of both directions together, that earn one renewal; so does a second.</summary>
    public const long Price = 1 << 20;

    private long _asked = time.GetTimestamp();
    private long _inHand = Most * Price;

    /// <summary>Takes one renewal. False: none is in hand.</summary>
    /// <param name="sinceKeys">Bytes of both directions under the keys that are being renewed.</param>
    public bool TryTake(long sinceKeys)
    {
        var now = time.GetTimestamp();
        var waited = Math.Min(time.GetElapsedTime(_asked, now).TotalSeconds, Most);
        _asked = now;
        _inHand = Math.Min(_inHand + sinceKeys + (long)(waited * Price), Most * Price) - Price;
        return _inHand >= 0;
    }
}
