using System.Globalization;
using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

/// <summary>Services as one writes them: <c>ssh</c>, <c>rdp:3390</c>, <c>https:8443=sha256:…</c>, <c>"ssh:22=ssh-ed25519 AAAA…"</c>.</summary>
internal static class ServiceText
{
    public const string Help = "PROTOCOL[:PORT][=PIN]";

    /// <summary>Whether there is such a protocol or port is for the server to say.</summary>
    public static Answer<IReadOnlyList<DeviceService>> Read(IReadOnlyList<string> texts)
    {
        var services = new List<DeviceService>();
        foreach (var text in texts)
        {
            var (place, pin) = Cut(text, '=');
            var (protocol, number) = Cut(place, ':');
            int? port = null;
            if (number is not null)
            {
                if (!int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var read)) return new Failure(ExitCode.Usage, $"\"{text}\" is no service.", $"Write {Help}, such as rdp:3389.");
                port = read;
            }

            protocol = protocol.ToLowerInvariant();
            services.Add(protocol == "ssh" ? new(protocol, port, pin, null) : new(protocol, port, null, pin));
        }

        return services;
    }

    /// <summary>What is put takes the place of what is of the same protocol; what stays is sent by its protocol alone, and so stays as it is.</summary>
    public static IReadOnlyList<DeviceService> Edit(IReadOnlyList<DeviceService> services, IReadOnlyList<DeviceService> put, IReadOnlyList<string> removed) =>
    [
        .. services
            .Where(service => !removed.Contains(service.Protocol, StringComparer.OrdinalIgnoreCase) && put.All(other => other.Protocol != service.Protocol))
            .Select(service => new DeviceService(service.Protocol, null, null, null)),
        .. put,
    ];

    /// <summary>Without what is pinned.</summary>
    public static string Place(DeviceService service) =>
        service.Port is { } port ? string.Create(CultureInfo.InvariantCulture, $"{service.Protocol}:{port}") : service.Protocol ?? "";

    /// <summary>What is pinned, where something could be and the caller may know it.</summary>
    public static string Pin(DeviceService service) => (service.HostKey ?? service.Certificate) switch
    {
        null => "",
        "" => "nothing pinned",
        var pin => pin,
    };

    private static (string Before, string? Behind) Cut(string text, char at) => text.IndexOf(at, StringComparison.Ordinal) is >= 0 and var place ? (text[..place], text[(place + 1)..]) : (text, null);
}
