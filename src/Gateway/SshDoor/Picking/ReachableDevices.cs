using System.Net;
using Countersign.Access;
using Countersign.Sessions;

namespace Countersign.Gateway.SshDoor.Picking;

/// <summary>What one person may know of in one version of policy, as lists to choose from. It decides nothing: whatever is chosen goes through admission.</summary>
internal sealed class ReachableDevices(PolicySnapshot snapshot, SignedIn person, IPAddress source, TimeProvider time)
{
    private const int LongestName = 300;
    private const int DeepestPath = 64;

    private readonly Dictionary<DeviceGroupId, string> _paths = [];

    /// <summary>Those with a service by ssh: to others there is no way from here. Takes time in proportion to what the person's grants cover.</summary>
    public PickerList Devices()
    {
        if (snapshot.Standing(person.Person, source, person.Strength) != DenialReason.None) return new($"{Clean(person.Login)}: devices", [], Describe);
        var items = snapshot.DevicesOf(person.Person, time.GetUtcNow())
            .Where(listing => snapshot.Endpoint(listing.Device.Id, ServiceProtocol.Ssh) is not null)
            .Select(listing => new PickerItem(Clean(listing.Device.Name), PathOf(listing.Device.Group), listing.Device.Id, Account: null))
            .ToArray();
        return new($"{Clean(person.Login)}: devices", items, Describe);
    }

    /// <summary>Null: it is not there any more.</summary>
    public string? NameOf(DeviceId device) => snapshot.Device(device)?.Name;

    /// <summary>The accounts that the person may use or ask for there, the default one first; empty: none.</summary>
    public IReadOnlyList<DeviceAccountRow> AccountsOf(DeviceId device) =>
        [.. snapshot.AccountsOf(device).Where(account => WayTo(device, account.Name) != DecisionKind.Denied).OrderByDescending(account => account.IsDefault)];

    /// <summary>The accounts of one device.</summary>
    public PickerList Accounts(DeviceId device) => new(
        $"{Clean(NameOf(device) ?? "")}: accounts",
        [.. AccountsOf(device).Select(account => new PickerItem(Clean(account.Name), account.IsDefault ? "default" : "", device, account.Name))],
        item => new("", Words(WayTo(item.Device, item.Account!))));

    private PickerDetail Describe(PickerItem item)
    {
        var accounts = AccountsOf(item.Device);
        if (accounts.Count == 0) return new("", Words(DecisionKind.Denied));
        var best = accounts.Max(account => WayTo(item.Device, account.Name));
        var more = accounts.Count > 1 ? $" +{accounts.Count - 1}" : "";
        return new(Clean(accounts[0].Name) + more, Words(best));
    }

    /// <summary>The question that a shell asks.</summary>
    private DecisionKind WayTo(DeviceId device, string account) => snapshot.Decide(new(
        person.Person, device, account, PermissionSet.Of(Permission.Terminal), time.GetUtcNow(), source, person.Strength, EndUserPresence.CannotBeAsked)).Kind;

    private static string Words(DecisionKind way) => way switch
    {
        DecisionKind.Allowed => "allowed",
        DecisionKind.NeedsApproval => "needs approval",
        DecisionKind.MayBeRequested => "on request",
        _ => "no terminal",
    };

    /// <summary>From the top. Whoever may know of a device may know of the groups that it is in.</summary>
    private string PathOf(DeviceGroupId id)
    {
        if (_paths.TryGetValue(id, out var known)) return known;
        var names = new List<string>();
        var next = (DeviceGroupId?)id;
        while (next is { } group && names.Count < DeepestPath && snapshot.Find(new(PolicyTable.DeviceGroup, group.Value)) is DeviceGroupRow row)
        {
            names.Add(Clean(row.Name));
            next = row.ParentId;
        }

        names.Reverse();
        return _paths[id] = string.Join(" / ", names);
    }

    private static string Clean(string name) => PlainLine.Clean(name, LongestName);
}
