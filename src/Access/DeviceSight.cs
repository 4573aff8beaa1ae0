using System.Numerics;

namespace Countersign.Access;

/// <summary>
/// What one person may do with each of many devices, for lists of them. Devices of one group that have nothing of their own, and accounts of the same
/// names, are alike: the first of them is asked about for all.
/// </summary>
internal sealed class DeviceSight(Authority authority)
{
    private readonly Dictionary<(int Group, ulong Accounts), (bool Sees, bool MayChange)> _known = [];

    public bool Sees(DeviceNode device) => Of(device).Sees;

    public bool MayChange(DeviceNode device) => Of(device).MayChange;

    private (bool Sees, bool MayChange) Of(DeviceNode device)
    {
        if (authority.IsMaster) return (true, true);
        if (authority.Person is not { } person) return default;

        // An account whose name has no bit could be told from others by its name alone.
        var isOneOfMany = device.Own.Length == 0 && (device.GrantMarks & person.Marks) == 0 && BitOperations.PopCount(device.AccountBits) == device.Accounts.Length;
        if (!isOneOfMany) return Ask(device);
        if (!_known.TryGetValue((device.GroupIndex, device.AccountBits), out var known)) _known.Add((device.GroupIndex, device.AccountBits), known = Ask(device));
        return known;
    }

    private (bool Sees, bool MayChange) Ask(DeviceNode device) => (authority.Sees(device), authority.Over(device).Contains(Permission.ModifyDevice));
}
