using System.Net;

namespace Countersign.Gateway.SshDoor;

/// <summary>
/// The connections that have not signed in yet. There are at most <paramref name="most"/>: one more takes the place of the oldest from the address
/// that has the most of them, so that a flood of connections that say nothing throws out itself and not the people between them.
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

    /// <param name="drop">Called, outside of any lock, when the connection has to make room.</param>
    public Arrival Enter(IPAddress address, Action drop)
    {
        Arrival? dropped = null;
        var arrival = new Arrival(this, address, drop);
        lock (_gate)
        {
            if (_oldestFirst.Count >= most)
            {
                var busiest = _byAddress.MaxBy(pair => pair.Value).Key;
                dropped = _oldestFirst.First(other => other.Address.Equals(busiest));
                Remove(dropped);
            }

            arrival.Node = _oldestFirst.AddLast(arrival);
            _byAddress[address] = _byAddress.GetValueOrDefault(address) + 1;
        }

        dropped?.Drop();
        return arrival;
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
    internal sealed class Arrival(Arrivals all, IPAddress address, Action drop) : IDisposable
    {
        public IPAddress Address { get; } = address;

        public LinkedListNode<Arrival>? Node { get; set; }

        public void Drop() => drop();

        public void Dispose() => all.Leave(this);
    }
}
