using Countersign.Access;
using Countersign.Sessions;

namespace Countersign.Gateway.SshDoor.Picking;

/// <summary>What one person may know of in one version of policy, at one instant, by name: those with a service by ssh, as there is no way to others from here.</summary>
internal sealed class DeviceList
{
    /// <summary>Characters of a name that is shown.</summary>
    public const int LongestName = 300;

    private const int DeepestPath = 64;

    private DeviceList(PolicySnapshot snapshot, IReadOnlyList<PickerItem> items) => (Snapshot, Items) = (snapshot, items);

    public PolicySnapshot Snapshot { get; }

    public IReadOnlyList<PickerItem> Items { get; }

    /// <summary>Takes time in proportion to what the person's grants cover.</summary>
    public static DeviceList Of(PolicySnapshot snapshot, PersonId person, DateTimeOffset at)
    {
        var paths = new Dictionary<DeviceGroupId, string>();
        return new(snapshot, [.. snapshot.DevicesOf(person, at)
            .Where(listing => snapshot.Endpoint(listing.Device.Id, ServiceProtocol.Ssh) is not null)
            .Select(listing => new PickerItem(PlainLine.Clean(listing.Device.Name, LongestName), PathOf(snapshot, listing.Device.Group, paths), listing.Device.Id, Account: null))]);
    }

    /// <summary>From the top. Whoever may know of a device may know of the groups that it is in.</summary>
    private static string PathOf(PolicySnapshot snapshot, DeviceGroupId id, Dictionary<DeviceGroupId, string> paths)
    {
        if (paths.TryGetValue(id, out var known)) return known;
        var names = new List<string>();
        var next = (DeviceGroupId?)id;
        while (next is { } group && names.Count < DeepestPath && snapshot.Find(new(PolicyTable.DeviceGroup, group.Value)) is DeviceGroupRow row)
        {
            names.Add(PlainLine.Clean(row.Name, LongestName));
            next = row.ParentId;
        }

        names.Reverse();
        return paths[id] = string.Join(" / ", names);
    }
}
