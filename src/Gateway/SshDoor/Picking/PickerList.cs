using Countersign.Access;

namespace Countersign.Gateway.SshDoor.Picking;

/// <summary>One thing that can be chosen.</summary>
/// <param name="Name">What it is called, cleaned.</param>
/// <param name="Where">Of a device: the path of its group, cleaned; one string for all of a group.</param>
/// <param name="Device">The device, or whose account it is.</param>
/// <param name="Account">Null: the device itself.</param>
internal readonly record struct PickerItem(string Name, string Where, DeviceId Device, string? Account);

/// <summary>What is told of a thing that is shown: worked out for what is on the screen only.</summary>
internal readonly record struct PickerDetail(string Account, string How);

/// <summary>What can be chosen from, in the order in which it is shown.</summary>
/// <param name="Title">One line, cleaned.</param>
internal sealed record PickerList(string Title, IReadOnlyList<PickerItem> Items, Func<PickerItem, PickerDetail> Detail)
{
    /// <summary>The places of those that have every word of the search in their name or in where they are, whichever case.</summary>
    /// <param name="among">Only these places; null: all.</param>
    public List<int> Find(string search, List<int>? among = null)
    {
        var words = search.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var found = new List<int>(words.Length == 0 ? among?.Count ?? Items.Count : 16);
        var count = among?.Count ?? Items.Count;
        for (var next = 0; next < count; next++)
        {
            var place = among is null ? next : among[next];
            if (HasAll(Items[place], words)) found.Add(place);
        }

        return found;
    }

    private static bool HasAll(in PickerItem item, string[] words)
    {
        foreach (var word in words)
        {
            if (!item.Name.Contains(word, StringComparison.OrdinalIgnoreCase) && !item.Where.Contains(word, StringComparison.OrdinalIgnoreCase)) return false;
        }

        return true;
    }
}
