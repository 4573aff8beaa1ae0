using System.Globalization;

namespace Countersign.Access;

public sealed partial class PolicySnapshot
{
    /// <summary>
    /// The devices that the person may see and that the query fits, in ordinal order of their names, found as they are read: reading no further than a
    /// page costs no more than that page. By the host and by ports devices are found only by those who may change them, and so may know it.
    /// </summary>
    /// <param name="after">Only names behind this one; null: from the beginning.</param>
    public IEnumerable<DeviceRow> Search(PersonId person, DeviceQuery query, DateTimeOffset at, string? after = null) =>
        new DeviceSearch(this, person, query, at).Behind(after);
}

/// <summary>
/// Goes through all devices in the order of their names. A hundred thousand are looked at in a few milliseconds; an index would have to be kept up with
/// every change, and would find a part of a word hardly faster. What the person's grants don't cover is passed over before anything else is asked.
/// </summary>
internal sealed class DeviceSearch
{
    private readonly PolicySnapshot _snapshot;
    private readonly DeviceQuery _query;
    private readonly DeviceSight _sight;
    private readonly (HashSet<DeviceGroupId> Groups, HashSet<DeviceId> Devices)? _covered;
    private readonly HashSet<DeviceGroupId>? _groups;

    public DeviceSearch(PolicySnapshot snapshot, PersonId person, DeviceQuery query, DateTimeOffset at)
    {
        _snapshot = snapshot;
        _query = query;
        var authority = new Authority(snapshot.Model, person, at);
        _sight = new(authority);
        _covered = authority.IsMaster ? null : snapshot.CoveredBy(person, at);
        _groups = Groups();
    }

    public IEnumerable<DeviceRow> Behind(string? after)
    {
        if (_covered is ({ Count: 0 }, { Count: 0 }) || _groups is { Count: 0 }) yield break;
        var rows = _snapshot.DevicesByName;
        for (var place = after is null ? 0 : FirstBehind(rows, after); place < rows.Count; place++)
        {
            if (Fits(rows[place])) yield return rows[place];
        }
    }

    private static int FirstBehind(IReadOnlyList<DeviceRow> rows, string after)
    {
        var (low, high) = (0, rows.Count);
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            if (string.CompareOrdinal(rows[middle].Name, after) > 0) high = middle;
            else low = middle + 1;
        }

        return low;
    }

    private bool Fits(DeviceRow row)
    {
        if (_groups?.Contains(row.Group) == false) return false;
        if (_covered is var (groups, devices) && !groups.Contains(row.Group) && !devices.Contains(row.Id)) return false;
        var byPlace = false;
        foreach (var word in _query.Words)
        {
            if (FitsOpenly(row, word)) continue;
            if (!FitsByPlace(row, word)) return false;
            byPlace = true;
        }

        var device = NodeOf(row);
        return _sight.Sees(device) && (!byPlace || _sight.MayChange(device));
    }

    private DeviceNode NodeOf(DeviceRow row) => _snapshot.Model.Devices.GetValueOrDefault(row.Id)!;

    /// <summary>By where it is reached, which is for those who may change the device.</summary>
    private bool FitsByPlace(DeviceRow row, DeviceQuery.Word word) => word.Of switch
    {
        DeviceQuery.Part.Host or DeviceQuery.Part.Anything => word.IsIn(row.Host),
        DeviceQuery.Part.Port => int.TryParse(word.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && Array.Exists(NodeOf(row).Services, service => service.Port == port),
        _ => false,
    };

    /// <summary>By what everybody may know who sees the device.</summary>
    private bool FitsOpenly(DeviceRow row, DeviceQuery.Word word) => word.Of switch
    {
        // Names and tags have no capital letters.
        DeviceQuery.Part.Anything => row.Name.Contains(word.Text, StringComparison.Ordinal)
            || row.Tags.Contains(word.Text, StringComparison.Ordinal)
            || word.IsIn(row.Description),
        DeviceQuery.Part.Tag or DeviceQuery.Part.TagBeginning => HasTag(row.Tags, word),
        DeviceQuery.Part.Service => ServiceProtocols.TryParse(word.Text, out var protocol) && NodeOf(row).Service(protocol) is not null,

        // Looked at in Groups, for all devices at once.
        DeviceQuery.Part.Group => true,
        _ => false,
    };

    private static bool HasTag(string tags, DeviceQuery.Word word)
    {
        for (var place = tags.IndexOf(word.Text, StringComparison.Ordinal); place >= 0; place = tags.IndexOf(word.Text, place + 1, StringComparison.Ordinal))
        {
            var end = place + word.Text.Length;
            var ends = word.Of == DeviceQuery.Part.TagBeginning || end == tags.Length || tags[end] == ',';
            if (ends && (place == 0 || tags[place - 1] == ',')) return true;
        }

        return false;
    }

    /// <summary>The groups in which devices are looked for; null: all of them. Whoever sees a device sees the groups above it.</summary>
    private HashSet<DeviceGroupId>? Groups()
    {
        var model = _snapshot.Model;
        HashSet<DeviceGroupId>? within = null;
        if (_query.Group is { } group) Keep([group]);
        if (_query.Under is { } under) Keep(model.DeviceGroups.TryGetValue(under, out var top) ? model.Downwards(top).Select(below => below.Id) : []);
        foreach (var word in _query.Words.Where(word => word.Of == DeviceQuery.Part.Group))
        {
            var named = model.DeviceGroups.Values.Where(one => word.IsIn(one.Row.Name));
            Keep(named.SelectMany(model.Downwards).Select(below => below.Id));
        }

        return within;

        void Keep(IEnumerable<DeviceGroupId> groups)
        {
            if (within is null) within = [.. groups];
            else within.IntersectWith(groups);
        }
    }
}
