using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace Countersign.Gateway.SshDoor;

/// <summary>
/// The connections that have not signed in yet. There are at most <paramref name="most"/>: one more takes the place of the oldest from the addresses
/// that have the most of them, so that a flood of connections that say nothing throws out itself and not the people between them; one from as many addresses as
/// there are places throws out its oldest first.
/// </summary>
internal sealed class Arrivals(int most)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<Arrival> _oldestFirst = new();
    private readonly Dictionary<IPAddress, int> _byAddress = [];

    public int Count
    {
        get
        {
            lock (_gate) return _oldestFirst.Count;
        }
    }

    public Arrival Enter(IPAddress address)
    {
        Arrival? dropped = null;
        var arrival = new Arrival(this, NetworkOf(address));
        lock (_gate)
        {
            if (_oldestFirst.Count >= most)
            {
                var busiest = _byAddress.Values.Max();
                dropped = _oldestFirst.First(other => _byAddress[other.Address] == busiest);
                Remove(dropped);
            }

            arrival.Node = _oldestFirst.AddLast(arrival);
            _byAddress[arrival.Address] = _byAddress.GetValueOrDefault(arrival.Address) + 1;
        }

        dropped?.Drop();
        return arrival;
    }

    /// <summary>One subscriber of IPv6 has at least a /64 (RFC 6177): its addresses count together, or a flood would have one for each connection.</summary>
    public static IPAddress NetworkOf(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return address;
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        bytes[8..].Clear();
        return new(bytes);
    }

    private void Leave(Arrival arrival)
    {
        lock (_gate) Remove(arrival);
    }

    private void Remove(Arrival arrival)
    {
        if (arrival.Node is null) return;
        _oldestFirst.Remove(arrival.Node);
        arrival.Node = null;
        if (--_byAddress[arrival.Address] == 0) _byAddress.Remove(arrival.Address);
    }

    /// <summary>A place among the arrivals; given back when the connection has signed in or is over, whichever is first.</summary>
    [SuppressMessage("Reliability", "CA1001", Justification = "A token source without a timer holds nothing that needs disposing, and a newcomer may cancel it just when the connection ends.")]
    internal sealed class Arrival(Arrivals all, IPAddress address) : IDisposable
    {
        private readonly CancellationTokenSource _dropped = new();

        /// <summary>An IPv6 address stands for its network.</summary>
        public IPAddress Address { get; } = address;

        /// <summary>Cancelled, outside of any lock, when the connection has to make room.</summary>
        public CancellationToken Dropped => _dropped.Token;

        public LinkedListNode<Arrival>? Node { get; set; }

        public void Drop() => _dropped.Cancel();

        public void Dispose() => all.Leave(this);
    }
}
