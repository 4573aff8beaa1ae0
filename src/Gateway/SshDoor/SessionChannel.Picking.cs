using Countersign.Gateway.SshDoor.Picking;
using Countersign.Ssh;

namespace Countersign.Gateway.SshDoor;

/// <summary>Where the client has named no device and has a terminal, the person chooses one: from there on everything is as if it had been named.</summary>
internal sealed partial class SessionChannel
{
    private PickingRoom? _picking;

    /// <summary>If the picker shows: the client's own screen comes back before it is told why the connection ends. False: it has it already.</summary>
    public bool GiveBackScreen() => _picking?.Leave() == true;

    /// <summary>On the receive loop. Null: there is nothing to choose, or nothing to show it on.</summary>
    private PickingRoom? OpenPicker(SshChannel channel) => target.Device is null && _terminal is { } terminal
        ? new(channel, ScreenSize.Of(terminal.Size.Columns, terminal.Size.Rows), Look, time)
        : null;

    private async Task<PickedDevice?> PickAsync(PickingRoom picking)
    {
        using var changes = services.Policy.OnChange(snapshot =>
        {
            if (snapshot.Organization == person.Organization) picking.Renew();
        });
        return await picking.RunAsync(_gone.Token);
    }

    private ReachableDevices? Look() => services.Policy.Current(person.Organization) is { } snapshot ? new(snapshot, person, source, time) : null;

    /// <summary>RFC 4254 section 6.7.</summary>
    private static ScreenSize ReadSize(ReadOnlySpan<byte> payload) =>
        WindowSize.TryParse(payload, out var size) ? ScreenSize.Of(size.Columns, size.Rows) : ScreenSize.Of(0, 0);
}
