using System.CommandLine;
using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

/// <param name="Read">The oldest version of policy that one of them was read from.</param>
internal sealed record SelectedDevices(IReadOnlyList<string> Ids, long? Read);

/// <summary>Devices that something is done to alike: named, or found.</summary>
internal sealed class DeviceSelection
{
    /// <summary>What the server takes at once.</summary>
    private const int Most = 1000;

    public Argument<string[]> Names { get; } = new("DEVICE") { Description = "Names or IDs.", Arity = ArgumentArity.ZeroOrMore };

    public Option<string?> Search { get; } = new("--search") { Description = "All devices that these words find, as in \"countersign devices\".", HelpName = "WORDS" };

    public void Bind(Command command) => command.Validators.Add(result =>
    {
        var found = result.GetResult(Search) is not null;
        if (result.GetValue(Names) is not { Length: > 0 } && !found) result.AddError("Say which devices: by their names, or with --search.");

        // Without words it would be all of them: nobody says that by an empty variable.
        if (found && string.IsNullOrWhiteSpace(result.GetValue(Search))) result.AddError("--search takes words to search by.");
    });

    public async Task<Answer<SelectedDevices>> FindAsync(ParseResult parsed, ApiClient client, CancellationToken cancellation)
    {
        var devices = new List<Device>();
        foreach (var name in parsed.GetValue(Names) ?? [])
        {
            if (!(await NamedThings.DeviceAsync(client, name, cancellation)).TryGet(out var named, out var failure)) return failure;
            devices.Add(named.Value);
        }

        if (parsed.GetValue(Search) is { } words)
        {
            if (!(await client.GetAsync($"devices?search={Uri.EscapeDataString(words)}&limit={Most}", ApiJson.Default.DevicePage, cancellation)).TryGet(out var found, out var failure)) return failure;
            if (!string.IsNullOrEmpty(found.Value.Next)) return TooMany();
            if (found.Value.Items is not { Count: > 0 }) return new Failure(ExitCode.NotFound, "No device that you may see matches.");
            devices.AddRange(found.Value.Items);
        }

        var ids = devices.Select(device => device.Id ?? "").Distinct(StringComparer.OrdinalIgnoreCase).ToList();
        return ids.Count > Most ? TooMany() : new SelectedDevices(ids, devices.Min(device => device.Version));
    }

    private static Failure TooMany() => new(ExitCode.Usage, $"Those are more than {Most} devices.", "Do it in parts.");
}
