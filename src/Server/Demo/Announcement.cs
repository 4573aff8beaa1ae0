using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Countersign.Ssh;

namespace Countersign.Server.Demo;

/// <summary>Everything that a starting server prints, in the form of the ready file. Passwords and tokens are in it for the demo only.</summary>
internal sealed record Announcement
{
    public required string Http { get; init; }

    public required string Ssh { get; init; }

    /// <summary>Public key lines of the SSH front door.</summary>
    public required IReadOnlyList<string> SshHostKeys { get; init; }

    private IEnumerable<string> Fingerprints => SshHostKeys.Select(line => SshPublicKey.TryParse(line, out var key) ? $"{key.Type} {key.Fingerprint}" : line);

    public required string DataDirectory { get; init; }

    /// <summary>The one-time link with which the first owner sets the server up; null once that is done.</summary>
    public string? SetupLink { get; init; }

    public IReadOnlyList<DemoPerson> People { get; init; } = [];

    public IReadOnlyList<DemoDevice> Devices { get; init; } = [];

    public IReadOnlyList<DemoCommand> Commands { get; init; } = [];

    public string ToJson() => JsonSerializer.Serialize(this, AnnouncementJson.Default.Announcement);

    public string ToText()
    {
        var text = new StringBuilder();
        text.AppendLine($"Countersign is ready.  API {Http}  SSH {Ssh}");
        text.AppendLine($"Data: {DataDirectory}");
        foreach (var print in Fingerprints) text.AppendLine($"Host key: {print}");
        if (SetupLink is not null)
        {
            text.AppendLine().AppendLine("Nobody owns this server yet. Whoever opens this link becomes its owner; it works once:");
            text.AppendLine($"  {SetupLink}");
        }

        if (People.Count > 0)
        {
            text.AppendLine().AppendLine("People");
            foreach (var person in People) text.AppendLine($"  {person.Login,-6} {person.Password,-22} {person.About}");
        }

        if (Devices.Count > 0)
        {
            text.AppendLine().AppendLine("Devices");
            foreach (var device in Devices) text.AppendLine($"  {device.Name,-6} {device.Group,-18} {device.About}");
        }

        if (Commands.Count > 0)
        {
            text.AppendLine().AppendLine("Try, in another terminal");
            foreach (var command in Commands) text.AppendLine($"  # {command.About}").AppendLine($"  {command.Command}");
        }

        return text.ToString();
    }
}

/// <param name="KeyFile">A private key that is registered for the person.</param>
internal sealed record DemoPerson(string Login, string Name, string About, string Password, string Token, string KeyFile);

internal sealed record DemoDevice(string Name, string Group, string Account, string About);

/// <param name="ExitStatus">What it ends with.</param>
/// <param name="Interactive">It wants a terminal.</param>
/// <param name="Waits">It waits for what a later command does: paste that one into another terminal.</param>
internal sealed record DemoCommand(string About, string Command, int ExitStatus, bool Interactive, bool Waits = false);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Announcement))]
internal sealed partial class AnnouncementJson : JsonSerializerContext;
