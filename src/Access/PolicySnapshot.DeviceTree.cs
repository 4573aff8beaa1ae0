namespace Countersign.Access;

/// <summary>A device group that a person may know of.</summary>
/// <param name="Devices">Those that the person may see, directly in it.</param>
/// <param name="AllDevices">Those and the ones in all groups below it.</param>
public readonly record struct DeviceGroupListing(DeviceGroupRow Group, int Devices, int AllDevices);

public sealed partial class PolicySnapshot
{
    /// <summary>The device groups that the person may see, in no particular order, each with its count of what they may see. A person's devices are gone through once.</summary>
    /// <param name="under">Only this group and those below it; null: all.</param>
    public IReadOnlyList<DeviceGroupListing> DeviceTree(PersonId person, DateTimeOffset at, DeviceGroupId? under = null)
    {
        DeviceGroupNode? top = null;
        if (under is { } id && !_model.DeviceGroups.TryGetValue(id, out top)) return [];
        var authority = new Authority(_model, person, at);
        if (authority.Person is not { } node) return [];
        var direct = Counted(authority, node, at);
        var (all, seen) = (new int[direct.Length], new bool[direct.Length]);
        foreach (var group in _model.DeviceGroups.Values)
        {
            if (direct[group.Index] == 0 && !authority.IsMaster && authority.Over(group).IsEmpty) continue;
            foreach (var above in group.Upwards())
            {
                seen[above.Index] = true;
                all[above.Index] += direct[group.Index];
            }
        }

        return [.. _model.DeviceGroups.Values
            .Where(group => seen[group.Index] && (top is null || group.IsAtOrBelow(top)))
            .Select(group => new DeviceGroupListing(group.Row, direct[group.Index], all[group.Index]))];
    }

    /// <summary>The devices in each group, by its index, that the person sees.</summary>
    private int[] Counted(Authority authority, PersonNode person, DateTimeOffset at)
    {
        var counts = new int[_model.DeviceGroupAt.Length];
        if (authority.IsMaster)
        {
            for (var index = 0; index < counts.Length; index++) counts[index] = _model.Contents[index].Devices.Length;
            return counts;
        }

        var sight = new DeviceSight(authority);
        foreach (var device in DevicesWithin(person, at))
        {
            if (sight.Sees(device)) counts[device.GroupIndex]++;
        }

        return counts;
    }
}
