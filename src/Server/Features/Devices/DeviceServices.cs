using System.Globalization;
using Countersign.Access;

namespace Countersign.Server.Features.Devices;

/// <summary>What is left out stays; of a service that is new, it is the protocol's usual port, and nothing pinned.</summary>
/// <param name="HostKey">Of ssh only, as <c>type base64</c>; empty: nothing is pinned and nothing is opened.</param>
/// <param name="Certificate">Of rdp and https only, as <c>sha256:</c> and 64 hexadecimal digits; empty: nothing is pinned.</param>
internal sealed record DeviceServiceRequest(ServiceProtocol Protocol, int? Port = null, string? HostKey = null, string? Certificate = null)
{
    public static IReadOnlyList<ServiceWish> Wishes(IReadOnlyList<DeviceServiceRequest>? services) =>
        [.. (services ?? []).Select(service => service is null ? new ServiceWish(default) : new(service.Protocol, service.Port, service.HostKey, service.Certificate))];
}

/// <param name="Port">Null, like what is pinned, unless the caller may change the device.</param>
/// <param name="HostKey">Of ssh only; empty: nothing is pinned and nothing is opened.</param>
/// <param name="Certificate">Of rdp and https only; empty: nothing is pinned.</param>
/// <param name="Permissions">What the caller holds there of that which connects by it.</param>
internal sealed record DeviceServiceAnswer(ServiceProtocol Protocol, int? Port, string? HostKey, string? Certificate, IReadOnlyList<Permission> Permissions)
{
    /// <summary>For those who may change the device.</summary>
    public static DeviceServiceAnswer Whole(DeviceServiceRow row, PermissionSet held)
    {
        var pin = ServiceProtocols.PinOf(row.Protocol);
        return Of(row, held) with { Port = row.Port, HostKey = pin == ServicePin.HostKey ? row.Pin : null, Certificate = pin == ServicePin.Certificate ? row.Pin : null };
    }

    /// <summary>For everybody who sees the device.</summary>
    public static DeviceServiceAnswer Of(DeviceServiceRow row, PermissionSet held) => new(row.Protocol, null, null, null, [.. held & ServiceProtocols.ConnectedBy(row.Protocol)]);
}

/// <summary>Services as words of a table: <c>ssh:22 rdp:3389=sha256:…</c>. Host keys have a blank in them, and a column of their own.</summary>
internal static class ServiceWords
{
    public static string Write(IEnumerable<DeviceServiceRow> services) => string.Join(' ', services.Select(Write));

    /// <summary>What is no protocol or port is one that there is none of, which the plan says.</summary>
    public static IReadOnlyList<ServiceWish> Read(string text, string? hostKey)
    {
        var wishes = DeviceColumns.ReadWords(text).Select(Read).ToList();
        return [.. wishes.Select(wish => wish.Protocol == ServiceProtocol.Ssh && hostKey is not null ? wish with { HostKey = hostKey } : wish)];
    }

    private static string Write(DeviceServiceRow row) => string.Create(
        CultureInfo.InvariantCulture,
        $"{ServiceProtocols.Word(row.Protocol)}:{row.Port}{(ServiceProtocols.PinOf(row.Protocol) == ServicePin.Certificate && row.Pin.Length > 0 ? $"={row.Pin}" : "")}");

    private static ServiceWish Read(string word)
    {
        var (place, pin) = Cut(word, '=');
        var (name, number) = Cut(place, ':');
        if (!ServiceProtocols.TryParse(name, out var protocol)) return new(default);
        var port = number is null ? ServiceProtocols.UsualPort(protocol) : int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var read) ? read : 0;
        return protocol == ServiceProtocol.Ssh ? new(protocol, port, HostKey: pin)
            : new(protocol, port, Certificate: pin ?? (ServiceProtocols.PinOf(protocol) == ServicePin.Certificate ? "" : null));
    }

    private static (string Before, string? Behind) Cut(string text, char at) => text.IndexOf(at, StringComparison.Ordinal) is >= 0 and var place ? (text[..place], text[(place + 1)..]) : (text, null);
}
