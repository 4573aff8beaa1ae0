using System.CommandLine;
using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

/// <summary>Changes one device. What has several of a kind is edited by words that come and words that go, so that nobody has to write again what stays.</summary>
internal sealed class DeviceEditCommand
{
    private readonly Argument<string> _device = DeviceShowCommand.Named();
    private readonly Option<string?> _group = new("--group") { Description = "The name, path or ID of the device group that it moves to.", HelpName = "GROUP" };
    private readonly Option<string?> _rename = new("--rename") { Description = "Another name.", HelpName = "NAME" };
    private readonly Option<string?> _host = new("--host") { Description = "Another host name or address. The stored secrets are dropped.", HelpName = "HOST" };
    private readonly Option<string?> _description = new("--description") { Description = "One line.", HelpName = "TEXT" };
    private readonly Option<bool?> _enabled = new("--enabled") { Description = "true or false: whether anybody gets in.", HelpName = "BOOL" };
    private readonly Option<string[]> _services = ServiceText.Option(
        $"{ServiceText.Protocols}, in the place of the one of its protocol, if there is one. Without a port it stays at its port, and without = its pin stays; =none takes the pin off. One that is new has the usual port. Repeatable.");

    private readonly Option<string[]> _noServices = new("--remove-service") { Description = "The protocol of a service that goes. Repeatable.", HelpName = "PROTOCOL" };
    private readonly WordEdit _tags = new("tag", "--tag", "A tag that it gets besides those that it has. Repeatable.", "--untag", "A tag that it loses. Repeatable.", StringComparer.OrdinalIgnoreCase);
    private readonly WordEdit _accounts = new("account", "--account", "An account that it gets besides those that it has. Repeatable.", "--remove-account", "An account that goes, with its secret. Repeatable.", StringComparer.Ordinal);
    private readonly Option<string?> _default = new("--default-account") { Description = "The account that is the default one from now on.", HelpName = "ACCOUNT" };

    private DeviceEditCommand()
    {
    }

    public static Command Create(CommonOptions common)
    {
        var (options, edit) = (new DeviceEditCommand(), new PolicyEdit(common));
        var command = new DocumentedCommand(
            "edit",
            "Changes a device; what is not named stays. Another host, and whatever changes of the services, drops the stored secrets.",
            "countersign devices edit web1 --service ssh:2022 --untag old --tag new",
            "countersign devices edit web1 --service \"ssh=ssh-ed25519 AAAAC3Nza…\"",
            "countersign devices edit web1 --service https:8443=sha256:9f86d081… --remove-service vnc --preview")
        {
            options._device, options._group, options._rename, options._host, options._description, options._enabled, options._services, options._noServices,
            options._tags.Added, options._tags.Removed, options._accounts.Added, options._accounts.Removed, options._default, edit.Preview,
        };
        command.ChangesSomething(
            options._group, options._rename, options._host, options._description, options._enabled, options._services, options._noServices,
            options._tags.Added, options._tags.Removed, options._accounts.Added, options._accounts.Removed, options._default);
        command.SetAction((parsed, cancellation) =>
        {
            var services = ServiceText.Read(parsed.GetValue(options._services) ?? [], parsed.GetValue(options._noServices) ?? []);
            if (!services.TryGet(out var edited, out var failure)) return Task.FromResult(common.OutputFor(parsed).Fail(failure));
            if ((options._tags.Contradiction(parsed) ?? options._accounts.Contradiction(parsed)) is { } both) return Task.FromResult(common.OutputFor(parsed).Fail(both));
            return edit.RunAsync(parsed, (client, stop) => options.PlanAsync(parsed, client, edited, stop), cancellation);
        });
        return command;
    }

    private async Task<Answer<PolicyRequest>> PlanAsync(ParseResult parsed, ApiClient client, ServiceEdit services, CancellationToken cancellation)
    {
        if (!(await NamedThings.DeviceAsync(client, parsed.GetRequiredValue(_device), cancellation)).TryGet(out var found, out var failure)) return failure;
        var device = found.Value;
        string? inside = null;
        if (parsed.GetValue(_group) is { } moved && !(await NamedThings.GroupAsync(client, moved, cancellation)).TryGet(out inside, out failure)) return failure;
        if (!services.Of(device).TryGet(out var allServices, out failure)) return failure;
        if (!_tags.Of(device.Name, device.Tags ?? [], parsed).TryGet(out var allTags, out failure)) return failure;
        if (!AccountsOf(device, parsed).TryGet(out var allAccounts, out failure)) return failure;
        var change = new DeviceChange(
            inside, parsed.GetValue(_rename), parsed.GetValue(_description), parsed.GetValue(_enabled), parsed.GetValue(_host),
            services.IsEmpty ? null : allServices,
            _accounts.IsGiven(parsed) || parsed.GetValue(_default) is not null ? allAccounts : null,
            _tags.IsGiven(parsed) ? allTags : null);
        return PolicyRequest.Patch($"devices/{Uri.EscapeDataString(device.Id ?? "")}", change, ApiJson.Default.DeviceChange, "").Showing(ApiJson.Default.Device, DeviceShowCommand.Show) with { Read = device.Version };
    }

    /// <summary>The default one first. Which one takes the place of a default one that goes, has to be said.</summary>
    private Answer<IReadOnlyList<string>> AccountsOf(Device device, ParseResult parsed)
    {
        var ordered = (device.Accounts ?? []).OrderByDescending(account => account.Default == true).ToList();
        if (!_accounts.Of(device.Name, [.. ordered.Select(account => account.Name ?? "")], parsed).TryGet(out var names, out var failure)) return failure;
        if (parsed.GetValue(_default) is { } first)
        {
            return names.Contains(first, StringComparer.Ordinal)
                ? new List<string>([first, .. names.Where(name => name != first)])
                : new Failure(ExitCode.Usage, $"{device.Name} has no account {first}.", "Add it in the same way, with --account.");
        }

        return ordered.Find(account => account.Default == true)?.Name is { } before && names.Count > 0 && !names.Contains(before, StringComparer.Ordinal)
            ? new Failure(ExitCode.Usage, $"{before} is the default account of {device.Name}.", "Say with --default-account which one is, from then on.")
            : Answers(names);

        static Answer<IReadOnlyList<string>> Answers(IReadOnlyList<string> names) => names.ToList();
    }
}
