namespace Countersign.Ssh.Transport;

/// <summary>
/// How often a peer may renew the keys. A renewal costs us a computation and a signature, and a peer that does not compute its own part next to
/// nothing: so it is earned by what was sent under the keys, or by time, with enough in hand for whoever renews often in the beginning. Who has none in
/// hand is let wait: clients may be set to renew after little.
/// </summary>
internal sealed class RenewalAllowance(TimeProvider time)
{
    /// <summary>What can be in hand, and is in the beginning.</summary>
    public const int Most = 64;

    /// <summary>Bytes, of both directions together, that earn one renewal.</summary>
    public const long Price = 1 << 18;

    /// <summary>Renewals that a second earns.</summary>
    public const int PerSecond = 4;

    private long _asked = time.GetTimestamp();
    private long _inHand = Most * Price;

    /// <summary>Takes one renewal.</summary>
    /// <param name="sinceKeys">Bytes of both directions under the keys that are being renewed.</param>
    /// <returns>How long it takes until it is earned, before which nothing more is read of the peer; less than a second.</returns>
    public TimeSpan Take(long sinceKeys)
    {
        var now = time.GetTimestamp();
        var waited = Math.Min(time.GetElapsedTime(_asked, now).TotalSeconds, Most);
        _asked = now;
        _inHand = Math.Clamp(_inHand + sinceKeys + (long)(waited * PerSecond * Price), 0, Most * Price) - Price;
        return _inHand >= 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(-_inHand / (double)(PerSecond * Price));
    }
}
