using System.Net;
using Countersign.Access;
using Countersign.Sessions;

namespace Countersign.Gateway.SshDoor.Picking;

/// <summary>What one person may know of, and what they may do there from where they are. It decides nothing: whatever is chosen goes through admission.</summary>
internal sealed class ReachableDevices(DeviceList list, SignedIn person, IPAddress source, TimeProvider time)
{
    private readonly PolicySnapshot _snapshot = list.Snapshot;

    public PickerList Devices() => new(
        $"{Clean(person.Login)}: devices", _snapshot.Standing(person.Person, source, person.Strength) == DenialReason.None ? list.Items : [], Describe);

    /// <summary>Null: it is not there any more.</summary>
    public string? NameOf(DeviceId device) => _snapshot.Device(device)?.Name;

    /// <summary>The accounts that the person may use or ask for there, the default one first; empty: none.</summary>
    public IReadOnlyList<DeviceAccountRow> AccountsOf(DeviceId device) =>
        [.. _snapshot.AccountsOf(device).Where(account => WayTo(device, account.Name) != DecisionKind.Denied).OrderByDescending(account => account.IsDefault)];

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
    private DecisionKind WayTo(DeviceId device, string account) => _snapshot.Decide(new(
        person.Person, device, account, PermissionSet.Of(Permission.Terminal), time.GetUtcNow(), source, person.Strength, EndUserPresence.CannotBeAsked)).Kind;

    private static string Words(DecisionKind way) => way switch
    {
        DecisionKind.Allowed => "allowed",
        DecisionKind.NeedsApproval => "needs approval",
        DecisionKind.MayBeRequested => "on request",
        _ => "no terminal",
    };

    private static string Clean(string name) => PlainLine.Clean(name, DeviceList.LongestName);
}
