using System.CommandLine;
using System.Globalization;
using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

/// <summary>Services as one writes them: <c>ssh</c>, <c>rdp:3390</c>, <c>https:8443=sha256:…</c>, <c>"ssh:22=ssh-ed25519 AAAA…"</c>, <c>ssh=none</c>.</summary>
internal static class ServiceText
{
    public const string Protocols = "ssh, rdp, vnc, http or https";

    private const string Help = "PROTOCOL[:PORT][=PIN]";
    private const string NoPin = "none";
    private static readonly string[] _known = ["ssh", "rdp", "vnc", "http", "https"];

    public static Option<string[]> Option(string description) => new("--service") { Description = description, HelpName = Help };

    /// <summary>
    /// A pin that is empty is refused, and not one that takes off what was pinned: it is what is left of a command that was to give the pin, and failed.
    /// </summary>
    public static Answer<IReadOnlyList<DeviceService>> Read(IReadOnlyList<string> texts)
    {
        var services = new List<DeviceService>();
        foreach (var text in texts)
        {
            var (place, pin) = Cut(text, '=');
            var (name, number) = Cut(place, ':');
            if (!Protocol(name).TryGet(out var protocol, out var failure)) return failure;
            int? port = null;
            if (number is not null)
            {
                if (!int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var read) || read is < 1 or > ushort.MaxValue) return new Failure(ExitCode.Usage, $"\"{text}\" is no service: a port is a number from 1 to 65535.", $"Write {Help}, such as rdp:3389.");
                port = read;
            }

            if (pin is not null && string.IsNullOrWhiteSpace(pin)) return new Failure(ExitCode.Usage, $"\"{text}\" pins nothing.", $"Write what it has to show after =, or {protocol}={NoPin} to take off what is pinned.");
            if (services.Exists(other => other.Protocol == protocol)) return new Failure(ExitCode.Usage, $"{protocol} is named twice.", "A device has at most one service of a protocol.");
            if (pin == NoPin) pin = "";
            services.Add(protocol == "ssh" ? new(protocol, port, pin, null) : new(protocol, port, null, pin));
        }

        return services;
    }

    /// <summary>Services that come or change, and protocols of those that go.</summary>
    public static Answer<ServiceEdit> Read(IReadOnlyList<string> put, IReadOnlyList<string> removed)
    {
        if (!Read(put).TryGet(out var services, out var failure)) return failure;
        var gone = new List<string>();
        foreach (var text in removed)
        {
            if (!Protocol(text).TryGet(out var protocol, out failure)) return failure;
            if (services.Any(service => service.Protocol == protocol)) return new Failure(ExitCode.Usage, $"The service by {protocol} can't both come and go: --service and --remove-service.");
            gone.Add(protocol);
        }

        return new ServiceEdit(services, gone);
    }

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

    private static Answer<string> Protocol(string text) =>
        Array.Find(_known, known => string.Equals(known, text, StringComparison.OrdinalIgnoreCase)) is { } protocol ? protocol : new Failure(ExitCode.Usage, $"There is no protocol \"{text}\".", $"A service is by {Protocols}.");

    private static (string Before, string? Behind) Cut(string text, char at) => text.IndexOf(at, StringComparison.Ordinal) is >= 0 and var place ? (text[..place], text[(place + 1)..]) : (text, null);
}

/// <param name="Put">In the place of what is of the same protocol.</param>
/// <param name="Removed">Protocols.</param>
internal sealed record ServiceEdit(IReadOnlyList<DeviceService> Put, IReadOnlyList<string> Removed)
{
    public bool IsEmpty => Put.Count + Removed.Count == 0;

    /// <summary>All that the device has afterwards. What stays is sent by its protocol alone, and so stays as it is.</summary>
    public Answer<IReadOnlyList<DeviceService>> Of(Device device)
    {
        var services = device.Services ?? [];
        if (Removed.FirstOrDefault(protocol => services.All(service => service.Protocol != protocol)) is { } missing) return new Failure(ExitCode.Usage, $"{device.Name} has no service by {missing}.");
        return services
            .Where(service => !Removed.Contains(service.Protocol, StringComparer.Ordinal) && Put.All(other => other.Protocol != service.Protocol))
            .Select(service => new DeviceService(service.Protocol, null, null, null))
            .Concat(Put)
            .ToList();
    }
}
