using Countersign.Gateway.SshDoor.Picking;
using Countersign.Ssh;

namespace Countersign.Gateway.SshDoor;

/// <summary>Where the client has named no device and has a terminal, the person chooses one: from there on everything is as if it had been named.</summary>
internal sealed partial class SessionChannel
{
    private PickingRoom? _picking;
    private bool _isCrowded;

    /// <summary>If the picker shows: the client's own screen comes back before it is told why the connection ends. False: it has it already.</summary>
    public bool GiveBackScreen() => _picking?.Leave() == true;

    /// <summary>Called on the receive loop. Null: there is nothing to choose, or nothing to show it on.</summary>
    private PickingRoom? OpenPicker(SshChannel channel)
    {
        if (target.Device is not null || _terminal is not { } terminal) return null;
        var picking = pickers.TryOpen(channel, ScreenSize.Of(terminal.Size.Columns, terminal.Size.Rows));
        _isCrowded = picking is null;
        return picking;
    }

    /// <summary>RFC 4254 section 6.7.</summary>
    private static ScreenSize ReadSize(ReadOnlySpan<byte> payload) =>
        WindowSize.TryParse(payload, out var size) ? ScreenSize.Of(size.Columns, size.Rows) : ScreenSize.Of(0, 0);
}
