namespace Countersign.Access;

/// <summary>
/// What one person may do with each of many devices, for lists of them. Of devices that are alike to them (<see cref="DeviceClass"/>)
/// the first is asked about for all.
/// </summary>
internal sealed class DeviceSight(Authority authority)
{
    private readonly Dictionary<DeviceClass, (bool Sees, bool MayChange)> _known = [];

    public bool Sees(DeviceNode device) => Of(device).Sees;

    public bool MayChange(DeviceNode device) => Of(device).MayChange;

    private (bool Sees, bool MayChange) Of(DeviceNode device)
    {
        if (authority.IsMaster) return (true, true);
        if (authority.Person is not { } person) return default;
        if (DeviceClass.Of(device, person) is not { } kind) return Ask(device);
        if (!_known.TryGetValue(kind, out var known)) _known.Add(kind, known = Ask(device));
        return known;
    }

    private (bool Sees, bool MayChange) Ask(DeviceNode device) => (authority.Sees(device), authority.Over(device).Contains(Permission.ModifyDevice));
}
