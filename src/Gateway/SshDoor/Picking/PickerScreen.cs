using System.Text;
using Countersign.Ssh;

namespace Countersign.Gateway.SshDoor.Picking;

/// <summary>
/// The other screen of a client's terminal, while it is ours. Whatever ends that, the client's own screen comes back first, and nothing is written over
/// it. One picture is on its way at a time: a client that does not read costs one picture.
/// </summary>
internal sealed class PickerScreen(SshChannel channel)
{
    private static readonly byte[] _leave = Encoding.ASCII.GetBytes(PickerFrame.Leave);

    private readonly Lock _gate = new();
    private ReadOnlyMemory<byte> _rest;
    private bool _entered;
    private bool _left;
    private bool _underway;

    /// <summary>Whether a new picture can be shown at once.</summary>
    public bool IsFree
    {
        get
        {
            lock (_gate) return !_left && !_underway && _rest.IsEmpty;
        }
    }

    /// <summary>Only when it is free.</summary>
    public void Show(string frame)
    {
        lock (_gate)
        {
            _rest = Encoding.UTF8.GetBytes(_entered ? frame : PickerFrame.Enter + frame);
            Push();
        }
    }

    /// <summary>The client has room for more.</summary>
    public void OnRoom()
    {
        lock (_gate) Push();
    }

    /// <summary>The network has taken what was written.</summary>
    public void OnDrained()
    {
        lock (_gate)
        {
            _underway = false;
            Push();
        }
    }

    /// <summary>Gives the client its screen back. For good, and any number of times; false: there was nothing to give.</summary>
    public bool Leave()
    {
        lock (_gate)
        {
            var gives = _entered && !_left && channel.SendWindow >= _leave.Length;
            _left = true;
            _rest = default;
            if (gives) channel.SendData(_leave);
            return gives;
        }
    }

    /// <summary>Room for the way back is always kept.</summary>
    private void Push()
    {
        var length = (int)Math.Min(_rest.Length, channel.SendWindow - _leave.Length);
        if (_left || _underway || length <= 0) return;
        (_entered, _underway) = (true, true);
        var piece = _rest[..length];
        _rest = _rest[length..];
        channel.SendData(piece.Span);
    }
}
