using System.Net;
using Countersign.Ssh;

namespace Countersign.Gateway.SshDoor.Picking;

/// <summary>The pickers of one connection, of which there are few at once.</summary>
/// <param name="time">The network's.</param>
internal sealed class OpenPickers(DeviceLists lists, SignedIn person, IPAddress source, TimeProvider time)
{
    /// <summary>A client has as many terminals as somebody looks at who has chosen in none of them yet.</summary>
    public const int Most = 4;

    private int _count;

    /// <summary>Null: there are as many as may be. The room gives its place back at its end.</summary>
    public PickingRoom? TryOpen(SshChannel channel, ScreenSize size)
    {
        if (Interlocked.Increment(ref _count) <= Most) return new(channel, size, lists, person, source, time, Leave);
        Leave();
        return null;
    }

    private void Leave() => Interlocked.Decrement(ref _count);
}
